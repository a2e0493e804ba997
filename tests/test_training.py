"""The training loop: what it returns, what it stores, and what it keeps."""

import pickle
import zipfile

import gymnasium as gym
import numpy as np
import pytest
import torch

from ddpg_helpers.environments import ConstantReward, OneStepBandit, TerminatedTwin, TruncatedTwin
from ddpg_helpers.instructor.reference.agent import DDPGAgent
from ddpg_helpers.memory import ReplayMemory
from ddpg_helpers.noise import OUNoise
from ddpg_helpers.training import TrainingRun, evaluate, put_weights, running_mean, train


@pytest.fixture(autouse=True)
def one_torch_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def not_grading(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


def small_agent(env, seed=0):
    return DDPGAgent(env, hidden_size=8, seed=seed)


def quick(agent, env, episodes, **arguments):
    return train(agent, env, episodes, **{"batch_size": 4, "progress": False, **arguments})


class Still:
    """Always the action 0.25; remembers and learns nothing; counts its updates."""

    def __init__(self, env):
        self.action = np.full(env.action_space.shape, 0.25, np.float32)
        self.memory = ReplayMemory(1000)
        self.updates = 0

    def get_action(self, state):
        return self.action

    def update(self, batch_size):
        self.updates += 1
        return 1.0, 2.0


class NoNoise(OUNoise):
    def get_action(self, action, t=0):
        return action


# --- what train returns and does ------------------------------------------------------------------


def test_a_run_has_one_return_and_one_loss_an_episode_and_the_weights():
    env = TerminatedTwin()
    agent = small_agent(env)
    run = quick(agent, env, 6, evaluate_every=2, evaluation_episodes=2)
    assert run.returns == [4.0] * 6
    assert len(run.critic_losses) == len(run.actor_losses) == 6
    # four steps an episode: the memory holds more than a batch of four from the second on
    assert np.isnan(run.critic_losses).tolist() == [True] + [False] * 5
    assert np.isnan(run.actor_losses).tolist() == [True] + [False] * 5
    assert run.evaluation_episodes == [2, 4, 6] and run.evaluation_returns == [4.0] * 3
    assert run.seconds > 0 and not run.interrupted
    weights = agent.actor.state_dict()["linear1.weight"].numpy()
    assert np.array_equal(run.weights["actor.linear1.weight"], weights)
    assert not np.shares_memory(run.weights["actor.linear1.weight"], weights)


def test_updates_begin_when_the_memory_holds_more_than_a_batch():
    env = TerminatedTwin()
    agent = Still(env)
    run = quick(agent, env, 3, batch_size=6)
    assert len(agent.memory) == 12 and agent.updates == 6
    assert run.critic_losses[1:] == [1.0, 1.0] and run.actor_losses[1:] == [2.0, 2.0]


@pytest.mark.parametrize(("twin", "stored"), [(TruncatedTwin, 0), (TerminatedTwin, 3)])
def test_a_time_limit_is_never_stored_as_terminated(twin, stored):
    env = twin()
    agent = Still(env)
    quick(agent, env, 3)
    batch = agent.memory.sample(12)
    assert batch.terminated.sum() == stored


def test_gymnasiums_own_time_limit_is_not_stored_as_terminated():
    env = gym.wrappers.TimeLimit(ConstantReward(), 5)
    agent = Still(env)
    run = quick(agent, env, 2)
    assert run.returns == [5.0, 5.0]
    assert agent.memory.sample(10).terminated.sum() == 0


def test_the_stored_action_is_the_one_that_was_taken_noise_included():
    env = OneStepBandit((0.5, -0.3))
    agent = Still(env)
    run = quick(agent, env, 20)
    batch = agent.memory.sample(20)
    rewards = -((batch.actions - torch.tensor([0.5, -0.3])) ** 2).sum(1)
    assert torch.allclose(batch.rewards[:, 0], rewards, atol=1e-6)
    assert batch.actions.std() > 0.1
    assert sorted(batch.rewards[:, 0].tolist()) == pytest.approx(sorted(run.returns), abs=1e-6)


def test_the_noise_is_reset_each_episode_and_told_the_steps_since_training_began():
    told = []

    class Spy(NoNoise):
        def reset(self):
            told.append("reset")

        def get_action(self, action, t=0):
            told.append(t)
            return action

    env = TerminatedTwin()
    noise = Spy(env.action_space)
    told.clear()
    quick(Still(env), env, 2, noise=noise, evaluate_every=1)
    assert told == ["reset", 0, 1, 2, 3, "reset", 4, 5, 6, 7]


def test_the_same_seed_gives_the_same_numbers_and_another_does_not():
    runs = []
    for seed in (3, 3, 4):
        env = OneStepBandit((0.5,))
        run = quick(small_agent(env, seed), env, 12, seed=seed, evaluate_every=4)
        runs.append((run.returns, run.critic_losses[4:], run.evaluation_returns))
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[2][0]


def test_evaluation_is_without_noise_and_changes_nothing_of_the_training():
    results = {}
    for every in (0, 1):
        env = OneStepBandit((0.5,))
        agent = small_agent(env)
        run = quick(agent, env, 12, evaluate_every=every, evaluation_episodes=5)
        results[every] = (run.returns, run.critic_losses[4:], len(agent.memory))
        if every:
            exact = -((agent.get_action(np.zeros(1, np.float32))[0] - 0.5) ** 2)
            assert run.evaluation_returns[-1] == pytest.approx(float(exact), abs=1e-6)
            assert abs(run.returns[-1] - run.evaluation_returns[-1]) > 1e-3
        else:
            assert run.evaluation_returns == [] and run.evaluation_episodes == []
    assert results[0] == results[1]


def test_evaluate_gives_each_episodes_return_and_stores_nothing():
    env = OneStepBandit((0.5,))
    agent = Still(env)
    assert evaluate(agent, env, episodes=3, seed=0) == pytest.approx([-0.0625] * 3)
    assert len(agent.memory) == 0 and agent.updates == 0


def test_interrupted_training_returns_and_keeps_the_finished_episodes(tmp_path, capsys):
    env = TerminatedTwin()

    class Interrupted(Still):
        calls = 0

        def get_action(self, state):
            self.calls += 1
            if self.calls == 10:  # the second step of the third episode
                raise KeyboardInterrupt
            return super().get_action(state)

    run = quick(Interrupted(env), env, 5, evaluate_every=0, keep=tmp_path / "run.npz")
    assert run.interrupted and run.returns == [4.0, 4.0]
    assert "Interrupted after 2 of 5 episodes" in capsys.readouterr().out
    kept = TrainingRun.load(tmp_path / "run.npz")
    assert kept.interrupted and kept.returns == [4.0, 4.0]


def test_the_bar_is_on_stdout_and_stderr_stays_empty(capsys):
    env = TerminatedTwin()
    quick(Still(env), env, 2, progress=True)
    shown = capsys.readouterr()
    assert "return 4, mean of last 2 4" in shown.out and shown.err == ""


@pytest.mark.parametrize("wrong", [np.float32(0.1), np.zeros(1), np.zeros((1, 2)), np.zeros(3)])
def test_an_action_of_another_shape_is_refused_although_noise_could_stretch_it(wrong):
    env = OneStepBandit((0.5, -0.3))
    agent = Still(env)
    agent.action = wrong
    with pytest.raises(ValueError, match=r"get_action gave an action of shape .* takes \(2,\)"):
        quick(agent, env, 1)


def test_losses_may_be_tensors_that_still_require_grad():
    env = TerminatedTwin()
    agent = Still(env)
    agent.update = lambda batch_size: (torch.tensor(1.5, requires_grad=True), torch.tensor(-2.0))
    run = quick(agent, env, 2)
    assert run.critic_losses[1] == 1.5 and run.actor_losses[1] == -2.0


@pytest.mark.parametrize("wrong", [None, 1.0, (1.0, None), (1.0, 2.0, 3.0)])
def test_an_update_that_does_not_return_two_losses_is_named(wrong):
    env = TerminatedTwin()
    agent = Still(env)
    agent.update = lambda batch_size: wrong
    with pytest.raises(ValueError, match=r"update must return \(critic loss, actor loss\)"):
        quick(agent, env, 2)


@pytest.mark.parametrize("arguments", [{"episodes": 0}, {"episodes": 1, "batch_size": 0}])
def test_a_size_below_one_is_refused(arguments):
    env = TerminatedTwin()
    with pytest.raises(ValueError, match="must be at least 1"):
        quick(Still(env), env, **arguments)


# --- running mean ---------------------------------------------------------------------------------


def test_running_mean_has_no_nan_and_includes_the_current_value():
    values = [2.0, 4.0, 9.0, -3.0, 0.0]
    assert running_mean(values, window=3).tolist() == pytest.approx([2, 3, 5, 10 / 3, 2])
    assert running_mean(values).tolist() == pytest.approx([2, 3, 5, 3, 2.4])
    assert running_mean([]).shape == (0,)


def test_a_nan_stays_within_its_window():
    means = running_mean([np.nan, 1.0, 2.0, 3.0], window=2)
    assert np.isnan(means[:2]).all() and means[2:].tolist() == [1.5, 2.5]


def test_a_window_below_one_is_refused():
    with pytest.raises(ValueError, match="window must be at least 1"):
        running_mean([1.0], window=0)


# --- what is kept ---------------------------------------------------------------------------------


def test_save_and_load_give_the_same_run(tmp_path):
    env = OneStepBandit((0.5, -0.3))
    run = quick(small_agent(env), env, 8, evaluate_every=4, keep=tmp_path / "run.npz")
    loaded = TrainingRun.load(tmp_path / "run.npz")
    for name in ("returns", "critic_losses", "actor_losses", "evaluation_returns"):
        assert np.array_equal(getattr(run, name), getattr(loaded, name), equal_nan=True), name
    assert loaded.evaluation_episodes == [4, 8]
    assert loaded.seconds == run.seconds and loaded.interrupted is False
    assert loaded.weights.keys() == run.weights.keys() and len(run.weights) == 12
    assert all(np.array_equal(loaded.weights[name], run.weights[name]) for name in run.weights)
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


class Fires:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def write_pickle(path, fired):
    path.write_bytes(pickle.dumps(Fires(fired)))


def write_pickle_in_archive(path, fired):
    run = {name: np.zeros(1) for name in ("critic_losses", "actor_losses", "evaluation_episodes")}
    run |= {"evaluation_returns": np.zeros(1), "seconds": 1.0, "interrupted": False}
    returns = np.empty(1, dtype=object)
    returns[0] = Fires(fired)
    with path.open("wb") as file:
        np.savez(file, returns=returns, **run)


def write_text(path, fired):
    path.write_text("not a run")


def write_nothing(path, fired):
    path.write_bytes(b"")


def write_half(path, fired):
    TrainingRun(returns=[1.0] * 1000).save(path)
    path.write_bytes(path.read_bytes()[:300])


def write_entries_that_are_no_arrays(path, fired):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("returns.npy", "some text")


def write_an_array_that_claims_to_be_huge(path, fired):
    with zipfile.ZipFile(path, "w") as archive, archive.open("returns.npy", "w") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**14,)}
        np.lib.format.write_array_header_1_0(file, header)


