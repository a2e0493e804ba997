"""Fresh probes: the data that an answer is run on, drawn from a generator.

A *diagnosing* probe (aspect None) tells mistakes apart. An *isolating* probe, one for each
aspect, is made so that nothing but that aspect can be wrong on it.
"""

from collections.abc import Callable

import numpy as np
import torch

from ddpg_helpers.checks.observe import build, stand_in
from ddpg_helpers.checks.wire import Probe
from ddpg_helpers.instructor.reference.updates import td_target
from ddpg_helpers.memory import Batch
from ddpg_helpers.networks import Actor, Critic

STATE_SIZE, ACTION_SIZE, HIDDEN_SIZE = 3, 2, 6
LARGE_LOSS = 100.0
BATCH_SIZE = 5  # more than one, and not the size of the action: a mixed-up axis shows

_MAKERS: dict[str, Callable[[str | None, np.random.Generator], Probe]] = {}


def make_probe(exercise: str, aspect: str | None, rng: np.random.Generator) -> Probe:
    """Draw a probe for an exercise: one that isolates ``aspect``, or a diagnosing one if None."""
    return {"stand_in": False, "aspect": aspect or "", **_MAKERS[exercise](aspect, rng)}


def _makes(*exercises: str) -> Callable:
    def register(maker: Callable[[str | None, np.random.Generator], Probe]) -> Callable:
        _MAKERS.update(dict.fromkeys(exercises, maker))
        return maker

    return register


def _round(array: np.ndarray) -> np.ndarray:
    return np.round(array, 4)


