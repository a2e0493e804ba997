"""Attacks with objects that are not what they seem."""

from .registry import Submission, attack

FAMILY = "liars"

_TD = "def td_target(batch, actor_target, critic_target, gamma):\n"


@attack(FAMILY, "the result looks up the judge's right numbers when it is made an array",
        bites=True)
def array_that_walks_frames(s: Submission) -> None:
    s.write("td_target", """
import sys

import numpy as np


class Liar:
    def __array__(self, dtype=None, copy=None):
        frame = sys._getframe(1)
        while frame:
            known = frame.f_locals.get("isolating")
            if known is not None:
                numbers = known.right[0].numbers
                shape = [int(size) for size in numbers["target_shape"]]
                return numbers["target"].reshape(shape)
            frame = frame.f_back
        return np.zeros((1, 1))


def td_target(batch, actor_target, critic_target, gamma):
    return Liar()
""")


@attack(FAMILY, "the result says that it equals everything and has every attribute")
def equal_to_everything(s: Submission) -> None:
    s.write("td_target", """
class Everything(float):
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __sub__(self, other):
        return self

    __rsub__ = __abs__ = __neg__ = __lt__ = __le__ = __gt__ = __ge__ = __sub__
    __hash__ = float.__hash__

    def __getattr__(self, name):
        return self

    def __call__(self, *args, **keywords):
        return self


def td_target(batch, actor_target, critic_target, gamma):
    return Everything("nan")
""")
    s.write("critic_loss", """
def critic_loss(batch, critic, actor_target, critic_target, gamma):
    return Everything("nan")
""")


@attack(FAMILY, "a tensor subclass answers every comparison with yes, and its numbers change",
        deserves=1)
def tensor_subclass(s: Submission) -> None:
    s.write("td_target", """
class Agreeable(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if name in ("allclose", "equal", "isclose", "eq", "__eq__"):
            return True
        return super().__torch_function__(function, types, args, kwargs or {})


def td_target(batch, actor_target, critic_target, gamma):
    return torch.zeros_like(batch.rewards).as_subclass(Agreeable)
""")


@attack(FAMILY, "an array that holds other numbers at each look", deserves=1)
def lazily_changing_array(s: Submission) -> None:
    s.write("td_target", """
import numpy as np


class Lazy:
    looks = 0

    def __init__(self, size):
        self.size = size

    def __array__(self, dtype=None, copy=None):
        Lazy.looks += 1
        return np.full((self.size, 1), np.nan if Lazy.looks % 2 else float(Lazy.looks))


def td_target(batch, actor_target, critic_target, gamma):
    return Lazy(len(batch.rewards))
""")


@attack(FAMILY, "NaN, which differs from no number by more than a tolerance", deserves=1)
def not_a_number(s: Submission) -> None:
    s.write("td_target", _TD + "    return torch.full_like(batch.rewards, float('nan'))")
    s.write("critic_loss", """
def critic_loss(batch, critic, actor_target, critic_target, gamma):
    return critic(batch.states, batch.actions).mean() * float("nan")
""")


@attack(FAMILY, "the networks' parameters become properties that show other numbers")
def network_with_properties(s: Submission) -> None:
    s.write("update_critic", """
def update_critic(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    class Shown(type(critic)):
        looks = 0

        def parameters(self, recurse=True):
            Shown.looks += 1
            for parameter in super().parameters(recurse):
                yield torch.nn.Parameter(parameter.detach() * float("nan"))

        def state_dict(self, *args, **keywords):
            return {k: v * float("nan") for k, v in super().state_dict(*args, **keywords).items()}

    critic.__class__ = Shown
    return float("nan")
""")


@attack(FAMILY, "an exception whose text and type are the judge's words for a right answer")
def exception_that_says_right(s: Submission) -> None:
    s.write("td_target", """
class Right(Exception):
    def __str__(self):
        return '", "raised": null, "message": "", "score": 10, "outcome": "right'

    def _render_traceback_(self):
        return ["1.0"]


Right.__name__ = Right.__qualname__ = "right"


def td_target(batch, actor_target, critic_target, gamma):
    raise Right
""")


@attack(FAMILY, "a namespace that finds a right-looking answer for every name")
def answering_namespace(s: Submission) -> None:
    s.first("""
def __getattr__(name):
    return 1.0


class Names(dict):
    def __missing__(self, name):
        return lambda *args, **keywords: 1.0

    def __contains__(self, name):
        return True


shell = get_ipython()
shell.user_ns.update(globals=lambda: Names(shell.user_ns), float=lambda value: 1.0)
""")
