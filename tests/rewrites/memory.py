"""Right replay memories: five arrays as in the notebook, and whole classes of other kinds."""
# ruff: noqa: B905  (as students write)

import copy
import heapq
import random
import sys
import warnings
from collections import deque, namedtuple
from dataclasses import astuple, dataclass

import numpy as np
import torch

from ddpg_helpers.memory import Batch
from rewrites.registry import rewrite


class _Given:
    """What the notebook gives, and the reference answers to its three methods."""

    def __init__(self, max_size, rng=None):
        if max_size < 1:
            raise ValueError(f"max_size must be at least 1, not {max_size}")
        self.max_size = max_size
        self.rng = np.random.default_rng() if rng is None else rng
        self.pushed = 0
        self.states = None

    def make_arrays(self, state_size, action_size):
        self.states = np.zeros((self.max_size, state_size), dtype=np.float32)
        self.actions = np.zeros((self.max_size, action_size), dtype=np.float32)
        self.rewards = np.zeros((self.max_size, 1), dtype=np.float32)
        self.next_states = np.zeros((self.max_size, state_size), dtype=np.float32)
        self.terminated = np.zeros((self.max_size, 1), dtype=np.float32)

    def push(self, state, action, reward, next_state, terminated):
        if self.states is None:
            self.make_arrays(len(state), len(action))
        row = self.pushed % self.max_size
        self.states[row] = state
        self.actions[row] = action
        self.rewards[row] = reward
        self.next_states[row] = next_state
        self.terminated[row] = terminated
        self.pushed += 1

    def sample(self, batch_size):
        if batch_size > len(self):
            raise ValueError(f"cannot sample {batch_size} transitions: {len(self)} are stored")
        return self.at(self.rng.choice(len(self), size=batch_size, replace=False))

    def at(self, rows):
        columns = (self.states, self.actions, self.rewards, self.next_states, self.terminated)
        return Batch(*(torch.from_numpy(column[rows]) for column in columns))

    def __len__(self):
        return min(self.pushed, self.max_size)


# --- push into the given arrays ------------------------------------------------------------------


@rewrite("ReplayMemory.push")
class LoopOverTheFields(_Given):
    def push(self, *transition):
        if self.states is None:
            self.make_arrays(len(transition[0]), len(transition[1]))
        for name, value in zip(Batch._fields, transition):
            getattr(self, name)[self.pushed % self.max_size] = value
        self.pushed += 1


@rewrite("ReplayMemory.push", "ReplayMemory.__len__")
class PositionThatWrapsAround(_Given):
    def __init__(self, max_size, rng=None):
        super().__init__(max_size, rng)
        self.position = 0
        self.size = 0

    def push(self, state, action, reward, next_state, terminated):
        if self.states is None:
            self.make_arrays(len(state), len(action))
        i = self.position
        self.states[i, :] = state
        self.actions[i, :] = action
        self.rewards[i, 0] = reward
        self.next_states[i, :] = next_state
        self.terminated[i, 0] = 1.0 if terminated else 0.0
        self.position += 1
        if self.position == self.max_size:
            self.position = 0
        if self.size < self.max_size:
            self.size += 1

    def __len__(self):
        return self.size


@rewrite("ReplayMemory.push")
class OldestShiftedOut(_Given):
    def push(self, state, action, reward, next_state, terminated):
        if self.states is None:
            self.make_arrays(len(state), len(action))
        columns = (self.states, self.actions, self.rewards, self.next_states, self.terminated)
        if self.pushed >= self.max_size:
            for column in columns:
                column[:-1] = column[1:].copy()
            row = self.max_size - 1
        else:
            row = self.pushed
        for column, value in zip(columns, (state, action, reward, next_state, terminated)):
            column[row] = np.asarray(value, dtype=np.float32)
        self.pushed += 1