def write_an_archive_that_unpacks_to_too_much(path, fired):
    with path.open("wb") as file:
        np.savez_compressed(file, returns=np.zeros(3_000_000))


def write_a_table(path, fired):
    TrainingRun(returns=np.zeros((2, 2))).save(path)


@pytest.mark.parametrize(
    "write",
    [
        write_pickle, write_pickle_in_archive, write_text, write_nothing, write_half,
        write_entries_that_are_no_arrays, write_an_array_that_claims_to_be_huge,
        write_an_archive_that_unpacks_to_too_much, write_a_table,
    ],
)  # fmt: skip
def test_a_file_that_is_no_run_is_refused_in_one_sentence_and_never_unpickled(tmp_path, write):
    write(tmp_path / "run.npz", tmp_path / "fired")
    with pytest.raises(ValueError, match=r"run\.npz holds no training run .*train again"):
        TrainingRun.load(tmp_path / "run.npz")
    assert not (tmp_path / "fired").exists()


def test_weights_go_back_into_an_agent_where_they_fit():
    env = OneStepBandit((0.5, -0.3))
    first, second, wider = small_agent(env, 0), small_agent(env, 1), DDPGAgent(env, 16, seed=1)
    run = quick(first, env, 8)
    state = np.zeros(1, np.float32)
    before = wider.get_action(state)
    put_weights(second, run)
    put_weights(wider, run)
    assert np.array_equal(second.get_action(state), first.get_action(state))
    assert np.array_equal(wider.get_action(state), before)


