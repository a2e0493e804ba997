"""Right Ornstein-Uhlenbeck noises. Where ``__init__`` isn't written, it is the given one."""
# ruff: noqa: B905, E731  (as students write)

import sys
import warnings

import numpy as np
import torch

from ddpg_helpers.noise import OUNoise as _Given
from rewrites.registry import rewrite

# --- evolve_state --------------------------------------------------------------------------------


@rewrite("OUNoise.evolve_state")
class StateInPlace(_Given):
    def evolve_state(self):
        self.state += self.theta * (self.mu - self.state) + self.sigma * self.rng.normal(
            size=self.action_dim
        )
        return self.state


@rewrite("OUNoise.evolve_state")
class NamesOfTheOriginal(_Given):
    def evolve_state(self):
        x = self.state
        dx = self.theta * (self.mu - x) + self.sigma * self.rng.normal(0, 1, self.action_dim)
        self.state = x + dx
        return self.state


@rewrite("OUNoise.evolve_state")
class LoopOverDimensions(_Given):
    def evolve_state(self):
        noise = self.rng.standard_normal(self.action_dim)
        new_state = np.zeros(self.action_dim)
        for i in range(self.action_dim):
            drift = self.theta * (self.mu - self.state[i])
            diffusion = self.sigma * noise[i]
            new_state[i] = self.state[i] + drift + diffusion
        self.state = new_state
        return new_state


@rewrite("OUNoise.evolve_state")
class OneDrawInEachTurnOfTheLoop(_Given):
    def evolve_state(self):
        for i in range(len(self.state)):
            self.state[i] += self.theta * (self.mu - self.state[i])
            self.state[i] += self.sigma * self.rng.standard_normal()
        return self.state.copy()


@rewrite("OUNoise.evolve_state")
class NormalAroundTheMean(_Given):
    def evolve_state(self):
        mean = self.state + self.theta * (self.mu - self.state)
        self.state = self.rng.normal(loc=mean, scale=self.sigma)
        return self.state


@rewrite("OUNoise.evolve_state")
class SigmaAsTheScale(_Given):
    def evolve_state(self):
        noise = self.rng.normal(scale=self.sigma, size=self.state.shape)
        self.state = (1 - self.theta) * self.state + self.theta * self.mu + noise
        return np.array(self.state)


@rewrite("OUNoise.evolve_state")
class ListComprehension(_Given):
    def evolve_state(self):
        normals = self.rng.standard_normal(self.action_dim)
        step = lambda x, n: x + self.theta * (self.mu - x) + self.sigma * n
        self.state = np.array([step(x, n) for x, n in zip(self.state, normals)])
        return self.state


@rewrite("OUNoise.evolve_state")
class NumpyFunctionsWithOut(_Given):
    def evolve_state(self):
        pull = np.multiply(self.theta, np.subtract(self.mu, self.state))
        fresh = self.rng.standard_normal(size=(self.action_dim,))
        np.multiply(fresh, self.sigma, out=fresh)
        np.add(self.state, pull, out=self.state)
        np.add(self.state, fresh, out=self.state)
        return self.state


@rewrite("OUNoise.evolve_state")
class PrintsAndWarns(_Given):
    def evolve_state(self):
        if self.sigma > 0.1:
            warnings.warn("sigma is rather large", stacklevel=2)
        print("state before:", self.state)
        self.state = self.state + self._drift() + self._diffusion()
        print("state after:", self.state, file=sys.stderr)
        return self.state

    def _drift(self):
        return self.theta * (self.mu - self.state)

    def _diffusion(self):
        return self.sigma * self.rng.standard_normal(self.action_dim)


# --- get_action ----------------------------------------------------------------------------------


@rewrite("OUNoise.get_action")
class MinimumAndMaximum(_Given):
    def get_action(self, action, t=0):
        self.sigma = self.max_sigma - (self.max_sigma - self.min_sigma) * min(
            1.0, t / self.decay_period
        )
        noisy = action + self.evolve_state()
        return np.minimum(np.maximum(noisy, self.low), self.high)


@rewrite("OUNoise.get_action")
class InterpForTheDecay(_Given):
    def get_action(self, action, t=0):
        self.sigma = np.interp(t, [0, self.decay_period], [self.max_sigma, self.min_sigma])
        ou_state = self.evolve_state()
        return np.clip(action + ou_state, self.low, self.high)


