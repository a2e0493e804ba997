"""Replay memory: transitions are kept in arrays and handed out in random batches."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Batch(NamedTuple):
    """N transitions as float32 tensors; S is the state size and A the action size."""

    states: Tensor  # [N, S]
    actions: Tensor  # [N, A], in the agent's range [-1, 1]
    rewards: Tensor  # [N, 1]
    next_states: Tensor  # [N, S]
    terminated: Tensor  # [N, 1], 1. where the next state is terminal; 0. at a time limit


class ReplayMemory:
    """The last ``max_size`` transitions (Lillicrap et al. 2015, section 3; Mnih et al. 2013).

    Storage is allocated once, at the first push, when the sizes of state and action are known.

    Args:
        max_size: how many transitions are kept; the oldest goes first.
        rng: where the random choice comes from; a fresh, unseeded generator when None.
    """

    def __init__(self, max_size: int, rng: np.random.Generator | None = None) -> None:
        if max_size < 1:
            raise ValueError(f"max_size must be at least 1, not {max_size}")
        self.max_size = max_size
        self.rng = np.random.default_rng() if rng is None else rng
        self.pushed = 0  # transitions pushed so far, those that have been overwritten included
        self._columns: tuple[np.ndarray, ...] | None = None

    def push(
        self,
        state: np.ndarray,
        action: np.ndarray,
        reward: float,
        next_state: np.ndarray,
        terminated: bool,
    ) -> None:
        """Store a copy of one transition: states [S], action [A], and whether it ended in a
        terminal state (not whether the time limit was reached)."""
        transition = (state, action, reward, next_state, terminated)
        if self._columns is None:
            widths = (np.size(value) for value in transition)
            self._columns = tuple(np.empty((self.max_size, w), dtype=np.float32) for w in widths)
        row = self.pushed % self.max_size
        for column, value in zip(self._columns, transition, strict=True):
            column[row] = value
        self.pushed += 1

    def sample(self, batch_size: int) -> Batch:
        """Draw ``batch_size`` different transitions, each equally likely.

        Raises:
            ValueError: fewer than ``batch_size`` transitions are stored.
        """
        if batch_size > len(self):
            raise ValueError(
                f"cannot sample {batch_size} transitions: only {len(self)} are stored; "
                "push more first or ask for a smaller batch"
            )
        rows = self.rng.choice(len(self), size=batch_size, replace=False)
        return Batch(*(torch.from_numpy(column[rows]) for column in self._columns))

    def __len__(self) -> int:
        """How many transitions are stored, at most ``max_size``."""
        return min(self.pushed, self.max_size)
