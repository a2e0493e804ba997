"""Environments of the course: Pendulum with actions in [-1, 1], and small probe environments.

A probe environment asks one question about an agent. Its right answer is known, and a right agent
finds it within seconds. Ask in this order; the first that fails says where to look:

========================  ===========================================================
probe                     where to look when it is the first to fail
========================  ===========================================================
``OneStepBandit``         the actor's loss: its sign
``StateDependentBandit``  the actor's loss: the states that it is computed on
``ConstantReward``        gamma, the bootstrap as a whole, or the targets' updates
``TwoStepCredit``         the bootstrap: whether it takes the *next* state's value
``TerminatedTwin``        the mask: it is missing
``TruncatedTwin``         the mask: a truncated episode is taken for a terminated one
========================  ===========================================================
"""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box
from gymnasium.wrappers import RescaleAction


def make_env(
    name: str = "Pendulum-v1", *, seed: int | None = None, render_mode: str | None = None
) -> gym.Env:
    """Make an environment whose actions lie in [-1, 1] in every dimension.

    The wrapper scales them to the environment's own range (for Pendulum a torque from -2 to 2
    newton metres), so agent, noise and memory all speak of the same numbers.

    Args:
        name: the environment's id in gymnasium.
        seed: when given, seeds the environment's first reset and its action space.
        render_mode: as in ``gymnasium.make``; "rgb_array" for an animation.

    Raises:
        TypeError: the actions are not a box of real numbers.
    """
    env = gym.make(name, render_mode=render_mode)
    if not isinstance(env.action_space, Box):
        raise TypeError(
            f"{name} has discrete actions ({env.action_space}); DDPG needs continuous ones, "
            "such as those of Pendulum-v1"
        )
    env = RescaleAction(env, np.float32(-1.0), np.float32(1.0))
    if seed is not None:
        env.reset(seed=seed)
        env.action_space.seed(seed)
    return env


class _Probe(gym.Env):
    """An environment without rendering, whose actions lie in [-1, 1]."""

    metadata = {"render_modes": []}  # noqa: RUF012  (gymnasium's own name and type)

    def __init__(self, low: Sequence[float], high: Sequence[float], action_size: int) -> None:
        self.observation_space = Box(np.float32(low), np.float32(high), dtype=np.float32)
        self.action_space = Box(-1.0, 1.0, (action_size,), np.float32)


def _best_action(target: Sequence[float]) -> np.ndarray:
    target = np.asarray(target, dtype=np.float64)
    if target.ndim != 1 or target.size == 0 or not np.all(np.abs(target) <= 1):
        raise ValueError(f"target must be a list of numbers from -1 to 1, not {target.tolist()}")
    return target


class OneStepBandit(_Probe):
    """One state, one step, reward -|a - a*|^2, then terminated: is the actor's loss right?

    The true value is Q(s, a) = -|a - a*|^2, whatever gamma is; the best action is a*. An actor that
    goes down the critic instead of up ends at an edge of the action space.

    Args:
        target: the best action a*, A numbers in [-1, 1].

    The observation is [0.], float32 of shape [1].
    """

    def __init__(self, target: Sequence[float] = (0.5,)) -> None:
        self.target = _best_action(target)
        super().__init__([-1.0], [1.0], self.target.size)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict]:
        """Start an episode; return the observation and an empty dictionary."""
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Pay for ``action`` [A] and end the episode."""
        reward = -float(np.sum((action - self.target) ** 2))
        return np.zeros(1, np.float32), reward, True, False, {}


class StateDependentBandit(_Probe):
    """One step, reward -|a - a*(s)|^2 with a*(s) = -s: does the actor learn in the states it sees?

    The state is drawn uniformly from [-0.8, 0.8] in each dimension. The true value is
    Q(s, a) = -|a + s|^2, whatever gamma is. The observation after the step is all zeros, so an
    actor's loss that is computed on the next states learns the best action of s = 0 alone.

    Args:
        action_size: A; the state has as many numbers, float32 of shape [A].
    """

    def __init__(self, action_size: int = 1) -> None:
        if action_size < 1:
            raise ValueError(f"action_size must be at least 1, not {action_size}")
        super().__init__([-0.8] * action_size, [0.8] * action_size, action_size)
        self._state = np.zeros(action_size, np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict]:
        """Draw a state; return it and an empty dictionary."""
        super().reset(seed=seed)
        self._state = self.np_random.uniform(-0.8, 0.8, self._state.shape).astype(np.float32)
        return self._state.copy(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Pay for ``action`` [A] in this state and end the episode."""
        reward = -float(np.sum((action + self._state) ** 2))
        return np.zeros_like(self._state), reward, True, False, {}