@rewrite("ReplayMemory.push", "ReplayMemory.__len__")
class MaskOfFilledRows(_Given):
    def __init__(self, max_size, rng=None):
        super().__init__(max_size, rng)
        self.filled = np.zeros(max_size, dtype=bool)

    def push(self, state, action, reward, next_state, terminated):
        super().push(state.copy(), action.copy(), float(reward), next_state.copy(), int(terminated))
        self.filled[(self.pushed - 1) % self.max_size] = True

    def __len__(self):
        return np.count_nonzero(self.filled)


# --- sample from the given arrays ----------------------------------------------------------------


@rewrite("ReplayMemory.sample")
class NumpyRaisesTheError(_Given):
    def sample(self, batch_size):
        rows = self.rng.choice(len(self), batch_size, replace=False, shuffle=False)
        return Batch(
            states=torch.tensor(self.states[rows]),
            actions=torch.tensor(self.actions[rows]),
            rewards=torch.tensor(self.rewards[rows]),
            next_states=torch.tensor(self.next_states[rows]),
            terminated=torch.tensor(self.terminated[rows]),
        )


@rewrite("ReplayMemory.sample")
class StartOfAPermutation(_Given):
    def sample(self, batch_size):
        if len(self) < batch_size:
            raise ValueError("not enough transitions")
        rows = self.rng.permutation(len(self))[:batch_size]
        columns = {name: getattr(self, name)[rows] for name in Batch._fields}
        return Batch(**{name: torch.from_numpy(column) for name, column in columns.items()})


@rewrite("ReplayMemory.sample")
class RejectionOfRepeats(_Given):
    def sample(self, batch_size):
        if batch_size > len(self):
            raise ValueError(f"only {len(self)} transitions are stored, {batch_size} wanted")
        rows = []
        while len(rows) < batch_size:
            row = int(self.rng.integers(0, len(self)))
            if row not in rows:
                rows.append(row)
        return self.at(rows)


@rewrite("ReplayMemory.sample")
class RandomSortKeys(_Given):
    def sample(self, batch_size):
        if batch_size > len(self):
            raise ValueError("too few transitions stored")
        return self.at(np.argsort(self.rng.random(len(self)))[:batch_size])


@rewrite("ReplayMemory.sample")
class SmallestOfRandomKeys(_Given):
    def sample(self, batch_size):
        n = len(self)
        if n < batch_size:
            raise ValueError("memory too small")
        rows = heapq.nsmallest(batch_size, range(n), key=lambda _: self.rng.uniform())
        return self.at(rows)


@rewrite("ReplayMemory.sample")
class ShuffledList(_Given):
    def sample(self, batch_size):
        rows = list(range(len(self)))
        if batch_size > len(rows):
            raise ValueError("Nope, too few transitions!")
        self.rng.shuffle(rows)
        return self.at(rows[:batch_size])


@rewrite("ReplayMemory.sample")
class CardsSwappedOneByOne(_Given):
    """The first steps of a Fisher-Yates shuffle."""

    def sample(self, batch_size):
        rows = np.arange(len(self))
        if batch_size > len(rows):
            raise ValueError("too few")
        for i in range(batch_size):
            j = self.rng.integers(i, len(rows))
            rows[i], rows[j] = rows[j], rows[i]
        return self.at(rows[:batch_size])


@rewrite("ReplayMemory.sample")
class PythonsRandomSeededByRng(_Given):
    def sample(self, batch_size):
        generator = random.Random(int(self.rng.integers(2**32)))
        rows = generator.sample(range(len(self)), batch_size)  # raises a ValueError by itself
        return self.at(rows)


@rewrite("ReplayMemory.sample")
class TorchRandpermSeededByRng(_Given):
    def sample(self, batch_size):
        if batch_size > len(self):
            raise ValueError("too few transitions")
        generator = torch.Generator().manual_seed(int(self.rng.integers(2**31)))
        rows = torch.randperm(len(self), generator=generator)[:batch_size]
        columns = [torch.from_numpy(getattr(self, name)) for name in Batch._fields]
        return Batch._make(column[rows] for column in columns)


