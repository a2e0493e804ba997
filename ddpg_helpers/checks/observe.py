"""observe: run an answer on a probe and note what it did, as numbers only.

Nothing here knows what is right. An answer is found by its exercise's name ("td_target",
"OUNoise.evolve_state"); its first part is a name in the notebook. Each observer fills ``out`` as
it goes along, so that what was noted before an error still counts.

So that one mistake does not spoil every number, many numbers compare an answer with itself: its
step from old gradients with its step from clean ones, its agent with a second agent that is put
where the first one came to. What no comparison needs is noted as it is.
"""

import copy
import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box
from torch import Tensor, nn

from ddpg_helpers.checks.wire import MAX_MESSAGE, Observation, Probe
from ddpg_helpers.memory import Batch
from ddpg_helpers.networks import Actor, Critic

Numbers = dict[str, np.ndarray]
_OBSERVERS: dict[str, Callable[[Any, Probe, Numbers], None]] = {}
_LARGE_STEPS = (0.3, 1.0, 3.0)  # learning rates at which one step changes what comes after it


class WrongKindError(Exception):
    """An answer gave something that is not a number, a tensor or an array."""


def observe(exercise: str, probe: Probe, namespace: dict[str, Any]) -> Observation:
    """Run the answer to ``exercise`` that ``namespace`` (a notebook's globals) holds on ``probe``.

    Errors of the answer are part of the observation; none is raised here.
    """
    name = exercise.partition(".")[0]
    if name not in namespace:
        return Observation(raised="NameError", message=f"{name} is not defined")
    return observe_answer(exercise, probe, namespace[name], namespace)


def observe_answer(
    exercise: str, probe: Probe, answer: Any, namespace: dict[str, Any]
) -> Observation:
    """Run ``answer`` on ``probe``; ``namespace`` is where it finds the functions it builds on.

    Those functions are replaced for the moment as the probe's ``stand_in`` says: True for all of
    them, False for none, or the name of one (_STAND_INS).
    """
    out: Numbers = {}
    try:
        with _stand_ins(exercise, probe, namespace):
            _OBSERVERS[exercise](answer, probe, out)
    except Exception as error:  # whatever a student's code may raise
        return Observation(out, type(error).__name__, str(error)[:MAX_MESSAGE])
    return Observation(out)


@contextmanager
def _stand_ins(exercise: str, probe: Probe, namespace: dict[str, Any]) -> Iterator[None]:
    """Put a stand-in for each function that an answer may build on, so that a mistake in an
    earlier exercise, or its absence, does not count again in a later one."""
    wanted = probe["stand_in"]
    names = builds_on(exercise) if wanted is True else (wanted,) if wanted else ()
    before = {name: namespace[name] for name in names if name in namespace}
    namespace.update({name: stand_in(name, probe) for name in names})
    try:
        yield
    finally:
        for name in names:
            namespace.pop(name, None)
        namespace.update(before)


def exercises() -> list[str]:
    """The names of all exercises that can be observed."""
    return list(_OBSERVERS)


def builds_on(exercise: str) -> tuple[str, ...]:
    """The exercises of the same unit that an answer may call, and that have a stand-in."""
    return _BUILDS_ON.get(exercise, ())


def stand_in(name: str, probe: Probe) -> Callable:
    """The function that takes the place of an exercise: it tells, by its value, what it is given.

    That of td_target adds the probe's ``stand_in_adds`` to its value, those of losses are scaled by
    its ``stand_in_scale``, where there are.
    """
    if name == "td_target" and "stand_in_adds" in probe:
        known, adds = _tensor(probe["next_states"]), _tensor(probe["stand_in_adds"])
        return functools.partial(_any_target, adds=lambda given: _of_same_row(given, known, adds))
    if name in ("critic_loss", "actor_loss") and "stand_in_scale" in probe:
        return functools.partial(_STAND_INS[name], scale=probe["stand_in_scale"])
    return _STAND_INS[name]


def build(kind: type[nn.Module], weights: dict[str, np.ndarray]) -> nn.Module:
    """Make an actor or a critic of the library with a probe's weights."""
    outputs, hidden = weights["linear3.weight"].shape
    inputs = weights["linear1.weight"].shape[1]
    states = int(weights["state_size"])
    network = kind(states, outputs if kind is Actor else inputs - states, hidden)
    _load(network, weights)
    return network


def _observes(exercise: str) -> Callable:
    def register(observer: Callable[[Any, Probe, Numbers], None]) -> Callable:
        _OBSERVERS[exercise] = observer
        return observer

    return register