class ConstantReward(_Probe):
    """One state that never terminates, reward 1 each step: does Q converge to 1 / (1 - gamma)?

    With gamma 0.9 the true Q is 10 for every action. Q goes there only if the targets follow the
    online networks: with targets that never move it stays at 1 + gamma Q', where Q' is the
    target critic's first, random guess. Convergence takes a few times 1 / (tau (1 - gamma))
    updates, 200 with gamma 0.9 and tau 0.05; with 0.99 and 0.01 it is 10 000.

    Args:
        steps: steps until an episode is *truncated*, so that a training loop comes to an end. They
            are many, so that the rare cut hardly matters here even where it is taken for an end.

    The observation is [0.], float32 of shape [1].
    """

    def __init__(self, steps: int = 500) -> None:
        if steps < 1:
            raise ValueError(f"steps must be at least 1, not {steps}")
        super().__init__([-1.0], [1.0], 1)
        self.steps = steps
        self._taken = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict]:
        """Start an episode; return the observation and an empty dictionary."""
        super().reset(seed=seed)
        self._taken = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Pay 1, whatever the action is."""
        self._taken += 1
        return np.zeros(1, np.float32), 1.0, False, self._taken >= self.steps, {}


class TwoStepCredit(_Probe):
    """The first action is paid for at the second step: does the bootstrap work?

    The first step gives reward 0, the second -|a_1 - a*|^2, where a_1 is the action of the *first*
    step; the second action changes nothing. Then the episode terminates. With a discount factor
    gamma the true values are Q(s_1, a) = -gamma |a - a*|^2 and Q(s_2, a) = -|a_1 - a*|^2. Without
    the bootstrap, or with the value of s_1 itself in it, Q(s_1, a) is the same for every action,
    and the actor learns nothing in s_1.

    The observation is (steps taken, a_1): [0., 0., ...] at first, then [1., a_1], float32 of shape
    [1 + A]; after the end it is that of the start again, so that a missing mask adds the same
    number to every value and does not change the best action.

    Args:
        target: the best first action a*, A numbers in [-1, 1]. An actor that learns nothing drifts
            and may end near a* by chance; Q(s_1, a*) - Q(s_1, -a*) = 4 gamma |a*|^2 tells.
    """

    def __init__(self, target: Sequence[float] = (0.6, -0.6)) -> None:
        self.target = _best_action(target)
        size = self.target.size
        super().__init__([0.0] + [-1.0] * size, [1.0] + [1.0] * size, size)
        self._first_action: np.ndarray | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict]:
        """Start an episode; return the observation and an empty dictionary."""
        super().reset(seed=seed)
        self._first_action = None
        return self._start(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Remember the first action [A]; at the second step pay for the first and end."""
        if self._first_action is None:
            self._first_action = np.array(action, dtype=np.float32)
            observation = np.concatenate([[1.0], self._first_action]).astype(np.float32)
            return observation, 0.0, False, False, {}
        reward = -float(np.sum((self._first_action - self.target) ** 2))
        return self._start(), reward, True, False, {}

    def _start(self) -> np.ndarray:
        return np.zeros(1 + self.target.size, np.float32)


class _Ring(_Probe):
    """Four places on a ring, one further at each step, reward 1; an episode ends at place 0."""

    places = 4

    def __init__(self) -> None:
        super().__init__([0.0], [1.0], 1)
        self._place = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict]:
        """Start at place 0; return the observation and an empty dictionary."""
        super().reset(seed=seed)
        self._place = 0
        return self._observation(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Go one place further, whatever the action is; the reward is 1."""
        self._place = (self._place + 1) % self.places
        terminated, truncated = self._end(self._place == 0)
        return self._observation(), 1.0, terminated, truncated, {}

    def _end(self, over: bool) -> tuple[bool, bool]:
        raise NotImplementedError

    def _observation(self) -> np.ndarray:
        return np.array([self._place / self.places], np.float32)


class TerminatedTwin(_Ring):
    """Four steps of reward 1, then *terminated*: is the mask there?

    The state is a place on a ring of four, observed as 0, 0.25, 0.5, 0.75 (float32, shape [1]).
    Each step goes one place further, whatever the action is; the episode ends on the return to
    place 0. Nothing comes after a terminal state, so Q is what is left to collect: with gamma 0.9

        Q = 3.439, 2.71, 1.9, 1   at the places 0, 1, 2, 3   (1 + gamma + ..., 4 to 1 terms).

    In ``TruncatedTwin`` each of them is 1 / (1 - gamma) = 10, and so it is here where the mask is
    missing.
    """

    def _end(self, over: bool) -> tuple[bool, bool]:
        return over, False


class TruncatedTwin(_Ring):
    """Four steps of reward 1, then *truncated*: is the mask left off where it should be?

    The dynamics are those of ``TerminatedTwin``, step by step. But here the episode is only cut
    off: the world would go on from place 0, where the next reward waits. So Q counts all the
    rewards that would come: with gamma 0.9

        Q = 1 / (1 - gamma) = 10   at every place,

    against 3.439, 2.71, 1.9, 1 in the twin, which is also what comes out here where a truncated
    episode is stored as a terminated one.
    """

    def _end(self, over: bool) -> tuple[bool, bool]:
        return False, over