@rewrite("ReplayMemory.sample")
class WarnsWhereMuchIsAsked(_Given):
    def sample(self, batch_size):
        stored = len(self)
        if batch_size > stored:
            raise ValueError("%d > %d" % (batch_size, stored))  # noqa: UP031
        if 2 * batch_size > stored:
            warnings.warn("more than half of the memory in one batch", RuntimeWarning, stacklevel=2)
        print("sampling", batch_size, "of", stored, file=sys.stderr)
        keep = np.zeros(stored, dtype=bool)
        keep[self.rng.choice(stored, batch_size, replace=False)] = True
        return self.at(np.flatnonzero(keep))


@rewrite("ReplayMemory.__len__")
class IfForTheLength(_Given):
    def __len__(self):
        if self.pushed < self.max_size:
            return self.pushed
        return self.max_size


@rewrite("ReplayMemory.__len__")
class MinimumOfNumpy(_Given):
    def __len__(self):
        return int(np.minimum(self.pushed, self.max_size))


# --- whole classes -------------------------------------------------------------------------------

_ALL = ("ReplayMemory.push", "ReplayMemory.sample", "ReplayMemory.__len__")


@rewrite(*_ALL)
class DequeOfTuples:
    def __init__(self, max_size, rng=None):
        self.max_size = max_size
        self.rng = rng if rng is not None else np.random.default_rng()
        self.buffer = deque(maxlen=max_size)

    def push(self, state, action, reward, next_state, terminated):
        experience = (state.copy(), action.copy(), reward, next_state.copy(), terminated)
        self.buffer.append(experience)

    def sample(self, batch_size):
        if batch_size > len(self.buffer):
            raise ValueError("not enough experiences in the buffer")
        indices = self.rng.choice(len(self.buffer), size=batch_size, replace=False)
        state_batch, action_batch, reward_batch = [], [], []
        next_state_batch, terminated_batch = [], []
        for i in indices:
            state, action, reward, next_state, terminated = self.buffer[i]
            state_batch.append(state)
            action_batch.append(action)
            reward_batch.append([reward])
            next_state_batch.append(next_state)
            terminated_batch.append([float(terminated)])
        return Batch(
            torch.FloatTensor(np.array(state_batch)),
            torch.FloatTensor(np.array(action_batch)),
            torch.FloatTensor(reward_batch),
            torch.FloatTensor(np.array(next_state_batch)),
            torch.FloatTensor(terminated_batch),
        )

    def __len__(self):
        return len(self.buffer)


@rewrite(*_ALL)
class ListWithPop:
    def __init__(self, max_size, rng=None):
        self.max_size = max_size
        self.rng = np.random.default_rng() if rng is None else rng
        self.memory = []

    def push(self, state, action, reward, next_state, terminated):
        if len(self.memory) >= self.max_size:
            self.memory.pop(0)
        self.memory.append(
            (np.array(state), np.array(action), reward, np.array(next_state), terminated)
        )

    def sample(self, batch_size):
        if batch_size > len(self):
            raise ValueError("too few")
        chosen = [self.memory[i] for i in self.rng.permutation(len(self))[:batch_size]]
        return Batch(*[
            torch.tensor(np.array(column), dtype=torch.float32).reshape(batch_size, -1)
            for column in zip(*chosen)
        ])

    def __len__(self):
        return len(self.memory)