# --- while grading --------------------------------------------------------------------------------


def test_grading_shows_the_kept_run_and_trains_nothing(tmp_path, monkeypatch, capsys):
    env = OneStepBandit((0.5, -0.3))
    trained = small_agent(env, 0)
    run = quick(trained, env, 8, keep=tmp_path / "run.npz")
    stored = (tmp_path / "run.npz").read_bytes()

    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    agent = small_agent(env, 1)
    shown = quick(agent, env, 50, keep=tmp_path / "run.npz")
    assert shown.returns == run.returns
    assert len(agent.memory) == 0
    state = np.zeros(1, np.float32)
    assert np.array_equal(agent.get_action(state), trained.get_action(state))
    assert "the run kept in run.npz, 8 episodes" in capsys.readouterr().out
    assert (tmp_path / "run.npz").read_bytes() == stored


@pytest.mark.parametrize("name", [None, "run.npz"])
def test_grading_without_a_kept_run_makes_a_smoke_run_that_is_not_kept(
    tmp_path, monkeypatch, capsys, name
):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    env = TerminatedTwin()
    agent = Still(env)
    run = quick(agent, env, 50, evaluate_every=1, keep=name and tmp_path / name)
    assert run.returns == [4.0, 4.0] and run.evaluation_returns == []
    assert "a smoke run of 2 episodes" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_grading_refuses_a_kept_file_that_is_no_run(tmp_path, monkeypatch):
    (tmp_path / "run.npz").write_text("not a run")
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    env = TerminatedTwin()
    with pytest.raises(ValueError, match="holds no training run"):
        quick(Still(env), env, 2, keep=tmp_path / "run.npz")


# --- on a GPU -------------------------------------------------------------------------------------


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_training_on_a_gpu_learns_what_it_learns_on_the_processor():
    actions = []
    for device in ("cpu", "cuda"):
        env = OneStepBandit()
        agent = DDPGAgent(env, 32, 1e-3, 3e-3, gamma=0.9, tau=0.05, seed=0, device=device)
        train(agent, env, 400, batch_size=32, evaluate_every=0, progress=False)
        actions.append(agent.get_action(np.zeros(1, np.float32)))
    assert np.allclose(actions, 0.5, atol=0.1)
