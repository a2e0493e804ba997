"""The environments: what they pay, and that each probe tells a right agent from a wrong one."""

import functools
import warnings

import gymnasium as gym
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from gymnasium.spaces import Box
from gymnasium.utils.env_checker import check_env

from ddpg_helpers.environments import (
    ConstantReward,
    OneStepBandit,
    StateDependentBandit,
    TerminatedTwin,
    TruncatedTwin,
    TwoStepCredit,
    make_env,
)
from ddpg_helpers.instructor.reference.agent import DDPGAgent, soft_update
from ddpg_helpers.training import train

PROBES = [
    OneStepBandit, StateDependentBandit, ConstantReward, TwoStepCredit, TerminatedTwin,
    TruncatedTwin,
]  # fmt: skip
GAMMA = 0.9


@pytest.fixture(autouse=True)
def one_torch_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# --- make_env -------------------------------------------------------------------------------------


def test_pendulums_actions_lie_in_minus_one_to_one_and_are_doubled_inside():
    env = make_env()
    assert isinstance(env.action_space, Box)
    assert env.action_space.low.tolist() == [-1.0] and env.action_space.high.tolist() == [1.0]
    env.reset(seed=0)
    env.step(np.array([0.5], np.float32))
    assert env.unwrapped.last_u == pytest.approx(1.0)


def test_a_seed_fixes_the_first_state_and_the_sampled_actions():
    first, second = make_env(seed=3), make_env(seed=3)
    assert np.array_equal(first.unwrapped.state, second.unwrapped.state)
    assert np.array_equal(first.action_space.sample(), second.action_space.sample())
    assert not np.array_equal(first.unwrapped.state, make_env(seed=4).unwrapped.state)


def test_discrete_actions_are_refused_with_what_to_do():
    with pytest.raises(TypeError, match=r"CartPole-v1 has discrete actions.*continuous"):
        make_env("CartPole-v1")


# --- what the probes are --------------------------------------------------------------------------


@pytest.mark.parametrize("probe", PROBES)
def test_probe_passes_gymnasiums_own_checker(probe):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Only what is registered under a name has a spec, which the checker would like to see.
        warnings.filterwarnings("ignore", message=".*spec")
        check_env(probe(), skip_render_check=True)


@pytest.mark.parametrize("probe", PROBES)
def test_probe_has_float32_boxes_with_actions_in_minus_one_to_one(probe):
    env = probe()
    assert isinstance(env.observation_space, Box)
    assert env.action_space == Box(-1.0, 1.0, env.action_space.shape, np.float32)
    assert len(env.action_space.shape) == 1


def test_bandit_pays_minus_the_squared_distance_and_terminates():
    env = OneStepBandit((0.5, -0.3))
    env.reset(seed=0)
    _, reward, terminated, truncated, _ = env.step(np.array([0.0, 0.1]))
    assert reward == pytest.approx(-(0.5**2 + 0.4**2))
    assert terminated and not truncated


def test_state_dependent_bandit_wants_minus_the_state():
    env = StateDependentBandit(action_size=2)
    state, _ = env.reset(seed=5)
    again, _ = StateDependentBandit(action_size=2).reset(seed=5)
    assert np.array_equal(state, again)
    assert env.step(-state)[1] == pytest.approx(0.0)
    assert not np.array_equal(env.reset()[0], state)


def test_two_step_credit_pays_the_first_action_at_the_second_step():
    env = TwoStepCredit((0.6, -0.6))
    env.reset(seed=0)
    observation, reward, terminated, truncated, _ = env.step(np.array([0.1, -0.6]))
    assert reward == 0.0 and not terminated and not truncated
    assert observation == pytest.approx([1.0, 0.1, -0.6])
    _, reward, terminated, truncated, _ = env.step(np.array([0.6, 0.9]))
    assert reward == pytest.approx(-(0.5**2))
    assert terminated and not truncated


def test_twins_differ_in_the_kind_of_their_end_alone():
    steps = []
    for twin in (TerminatedTwin(), TruncatedTwin()):
        first = twin.reset(seed=0)[0].tolist()
        rows = [twin.step(np.array([action])) for action in (0.3, -1.0, 0.0, 1.0)]
        steps.append([first, *[(row[0].tolist(), row[1]) for row in rows]])
        assert [row[2] or row[3] for row in rows] == [False, False, False, True]
        assert rows[-1][2] == isinstance(twin, TerminatedTwin)
        assert rows[-1][3] == isinstance(twin, TruncatedTwin)
    assert steps[0] == steps[1]


def test_constant_reward_is_cut_off_and_never_terminates():
    env = ConstantReward(steps=3)
    for _ in range(2):
        env.reset(seed=0)
        ends = [env.step(np.zeros(1))[1:4] for _ in range(3)]
        assert ends == [(1.0, False, False), (1.0, False, False), (1.0, False, True)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: OneStepBandit((1.5,)),
        lambda: OneStepBandit(()),
        lambda: TwoStepCredit((np.nan,)),
        lambda: StateDependentBandit(0),
        lambda: ConstantReward(0),
    ],
)
def test_probe_refuses_a_size_or_target_that_makes_no_sense(make):
    with pytest.raises(ValueError, match="must be"):
        make()


# --- what the probes tell -------------------------------------------------------------------------


