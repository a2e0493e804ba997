"""The glossary: what the words of the course mean, and the units that explain them."""

from difflib import get_close_matches
from typing import NamedTuple

from IPython.display import Markdown


class Word(NamedTuple):
    """An entry: its meaning in Markdown, and the numbers of the units that explain it."""

    meaning: str
    units: tuple[int, ...]


# In the order in which the course needs them.
WORDS = {
    "agent": Word("what acts and learns: here the networks, the memory and the update", (1, 6)),
    "environment": Word(
        "the world that the agent acts in; it answers an action with a reward and a next state",
        (1,),
    ),
    "state": Word(
        "what the agent sees of the environment, $s$; on Pendulum the cosine and the sine of the "
        "angle and the angular velocity",
        (1, 3),
    ),
    "action": Word(
        "what the agent does, $a$; in this course one number from $-1$ to $1$ a dimension", (1, 3)
    ),
    "reward": Word(
        "the number $r$ that the agent receives after an action; learning aims at large sums of it",
        (1,),
    ),
    "policy": Word(
        "the rule by which an agent chooses its actions; deterministic where a state always gives "
        "the same action, stochastic where the action is drawn",
        (1, 5),
    ),
    "return": Word("the sum of an episode's rewards; discounted only where it says so", (1, 6)),
    "exploration": Word("trying actions other than the policy's, to find better ones", (1,)),
    "exploration noise": Word(
        "what is added to the actor's action while it learns, $\\mathcal{N}$; left out when a "
        "policy is evaluated",
        (1,),
    ),
    "Ornstein-Uhlenbeck noise": Word(
        "noise with a memory: at each step a fraction $\\theta$ of its distance to a mean is "
        "undone, and $\\sigma$ times a standard normal number is added; in short OU noise",
        (1,),
    ),
    "stationary standard deviation": Word(
        "the standard deviation of noise once its distribution no longer changes; for OU noise "
        "$\\sigma / \\sqrt{1 - (1 - \\theta)^2}$",
        (1,),
    ),
    "autocorrelation": Word(
        "the correlation between a series now and the same series some steps later; that number "
        "of steps is the lag",
        (1,),
    ),
    "wrapper": Word(
        "a layer around an environment; the course's turns an action from $-1$ to $1$ into a "
        "torque",
        (1, 3),
    ),
    "episode": Word(
        "what happens from a reset of the environment to its end; on Pendulum 200 steps", (2,)
    ),
    "transition": Word(
        "state, action, reward, next state, and whether the episode terminated", (2,)
    ),
    "replay memory": Word("where the latest transitions wait to be sampled", (2,)),
    "batch": Word("$N$ transitions that are drawn together to learn from", (2,)),
    "first in, first out": Word("when the memory is full, the oldest transition goes first", (2,)),
    "terminated": Word("a terminal state was reached; nothing follows it", (2, 4)),
    "truncated": Word("a time limit cut the episode off; the next state still has a value", (2, 4)),
    "actor": Word("the network $\\mu$ that says what to do in a state", (3,)),
    "critic": Word(
        "the network $Q$ that says how good an action is in a state; one number", (3, 4)
    ),
    "online network": Word("the one that the optimiser moves", (3,)),
    "target network": Word(
        "a slow copy of an online network, $\\mu'$ or $Q'$, that makes the critic's target", (3, 6)
    ),
    "saturation": Word(
        "a tanh so far out that its slope is next to 0, so that no gradient comes through", (3,)
    ),
    "alias": Word(
        "a second name, or a second object, for the same numbers in memory; a target network must "
        "not be one",
        (3,),
    ),
    "discount factor": Word(
        "$\\gamma$, by which a reward counts less for each step that it comes later", (4,)
    ),
    "value": Word(
        "the expected discounted sum of the rewards from a state and an action on, following the "
        "policy afterwards",
        (4, 6),
    ),
    "Bellman equation": Word(
        "what ties a value to the next one: a value is the expectation of the reward plus the "
        "discounted value of the next state and action",
        (4,),
    ),
    "TD target": Word(
        "$y$, the reward plus the discounted value of the next state as the target networks see "
        "it; the reward alone where the episode terminated. TD is short for temporal difference",
        (4,),
    ),
    "bootstrapping": Word(
        "using an estimate inside the target; not the bootstrap of statistics", (4,)
    ),
    "TD error": Word("the TD target minus what the critic says", (4,)),
    "off-policy": Word("learning about the present policy from what another one did", (4, 5)),
    "broadcasting": Word(
        "stretching a tensor to another's shape without an error; a column minus a row makes a "
        "square",
        (4,),
    ),
    "deterministic policy gradient": Word(
        "the gradient of a deterministic policy's expected return: the value's slope along the "
        "action times the action's slope along the parameters, averaged over states",
        (5,),
    ),
    "importance weight": Word(
        "the ratio of two policies' probabilities of an action, by which a sample of the one "
        "counts for the other; DDPG needs none",
        (5,),
    ),
    "overestimation": Word(
        "values that are too high; an actor seeks them out, because it climbs the critic", (5, 6)
    ),
    "soft update": Word(
        "moving a target network the fraction $\\tau$ of the way to the online one", (6,)
    ),
    "half-life": Word(
        "the updates after which a target is half-way to a network that stands still; about "
        "$\\ln 2 / \\tau$",
        (6, 7),
    ),
    "probe environment": Word(
        "a small environment whose right answer is known, to find a bug with", (6,)
    ),
    "training return": Word(
        "the return of an episode of training, exploration noise included", (6,)
    ),
    "evaluation return": Word("the return of an episode without noise and without learning", (6,)),
    "reward curve": Word(
        "the returns of a training run, drawn over its episodes; also called a learning curve", (6,)
    ),
    "seed": Word("what fixes every random choice of a run", (6, 7)),
    "learning rate": Word(
        "the size of an optimiser's steps; with Adam each weight moves by about so much", (6, 7)
    ),
    "band": Word(
        "where a quantity, such as a mean over seeds, would lie with other seeds, most of the time",
        (7,),
    ),
    "bootstrap": Word(
        "in statistics: drawing runs from those that there are, with replacement, to see how far "
        "a mean would move",
        (7,),
    ),
    "interquartile mean": Word("the mean of the middle half of the runs", (7,)),
}


def glossary(word: str | None = None, *, unit: int | None = None) -> Markdown:
    """Return the glossary as a table that a notebook shows.

    Args:
        word: only the entries whose name contains it, in capitals or not; all by default.
        unit: only the entries that this unit explains.

    Raises:
        ValueError: no entry is left.
    """
    found = {
        name: entry
        for name, entry in WORDS.items()
        if (word is None or word.strip().lower() in name.lower())
        and (unit is None or unit in entry.units)
    }
    if not found:
        names = {name.lower(): name for name in WORDS}
        near = [names[name] for name in get_close_matches(str(word).lower(), names)]
        meant = f"perhaps you mean {' or '.join(map(repr, near))}; " if near else ""
        asked = f"no word {word!r}" if word is not None else "no word"
        where = f" of unit {unit}" if unit is not None else ""
        raise ValueError(f"the glossary has {asked}{where}; {meant}glossary() shows all words")
    rows = [f"| {name} | {entry.meaning} | {_numbers(entry)} |" for name, entry in found.items()]
    return Markdown("\n".join(["| word | meaning | unit |", "|---|---|---|", *rows]))


def _numbers(entry: Word) -> str:
    """The entry's units, kept in one line of a narrow column."""
    return ",\u00a0".join(f"{number:02}" for number in entry.units)
