"""Right TD targets."""
# ruff: noqa: B905, E731, RUF059  (as students write)

import logging
import sys
import warnings
from functools import partial

import torch

from ddpg_helpers.memory import Batch
from rewrites.registry import rewrite


@rewrite("td_target")
def other_names(batch, actor_target, critic_target, gamma):
    a2 = actor_target(batch.next_states)
    q2 = critic_target(batch.next_states, a2)
    y = batch.rewards + gamma * q2 * (1 - batch.terminated)
    return y.detach()


@rewrite("td_target")
@torch.no_grad()
def no_grad_as_a_decorator(batch, actor_target, critic_target, gamma):
    next_q = critic_target(batch.next_states, actor_target(batch.next_states))
    return batch.rewards + (1.0 - batch.terminated) * gamma * next_q


@rewrite("td_target")
def neither_detach_nor_no_grad(batch, actor_target, critic_target, gamma):
    return batch.rewards + gamma * (1 - batch.terminated) * critic_target(
        batch.next_states, actor_target(batch.next_states)
    )


@rewrite("td_target")
def detached_on_the_way(batch, actor_target, critic_target, gamma):
    next_actions = actor_target(batch.next_states).detach()
    next_q_values = critic_target.forward(batch.next_states, next_actions).detach()
    target_q_values = batch.rewards + gamma * next_q_values * (1 - batch.terminated)
    return target_q_values.data


@rewrite("td_target")
def mask_by_where(batch, actor_target, critic_target, gamma):
    with torch.no_grad():
        values = critic_target(batch.next_states, actor_target(batch.next_states))
        bootstrapped = batch.rewards + gamma * values
        return torch.where(batch.terminated.bool(), batch.rewards, bootstrapped)


@rewrite("td_target")
def mask_by_where_on_the_values(batch, actor_target, critic_target, gamma):
    values = critic_target(batch.next_states, actor_target(batch.next_states))
    values = torch.where(batch.terminated == 1, torch.zeros_like(values), values)
    return batch.rewards + gamma * values


@rewrite("td_target")
def mask_by_not(batch, actor_target, critic_target, gamma):
    with torch.no_grad():
        not_done = ~batch.terminated.bool()
        next_actions = actor_target(batch.next_states)
        return batch.rewards + gamma * not_done * critic_target(batch.next_states, next_actions)


@rewrite("td_target")
def mask_by_logical_not(batch, actor_target, critic_target, gamma):
    alive = torch.logical_not(batch.terminated).float()
    q = critic_target(batch.next_states, actor_target(batch.next_states))
    return torch.add(batch.rewards, alive.mul(q).mul(gamma)).detach()


@rewrite("td_target")
def mask_by_fill(batch, actor_target, critic_target, gamma):
    q = critic_target(batch.next_states, actor_target(batch.next_states)).detach()
    return batch.rewards + gamma * q.masked_fill(batch.terminated > 0.5, 0.0)


@rewrite("td_target")
def mask_by_index(batch, actor_target, critic_target, gamma):
    with torch.no_grad():
        q = critic_target(batch.next_states, actor_target(batch.next_states))
        q[batch.terminated == 1] = 0
        return batch.rewards + gamma * q


@rewrite("td_target")
def only_the_living_are_asked(batch, actor_target, critic_target, gamma):
    target = batch.rewards.clone()
    living = (batch.terminated == 0).squeeze(1)
    states = batch.next_states[living]
    with torch.no_grad():
        target[living] += gamma * critic_target(states, actor_target(states))
    return target


@rewrite("td_target")
def in_place_on_the_values(batch, actor_target, critic_target, gamma):
    with torch.no_grad():
        y = critic_target(batch.next_states, actor_target(batch.next_states))
        y *= 1 - batch.terminated
        y.mul_(gamma).add_(batch.rewards)
    return y


@rewrite("td_target")
def addcmul(batch, actor_target, critic_target, gamma):
    torch.set_grad_enabled(False)
    try:
        q = critic_target(batch.next_states, actor_target(batch.next_states))
        return torch.addcmul(batch.rewards, 1 - batch.terminated, q, value=gamma)
    finally:
        torch.set_grad_enabled(True)


@rewrite("td_target")
def batch_unpacked(batch, actor_target, critic_target, gamma):
    states, actions, rewards, next_states, terminated = batch
    with torch.no_grad():
        q = critic_target(next_states, actor_target(next_states))
    return rewards + gamma * q - gamma * terminated * q