class WrittenOut(DDPGAgent):
    """The update in one piece, with a switch for each bug that a probe is made for."""

    bug = ""

    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        with torch.no_grad():
            states = batch.states if self.bug == "value of the same state" else batch.next_states
            values = self.critic_target(states, self.actor_target(states))
            mask = 1.0 if self.bug == "no mask" else 1 - batch.terminated
            gamma = 0.0 if self.bug == "no bootstrap" else self.gamma
            targets = batch.rewards + gamma * mask * values
        critic_loss = F.mse_loss(self.critic(batch.states, batch.actions), targets)
        self.critic_optimizer.zero_grad()
        critic_loss.backward()
        self.critic_optimizer.step()
        states = batch.next_states if self.bug == "actor on next states" else batch.states
        actor_loss = -self.critic(states, self.actor(states)).mean()
        if self.bug == "actor goes down":
            actor_loss = -actor_loss
        self.actor_optimizer.zero_grad()
        actor_loss.backward()
        self.actor_optimizer.step()
        if self.bug != "targets never move":
            soft_update(self.actor_target, self.actor, self.tau)
            soft_update(self.critic_target, self.critic, self.tau)
        return critic_loss.item(), actor_loss.item()


class EndsAsTerminated(gym.Wrapper):
    """What a training loop does that stores ``terminated or truncated``."""

    def step(self, action):
        state, reward, terminated, truncated, info = self.env.step(action)
        return state, reward, terminated or truncated, truncated, info


def trained(env, episodes, bug=None, seed=0):
    if bug == "truncated as terminated":
        env, agent_class = EndsAsTerminated(env), DDPGAgent
    elif bug is None:
        agent_class = DDPGAgent
    else:
        agent_class = type("Wrong", (WrittenOut,), {"bug": bug})
    agent = agent_class(
        env, hidden_size=32, actor_learning_rate=1e-3, critic_learning_rate=3e-3, gamma=GAMMA,
        tau=0.05, seed=seed,
    )  # fmt: skip
    train(agent, env, episodes, batch_size=32, seed=seed, evaluate_every=0, progress=False)
    return agent


@torch.no_grad()
def value(agent, state, action):
    return agent.critic(torch.tensor([state]), torch.tensor([action])).item()


def solves_one_step_bandit(bug=None):
    env = OneStepBandit((0.5, -0.3))
    agent = trained(env, 600, bug)
    return np.abs(agent.get_action(np.zeros(1)) - env.target).max() < 0.2


def solves_state_dependent_bandit(bug=None):
    agent = trained(StateDependentBandit(), 600, bug)
    states = np.linspace(-0.8, 0.8, 9, dtype=np.float32)
    return max(abs(agent.get_action(state[None])[0] + state) for state in states) < 0.25


def solves_constant_reward(bug=None):
    agent = trained(ConstantReward(), 3, bug)
    values = [value(agent, [0.0], [action]) for action in (-0.8, 0.0, 0.8)]
    return np.allclose(values, 1 / (1 - GAMMA), atol=0.3)


def solves_two_step_credit(bug=None):
    env = TwoStepCredit((0.6, -0.6))
    agent = trained(env, 600, bug)
    best, start = env.target.tolist(), [0.0, 0.0, 0.0]
    # 4 gamma |a*|^2 = 2.6; where nothing comes back from the second step, 0
    gain = value(agent, start, best) - value(agent, start, [-a for a in best])
    return gain > 1.0 and np.abs(agent.get_action(np.zeros(3)) - env.target).max() < 0.25


@functools.cache
def twin_values(twin, bug=None):
    agent = trained(twin(), 300, bug)
    return [value(agent, [place / 4], [0.0]) for place in range(4)]


def solves_terminated_twin(bug=None):
    return np.allclose(twin_values(TerminatedTwin, bug), [3.439, 2.71, 1.9, 1.0], atol=0.3)


def solves_truncated_twin(bug=None):
    return np.allclose(twin_values(TruncatedTwin, bug), [10.0] * 4, atol=0.3)


ORDER = [  # that of the table in environments.py
    solves_one_step_bandit, solves_state_dependent_bandit, solves_constant_reward,
    solves_two_step_credit, solves_terminated_twin, solves_truncated_twin,
]  # fmt: skip


@pytest.mark.parametrize("solves", ORDER)
def test_reference_agent_solves_the_probe(solves):
    assert solves()


@pytest.mark.parametrize(
    ("bug", "first_to_fail"),
    [
        ("actor goes down", solves_one_step_bandit),
        ("actor on next states", solves_state_dependent_bandit),
        ("no bootstrap", solves_constant_reward),
        ("targets never move", solves_constant_reward),
        ("value of the same state", solves_two_step_credit),
        ("no mask", solves_terminated_twin),
        ("truncated as terminated", solves_truncated_twin),
    ],
)
def test_bug_fails_the_probe_that_is_made_for_it(bug, first_to_fail):
    assert not first_to_fail(bug)


@pytest.mark.full
@pytest.mark.parametrize(
    ("bug", "first_to_fail"),
    [
        ("actor on next states", 1),
        ("no bootstrap", 2),
        ("targets never move", 2),
        ("value of the same state", 3),
        ("no mask", 4),
        ("truncated as terminated", 5),
    ],
)
def test_probes_before_the_one_that_names_the_bug_are_solved(bug, first_to_fail):
    assert [solves(bug) for solves in ORDER[: first_to_fail + 1]] == [True] * first_to_fail + [
        False
    ]


@pytest.mark.parametrize(
    ("probe", "wrong_values", "bug"),
    [
        (TerminatedTwin, [10.0] * 4, "no mask"),
        (TruncatedTwin, [3.439, 2.71, 1.9, 1.0], "truncated as terminated"),
    ],
)
def test_a_wrong_mask_gives_each_twin_the_values_of_the_other(probe, wrong_values, bug):
    assert np.allclose(twin_values(probe, bug), wrong_values, atol=0.3)