@rewrite("OUNoise.get_action")
class IfForTheDecay(_Given):
    def get_action(self, action, t=0):
        if t < self.decay_period:
            slope = (self.min_sigma - self.max_sigma) / self.decay_period
            self.sigma = self.max_sigma + slope * t
        else:
            self.sigma = self.min_sigma
        return (action + self.evolve_state()).clip(self.low, self.high)


@rewrite("OUNoise.get_action")
class MixOfTheTwoSigmas(_Given):
    def get_action(self, action, t=0):
        w = np.clip(t / self.decay_period, 0, 1)
        self.sigma = w * self.min_sigma + (1 - w) * self.max_sigma
        return np.clip(self.evolve_state() + action, a_min=self.low, a_max=self.high)


@rewrite("OUNoise.get_action")
class NeverBelowMinSigma(_Given):
    def get_action(self, action, t=0):
        lost_per_step = (self.max_sigma - self.min_sigma) / self.decay_period
        self.sigma = max(self.min_sigma, self.max_sigma - lost_per_step * t)
        self.evolve_state()
        return np.clip(action + self.state, self.low, self.high)


@rewrite("OUNoise.get_action")
class SigmaInAMethodOfItsOwn(_Given):
    def sigma_at(self, t):
        left = 1 - min(t, self.decay_period) / self.decay_period
        return self.min_sigma + left * (self.max_sigma - self.min_sigma)

    def get_action(self, action, t=0):
        self.sigma = self.sigma_at(t)
        result = np.array(action, copy=True)
        result += self.evolve_state()
        np.clip(result, self.low, self.high, out=result)
        return result


@rewrite("OUNoise.get_action")
class SigmaFromATable(_Given):
    def get_action(self, action, t=0):
        sigmas = np.linspace(self.max_sigma, self.min_sigma, self.decay_period + 1)
        self.sigma = sigmas[min(t, self.decay_period)]
        return np.clip(action + self.evolve_state(), self.low, self.high)


@rewrite("OUNoise.get_action")
class ClipDimensionByDimension(_Given):
    def get_action(self, action, t=0):
        self.sigma = self.max_sigma - (self.max_sigma - self.min_sigma) * min(
            1.0, t / self.decay_period
        )
        noise = self.evolve_state()
        noisy = []
        for a, n, low, high in zip(action, noise, self.low, self.high):
            noisy.append(min(max(a + n, low), high))
        return np.array(noisy)


@rewrite("OUNoise.get_action")
class SinglePrecisionAtTheEnd(_Given):
    def get_action(self, action, t=0):
        progress = min(1.0, t / self.decay_period)
        self.sigma = self.max_sigma + (self.min_sigma - self.max_sigma) * progress
        return np.clip(action + self.evolve_state(), self.low, self.high).astype(np.float32)


@rewrite("OUNoise.get_action")
class ClampedByTorch(_Given):
    def get_action(self, action, t=0):
        progress = min(t / self.decay_period, 1)
        self.sigma = self.max_sigma * (1 - progress) + self.min_sigma * progress
        noisy = torch.as_tensor(action) + torch.as_tensor(self.evolve_state())
        return torch.clamp(noisy, torch.tensor(self.low), torch.tensor(self.high)).numpy()


# --- both ----------------------------------------------------------------------------------------


@rewrite("OUNoise.evolve_state", "OUNoise.get_action")
class WholeClassAnew:
    """The whole class with type hints, without the given one."""

    def __init__(
        self,
        action_space,
        mu: float = 0.0,
        theta: float = 0.15,
        max_sigma: float = 0.3,
        min_sigma: float = 0.3,
        decay_period: int = 100_000,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.mu, self.theta = mu, theta
        self.sigma = self.max_sigma = max_sigma
        self.min_sigma, self.decay_period = min_sigma, decay_period
        self.low, self.high = action_space.low, action_space.high
        (self.action_dim,) = action_space.shape
        self.rng = rng or np.random.default_rng()
        self.state = np.empty(self.action_dim)
        self.reset()

    def reset(self) -> None:
        self.state[:] = self.mu

    def evolve_state(self) -> np.ndarray:
        """x + theta (mu - x) + sigma n"""
        n: np.ndarray = self.rng.standard_normal(self.action_dim)
        self.state = self.state + self.theta * (self.mu - self.state) + self.sigma * n
        return self.state

    def get_action(self, action: np.ndarray, t: int = 0) -> np.ndarray:
        fraction: float = min(t, self.decay_period) / self.decay_period
        self.sigma = self.max_sigma - fraction * (self.max_sigma - self.min_sigma)
        return np.clip(np.asarray(action) + self.evolve_state(), self.low, self.high)