@contextmanager
def _parts() -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Parts of an observation that stand for themselves: an error in one does not keep the others
    from being noted. The first error is raised at the end."""
    errors: list[Exception] = []

    @contextmanager
    def part() -> Iterator[None]:
        try:
            yield
        except Exception as error:  # whatever a student's code may raise
            errors.append(error)

    with part():  # what stands outside of the parts ends the observation, but is no first error
        yield part
    if errors:
        raise errors[0]


# --- numbers -------------------------------------------------------------------------------------


def _numbers(value: Any, what: str) -> np.ndarray:
    if isinstance(value, Tensor):
        value = value.detach().cpu().numpy()
    if value is None or isinstance(value, str | bytes | dict | set):
        raise WrongKindError(f"{what} is {value!r}, not a number, tensor or array"[:MAX_MESSAGE])
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        kind = type(value).__name__
        raise WrongKindError(f"{what} is a {kind}, not a number, tensor or array") from None


def _shape(value: Any) -> np.ndarray:
    return np.array(np.shape(_numbers(value, "the result")), dtype=np.float64)


def _flag(value: bool) -> np.ndarray:
    return np.array(float(value))


def _any(differences: np.ndarray) -> bool:
    """Whether a number differs by more than rounding."""
    return bool((np.abs(differences) > 1e-6).any())


def _note_value(out: Numbers, name: str, value: Any) -> None:
    """Note a result's shape and its values in order, so that each can be judged alone."""
    numbers = _numbers(value, "the result")
    out[f"{name}_shape"] = np.array(numbers.shape, dtype=np.float64)
    out[name] = numbers.ravel()


def _note_scalar(out: Numbers, name: str, value: Any) -> None:
    numbers = _numbers(value, "the loss")
    if numbers.size != 1:
        raise WrongKindError(f"the loss has shape {list(numbers.shape)}; it is one number")
    out[name] = numbers.reshape(())


def _tensor(array: np.ndarray) -> Tensor:
    return torch.tensor(array, dtype=torch.float32)


# --- stand-ins -----------------------------------------------------------------------------------
# Each takes what the exercise takes and tells, by its value, what it was given. None is an answer.


@torch.no_grad()
def _fingerprint(batch: Batch, actor: Any = None, critic: Any = None) -> float:
    """A number that tells which networks were given, or functions that call them."""
    state, action = torch.ones_like(batch.states[:1]), torch.ones_like(batch.actions[:1])
    of_actor = 0.0 if actor is None else float(actor(state).sum())
    return of_actor + (0.0 if critic is None else float(critic(state, action).sum()))


def _any_target(
    batch: Batch,
    actor_target: Any,
    critic_target: Any,
    gamma: float,
    adds: Callable[[Tensor], Tensor | float] = lambda next_states: 0.0,
) -> Tensor:
    given = gamma * _fingerprint(batch, actor_target, critic_target)
    return (0.7 * batch.rewards).sinh() + given + adds(batch.next_states)


def _of_same_row(rows: Tensor, known: Tensor, values: Tensor) -> Tensor:
    """For each row, the value of the known row that it equals, 0 where there is none. An answer
    may go through a batch in parts, or in another order."""
    same = (rows.unsqueeze(1) == known.unsqueeze(0)).all(dim=2).float()
    return same @ values


def _any_critic_loss(
    batch: Batch,
    critic: Any,
    actor_target: Any,
    critic_target: Any,
    gamma: float,
    scale: float = 1.0,
) -> Tensor:
    given = gamma * _fingerprint(batch, actor_target, critic_target)
    # Not negative, as a mean of squares is not: an answer may rely on that.
    return scale * (0.5 * critic(batch.states, batch.actions)).cosh().mean() + abs(given)


def _any_actor_loss(batch: Batch, actor: Any, critic: Any, scale: float = 1.0) -> Tensor:
    # The critic's part carries a gradient to the critic, as the real loss does.
    through = critic(batch.states, batch.actions).mean()
    return scale * actor(batch.states).cosh().mean() + through + _fingerprint(batch, critic=critic)


def _any_soft_update(target: Any, online: Any, tau: float) -> None:
    for old, new in zip(target.parameters(), online.parameters(), strict=True):
        old.data.add_(new.detach().sin(), alpha=tau / 2)


_STAND_INS: dict[str, Callable] = {
    "td_target": _any_target,
    "critic_loss": _any_critic_loss,
    "actor_loss": _any_actor_loss,
    "soft_update": _any_soft_update,
}
_BUILDS_ON = {
    "critic_loss": ("td_target",),
    "update_critic": ("td_target", "critic_loss"),
    "update_actor": ("actor_loss",),
    "DDPGAgent.update": ("soft_update",),
}


# --- what answers are run on ---------------------------------------------------------------------


def _load(network: nn.Module, weights: dict[str, np.ndarray]) -> None:
    state = {name: _tensor(array) for name, array in weights.items() if name.startswith("linear")}
    try:
        network.load_state_dict(state)
    except (RuntimeError, AttributeError):
        raise WrongKindError(
            "the network's layers are no longer those of the given __init__ (linear1, linear2 and "
            "linear3 with the given sizes); put __init__ back as it was"
        ) from None


def _batch(probe: Probe) -> Batch:
    return Batch(*(_tensor(probe[name]) for name in Batch._fields))


def _optimizer(probe: Probe, network: nn.Module) -> torch.optim.Optimizer:
    if probe["optimizer"] == "SGD":
        return torch.optim.SGD(network.parameters(), lr=probe["learning_rate"])
    # So small an eps that small gradients do not show the scale of the loss.
    return torch.optim.Adam(network.parameters(), lr=probe["learning_rate"], eps=1e-12)


def _leave_gradients(*networks: nn.Module) -> None:
    """Leave old gradients behind, as an earlier step would."""
    for network in networks:
        for index, parameter in enumerate(network.parameters()):
            parameter.grad = torch.full_like(parameter, 0.5 + 0.25 * index)


