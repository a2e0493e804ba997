"""Known wrong answers, one module an exercise or a few that belong together.

Each is a small edit of a right answer, named after its misconception, and written as a student
would write it, without type hints. Where no probe can tell some of them apart they are one family,
and share the sentences that name the likely causes.

Left out, because they are right under the exercise contract:

- No detach and no ``no_grad`` around the TD target: the target networks require no gradient, so no
  parameter changes. (With the online critic in the target it matters, and is a mutant.)
- Gradients left on the critic by the actor's step, or cleared twice: the next step clears them.
- A loss returned as a 0-d tensor; a target network rebound to fresh storage; a critic that is
  frozen for the actor's step and put back.
- Clearing the gradients between the loss and the backward pass, or before the loss.

A soft update that leaves its target in a graph is a mutant, though no later update raises: it shows
by the target's ``requires_grad``.

Left out, because the contract leaves no room for them:

- The terminal mask taken from the truncated flag: neither a batch nor ``push`` has that flag.
- The online actor in ``td_target`` or ``critic_loss``: it is not among the arguments. It is a
  mutant of the agent, as are all mix-ups of two networks or optimisers that meet only there. The
  target actor with the online critic is its ``online_critic_in_the_target``, the reverse its
  ``online_actor_in_the_target``.
- Targets that ``update_critic`` trains: the targets passed in are in no optimiser. A target critic
  of the agent's own that is trained is a mutant of the agent.
"""

import importlib
import pkgutil
from functools import cache

from ddpg_helpers.instructor.mutants.registry import Mutant, registered


@cache
def _import_all() -> None:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


def all_mutants() -> list[Mutant]:
    """Every mutant of every exercise."""
    _import_all()
    return registered()


def mutants_of(exercise: str) -> list[Mutant]:
    """The mutants of one exercise, in the order in which they are written."""
    return [mutant for mutant in all_mutants() if mutant.exercise == exercise]
