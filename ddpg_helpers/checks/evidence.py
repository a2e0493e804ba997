"""evidence: which part of an observation is off, and the smallest case that shows it.

A *part* names what differs (a layer, a transition, a shape) and gives no right number, so it may
be told of a hidden test. A *case* gives the input, what came out and what should have; it is for
the stored probes of visible checks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.compare import SMALLEST_TOLERANCE, distance, far_apart
from ddpg_helpers.checks.wire import Observation, Probe
from ddpg_helpers.memory import Batch


@dataclass(frozen=True)
class Evidence:
    """What is off in one observed number, as sentences; empty where there is nothing to add."""

    part: str = ""
    case: str = ""


@dataclass(frozen=True)
class _Off:
    """One observed number that is off: of ``exercise``, on ``probe``, as found and as wanted."""

    exercise: str
    key: str
    probe: Probe
    found: np.ndarray
    wanted: np.ndarray

    @property
    def places(self) -> list[int]:
        """Where the flat arrays differ."""
        off = far_apart(self.exercise, self.key, self.found, self.wanted)
        return np.flatnonzero(off).tolist()

    def numbers(self, place: int) -> str:
        """What came out at a place and what should have, as the end of a sentence."""
        found, wanted = (_number(array.ravel()[place]) for array in (self.found, self.wanted))
        return f"is {found}; it should be {wanted}"


_Describe = Callable[[_Off], Evidence]


def evidence(
    exercise: str, aspect: str, probe: Probe, observed: Observation, right: Sequence[Observation]
) -> Evidence:
    """Say what is off in the first number of an aspect that is off.

    Args:
        exercise: "td_target".
        aspect: "mask".
        probe: what the answer was run on.
        observed: what it did.
        right: the right outcomes; the nearest one is compared with.
    """
    keys = ASPECTS[exercise][aspect].keys
    nearest = min(right, key=lambda outcome: distance(exercise, observed, outcome, keys))
    for key in keys:
        if key not in observed.numbers or distance(exercise, observed, nearest, [key]) <= 1:
            continue
        found, wanted = observed.numbers[key], nearest.numbers[key]
        if key.endswith("_shape"):
            sizes = found.astype(int).tolist(), wanted.astype(int).tolist()
            where = "For a single action dimension the" if key.startswith("single") else "The"
            return Evidence(f"{where} shape is {sizes[0]}; it should be {sizes[1]}.")
        if found.shape != wanted.shape:
            return Evidence("Its numbers are not as many as they should be.")
        if not np.isfinite(found).all():
            return Evidence("Not all of its numbers are finite.")
        describe = _DESCRIPTIONS.get(f"{exercise}.{key}", _DESCRIPTIONS.get(key))
        return describe(_Off(exercise, key, probe, found, wanted)) if describe else Evidence()
    return Evidence()


def _number(value: float) -> str:
    return f"{float(value) if abs(value) > SMALLEST_TOLERANCE else 0.0:.4g}"


def _enumerate(words: Sequence[str]) -> str:
    words = list(dict.fromkeys(words))
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


# --- ways to describe -----------------------------------------------------------------------------


def _says(sentence: str) -> _Describe:
    """A flag: the sentence says it all."""
    return lambda off: Evidence(sentence)


def _scalar(name: str) -> _Describe:
    def describe(off: _Off) -> Evidence:
        count = len(off.probe["states"])
        return Evidence(case=f"On a batch of {count} transitions {name} {off.numbers(0)}.")

    return describe


def _layers(network: str, sentence: str) -> _Describe:
    """One number for each weight of a network, or one for each of its parameters; perhaps for
    several runs, one after the other."""

    def describe(off: _Off) -> Evidence:
        sizes = _sizes(off.probe, network)
        weights = np.repeat(list(sizes), list(sizes.values()))
        owner = weights if off.found.size >= len(weights) else np.array(list(sizes))
        layers = [str(owner[place % len(owner)]) for place in off.places]
        everywhere = set(layers) == set(sizes)
        return Evidence(f"{sentence} {'every layer' if everywhere else _enumerate(layers)}.")

    return describe


def _sizes(probe: Probe, network: str) -> dict[str, int]:
    return {k: v.size for k, v in probe[network].items() if k.startswith("linear")}


def _others(*networks: str) -> _Describe:
    """All the weights of networks that should not have moved, then all numbers of the batch."""

    def describe(off: _Off) -> Evidence:
        owner: list[str] = []
        for network in networks:
            owner += [_NAMES.get(network, network)] * sum(_sizes(off.probe, network).values())
        for column in Batch._fields:
            owner += [f"batch.{column}"] * off.probe[column].size
        changed = _enumerate([owner[place] for place in off.places])
        return Evidence(f"Changed, and should not be: {changed}.")

    return describe


def _transitions(name: str) -> _Describe:
    """One number for each transition of the batch, or for each that terminated."""

    def describe(off: _Off) -> Evidence:
        probe = off.probe
        rows = np.arange(len(probe["terminated"]))
        if off.key == "terminal_rows":
            rows = rows[probe["terminated"].ravel() == 1]
        wrong = [int(rows[place]) for place in off.places]
        which = _enumerate([str(row) for row in wrong])
        reward, over = (probe[n].ravel()[wrong[0]] for n in ("rewards", "terminated"))
        return Evidence(
            f"Of the transitions 0 to {len(probe['terminated']) - 1} it is off in {which}.",
            f"Transition {wrong[0]} has reward {_number(reward)} and terminated {over:.0f}, and "
            f"gamma is {_number(probe['gamma'])}: {name} {off.numbers(off.places[0])}.",
        )

    return describe


def _outputs(name: str, size: Callable[[Probe], int]) -> _Describe:
    """One number for each row of states and each output of a network."""

    def describe(off: _Off) -> Evidence:
        row, output = divmod(off.places[0], size(off.probe))
        return Evidence(case=f"Output {output} in row {row}: {name} {off.numbers(off.places[0])}.")

    return describe


def _columns(off: _Off) -> Evidence:
    """As many numbers for each column of the batch."""
    each = off.found.size // len(Batch._fields)
    return Evidence(f"It is off in {_enumerate([Batch._fields[p // each] for p in off.places])}.")


def _kinds(off: _Off) -> Evidence:
    """Three flags for each column of the batch, kind by kind."""
    kind, column = divmod(off.places[0], len(Batch._fields))
    wrong = ("has another dtype than float32", "is no tensor", "can't be read by its name")
    return Evidence(f"The column {Batch._fields[column]} {wrong[kind]}.")


def _stored(off: _Off) -> Evidence:
    """One row for each stored transition: state, action, reward, next state."""
    states, actions = off.probe["state_size"], off.probe["action_size"]
    column = off.places[0] % off.found.shape[1]
    ends = np.cumsum([states, actions, 1, states])
    return Evidence(f"It is off in {Batch._fields[int(np.searchsorted(ends, column, 'right'))]}.")


def _lengths(off: _Off) -> Evidence:
    pushes = off.places[0]
    return Evidence(
        case=f"After {pushes} pushes into a memory of max_size {off.probe['max_size']} the length "
        f"{off.numbers(pushes)}."
    )


def _noise_step(off: _Off) -> Evidence:
    probe, dimension = off.probe, off.places[0]
    settings = ", ".join(f"{name} {probe[key]:g}" for name, key in _NOISE_SETTINGS.items())
    return Evidence(
        f"It is off in dimension {dimension} of {off.found.size}.",
        f"From a state of {probe['state'][dimension]:g}, with {settings}, the next state "
        f"{off.numbers(dimension)}.",
    )


def _sigma(off: _Off) -> Evidence:
    probe, place = off.probe, off.places[0]
    return Evidence(
        f"It is off at t = {probe['steps'][place]}, where decay_period is {probe['decay_period']}.",
        f"With max_sigma {probe['max_sigma']:g} and min_sigma {probe['min_sigma']:g} sigma "
        f"{off.numbers(place)}.",
    )


def _bounds(off: _Off) -> Evidence:
    dimension = off.places[0] % len(off.probe["action"])
    low, high = off.probe["low"][dimension], off.probe["high"][dimension]
    return Evidence(
        f"It is off in dimension {dimension}, where the action space goes from {low:g} to {high:g}."
    )


def _action(off: _Off) -> Evidence:
    dimension = off.places[0]
    state = ", ".join(_number(value) for value in off.probe["states"][0])
    return Evidence(
        f"It is off in dimension {dimension} of {off.found.size}.",
        f"For the state [{state}] it {off.numbers(dimension)}.",
    )


# --- what each number is --------------------------------------------------------------------------

_NAMES = {
    "actor": "the actor", "critic": "the critic", "actor_target": "the target actor",
    "critic_target": "the target critic",
}  # fmt: skip
_NOISE_SETTINGS = {"mu": "mu", "theta": "theta", "sigma": "max_sigma"}
_ACTIONS: Callable[[Probe], int] = lambda probe: len(probe["actor"]["linear3.bias"])  # noqa: E731


def _steps(network: str) -> dict[str, _Describe]:
    """The numbers of an exercise that takes a step of ``network``."""
    return {
        f"update_{network}.step": _layers(network, "It moves otherwise than it should in"),
        f"update_{network}.next_step": _layers(
            network, "A second step moves otherwise than it should in"
        ),
        f"update_{network}.old_gradients": _layers(network, "They change the step in"),
        f"update_{network}.{network}_moved": _says(f"The {network} does not move."),
    }


def _agents(network: str) -> dict[str, _Describe]:
    """The numbers of the agent's update that are about ``network`` and its target."""
    target = f"{network}_target"
    differs = "At the start it differs from the online network in"
    elsewhere = "It does not go towards where the online network is after its step, in"
    through = "Its step comes out the same however far the critic moves before it."
    return {
        f"{network}_step": _layers(network, "It moves otherwise than it should in"),
        f"{network}_old_gradients": _layers(network, "Old gradients change the step in"),
        f"{network}_step_through_old": _says(through),
        f"{target}_step": _layers(network, "It moves otherwise than it should in"),
        f"{target}_elsewhere": _layers(network, elsewhere),
        f"{target}_at_the_start": _layers(network, differs),
        f"{target}_followed": _layers(network, "It shares its numbers with the online network in"),
    }