@rewrite(*_ALL)
class ListAsARing:
    Transition = namedtuple("Transition", "s a r s2 t")

    def __init__(self, max_size, rng=None):
        self.max_size, self.rng = max_size, rng or np.random.default_rng()
        self.ring, self.next = [], 0

    def push(self, state, action, reward, next_state, terminated):
        new = self.Transition(*copy.deepcopy((state, action, reward, next_state, terminated)))
        if len(self.ring) < self.max_size:
            self.ring.append(new)
        else:
            self.ring[self.next] = new
        self.next = (self.next + 1) % self.max_size

    def sample(self, batch_size):
        if batch_size > len(self.ring):
            raise ValueError
        picked = set()
        while len(picked) < batch_size:
            picked.add(int(self.rng.integers(len(self.ring))))
        picked = [self.ring[i] for i in picked]
        return Batch(
            states=torch.tensor(np.stack([p.s for p in picked]), dtype=torch.float32),
            actions=torch.tensor(np.stack([p.a for p in picked]), dtype=torch.float32),
            rewards=torch.tensor([p.r for p in picked], dtype=torch.float32).unsqueeze(1),
            next_states=torch.tensor(np.stack([p.s2 for p in picked]), dtype=torch.float32),
            terminated=torch.tensor([p.t for p in picked], dtype=torch.float32)[:, None],
        )

    def __len__(self):
        return len(self.ring)


@rewrite(*_ALL)
class TensorStorage:
    def __init__(self, max_size, rng=None):
        self.max_size = max_size
        self.rng = np.random.default_rng() if rng is None else rng
        self.count = 0
        self.columns = None

    def push(self, state, action, reward, next_state, terminated):
        values = [state, action, [reward], next_state, [float(terminated)]]
        if self.columns is None:
            self.columns = [torch.zeros(self.max_size, len(value)) for value in values]
        for column, value in zip(self.columns, values):
            column[self.count % self.max_size] = torch.as_tensor(value, dtype=torch.float32)
        self.count += 1

    def sample(self, batch_size):
        if batch_size > len(self):
            raise ValueError("too few")
        rows = torch.as_tensor(self.rng.choice(len(self), batch_size, replace=False))
        return Batch(*(column.index_select(0, rows) for column in self.columns))

    def __len__(self):
        return min(self.count, self.max_size)


@rewrite(*_ALL)
class BatchesOfOneRow:
    def __init__(self, max_size, rng=None):
        self.max_size = max_size
        self.rng = np.random.default_rng() if rng is None else rng
        self.rows = deque(maxlen=max_size)

    def push(self, state, action, reward, next_state, terminated):
        def row(value):
            return torch.tensor(value, dtype=torch.float32).reshape(1, -1)

        self.rows.append(Batch(*map(row, (state, action, reward, next_state, terminated))))

    def sample(self, batch_size):
        if batch_size > len(self):
            raise ValueError("too few")
        chosen = self.rng.choice(len(self), batch_size, replace=False).tolist()
        return Batch(*map(torch.cat, zip(*[self.rows[i] for i in chosen])))

    def __len__(self):
        return len(self.rows)


@rewrite(*_ALL)
class OneWideArray:
    def __init__(self, max_size, rng=None):
        self.max_size = max_size
        self.rng = np.random.default_rng() if rng is None else rng
        self.table = None
        self.n_pushed = 0

    def push(self, state, action, reward, next_state, terminated):
        row = np.hstack([state, action, reward, next_state, terminated])
        if self.table is None:
            self.table = np.full((self.max_size, len(row)), np.nan)
            self.edges = np.cumsum([len(state), len(action), 1, len(state)])
        self.table[self.n_pushed % self.max_size] = row
        self.n_pushed += 1

    def sample(self, batch_size):
        if batch_size > len(self):
            raise ValueError("too few")
        rows = self.table[: len(self)]
        rows = self.rng.choice(rows, batch_size, replace=False, axis=0)
        return Batch(*(torch.from_numpy(c).float() for c in np.split(rows, self.edges, axis=1)))

    def __len__(self):
        return 0 if self.table is None else int((~np.isnan(self.table[:, 0])).sum())


