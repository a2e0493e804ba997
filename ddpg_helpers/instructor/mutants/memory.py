"""Wrong replay memories."""

import numpy as np
import torch

from ddpg_helpers.instructor.mutants.registry import mutant
from ddpg_helpers.memory import Batch, ReplayMemory


class _ListMemory(ReplayMemory):
    """A right memory that keeps its transitions in a list, oldest first."""

    def __init__(self, max_size, rng=None):
        super().__init__(max_size, rng)
        self.transitions = []

    def push(self, state, action, reward, next_state, terminated):
        self.make_room()
        self.transitions.append(
            (state.copy(), action.copy(), float(reward), next_state.copy(), float(terminated))
        )

    def make_room(self):
        if len(self.transitions) == self.max_size:
            del self.transitions[0]

    def sample(self, batch_size):
        if batch_size > len(self):
            raise ValueError(f"cannot sample {batch_size} transitions: {len(self)} are stored")
        rows = self.rng.choice(len(self), size=batch_size, replace=False)
        return self.batch([self.transitions[row] for row in rows])

    def batch(self, transitions):
        columns = (np.array(column, dtype=np.float32) for column in zip(*transitions, strict=True))
        return Batch(*(torch.from_numpy(c.reshape(len(transitions), -1)) for c in columns))

    def __len__(self):
        return len(self.transitions)


# --- push: what is stored ------------------------------------------------------------------------


@mutant(
    "ReplayMemory.push",
    breaks=["stored"],
    says="Your memory keeps the arrays that it was given, not copies. When their owner changes "
    "them, the past changes too.",
)
class NothingCopied(_ListMemory):
    def push(self, state, action, reward, next_state, terminated):
        self.make_room()
        self.transitions.append((state, action, float(reward), next_state, float(terminated)))


@mutant(
    "ReplayMemory.push",
    breaks=["stored"],
    says="Your memory copies an array only where it has to convert it. Arrays that are float32 "
    "already, as those of Pendulum are, are kept as they are and change with their owner.",
)
class CopiedOnlyWhenConverted(_ListMemory):
    def push(self, state, action, reward, next_state, terminated):
        state, action, next_state = (
            np.asarray(array, dtype=np.float32) for array in (state, action, next_state)
        )
        self.make_room()
        self.transitions.append((state, action, float(reward), next_state, float(terminated)))


@mutant(
    "ReplayMemory.push",
    breaks=["stored", "terminated", "first_in_first_out"],
    says="All your transitions share one object that is changed at each push, so the memory holds "
    "the newest transition many times. Each transition needs an object of its own.",
)
class OneObjectForAll(_ListMemory):
    def __init__(self, max_size, rng=None):
        super().__init__(max_size, rng)
        self.transition = [None] * 5

    def push(self, state, action, reward, next_state, terminated):
        self.make_room()
        self.transition[:] = state.copy(), action.copy(), reward, next_state.copy(), terminated
        self.transitions.append(self.transition)


@mutant(
    "ReplayMemory.push",
    breaks=["stored"],
    says="The state and the next state have changed places in your memory. Every transition then "
    "tells its story backwards. Look at the order of your columns.",
)
class StatesSwapped(ReplayMemory):
    def push(self, state, action, reward, next_state, terminated):
        super().push(next_state, action, reward, state, terminated)


@mutant(
    "ReplayMemory.push",
    breaks=["stored"],
    says="Your memory stores the state where the next state belongs. The target then looks no step "
    "ahead at all.",
)
class NextStateForgotten(ReplayMemory):
    def push(self, state, action, reward, next_state, terminated):
        super().push(state, action, reward, state, terminated)


@mutant(
    "ReplayMemory.push",
    breaks=["stored"],
    says="Your rewards are rounded to whole numbers. Most rewards are not, and small ones would "
    "all become 0. Look at the type in which they are kept.",
)
class RewardsWholeNumbers(ReplayMemory):
    def push(self, state, action, reward, next_state, terminated):
        super().push(state, action, int(reward), next_state, terminated)


@mutant(
    "ReplayMemory.push",
    breaks=["stored"],
    says="Your rewards are cut off at -1 and 1. That was done for Atari games; here the critic "
    "needs the rewards as they are.",
)
class RewardsClipped(ReplayMemory):
    def push(self, state, action, reward, next_state, terminated):
        super().push(state, action, np.clip(reward, -1, 1), next_state, terminated)


@mutant(
    "ReplayMemory.push",
    breaks=["terminated"],
    says="Your memory forgets whether a transition was terminal: the flag is always 0. The target "
    "would then bootstrap from states after which nothing comes.",
)
class MaskForgotten(ReplayMemory):
    def push(self, state, action, reward, next_state, terminated):
        super().push(state, action, reward, next_state, False)


@mutant(
    "ReplayMemory.push",
    breaks=["terminated"],
    says="Your memory stores the opposite of the flag. 1 means that the next state is terminal.",
)
class MaskInverted(ReplayMemory):
    def push(self, state, action, reward, next_state, terminated):
        super().push(state, action, reward, next_state, not terminated)


# --- push: when it is full -----------------------------------------------------------------------