def _weights(rng: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
    sizes = [(HIDDEN_SIZE, inputs), (HIDDEN_SIZE, HIDDEN_SIZE), (outputs, HIDDEN_SIZE)]
    weights = {"state_size": np.array(STATE_SIZE)}
    for layer, (rows, columns) in enumerate(sizes, start=1):
        weights[f"linear{layer}.weight"] = _round(rng.uniform(-0.8, 0.8, (rows, columns)))
        # Mostly positive, so that few units are dead and yet the ReLU makes a difference.
        weights[f"linear{layer}.bias"] = _round(rng.uniform(-0.2, 0.8, rows))
    return weights


def _actor(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return _weights(rng, STATE_SIZE, ACTION_SIZE)


def _critic(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return _weights(rng, STATE_SIZE + ACTION_SIZE, 1)


def _batch(rng: np.random.Generator, *, with_terminal: bool) -> Probe:
    terminated = np.zeros((BATCH_SIZE, 1))
    if with_terminal:
        terminated[rng.choice(BATCH_SIZE, size=2, replace=False)] = 1.0
    return {
        "states": _round(rng.normal(size=(BATCH_SIZE, STATE_SIZE))),
        "actions": _round(rng.uniform(-1, 1, (BATCH_SIZE, ACTION_SIZE))),
        "rewards": _round(rng.uniform(-3, 1, (BATCH_SIZE, 1))),
        "next_states": _round(rng.normal(size=(BATCH_SIZE, STATE_SIZE))),
        "terminated": terminated,
    }


@_makes("OUNoise.evolve_state")
def _evolve_state(aspect: str | None, rng: np.random.Generator) -> Probe:
    """Isolating: no noise for the pull; no pull for the noise, neither by theta nor by where the
    state starts."""
    sigma = float(_round(rng.uniform(0.2, 0.6)))
    mu = float(_round(rng.uniform(0.2, 0.6)))
    theta = float(_round(rng.uniform(0.1, 0.4)))
    state = _round(rng.uniform(-0.9, -0.3, ACTION_SIZE))
    return {
        "low": np.full(ACTION_SIZE, -1.0),
        "high": np.full(ACTION_SIZE, 1.0),
        "mu": mu,
        "theta": 0.0 if aspect == "noise" else theta,
        "max_sigma": 0.0 if aspect == "mean_reversion" else sigma,
        "min_sigma": 0.0 if aspect == "mean_reversion" else sigma,
        "decay_period": 1000,
        "state": np.full(ACTION_SIZE, mu) if aspect == "noise" else state,
        "seed": int(rng.integers(2**31)),
    }


@_makes("OUNoise.get_action")
def _noisy_action(aspect: str | None, rng: np.random.Generator) -> Probe:
    """Isolating: a wide action space for everything but the clipping. There, one dimension ends
    above its bound, one below, one within its bounds but beyond 1, and one within its bounds
    although the action alone is not."""
    period = int(rng.integers(40, 80))
    clips = aspect in ("clip", None)
    away = _round(rng.uniform(0.7, 0.9, 4))
    bounds = np.array([0.5, 0.5, 4.0, 0.5]) if clips else np.full(4, 100.0)
    return {
        "low": -bounds,
        "high": bounds,
        "mu": 0.0,
        "theta": float(_round(rng.uniform(0.1, 0.2))),
        "max_sigma": 0.0 if aspect == "clip" else float(_round(rng.uniform(0.08, 0.1))),
        "min_sigma": 0.0 if aspect == "clip" else float(_round(rng.uniform(0.02, 0.04))),
        "decay_period": period,
        "state": away * ([1, -1, 1, -1] if clips else 0.2),
        "action": away * ([0.5, -0.5, 0.9, 0.9] if clips else 0.3),
        # An answer that evolves first and sets sigma later is right only at a steady sigma.
        "steps": np.array([0, period // 4, period // 2, period, 3 * period]),
        "seed": int(rng.integers(2**31)),
    }


@_makes("ReplayMemory.push", "ReplayMemory.sample", "ReplayMemory.__len__")
def _memory(aspect: str | None, rng: np.random.Generator) -> Probe:
    return {
        "state_size": STATE_SIZE,
        "action_size": ACTION_SIZE,
        "max_size": int(rng.integers(12, 16)),
        "batch_size": 4,
        "draws": 400,
        "seed": int(rng.integers(2**31)),
    }


@_makes("Actor.forward")
def _actor_forward(aspect: str | None, rng: np.random.Generator) -> Probe:
    return {"actor": _actor(rng), "states": _batch(rng, with_terminal=False)["states"]}


@_makes("Critic.forward", "make_target")
def _critic_forward(aspect: str | None, rng: np.random.Generator) -> Probe:
    batch, critic = _batch(rng, with_terminal=False), _critic(rng)
    if aspect == "shape":  # positive values, which a ReLU at the end leaves as they are
        critic |= {"linear3.bias": critic["linear3.bias"] + 5}
    return {
        "critic": critic,
        "states": batch["states"],
        "actions": batch["actions"],
        "seed": int(rng.integers(2**31)),
    }


@_makes("td_target")
def _td_target(aspect: str | None, rng: np.random.Generator) -> Probe:
    return {
        **_batch(rng, with_terminal=aspect in ("mask", None)),
        "actor_target": _actor(rng),
        "critic_target": _critic(rng),
        "gamma": float(_round(rng.uniform(0.7, 0.9))),
    }


def _no_future() -> Probe:
    """Nothing follows any transition, so that no mistake in the target's next value shows."""
    return {"terminated": np.ones((BATCH_SIZE, 1)), "gamma": 0.0}


def _one_pair(batch: Probe) -> Probe:
    """The same state and action in every row."""
    return {name: np.tile(batch[name][:1], (BATCH_SIZE, 1)) for name in ("states", "actions")}


def _prediction(probe: Probe) -> np.ndarray:
    batch = _tensors(probe)
    with torch.no_grad():
        return build(Critic, probe["critic"])(batch.states, batch.actions).double().numpy()


def _tensors(probe: Probe) -> Batch:
    return Batch(*(torch.tensor(probe[name], dtype=torch.float32) for name in Batch._fields))


@_makes("critic_loss")
def _critic_loss(aspect: str | None, rng: np.random.Generator) -> Probe:
    """Isolating: nothing follows any transition and the targets equal the online networks, for the
    value. For the gradient, moreover, all rows are one, so that a mistake in what is made of the
    TD errors changes its length at most. For the networks the critic's values are the right
    targets, so that a mistake in what is made of the TD errors changes nothing."""
    probe = {
        **_batch(rng, with_terminal=aspect in ("networks", None)),
        "critic": _critic(rng),
        "actor_target": _actor(rng),
        "critic_target": _critic(rng),
        "gamma": float(_round(rng.uniform(0.5, 0.7))),
        "matched": aspect == "networks",
    }
    if aspect is None:
        return probe
    if aspect in ("value", "gradient"):
        probe |= {**_no_future(), "critic_target": probe["critic"]}
    if aspect in ("gradient", "networks"):
        probe |= _one_pair(probe)
        error = float(rng.uniform(0.5, 1.5)) if aspect == "gradient" else 0.0
        probe |= {"rewards_move": _round(rng.uniform(0.5, 1.5, (BATCH_SIZE, 1)))}
        probe |= {"rewards": np.zeros((BATCH_SIZE, 1))}
        probe |= {"rewards": _prediction(probe) - error - _right_targets(probe)}
    return {**probe, "stand_in": True, "stand_in_adds": _stand_in_adds(probe)}


def _right_targets(probe: Probe) -> np.ndarray:
    return _targets(td_target, probe)


def _stand_in_adds(probe: Probe) -> np.ndarray:
    """What makes the stand-in of td_target right, where it is given the right networks."""
    return _right_targets(probe) - _targets(stand_in("td_target", {}), probe)


def _targets(function: Callable, probe: Probe) -> np.ndarray:
    networks = build(Actor, probe["actor_target"]), build(Critic, probe["critic_target"])
    with torch.no_grad():
        return function(_tensors(probe), *networks, probe["gamma"]).double().numpy()


@_makes("update_critic")
def _update_critic(aspect: str | None, rng: np.random.Generator) -> Probe:
    """Isolating: for the steps, nothing follows any transition and the targets equal the online
    networks. For the step, Adam, which does not show a wrong scale of the loss, and a loss so large
    that clipped gradients show. Stand-ins for the functions that the answer builds on."""
    probe = {
        **_batch(rng, with_terminal=True),
        "critic": _critic(rng),
        "actor_target": _actor(rng),
        "critic_target": _critic(rng),
        "gamma": float(_round(rng.uniform(0.7, 0.9))),
        "optimizer": "Adam" if aspect == "step" else "SGD",
        "learning_rate": 0.05,
        "stand_in": aspect is not None,
    }
    if aspect in (None, "returned"):
        return probe
    probe |= {**_no_future(), "critic_target": probe["critic"]}
    return probe if aspect != "step" else _enlarged(probe)


def _enlarged(probe: Probe) -> Probe:
    """The probe with a loss that is a hundred times as large, or more."""
    return {**probe, "rewards": 10 * probe["rewards"], "stand_in_scale": LARGE_LOSS}


@_makes("actor_loss", "update_actor")
def _actor_update(aspect: str | None, rng: np.random.Generator) -> Probe:
    probe = {
        **_batch(rng, with_terminal=False),
        "actor": _actor(rng),
        "critic": _critic(rng),
        "optimizer": "Adam" if aspect == "step" else "SGD",
        "learning_rate": 0.05,
        "stand_in": aspect is not None,
    }
    return probe if aspect != "step" else _enlarged(probe)


@_makes("soft_update")
def _soft_update(aspect: str | None, rng: np.random.Generator) -> Probe:
    return {
        **_batch(rng, with_terminal=False),
        "critic": _critic(rng),
        "critic_target": _critic(rng),
        "tau": float(_round(rng.uniform(0.1, 0.4))),
    }


@_makes("DDPGAgent.get_action", "DDPGAgent.update")
def _agent(aspect: str | None, rng: np.random.Generator) -> Probe:
    """Isolating: tau 0 for everything but the targets, so that soft updates change nothing; there,
    and for the actor, learning rate 0 of what comes before; nothing follows any transition for the
    critic's step."""
    probe = {
        **_batch(rng, with_terminal=True),
        "actor": _actor(rng),
        "critic": _critic(rng),
        "actor_target": _actor(rng),
        "critic_target": _critic(rng),
        "gamma": float(_round(rng.uniform(0.5, 0.7))),
        "tau": float(_round(rng.uniform(0.1, 0.4))),
        "actor_learning_rate": 0.05,
        "critic_learning_rate": 0.05,
        "seed": int(rng.integers(2**31)),
        "stand_in": aspect is not None,
    }
    if aspect in ("actor_target", "critic_target"):
        return {**probe, "actor_learning_rate": 0.0, "critic_learning_rate": 0.0}
    if aspect == "critic_step":
        probe |= {**_no_future(), "critic_target": probe["critic"]}
        probe |= {"actor_target": probe["actor"]}
    if aspect in ("actor_loss", "actor_step"):
        probe |= {"critic_learning_rate": 0.0}
    return probe if aspect is None else {**probe, "tau": 0.0}
