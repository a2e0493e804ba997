"""Right answers in the many ways in which students write them, one module an exercise or a few that
belong together.

A grader that takes a point from one of them is wrong. They keep the names, arguments and meanings
of the exercise contract and are free in everything else; where no probe of ours could tell, they
are right all the same. They are written as students write, most without type hints. Each module is
like a notebook: the functions that an answer builds on are defined or imported above it.

Left out, because the contract does not clearly allow them:

- A parameter of the target replaced by another object (``load_state_dict(assign=True)`` too).
- A TD target made in ``torch.inference_mode``: right by value and shape, but no loss can use it.
- A loss of shape [1] or [1, 1], a TD target as a numpy array or in float64.
- An agent that samples from another name for its memory than ``memory``.
- Networks handed on to an earlier exercise's function as a lambda.
"""

import importlib
import pkgutil
from functools import cache

from rewrites.registry import Rewrite, registered


@cache
def _import_all() -> None:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


def all_rewrites() -> list[Rewrite]:
    """Every rewrite of every exercise; a class stands once for each exercise that it answers."""
    _import_all()
    return registered()


def rewrites_of(exercise: str) -> list[Rewrite]:
    """The rewrites of one exercise, in the order in which they are written."""
    return [rewrite for rewrite in all_rewrites() if rewrite.exercise == exercise]