@mutant(
    "ReplayMemory.push",
    breaks=["first_in_first_out"],
    says="Your memory refuses new transitions once it is full, and the agent goes on learning from "
    "its first, worst days. The newest one comes in, the oldest one goes.",
)
class NewestRefused(_ListMemory):
    def push(self, state, action, reward, next_state, terminated):
        if len(self) < self.max_size:
            super().push(state, action, reward, next_state, terminated)


@mutant(
    "ReplayMemory.push",
    breaks=["first_in_first_out"],
    says="When your memory is full, each new transition takes the place of the newest one. The "
    "oldest one is the one to go.",
)
class NewestEvicted(_ListMemory):
    def make_room(self):
        if len(self.transitions) == self.max_size:
            del self.transitions[-1]


@mutant(
    "ReplayMemory.push",
    breaks=["first_in_first_out"],
    says="When your memory is full, all of it is thrown away. Only the oldest transition has to "
    "go.",
)
class ClearedWhenFull(_ListMemory):
    def make_room(self):
        if len(self.transitions) == self.max_size:
            self.transitions.clear()


@mutant(
    "ReplayMemory.push",
    breaks=["first_in_first_out"],
    says="Your memory grows without end: nothing goes when it is full. Old transitions come from "
    "policies that are long gone, and the computer's memory fills up.",
)
class NeverEvicts(_ListMemory):
    def make_room(self):
        pass


@mutant(
    "ReplayMemory.push",
    breaks=["first_in_first_out"],
    says="Your memory holds one transition less than max_size. Look at when it counts as full.",
)
class OnePlaceTooFew(_ListMemory):
    def make_room(self):
        if len(self.transitions) == self.max_size - 1:
            del self.transitions[0]


@mutant(
    "ReplayMemory.push",
    breaks=["first_in_first_out"],
    says="Your memory holds one transition more than max_size. Look at when it counts as full.",
)
class OnePlaceTooMany(_ListMemory):
    def make_room(self):
        if len(self.transitions) > self.max_size:
            del self.transitions[0]


# --- sample: the batch ---------------------------------------------------------------------------


@mutant(
    "ReplayMemory.sample",
    breaks=["batch"],
    says="Your rewards and flags come back flat, with shape [N]. Together with the critic's column "
    "[N, 1] they would give [N, N].",
)
class FlatColumns(ReplayMemory):
    def sample(self, batch_size):
        batch = super().sample(batch_size)
        return batch._replace(
            rewards=batch.rewards.squeeze(1), terminated=batch.terminated.squeeze(1)
        )


@mutant(
    "ReplayMemory.sample",
    breaks=["batch"],
    says="Your batch is float64. The networks compute in float32, and the two do not mix. Look at "
    "the type in which the tensors are made.",
)
class DoublePrecision(ReplayMemory):
    def sample(self, batch_size):
        return Batch(*(column.double() for column in super().sample(batch_size)))


@mutant(
    "ReplayMemory.sample",
    breaks=["batch"],
    says="Your flags come back as True and False. The target computes with them, and torch does "
    "not subtract truth values. They have to be numbers in float32.",
)
class BooleanMask(ReplayMemory):
    def sample(self, batch_size):
        batch = super().sample(batch_size)
        return batch._replace(terminated=batch.terminated.bool())


@mutant(
    "ReplayMemory.sample",
    breaks=["batch"],
    says="Your batch holds numpy arrays. The networks take tensors.",
)
class NumpyArrays(ReplayMemory):
    def sample(self, batch_size):
        return Batch(*(column.numpy() for column in super().sample(batch_size)))


@mutant(
    "ReplayMemory.sample",
    breaks=["batch"],
    says="Your columns come in a plain tuple. Whoever uses the batch asks for "
    "its columns by name; return a Batch.",
)
class PlainTuple(ReplayMemory):
    def sample(self, batch_size):
        return tuple(super().sample(batch_size))


@mutant(
    "ReplayMemory.sample",
    breaks=["batch"],
    says="Your columns are mixed up: a row holds the state of one transition and the reward of "
    "another. Draw the row numbers once, and use them for every column.",
)
class ColumnsDrawnApart(_ListMemory):
    def batch(self, transitions):
        columns = super().batch(transitions)
        return Batch(*(column.roll(shift, 0) for shift, column in enumerate(columns)))


@mutant(
    "ReplayMemory.sample",
    breaks=["batch"],
    says="The states and next states have changed places in your batch. Look at the order of the "
    "columns that you put into it.",
)
class ColumnsSwapped(ReplayMemory):
    def sample(self, batch_size):
        batch = super().sample(batch_size)
        return batch._replace(states=batch.next_states, next_states=batch.states)


# --- sample: the choice --------------------------------------------------------------------------


class _Choice(_ListMemory):
    """A memory that chooses its rows in a way of its own."""

    def sample(self, batch_size):
        if batch_size > len(self):
            raise ValueError(f"cannot sample {batch_size} transitions: {len(self)} are stored")
        return self.batch([self.transitions[row] for row in self.choose(batch_size)])


