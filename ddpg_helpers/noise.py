"""Ornstein-Uhlenbeck noise: exploration that is correlated in time."""

import numpy as np
from gymnasium.spaces import Box


class OUNoise:
    """A discrete-time Ornstein-Uhlenbeck process that is added to an agent's actions.

    The process is ``x <- x + theta (mu - x) + sigma * n`` with ``n`` standard normal (Lillicrap et
    al. 2015, sections 3 and 7, after Uhlenbeck and Ornstein 1930). Its stationary standard
    deviation is ``sigma / sqrt(1 - (1 - theta)^2)``, not ``sigma``.

    Args:
        action_space: the box that actions live in; gives the number of dimensions A and the clip.
        mu: the value that the process reverts to.
        theta: the fraction of the distance to ``mu`` that is undone in a step, in (0, 1].
        max_sigma: the scale of the fresh noise at the start.
        min_sigma: the scale of the fresh noise from ``decay_period`` on.
        decay_period: environment steps over which sigma falls linearly from max to min.
        rng: where the normals come from; a fresh, unseeded generator when None.
    """

    def __init__(
        self,
        action_space: Box,
        mu: float = 0.0,
        theta: float = 0.15,
        max_sigma: float = 0.3,
        min_sigma: float = 0.3,
        decay_period: int = 100_000,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.mu = mu
        self.theta = theta
        self.sigma = max_sigma
        self.max_sigma = max_sigma
        self.min_sigma = min_sigma
        self.decay_period = decay_period
        self.action_dim = action_space.shape[0]
        self.low = action_space.low
        self.high = action_space.high
        self.rng = np.random.default_rng() if rng is None else rng
        self.reset()

    def reset(self) -> None:
        """Put the state back to ``mu``."""
        self.state = np.full(self.action_dim, self.mu, dtype=np.float64)

    def evolve_state(self) -> np.ndarray:
        """Take one step of the process and return the new state, float64 of shape [A]."""
        pull = self.theta * (self.mu - self.state)
        self.state = self.state + pull + self.sigma * self.rng.standard_normal(self.action_dim)
        return self.state

    def get_action(self, action: np.ndarray, t: int = 0) -> np.ndarray:
        """Return ``action`` plus noise, clipped to the action space.

        Args:
            action: the agent's own action, shape [A]; it is not modified.
            t: environment steps since training began; it sets sigma before the process moves.
        """
        progress = min(1.0, t / self.decay_period)
        self.sigma = self.max_sigma - (self.max_sigma - self.min_sigma) * progress
        return np.clip(action + self.evolve_state(), self.low, self.high)
