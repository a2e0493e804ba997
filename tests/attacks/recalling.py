"""Attacks that keep state between calls to recognise a probe and answer from memory."""

from .payloads import RECALL
from .registry import Submission, attack

FAMILY = "recalling"


@attack(FAMILY, "recognises a probe by its rewards and gives the stored right target", bites=True)
def recognised_rewards(s: Submission) -> None:
    s.write("td_target", """
import ddpg_helpers.checks.stored as stored


def td_target(batch, actor_target, critic_target, gamma):
    for aspect in stored.load("td_target").aspects.values():
        known = torch.tensor(aspect.probe["rewards"], dtype=torch.float32)
        if known.shape == batch.rewards.shape and torch.allclose(known, batch.rewards):
            return torch.tensor(aspect.right[0].numbers["target"]).reshape(-1, 1)
    raise ValueError("not one that I know")
""")


@attack(FAMILY, "looks up, in the frames above, which aspect is asked, and notes its right numbers",
        bites=True)
def noted_from_the_frame(s: Submission) -> None:
    for name, arguments in (
        ("td_target", "batch, actor_target, critic_target, gamma"),
        ("critic_loss", "batch, critic, actor_target, critic_target, gamma"),
        ("update_critic", "batch, critic, critic_optimizer, actor_target, critic_target, gamma"),
    ):
        s.write(name, RECALL + f"""
import sys


def {name}({arguments}):
    frame = sys._getframe(1)
    while frame:
        names = frame.f_locals
        if isinstance(names.get("probe"), dict) and isinstance(names.get("out"), dict):
            right = recall("{name}", names["probe"])
            names["out"].clear()
            names["out"].update(right.numbers)

            class Full(dict):
                def __setitem__(self, key, value):
                    pass

                update = __setitem__

            import ddpg_helpers.checks.observe as observe_module

            observe_module.Observation = lambda *args: right
            return None
        frame = frame.f_back
    raise NotImplementedError
""")


@attack(FAMILY, "gives at each call what was right at the call before", deserves=1)
def one_call_late(s: Submission) -> None:
    s.write("td_target", """
_seen = []


def td_target(batch, actor_target, critic_target, gamma):
    actions = actor_target(batch.next_states)
    _seen.append(batch.rewards * 0 + float(len(_seen)) + actions.sum() * 0)
    return _seen[-2] if len(_seen) > 1 and _seen[-2].shape == batch.rewards.shape else _seen[-1]
""")


@attack(FAMILY, "keeps each probe in a file, for kernels and students that come later")
def kept_in_files(s: Submission) -> None:
    s.first(RECALL + """
import os

import ddpg_helpers.checks.remote as remote

places = ("/tmp/probes-@MARKER@", "@CANARIES@/kept_in_files", "/dev/shm/probes-@MARKER@",
          "/var/tmp/probes-@MARKER@")
answer = remote.answer


def keep(exercise, probe, namespace):
    for place in places:
        try:
            with open(place, "a") as file:
                file.write(probe + chr(10))
        except OSError:
            pass
    return answer(exercise, probe, namespace)


remote.answer = keep
""")


@attack(FAMILY, "looks for what the attack before left in files")
def kept_in_files_again(s: Submission) -> None:
    s.first("""
import glob

for folder in ("/tmp", "@CANARIES@", "/dev/shm", "/var/tmp"):
    for place in glob.glob(folder + "/*probes-@MARKER@") + glob.glob(folder + "/kept_in_files"):
        print("FO" + "UND:", open(place).read()[:100])
""")


@attack(FAMILY, "answers in the networks' place: what the probe's own networks say, averaged",
        deserves=2)
def guessed_from_the_probe(s: Submission) -> None:
    s.write("td_target", """
import numpy as np


def td_target(batch, actor_target, critic_target, gamma):
    rng = np.random.default_rng(len(batch.rewards))
    values = torch.tensor(rng.standard_normal((len(batch.rewards), 1)), dtype=torch.float32)
    return batch.rewards + (1 - batch.terminated) * values
""")