@mutant(
    "ReplayMemory.sample",
    breaks=["without_replacement"],
    says="A transition can come twice in one of your batches, because you draw with replacement. "
    "Then some of the batch is wasted on what it has already.",
)
class WithReplacement(_Choice):
    def choose(self, batch_size):
        return self.rng.integers(len(self), size=batch_size)


@mutant(
    "ReplayMemory.sample",
    breaks=["uniform"],
    says="Your batch is always the newest transitions. They come from one stretch of one episode "
    "and resemble each other; the memory is there to break that up.",
)
class NewestOnly(_Choice):
    def choose(self, batch_size):
        return range(len(self) - batch_size, len(self))


@mutant(
    "ReplayMemory.sample",
    breaks=["uniform"],
    says="Your batch is always the oldest transitions. Nothing is drawn at random, and what is "
    "new is never learned from.",
)
class OldestOnly(_Choice):
    def choose(self, batch_size):
        return range(batch_size)


@mutant(
    "ReplayMemory.sample",
    breaks=["uniform"],
    says="Your batch is a run of transitions that follow each other. They resemble each other, and "
    "breaking that up is what the memory is for. Each transition is drawn on its own.",
)
class ConsecutiveRun(_Choice):
    def choose(self, batch_size):
        start = self.rng.integers(len(self))
        return [(start + row) % len(self) for row in range(batch_size)]


@mutant(
    "ReplayMemory.sample",
    breaks=["uniform"],
    says="The newest transition is in every one of your batches. All transitions shall have the "
    "same chance.",
)
class NewestAlwaysIncluded(_Choice):
    def choose(self, batch_size):
        others = self.rng.choice(len(self) - 1, size=batch_size - 1, replace=False)
        return [len(self) - 1, *others]


@mutant(
    "ReplayMemory.sample",
    breaks=["uniform"],
    says="Your draws do not come from self.rng, so the same seed gives other batches each time and "
    "no run can be repeated.",
)
class AnotherGenerator(_Choice):
    def choose(self, batch_size):
        return np.random.default_rng().choice(len(self), size=batch_size, replace=False)


# --- sample: too few -----------------------------------------------------------------------------


@mutant(
    "ReplayMemory.sample",
    breaks=["too_few"],
    says="When too few transitions are stored, you return what there is. The caller would train on "
    "a smaller batch than it believes. Say so with a ValueError.",
)
class SmallerBatch(ReplayMemory):
    def sample(self, batch_size):
        return super().sample(min(batch_size, len(self)))


@mutant(
    "ReplayMemory.sample",
    breaks=["too_few"],
    says="When too few transitions are stored, you return nothing and the error comes somewhere "
    "else, where it is hard to understand. Say so with a ValueError.",
)
class NothingReturned(ReplayMemory):
    def sample(self, batch_size):
        return super().sample(batch_size) if batch_size <= len(self) else None


@mutant(
    "ReplayMemory.sample",
    breaks=["too_few"],
    says="When too few transitions are stored, you fill the batch up with repeated ones. Say so "
    "with a ValueError.",
)
class FilledUp(_ListMemory):
    def sample(self, batch_size):
        few = batch_size > len(self)
        rows = self.rng.choice(len(self), size=batch_size, replace=few)
        return self.batch([self.transitions[row] for row in rows])


@mutant(
    "ReplayMemory.sample",
    breaks=["too_few"],
    says="When too few transitions are stored, your memory stops with an IndexError. Callers wait "
    "for a ValueError, and its sentence can say what to do.",
)
class AnotherError(_ListMemory):
    def sample(self, batch_size):
        rows = self.rng.permutation(len(self))
        return self.batch([self.transitions[rows[place]] for place in range(batch_size)])


# --- __len__ -------------------------------------------------------------------------------------


@mutant(
    "ReplayMemory.__len__",
    breaks=["length"],
    says="Your length counts every push, also when old transitions have gone. It cannot exceed "
    "max_size.",
)
class EveryPushCounted(ReplayMemory):
    def __len__(self):
        return self.pushed


@mutant(
    "ReplayMemory.__len__",
    breaks=["length"],
    says="Your length is max_size from the start. Until the memory is full, fewer transitions are "
    "stored, and drawing the empty places would train on zeros.",
)
class MaxSizeFromTheStart(ReplayMemory):
    def __len__(self):
        return self.max_size


@mutant(
    "ReplayMemory.__len__",
    breaks=["length"],
    says="Your length starts again from 0 each time the memory is full: it is the place of the "
    "next push. All places stay filled once they are.",
)
class PlaceOfTheNextPush(ReplayMemory):
    def __len__(self):
        return self.pushed % self.max_size


@mutant(
    "ReplayMemory.__len__",
    breaks=["length"],
    says="Your length counts the columns and not the transitions.",
)
class ColumnsCounted(ReplayMemory):
    def __len__(self):
        return 5


@mutant(
    "ReplayMemory.__len__",
    breaks=["length"],
    says="Your length is one too small once the memory is full. Look at the bound.",
)
class OneTooFewWhenFull(ReplayMemory):
    def __len__(self):
        return min(self.pushed, self.max_size - 1)