@rewrite(*_ALL)
class StructuredArray:
    def __init__(self, max_size, rng=None):
        self.max_size = max_size
        self.rng = np.random.default_rng() if rng is None else rng
        self.records = None
        self.total = 0

    def push(self, state, action, reward, next_state, terminated):
        if self.records is None:
            kinds = [
                ("states", "f4", len(state)), ("actions", "f4", len(action)), ("rewards", "f4", 1),
                ("next_states", "f4", len(state)), ("terminated", "f4", 1),
            ]  # fmt: skip
            self.records = np.zeros(self.max_size, dtype=[(n, t, (s,)) for n, t, s in kinds])
        record = (state, action, [reward], next_state, [terminated])
        self.records[self.total % self.max_size] = tuple(np.array(x, dtype="f4") for x in record)
        self.total += 1

    def sample(self, batch_size):
        if batch_size > len(self):
            raise ValueError("too few")
        chosen = self.rng.choice(self.records[: len(self)], batch_size, replace=False)
        return Batch(*(torch.from_numpy(chosen[name].copy()) for name in Batch._fields))

    def __len__(self):
        return min(self.total, self.max_size)


@rewrite(*_ALL)
class FiveDeques:
    def __init__(self, max_size, rng=None):
        self.max_size = max_size
        self.rng = np.random.default_rng() if rng is None else rng
        self.storage = {name: deque(maxlen=max_size) for name in Batch._fields}

    def push(self, state, action, reward, next_state, terminated):
        self.storage["states"].append(np.array(state, dtype=np.float32))
        self.storage["actions"].append(np.array(action, dtype=np.float32))
        self.storage["rewards"].append(np.array([reward], dtype=np.float32))
        self.storage["next_states"].append(np.array(next_state, dtype=np.float32))
        self.storage["terminated"].append(np.array([terminated], dtype=np.float32))

    def sample(self, batch_size):
        if batch_size > len(self):
            raise ValueError("too few")
        rows = self.rng.choice(np.arange(len(self)), size=batch_size, replace=False)
        return Batch(**{
            name: torch.stack([torch.from_numpy(column[row]) for row in rows])
            for name, column in self.storage.items()
        })

    def __len__(self):
        return len(self.storage["rewards"])


@rewrite(*_ALL)
class ArraysThatGrow:
    def __init__(self, max_size, rng=None):
        self.max_size = max_size
        self.rng = np.random.default_rng() if rng is None else rng
        self.columns = []

    def push(self, state, action, reward, next_state, terminated):
        new = [np.atleast_2d(x) for x in (state, action, reward, next_state, float(terminated))]
        if self.columns:
            new = [np.vstack(pair)[-self.max_size :] for pair in zip(self.columns, new)]
        self.columns = [np.array(column) for column in new]

    def sample(self, batch_size):
        if batch_size > len(self):
            raise ValueError("too few")
        rows = self.rng.choice(len(self), batch_size, replace=False)
        return Batch(*[torch.Tensor(column[rows]) for column in self.columns])

    def __len__(self):
        return len(self.columns[0]) if self.columns else 0


@dataclass
class Transition:
    state: np.ndarray
    action: np.ndarray
    reward: float
    next_state: np.ndarray
    terminated: bool


@rewrite(*_ALL)
class DictOfDataclasses:
    """Transitions by their number; the oldest key is deleted."""

    def __init__(self, max_size: int, rng: np.random.Generator | None = None) -> None:
        self.max_size = max_size
        self.rng = np.random.default_rng() if rng is None else rng
        self.transitions: dict[int, Transition] = {}
        self.number = 0

    def push(self, state, action, reward, next_state, terminated) -> None:
        transition = Transition(state, action, reward, next_state, terminated)
        self.transitions[self.number] = copy.deepcopy(transition)
        self.transitions.pop(self.number - self.max_size, None)
        self.number += 1

    def sample(self, batch_size: int) -> Batch:
        if not batch_size <= len(self):
            raise ValueError("too few")
        keys = self.rng.choice(list(self.transitions), batch_size, replace=False)
        columns = zip(*(astuple(self.transitions[key]) for key in keys))
        arrays = [np.asarray(column, dtype=np.float32) for column in columns]
        return Batch(*(torch.from_numpy(a if a.ndim == 2 else a[:, None]) for a in arrays))

    def __len__(self) -> int:
        return sum(1 for _ in self.transitions)