_DESCRIPTIONS: dict[str, _Describe] = {
    "first": _noise_step,
    "returned_but_not_kept": _says("What is returned is not what self.state holds."),
    "starts_from_the_state": _says("It makes no difference where the state was before."),
    "moves": _says("After several steps the state is where it was."),
    "after_reset": _says("After reset() the state is not mu."),
    "sigma": _sigma,
    "unclipped": _bounds,
    "action_changed": _says("The given action is modified."),
    "stored": _stored,
    "copied": _says("What is stored changes with the caller's arrays."),
    "shapes": _columns,
    "kinds": _kinds,
    "rows_mixed_up": _columns,
    "uneven": _says("Some transitions come far more often than others."),
    "uneven_pairs": _says("Some pairs of transitions come together far more often than others."),
    "same_seed_differs": _says("Two memories with the same seed give different batches."),
    "lengths": _lengths,
    "actions": _outputs("the action", _ACTIONS),
    "Critic.forward.values": _outputs("the value", lambda probe: 1),
    "Actor.forward.gradient": _layers("actor", "Its derivative is off in"),
    "Critic.forward.gradient": _layers("critic", "Its derivative is off in"),
    "input_gradient": _says("Its derivative with respect to states or actions is off."),
    "weights_differ": _layers("critic", "It differs from the network in"),
    "make_target.target_followed": _layers("critic", "It shares its numbers with the network in"),
    "online_changed": _layers("critic", "The given network itself was changed in"),
    "make_target.requires_grad": _layers("critic", "A gradient is still required in"),
    "online_trains": _layers("critic", "The online network can't be trained any more in"),
    "target": _transitions("the target"),
    "terminal_rows": _transitions("the target"),
    "others_masked": _says("Transitions that did not terminate change when others terminate."),
    "batch_changed": _others(),
    "loss": _scalar("the loss"),
    "returned": _scalar("the returned loss"),
    "critic_loss.direction": _layers("critic", "It is off in"),
    "actor_loss.direction": _layers("actor", "It is off in"),
    "matched_loss": _scalar("the loss"),
    "critic_trains": _layers("critic", "After the step the critic can't be trained any more in"),
    "update_critic.others_moved": _others("actor_target", "critic_target"),
    "update_actor.others_moved": _others("critic"),
    **_steps("critic"),
    **_steps("actor"),
    "soft_update.target": _layers("critic", "It is off in"),
    "after_others": _layers("critic", "After other updates it goes elsewhere in"),
    "soft_update.requires_grad": _layers("critic", "The target comes to require a gradient in"),
    "moved": _says("Nothing moves at all."),
    "online_moved": _layers("critic", "The online network moved in"),
    "soft_update.target_followed": _layers("critic", "The target follows the online network in"),
    "action": _action,
    "differs_again": _says("For the same state it gives another action each time."),
    "state_changed": _says("The given state is modified."),
    "actor_changed": _says("The actor is changed."),
    "critic_loss": _scalar("the first number"),
    "actor_loss": _scalar("the second number"),
    "actor_loss_through_old": _says("It comes out the same however far the critic moves before."),
    **_agents("critic"),
    **_agents("actor"),
}