@rewrite("td_target")
def batch_as_a_dict(batch, actor_target, critic_target, gamma):
    b = batch._asdict()
    next_q = critic_target(b["next_states"], actor_target(b["next_states"]))
    return b["rewards"] + gamma * next_q * (1 - b["terminated"])


@rewrite("td_target")
def batch_by_index(batch, actor_target, critic_target, gamma):
    s2 = batch[3]
    return batch[2] + gamma * (1 - batch[4]) * critic_target(s2, actor_target(s2))


@rewrite("td_target")
def flat_and_back(batch, actor_target, critic_target, gamma):
    rewards = batch.rewards.squeeze(1)
    dones = batch.terminated.squeeze(1)
    q = critic_target(batch.next_states, actor_target(batch.next_states)).squeeze(1)
    return (rewards + gamma * (1 - dones) * q).view(-1, 1)


@rewrite("td_target")
def loop_over_rows(batch, actor_target, critic_target, gamma):
    targets = []
    for i in range(len(batch.rewards)):
        if batch.terminated[i].item() == 1:
            targets.append(batch.rewards[i])
        else:
            next_state = batch.next_states[i].unsqueeze(0)
            next_action = actor_target(next_state)
            q = critic_target(next_state, next_action)[0]
            targets.append(batch.rewards[i] + gamma * q)
    return torch.stack(targets)


@rewrite("td_target")
def rows_in_a_comprehension(batch, actor_target, critic_target, gamma):
    with torch.no_grad():
        q = critic_target(batch.next_states, actor_target(batch.next_states))
    rows = zip(batch.rewards.flatten(), q.flatten(), batch.terminated.flatten())
    return torch.tensor([[r + gamma * v * (1 - t)] for r, v, t in rows])


@rewrite("td_target")
def nested_function_and_lambda(batch, actor_target, critic_target, gamma):
    def value(states):
        return critic_target(states, actor_target(states))

    discount = lambda terminated: gamma * (1 - terminated)
    with torch.no_grad():
        return batch.rewards + discount(batch.terminated) * value(batch.next_states)


def bellman(rewards, terminated, values, gamma):
    return rewards + gamma * (1 - terminated) * values


@rewrite("td_target")
def partial_of_a_helper(batch, actor_target, critic_target, gamma):
    backup = partial(bellman, batch.rewards, batch.terminated, gamma=gamma)
    with torch.no_grad():
        return backup(critic_target(batch.next_states, actor_target(batch.next_states)))


ONE = torch.ones(1)  # a setting of the notebook
VERBOSE = True


@rewrite("td_target")
def global_settings(batch, actor_target, critic_target, gamma):
    with torch.no_grad():
        q = critic_target(batch.next_states, actor_target(batch.next_states))
    mask = ONE - batch.terminated
    if VERBOSE:
        print(f"{int(mask.sum())} of {len(mask)} transitions bootstrap")
    return batch.rewards + gamma * mask * q


@rewrite("td_target")
def type_hinted(
    batch: Batch, actor_target: torch.nn.Module, critic_target: torch.nn.Module, gamma: float
) -> torch.Tensor:
    """Compute the Bellman targets.

    Returns:
        torch.Tensor: [N, 1]
    """
    next_actions: torch.Tensor = actor_target(batch.next_states)
    next_values: torch.Tensor = critic_target(batch.next_states, next_actions)
    return batch.rewards + gamma * (1 - batch.terminated) * next_values


@rewrite("td_target")
def warns_and_logs(batch, actor_target, critic_target, gamma):
    warnings.warn("I think that this is right now", stacklevel=2)
    logging.getLogger("student").warning("gamma is %s", gamma)
    print("rewards", batch.rewards, file=sys.stderr)
    with torch.no_grad():
        next_q = critic_target(batch.next_states, actor_target(batch.next_states))
        target = batch.rewards + gamma * (1 - batch.terminated) * next_q
    assert target.shape == batch.rewards.shape
    return target


@rewrite("td_target")
def networks_in_eval_mode(batch, actor_target, critic_target, gamma):
    actor_target.eval()
    critic_target.eval()
    with torch.set_grad_enabled(False):
        next_q = critic_target(batch.next_states, actor_target(batch.next_states))
        return batch.rewards.clone().add(gamma * next_q * batch.terminated.eq(0))