def _make_ready(*networks: nn.Module) -> None:
    """Take away what an earlier step may have left: gradients, and frozen parameters."""
    for network in networks:
        for parameter in network.parameters():
            parameter.grad = None
            parameter.requires_grad_(True)


def _target(network: nn.Module) -> nn.Module:
    return network.requires_grad_(False)


def _values(*networks: nn.Module) -> np.ndarray:
    parameters = [p.detach().cpu().numpy() for network in networks for p in network.parameters()]
    return np.concatenate([array.ravel().astype(np.float64) for array in parameters])


def _set_values(network: nn.Module, values: np.ndarray) -> None:
    start = 0
    with torch.no_grad():
        for parameter in network.parameters():
            end = start + parameter.numel()
            parameter.copy_(_tensor(values[start:end]).reshape(parameter.shape))
            start = end


def _add_one(network: nn.Module) -> None:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1.0)


def _unequal(network: nn.Module, other: nn.Module) -> np.ndarray:
    """For each parameter, 1 where the two networks differ in it."""
    pairs = zip(network.parameters(), other.parameters(), strict=True)
    return np.array([float(not torch.equal(a.detach(), b.detach())) for a, b in pairs])


def _gradient(loss: Any, *networks: nn.Module) -> np.ndarray:
    """d loss / d parameters; zero where the loss does not depend on them."""
    parameters = [p for network in networks for p in network.parameters()]
    if not (isinstance(loss, Tensor) and loss.requires_grad):
        return np.zeros(sum(p.numel() for p in parameters))
    trainable = [p for p in parameters if p.requires_grad]
    found = torch.autograd.grad(loss.sum(), trainable, allow_unused=True) if trainable else ()
    gradients = {id(p): g for p, g in zip(trainable, found, strict=True) if g is not None}
    return np.concatenate(
        [
            _numbers(gradients[id(p)], "").ravel() if id(p) in gradients else np.zeros(p.numel())
            for p in parameters
        ]
    )


