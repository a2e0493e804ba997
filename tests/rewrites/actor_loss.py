"""Right losses of the actor."""
# ruff: noqa: B905, E731  (as students write)

import copy
import sys
import warnings
from functools import partial

import torch
from torch import nn

from ddpg_helpers.memory import Batch
from rewrites.registry import rewrite


@rewrite("actor_loss")
def minus_the_mean(batch, actor, critic):
    policy_actions = actor(batch.states)
    q = critic(batch.states, policy_actions)
    return -q.mean()


@rewrite("actor_loss")
def mean_of_the_negatives(batch, actor, critic):
    return torch.mean(-critic(batch.states, actor(batch.states)))


@rewrite("actor_loss")
def negated_and_averaged_by_methods(batch, actor, critic):
    loss = critic.forward(batch.states, actor.forward(batch.states)).neg().mean()
    return loss


@rewrite("actor_loss")
def sum_over_n(batch, actor, critic):
    states, *_ = batch
    N = states.shape[0]
    return -critic(states, actor(states)).sum() / N


@rewrite("actor_loss")
def mean_times_minus_one(batch, actor, critic):
    J = critic(batch[0], actor(batch[0])).mean()
    return J * -1.0


@rewrite("actor_loss")
def zero_minus(batch, actor, critic):
    value = torch.sum(critic(batch.states, actor(batch.states)))
    return (0 - value) / len(batch.states)


@rewrite("actor_loss")
def loop_over_rows(batch, actor, critic):
    total = 0.0
    for state in batch.states:
        state = state.unsqueeze(0)
        total = total - critic(state, actor(state)).squeeze()
    return total / len(batch.states)


@rewrite("actor_loss")
def list_comprehension(batch, actor, critic):
    actions = actor(batch.states)
    q = critic(batch.states, actions)
    return -torch.stack([row.squeeze() for row in q]).mean()


@rewrite("actor_loss")
def weights_dot_values(batch, actor, critic):
    q = critic(batch.states, actor(batch.states)).view(-1)
    return torch.dot(torch.full_like(q, -1 / len(q)), q)


SIGN = -1  # gradient ascent


@rewrite("actor_loss")
def global_sign(batch, actor, critic):
    b = batch._asdict()
    return SIGN * critic(b["states"], actor(b["states"])).mean()


def performance(states, policy, value):
    return value(states, policy(states)).mean()


@rewrite("actor_loss")
def helper_and_partial(batch, actor, critic):
    objective = partial(performance, policy=actor, value=critic)
    return -objective(batch.states)


@rewrite("actor_loss")
def nested_lambda(batch: Batch, actor: nn.Module, critic: nn.Module) -> torch.Tensor:
    """Deterministic policy gradient."""
    q = lambda s: critic(state=s, action=actor(state=s))
    return q(batch.states).mean(dim=0).neg().squeeze()


@rewrite("actor_loss")
def critic_copied_first(batch, actor, critic):
    frozen = copy.deepcopy(critic)
    for p in frozen.parameters():
        p.requires_grad = False
    return -frozen(batch.states, actor(batch.states)).mean()


@rewrite("actor_loss")
def critic_frozen_for_the_forward_pass(batch, actor, critic):
    before = [p.requires_grad for p in critic.parameters()]
    critic.requires_grad_(False)
    loss = -critic(batch.states, actor(batch.states)).mean()
    for p, flag in zip(critic.parameters(), before):
        p.requires_grad_(flag)
    return loss


@rewrite("actor_loss")
def critic_with_detached_weights(batch, actor, critic):
    weights = {name: p.detach() for name, p in critic.named_parameters()}
    inputs = (batch.states, actor(batch.states))
    return -torch.func.functional_call(critic, weights, inputs).mean()


@rewrite("actor_loss")
def prints_and_warns(batch, actor, critic):
    actions = actor(batch.states)
    warnings.warn(f"actions of shape {tuple(actions.shape)}", stacklevel=1)
    q = critic(batch.states, actions)
    print("mean Q:", q.mean().item())
    print("should go up", file=sys.stderr)
    assert q.shape == (len(batch.states), 1)
    return -torch.mean(q)
