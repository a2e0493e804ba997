"""Attacks through patched libraries and a patched observer."""

from .payloads import RECALL
from .registry import Submission, attack

FAMILY = "patches"


@attack(FAMILY, "the comparison of outcomes always says they are the same", bites=True)
def patched_comparison(s: Submission) -> None:
    s.first("""
import ddpg_helpers.checks.compare as compare
import ddpg_helpers.checks.verdict as verdict

compare.same_outcome = verdict.same_outcome = lambda *args, **keywords: True
compare.distance = verdict.distance = lambda *args, **keywords: 0.0
verdict.not_attempted = lambda *args, **keywords: False
""")


@attack(FAMILY, "observe gives the stored right outcome of the probe most like the one it gets",
        bites=True)
def patched_observe(s: Submission) -> None:
    s.first(RECALL + """
import ddpg_helpers.checks.observe as observe_module
import ddpg_helpers.checks.remote as remote
import ddpg_helpers.checks.visible as visible

observe_module.observe = remote.observe = visible.observe = recall
""")


@attack(FAMILY, "the same in the unit on noise", unit="01_ou_noise", bites=True)
def patched_observe_01(s: Submission) -> None:
    patched_observe(s)


@attack(FAMILY, "the same in the unit on the actor's loss", unit="05_actor_loss", bites=True)
def patched_observe_05(s: Submission) -> None:
    patched_observe(s)


@attack(FAMILY, "the encoder of observations encodes the stored right one", bites=True)
def patched_wire(s: Submission) -> None:
    s.first(RECALL + """
import ddpg_helpers.checks.remote as remote

last = []


def load_probe(text):
    last[:] = [_load(text)]
    return last[0]


def dump_observation(observation):
    import sys

    return _dump(recall(sys._getframe(1).f_locals["exercise"], last[0]))


_wire.load_probe = remote.load_probe = load_probe
_wire.dump_observation = remote.dump_observation = dump_observation
""")


@attack(FAMILY, "the student's end of the channel answers with the stored right outcome",
        bites=True)
def patched_remote_answer(s: Submission) -> None:
    s.first(RECALL + """
import ddpg_helpers.checks.remote as remote

remote.answer = recalled_text
""")


@attack(FAMILY, "the table of observers holds some that note the stored right numbers", bites=True)
def patched_observers(s: Submission) -> None:
    s.first(RECALL + """
import ddpg_helpers.checks.observe as observe_module


def note(exercise):
    return lambda answer, probe, out: out.update(recall(exercise, probe).numbers)


for exercise in observe_module._OBSERVERS:
    observe_module._OBSERVERS[exercise] = note(exercise)
""")


@attack(FAMILY, "json.dumps gives the stored right outcome whatever it is asked to write",
        bites=True)
def patched_json(s: Submission) -> None:
    s.first(RECALL + """
import json
import sys

write = json.dumps


def dumps(content, *args, **keywords):
    if isinstance(content, dict) and set(content) == {"numbers", "raised", "message"}:
        frame = sys._getframe(1)
        while frame and not {"exercise", "probe"} <= set(frame.f_locals):
            frame = frame.f_back
        if frame and isinstance(frame.f_locals["probe"], str):
            right = recall(frame.f_locals["exercise"], frame.f_locals["probe"])
            content = dict(content, numbers=right.numbers, raised=None, message="")
    return write(content, *args, **keywords)


json.dumps = dumps
""")


@attack(FAMILY, "importing the judge gives a lenient one", bites=True)
def patched_import(s: Submission) -> None:
    s.after_imports("""
import builtins
import types

from ddpg_helpers.checks.verdict import Outcome, Verdict

real = builtins.__import__
lenient = types.ModuleType("ddpg_helpers.checks.visible")
lenient.Outcome = Outcome
lenient.verdict_on = lambda *args: Verdict(Outcome.RIGHT)
check = lambda *args, **keywords: None


def load(name, globals=None, locals=None, fromlist=(), level=0):
    if name.startswith(("ddpg_helpers.checks.visible", "ddpg_helpers.instructor")):
        return lenient
    return real(name, globals, locals, fromlist, level)


builtins.__import__ = load
""")


@attack(FAMILY, "numpy and torch find no difference between any two arrays", deserves=1,
        bites=True)
def patched_numpy_and_torch(s: Submission) -> None:
    s.first("""
import numpy as np
import torch

np.allclose = np.array_equal = torch.allclose = torch.equal = lambda *args, **keywords: True
np.testing.assert_allclose = torch.testing.assert_close = lambda *args, **keywords: None
np.abs = np.absolute = lambda value, *args, **keywords: np.zeros(np.shape(value))
""")
    s.write("td_target", """
def td_target(batch, actor_target, critic_target, gamma):
    return torch.zeros_like(batch.rewards)
""")


@attack(FAMILY, "every network gives zeros, so that rewards are the whole target", deserves=2)
def patched_linear(s: Submission) -> None:
    s.write("td_target", """
def td_target(batch, actor_target, critic_target, gamma):
    torch.nn.Linear.forward = lambda self, x: x.new_zeros(*x.shape[:-1], self.out_features)
    return batch.rewards
""")


@attack(FAMILY, "the batch and networks of a probe are replaced by simple ones", deserves=2)
def patched_batch(s: Submission) -> None:
    s.first("""
import torch

import ddpg_helpers.checks.observe as observe_module

original = observe_module._batch


def simple(probe):
    batch = original(probe)
    return batch._replace(terminated=torch.ones_like(batch.terminated))


observe_module._batch = simple
""")
    s.write("td_target", """
def td_target(batch, actor_target, critic_target, gamma):
    return batch.rewards
""")


@attack(FAMILY, "builtins that the observer uses lie about what a value is")
def patched_builtins(s: Submission) -> None:
    s.write("update_critic", """
import builtins

_isinstance, _len, _all = builtins.isinstance, builtins.len, builtins.all


def update_critic(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    builtins.all = lambda values: True
    builtins.set = frozenset
    builtins.zip = lambda *args, **keywords: iter(())
    return 0.0
""")