def _direction(gradient: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(gradient)
    return gradient / length if length > 0 else gradient


def _still_trains(network: nn.Module, *inputs: Tensor) -> np.ndarray:
    """For each parameter, whether one more plain step would move it; 0 where it stays frozen."""
    ends = np.cumsum([p.numel() for p in network.parameters()])[:-1]
    gradients = np.split(_gradient(network(*inputs), network), ends)
    return np.array([float(gradient.any()) for gradient in gradients])


def _batch_values(batch: Batch) -> np.ndarray:
    return np.concatenate([_numbers(column, "a column of the batch").ravel() for column in batch])


# --- unit 01 -------------------------------------------------------------------------------------


def _noise(kind: Any, probe: Probe, low: np.ndarray, high: np.ndarray) -> Any:
    noise = kind(
        Box(low.astype(np.float32), high.astype(np.float32)), mu=probe["mu"],
        theta=probe["theta"], max_sigma=probe["max_sigma"], min_sigma=probe["min_sigma"],
        decay_period=probe["decay_period"], rng=np.random.default_rng(probe["seed"]),
    )  # fmt: skip
    noise.state = probe["state"].copy()
    return noise


@_observes("OUNoise.evolve_state")
def _evolve_state(kind: Any, probe: Probe, out: Numbers) -> None:
    def new() -> Any:
        return _noise(kind, probe, probe["low"], probe["high"])

    noise = new()
    with _parts() as part:
        with part():
            returned, kept = [], []
            for _ in range(4):
                returned.append(_numbers(noise.evolve_state(), "the result").copy())
                kept.append(_numbers(noise.state, "noise.state"))
            again = _numbers(new().evolve_state(), "the result")
            out["seed_ignored"] = _flag(not np.array_equal(again, returned[0]))
            if not out["seed_ignored"]:  # else the numbers are another's at each call
                _note_value(out, "first", returned[0])
                out["later"] = np.concatenate([step.ravel() for step in returned[1:]])
            differences = [r - k for r, k in zip(returned, kept, strict=True)]
            out["returned_but_not_kept"] = _flag(_any(np.array(differences)))
            out["moves"] = _flag(_any(returned[-1] - returned[0]))
        with part():
            elsewhere = new()
            elsewhere.state = probe["state"] + 1.0
            one, other = (_numbers(n.evolve_state(), "the result") for n in (new(), elsewhere))
            out["starts_from_the_state"] = _flag(_any(one - other))
        noise.reset()
        out["after_reset"] = _numbers(noise.state, "noise.state").ravel()


@_observes("OUNoise.get_action")
def _get_noisy_action(kind: Any, probe: Probe, out: Numbers) -> None:
    action, low, high = probe["action"], probe["low"], probe["high"]
    steps = [int(t) for t in probe["steps"]]
    with _parts() as part:
        with part():
            noise, sigmas, actions = _noise(kind, probe, low, high), [], []
            for t in steps:
                actions.append(_numbers(noise.get_action(action.copy(), t=t), "the result"))
                sigmas.append(float(noise.sigma))
            out["sigma"] = np.array(sigmas)
            out["actions"] = np.concatenate([a.ravel() for a in actions])
            out["action_shape"] = np.array(actions[0].shape, dtype=np.float64)
        with part():  # against a step that the same process takes with the sigma that was set
            differences = []
            for t in steps:
                noise = _noise(kind, probe, low, high)
                twin = copy.deepcopy(noise)
                noisy = _numbers(noise.get_action(action.copy(), t=t), "the result")
                twin.sigma = noise.sigma
                differences.append(noisy - (action + twin.evolve_state()))
            out["out_of_order"] = np.concatenate([d.ravel() for d in differences])
        with part():  # against the same call where the action space is wide
            differences, changes = [], []
            for t in steps:
                given = action.copy()
                noisy = _noise(kind, probe, low, high).get_action(given, t=t)
                wide = _noise(kind, probe, low - 100, high + 100).get_action(action.copy(), t=t)
                clipped = np.clip(_numbers(wide, "the result"), low, high)
                differences.append(_numbers(noisy, "the result") - clipped)
                changes.append(given - action)
            out["unclipped"] = np.concatenate([d.ravel() for d in differences])
            out["action_changed"] = np.concatenate(changes)


# --- unit 02 -------------------------------------------------------------------------------------


def _transition(index: int, probe: Probe) -> tuple:
    """Transition number ``index``: every entry of it is a function of the number and the probe."""
    state = index + np.arange(probe["state_size"]) / 8 + probe["seed"] % 1000 / 8000
    action = np.cos(index + np.arange(probe["action_size"]))
    return state, action, index + 0.25, state + 0.5, bool(index % 3 == 0)


def _fill(kind: Any, probe: Probe, indices: range) -> Any:
    memory = kind(probe["max_size"], rng=np.random.default_rng(probe["seed"]))
    for index in indices:
        memory.push(*_transition(index, probe))
    return memory


def _rows(batch: Any) -> np.ndarray:
    """The batch as one row a transition."""
    columns = [_numbers(column, "a column of the batch") for column in batch]
    return np.concatenate([column.reshape(len(columns[0]), -1) for column in columns], axis=1)


def _rows_stored(memory: Any, count: int) -> np.ndarray:
    """All different rows that come out in batches of ``count``, in a fixed order.

    Several batches are drawn, so that a memory that draws with replacement shows all it stores.
    """
    return np.unique(np.concatenate([_rows(memory.sample(count)) for _ in range(25)]), axis=0)


@_observes("ReplayMemory.push")
def _push(kind: Any, probe: Probe, out: Numbers) -> None:
    size = probe["max_size"]
    with _parts() as part:
        with part():
            rows = _rows_stored(_fill(kind, probe, range(size - 1)), size - 1)
            out["stored"], out["terminated"] = rows[:, :-1], rows[:, -1]
        with part():
            changes = []
            for dtype in (np.float64, np.float32):  # converting the one copies, the other does not
                memory = kind(size, rng=np.random.default_rng(probe["seed"]))
                state, action, reward, next_state, terminated = _transition(1, probe)
                arrays = [array.astype(dtype) for array in (state, action, next_state)]
                memory.push(arrays[0], arrays[1], reward, arrays[2], terminated)
                before = _rows(memory.sample(1))
                for array in arrays:
                    array += 100
                changes.append(_rows(memory.sample(1)) - before)
            out["copied"] = np.concatenate(changes)
        with part():  # against a memory that never held the older ones
            pushed = 2 * size + 2
            memory = _fill(kind, probe, range(pushed))
            out["length_when_full"] = np.array(float(len(memory)))
            rows = _rows_stored(memory, size)
            last = _rows_stored(_fill(kind, probe, range(pushed - size, pushed)), size)
            out["rewards_when_full"] = rows[:, probe["state_size"] + probe["action_size"]]
            out["amount_when_full"] = np.array(float(len(rows)))
            if len(rows) == len(last):
                out["not_the_last"] = np.abs(rows - last).max(axis=0)


@_observes("ReplayMemory.sample")
def _sample(kind: Any, probe: Probe, out: Numbers) -> None:
    size, batch_size = probe["max_size"], probe["batch_size"]
    columns = probe["state_size"] + probe["action_size"]

    def drawn(memory: Any) -> np.ndarray:
        """The numbers of the drawn transitions, read from the rewards."""
        return np.floor(_rows(memory.sample(batch_size))[:, columns])

    with _parts() as part:
        with part():
            out["contents"] = _rows_stored(_fill(kind, probe, range(size)), size)
        with part():
            batch = _fill(kind, probe, range(size)).sample(batch_size)
            sizes, mixed_up = [_shape(column) for column in batch], []
            out["shapes"] = np.concatenate(sizes)
            float32 = [getattr(column, "dtype", None) == torch.float32 for column in batch]
            tensors = [isinstance(column, Tensor) for column in batch]
            named = [hasattr(batch, name) for name in Batch._fields]
            out["kinds"] = np.array([float(flag) for flag in (*float32, *tensors, *named)])
            batch = _fill(kind, probe, range(size)).sample(size)
            numbers = np.floor(_rows(batch)[:, columns])
            whole = [_transition(int(number), probe) for number in numbers]
            all_pushed = zip(*whole, strict=True)
            for name, column, pushed in zip(Batch._fields, batch, all_pushed, strict=True):
                wanted = np.array(pushed, dtype=np.float64).reshape(size, -1)
                found = _numbers(column, f"the column {name}").reshape(size, -1)
                mixed_up.append(float(np.abs(found - wanted).max() > 1e-4))
            out["rows_mixed_up"] = np.array(mixed_up)
        if probe["aspect"] in ("", "without_replacement", "uniform"):
            with part():
                memory = _fill(kind, probe, range(size))
                pairs = np.zeros((size, size))
                repeated = False
                for _ in range(probe["draws"]):
                    chosen = drawn(memory).astype(int)
                    counts = np.bincount(chosen, minlength=size)
                    repeated |= bool(counts.max() > 1)
                    there = (counts > 0).astype(float)
                    pairs += np.outer(there, there)
                pairs /= probe["draws"]
                out["repeated"] = _flag(repeated)
                often, together = pairs.diagonal(), pairs[np.triu_indices(size, 1)]
                out["uneven"] = _flag(np.abs(often - often.mean()).max() > 0.15)
                out["always_drawn"] = (often > 0.99).astype(float)
                out["uneven_pairs"] = _flag(np.abs(together - together.mean()).max() > 0.1)
        with part():
            one, other = (drawn(_fill(kind, probe, range(size))) for _ in range(2))
            out["same_seed_differs"] = _flag(not np.array_equal(one, other))
        with part():
            few = _fill(kind, probe, range(batch_size - 1))
            try:
                given = few.sample(batch_size)
                out["too_few"] = _flag(False)
                out["given_of_too_few"] = np.array(0.0 if given is None else len(_rows(given)))
            except ValueError:
                out["too_few"] = _flag(True)


@_observes("ReplayMemory.__len__")
def _memory_length(kind: Any, probe: Probe, out: Numbers) -> None:
    memory = kind(probe["max_size"], rng=np.random.default_rng(probe["seed"]))
    lengths = [len(memory)]
    for index in range(probe["max_size"] + 3):
        memory.push(*_transition(index, probe))
        lengths.append(len(memory))
        out["lengths"] = np.array(lengths, dtype=np.float64)


# --- unit 03 -------------------------------------------------------------------------------------


def _own_network(
    kind: Any, sizes: tuple[int, int, int], weights: dict[str, np.ndarray], out: Numbers
) -> nn.Module:
    """A student's network with the probe's weights; notes its layers' sizes where these do not
    fit."""
    network = kind(*sizes)
    try:
        _load(network, weights)
    except WrongKindError:
        layers = [np.array(p.shape, dtype=np.float64) for p in network.parameters()]
        out["layers"] = np.concatenate([*layers, np.zeros(0)])
        raise
    return network


@_observes("Actor.forward")
def _actor_forward(kind: Any, probe: Probe, out: Numbers) -> None:
    weights = probe["actor"]
    outputs, hidden = weights["linear3.weight"].shape
    sizes = (probe["states"].shape[1], outputs, hidden)
    states = _tensor(probe["states"])
    actor = _own_network(kind, sizes, weights, out)
    with _parts() as part:
        with part():
            actions = actor(states)
            _note_value(out, "actions", actions)
            out["gradient"] = _gradient(actions, actor)
        ends = []
        for factor in (1000, -1000):  # a last layer so large that its output is at one end
            large = {name: factor * weights[name] for name in ("linear3.weight", "linear3.bias")}
            network = _own_network(kind, sizes, weights | large, out)
            ends.append(_numbers(network(states), "the result"))
        out["range"] = np.array([np.min(ends), np.max(ends)])


@_observes("Critic.forward")
def _critic_forward(kind: Any, probe: Probe, out: Numbers) -> None:
    weights = probe["critic"]
    hidden, inputs = weights["linear1.weight"].shape
    states, actions = _tensor(probe["states"]), _tensor(probe["actions"])
    critic = _own_network(kind, (states.shape[1], actions.shape[1], hidden), weights, out)
    values = critic(states, actions)
    _note_value(out, "values", values)
    out["gradient"] = _gradient(values, critic)
    for inputs in (states, actions):
        inputs.requires_grad_(True)
    values = critic(states, actions).sum()
    found = torch.autograd.grad(values, (states, actions), allow_unused=True)
    columns = [torch.zeros_like(states), torch.zeros_like(actions)]
    for index, gradient in enumerate(found):
        columns[index] = columns[index] if gradient is None else gradient
    out["input_gradient"] = np.concatenate([_numbers(c, "").ravel() for c in columns])


@_observes("make_target")
def _make_target(function: Any, probe: Probe, out: Numbers) -> None:
    online = build(Critic, probe["critic"])
    inputs = _tensor(probe["states"]), _tensor(probe["actions"])
    original = copy.deepcopy(online)
    with torch.random.fork_rng(devices=[]):  # a network made afresh gets the same numbers each time
        torch.manual_seed(probe["seed"])
        target = function(online)
    if not isinstance(target, nn.Module):
        raise WrongKindError(f"make_target gave a {type(target).__name__}, not a network")
    with _parts() as part:
        with part():
            out["target"] = _values(target)
        with part():  # flags, as a network of other numbers differs in all of them
            out["weights_differ"] = _unequal(target, original)
            values = _numbers(target(*inputs), "the target's values")
            out["values_shape"] = np.array(values.shape, dtype=np.float64)
            same = np.array_equal(values, _numbers(original(*inputs), ""))
            out["values_differ"] = _flag(not same)
        out["requires_grad"] = np.array([float(p.requires_grad) for p in target.parameters()])
        out["online_changed"] = _values(online) - _values(original)
        out["online_trains"] = _still_trains(online, *inputs)
        before = copy.deepcopy(target)
        _add_one(online)
        out["target_followed"] = _unequal(target, before)


# --- unit 04 -------------------------------------------------------------------------------------


@_observes("td_target")
def _td_target(function: Any, probe: Probe, out: Numbers) -> None:
    batch = _batch(probe)
    actor_target = _target(build(Actor, probe["actor_target"]))
    critic_target = _target(build(Critic, probe["critic_target"]))
    before = _batch_values(batch)
    target = function(batch, actor_target, critic_target, probe["gamma"])
    _note_value(out, "target", target)
    out["batch_changed"] = _batch_values(batch) - before
    over = probe["terminated"].ravel() == 1
    if out["target"].size == len(over):
        out["terminal_rows"] = out["target"][over]
        out["other_rows"] = out["target"][~over]
        # against a batch of which nothing has terminated
        endless = _batch({**probe, "terminated": np.zeros_like(probe["terminated"])})
        target = function(endless, actor_target, critic_target, probe["gamma"])
        out["others_masked"] = out["other_rows"] - _numbers(target, "the result").ravel()[~over]


def _critic_setup(probe: Probe) -> tuple[Batch, nn.Module, nn.Module, nn.Module]:
    critic = build(Critic, probe["critic"])
    actor_target = _target(build(Actor, probe["actor_target"]))
    critic_target = _target(build(Critic, probe["critic_target"]))
    return _batch(probe), critic, actor_target, critic_target


@_observes("critic_loss")
def _critic_loss(function: Any, probe: Probe, out: Numbers) -> None:
    batch, critic, actor_target, critic_target = _critic_setup(probe)
    before = _batch_values(batch)
    loss = function(batch, critic, actor_target, critic_target, probe["gamma"])
    out["batch_changed"] = _batch_values(batch) - before
    if probe["matched"]:  # the critic's values equal the right targets, until the rewards move
        out["matched_loss"] = np.abs(_numbers(loss, "the loss")).max().reshape(())
        batch = batch._replace(rewards=batch.rewards + _tensor(probe["rewards_move"]))
        loss = function(batch, critic, actor_target, critic_target, probe["gamma"])
        out["moved_loss"] = _numbers(loss, "the loss").ravel()
        out["reacts"] = _flag(np.abs(out["moved_loss"]).max() > 1e-2)
    else:
        with _parts() as part:
            with part():
                _note_scalar(out, "loss", loss)
            out["gradient"] = _gradient(loss, critic)
            out["direction"] = _direction(out["gradient"])


@dataclass
class _Step:
    """What a step is taken with: its arguments, the network that learns, what must not move."""

    arguments: tuple
    learner: nn.Module
    critic: nn.Module
    fixed: tuple[nn.Module, ...]
    batch: Batch

    def others(self) -> np.ndarray:
        return np.concatenate([_values(*self.fixed), _batch_values(self.batch)])


def _observe_step(
    function: Any, new: Callable[[], _Step], name: str, aspect: str, out: Numbers
) -> None:
    """Note how the network called ``name`` moves: from clean gradients, a second time with what
    the first step may have spoilt put right, from old gradients, and then as it comes. Some
    aspects need the first of these only."""
    returned = None
    with _parts() as part:
        with part():
            step = new()
            inputs = step.batch.states.clone(), step.batch.actions.clone()
            before, others_before = _values(step.learner), step.others()
            returned = function(*step.arguments)
            out["step"] = _values(step.learner) - before
            out[f"{name}_moved"] = _flag(_any(out["step"]))
            out["others_moved"] = step.others() - others_before
            out["critic_trains"] = _still_trains(step.critic, *inputs)
            if aspect in ("", "step"):
                _make_ready(step.learner, step.critic)
                for network, fresh in zip(step.fixed, new().fixed, strict=True):
                    network.load_state_dict(fresh.state_dict())
                before = _values(step.learner)
                function(*step.arguments)
                out["next_step"] = _values(step.learner) - before
        if aspect in ("", "second_step"):
            with part():
                step = new()
                _leave_gradients(step.learner)
                before = _values(step.learner)
                function(*step.arguments)
                out["old_gradients"] = _values(step.learner) - before - out["step"]
                before = _values(step.learner)
                function(*step.arguments)
                out["after_own_step"] = _values(step.learner) - before
        _note_scalar(out, "returned", returned)


@_observes("update_critic")
def _update_critic(function: Any, probe: Probe, out: Numbers) -> None:
    def new() -> _Step:
        batch, critic, *targets = _critic_setup(probe)
        arguments = (batch, critic, _optimizer(probe, critic), *targets, probe["gamma"])
        return _Step(arguments, critic, critic, tuple(targets), batch)

    _observe_step(function, new, "critic", probe["aspect"], out)


# --- unit 05 -------------------------------------------------------------------------------------


@_observes("actor_loss")
def _actor_loss(function: Any, probe: Probe, out: Numbers) -> None:
    batch = _batch(probe)
    actor, critic = build(Actor, probe["actor"]), build(Critic, probe["critic"])
    before = _batch_values(batch)
    loss = function(batch, actor, critic)
    out["batch_changed"] = _batch_values(batch) - before
    with _parts() as part:
        with part():
            _note_scalar(out, "loss", loss)
        out["gradient"] = _gradient(loss, actor)
        out["direction"] = _direction(out["gradient"])


@_observes("update_actor")
def _update_actor(function: Any, probe: Probe, out: Numbers) -> None:
    def new() -> _Step:
        batch = _batch(probe)
        actor, critic = build(Actor, probe["actor"]), build(Critic, probe["critic"])
        arguments = (batch, actor, _optimizer(probe, actor), critic)
        return _Step(arguments, actor, critic, (critic,), batch)

    _observe_step(function, new, "actor", probe["aspect"], out)


# --- unit 06 -------------------------------------------------------------------------------------


@_observes("soft_update")
def _soft_update(function: Any, probe: Probe, out: Numbers) -> None:
    def new() -> tuple[nn.Module, nn.Module]:
        return _target(build(Critic, probe["critic_target"])), build(Critic, probe["critic"])

    tau, aspect = probe["tau"], probe["aspect"]
    with _parts() as part:
        with part():
            target, online = new()
            before = _values(target, online)
            function(target, online, tau)
            moved = _values(target, online) - before
            out["moved"] = _flag(_any(moved))
            out["target"] = _values(target)
            out["online_moved"] = moved[len(out["target"]) :]
            out["online_trains"] = _still_trains(
                online, _tensor(probe["states"]), _tensor(probe["actions"])
            )
            out["requires_grad"] = np.array([float(p.requires_grad) for p in target.parameters()])
            out["in_a_graph"] = np.array([float(not p.is_leaf) for p in target.parameters()])
        if aspect in ("", "apart"):
            with part():
                followed = []
                for fraction in (tau, 1.0):
                    target, online = new()
                    function(target, online, fraction)
                    before = _values(target)
                    _add_one(online)
                    followed.append(_values(target) - before)
                out["target_followed"] = np.concatenate(followed)
        if aspect in ("blend", "apart"):
            return
        # Four updates in a row, against one update at a time of networks that saw no other.
        target, online = new()
        values, online_values = _values(target), _values(online)
        for _ in range(4):
            function(target, online, tau)
            fresh_target, fresh_online = new()
            _set_values(fresh_target, values)
            _set_values(fresh_online, online_values)
            function(fresh_target, fresh_online, tau)
            values, online_values = _values(fresh_target), _values(fresh_online)
        out["target_after_four"] = _values(target)
        out["after_others"] = out["target_after_four"] - values


class _Spaces:
    """The two spaces of an environment, all that an agent's construction asks for."""

    def __init__(self, state_size: int, action_size: int) -> None:
        self.observation_space = Box(-np.inf, np.inf, (state_size,), np.float32)
        self.action_space = Box(-1.0, 1.0, (action_size,), np.float32)


class _Tape:
    """Stands for an agent's memory: the probe's batch first, then another one each time."""

    def __init__(self, batch: Batch) -> None:
        self._next = batch

    def sample(self, batch_size: int) -> Batch:
        batch = self._next
        if batch_size > len(batch.states):
            raise ValueError(f"only {len(batch.states)} transitions are stored")
        self._next = Batch(
            batch.next_states, -batch.actions, batch.rewards - 1.0, batch.states, batch.terminated
        )
        return Batch(*(column[:batch_size].clone() for column in batch))

    def push(self, *transition: Any) -> None:
        """An update has nothing to push."""

    def __len__(self) -> int:
        return len(self._next.states) + 1  # an agent may wait for more than a batch


# Targets first: where one of them is the online network itself, that keeps its own weights.
_NETWORKS = ("actor_target", "critic_target", "actor", "critic")


def _agent(
    kind: Any, probe: Probe, actor_step: float, critic_step: float, action_size: int | None = None
) -> Any:
    """A new agent with the given learning rates and its own weights."""
    return kind(
        _Spaces(probe["states"].shape[1], action_size or probe["actions"].shape[1]),
        hidden_size=probe["actor"]["linear1.weight"].shape[0],
        actor_learning_rate=actor_step, critic_learning_rate=critic_step,
        gamma=probe["gamma"], tau=probe["tau"], max_memory_size=100, seed=probe["seed"],
    )  # fmt: skip


def _loaded_agent(kind: Any, probe: Probe, actor_step: float, critic_step: float) -> Any:
    agent = _agent(kind, probe, actor_step, critic_step)
    for name in _NETWORKS:
        _load(getattr(agent, name), probe[name])
    return agent


def _update_once(agent: Any, probe: Probe) -> tuple[Any, dict[str, np.ndarray]]:
    """One update on the probe's batch: what it returned, and how far each network moved."""
    agent.memory = _Tape(_batch(probe))
    before = {name: _values(getattr(agent, name)) for name in _NETWORKS}
    returned = agent.update(len(probe["states"]))
    return returned, {name: _values(getattr(agent, name)) - before[name] for name in _NETWORKS}


def _two_losses(returned: Any) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise WrongKindError("update gave something else than (critic loss, actor loss)")
    losses: Numbers = {}
    _note_scalar(losses, "critic", returned[0])
    _note_scalar(losses, "actor", returned[1])
    return losses["critic"], losses["actor"]


@_observes("DDPGAgent.get_action")
def _get_action(kind: Any, probe: Probe, out: Numbers) -> None:
    agent = _loaded_agent(kind, probe, 1e-3, 1e-3)
    state = probe["states"][0].astype(np.float32)
    given, before = state.copy(), _values(agent.actor)
    action = agent.get_action(given)
    again = agent.get_action(state.copy())
    is_float32 = getattr(action, "dtype", None) in (np.dtype(np.float32), torch.float32)
    has_gradient = isinstance(action, Tensor) and action.requires_grad
    kinds = isinstance(action, np.ndarray), is_float32, not has_gradient
    out["numpy_float32"] = np.array([float(kind) for kind in kinds])
    out["state_changed"] = _numbers(given - state, "the state")
    trains = _still_trains(agent.actor, _tensor(probe["states"]))
    out["actor_changed"] = np.append(_values(agent.actor) - before, 1.0 - trains)
    numbers = _numbers(action, "the result"), _numbers(again, "the result")
    out["differs_again"] = _flag(not np.array_equal(*numbers))
    out["action_shape"] = np.array(numbers[0].shape, dtype=np.float64)
    if not out["differs_again"]:  # else it is another action at each call
        out["action"] = numbers[0].ravel()
    single = _agent(kind, probe, 1e-3, 1e-3, action_size=1).get_action(state.copy())
    out["single_action_shape"] = _shape(single)


@_observes("DDPGAgent.update")
def _agent_update(kind: Any, probe: Probe, out: Numbers) -> None:
    """Each aspect needs some of the parts alone; a diagnosing probe asks for all."""
    aspect = probe["aspect"]
    actor_lr, critic_lr = probe["actor_learning_rate"], probe["critic_learning_rate"]
    with _parts() as part:
        with part():
            agent = _loaded_agent(kind, probe, actor_lr, critic_lr)
            returned, moved = _update_once(agent, probe)
            out.update({f"{name}_step": moved[name] for name in _NETWORKS})
            out["critic_loss"], out["actor_loss"] = _two_losses(returned)
        if aspect in ("", "critic_step", "actor_step"):
            with part():
                _old_gradients(kind, probe, out)
        if aspect in ("", "actor_loss", "actor_step"):
            with part():
                _through_which_critic(kind, probe, out)
        if aspect in ("", "actor_target", "critic_target"):
            with part():
                _targets(kind, probe, out)


def _old_gradients(kind: Any, probe: Probe, out: Numbers) -> None:
    """A second update as it comes, against one before which all gradients are taken away."""
    second = []
    for cleaned in (False, True):
        agent = _loaded_agent(
            kind, probe, probe["actor_learning_rate"], probe["critic_learning_rate"]
        )
        _update_once(agent, probe)
        if cleaned:
            for name in _NETWORKS:
                for parameter in getattr(agent, name).parameters():
                    parameter.grad = None
        second.append(_update_once(agent, probe)[1])
    for name in ("actor", "critic"):
        out[f"{name}_old_gradients"] = second[0][name] - second[1][name]


def _through_which_critic(kind: Any, probe: Probe, out: Numbers) -> None:
    """Updates with larger and larger steps of the critic, the first with none: where the critic
    moved, 1 if the actor's part came out the same in all. (One alone would not do: Adam's first
    step shows the sign of a gradient only.)"""
    updates = [
        _update_once(_loaded_agent(kind, probe, probe["actor_learning_rate"], rate), probe)
        for rate in (0.0, *_LARGE_STEPS)
    ]
    critic_moved = any(moved["critic"].any() for _, moved in updates)
    steps = np.array([moved["actor"] for _, moved in updates])
    same = np.allclose(steps, steps[0], rtol=0, atol=1e-3 * np.abs(steps[0]).max())
    out["actor_step_through_old"] = _flag(critic_moved and same)
    losses = np.array([_two_losses(returned)[1] for returned, _ in updates])
    same = np.allclose(losses, losses[0], rtol=1e-3, atol=0)
    out["actor_loss_through_old"] = _flag(critic_moved and same)


def _targets(kind: Any, probe: Probe, out: Numbers) -> None:
    """Whether the targets start equal; and an update with steps, against one of an agent whose
    online networks are there from the start and stay: the targets must move alike."""
    agent = _agent(kind, probe, _LARGE_STEPS[0], _LARGE_STEPS[0])
    for name in ("actor", "critic"):
        target, online = getattr(agent, f"{name}_target"), getattr(agent, name)
        out[f"{name}_target_at_the_start"] = _unequal(target, online)
    agent = _loaded_agent(kind, probe, _LARGE_STEPS[0], _LARGE_STEPS[0])
    moved = _update_once(agent, probe)[1]
    other = _loaded_agent(kind, probe, 0.0, 0.0)
    for name in ("actor", "critic"):
        _set_values(getattr(other, name), _values(getattr(other, name)) + moved[name])
    other_moved = _update_once(other, probe)[1]
    for name in ("actor", "critic"):
        target = f"{name}_target"
        out[f"{target}_elsewhere"] = moved[target] - other_moved[target]
        before = copy.deepcopy(getattr(agent, target))
        _add_one(getattr(agent, name))
        out[f"{target}_followed"] = _unequal(getattr(agent, target), before)
