"""Right steps of the actor."""
# ruff: noqa: B905  (as students write)

import copy
import sys
import warnings
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn

from ddpg_helpers.memory import Batch
from rewrites.registry import rewrite


def actor_loss(batch, actor, critic):  # the cell above
    return -critic(batch.states, actor(batch.states)).mean()


# --- when and how gradients are cleared ----------------------------------------------------------


@rewrite("update_actor")
def cleared_at_the_start(batch, actor, actor_optimizer, critic):
    actor_optimizer.zero_grad()
    loss = actor_loss(batch, actor, critic)
    loss.backward()
    actor_optimizer.step()
    return loss.item()


@rewrite("update_actor")
def cleared_twice(batch, actor, actor_optimizer, critic):
    actor_optimizer.zero_grad()
    policy_loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    policy_loss.backward()
    actor_optimizer.step()
    actor_optimizer.zero_grad()
    return float(policy_loss)


@rewrite("update_actor")
def cleared_on_both_networks(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    actor.zero_grad()
    critic.zero_grad()
    loss.backward()
    actor_optimizer.step()
    critic.zero_grad()
    return loss.item()


@rewrite("update_actor")
def cleared_to_zeros(batch, actor, actor_optimizer, critic):
    actor_optimizer.zero_grad(set_to_none=False)
    loss = actor_loss(batch, actor, critic)
    loss.backward()
    actor_optimizer.step()
    return loss.item()


@rewrite("update_actor")
def cleared_by_hand(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    [setattr(p, "grad", None) for p in actor.parameters()]
    loss.backward()
    actor_optimizer.step()
    for p in critic.parameters():
        p.grad = None
    return loss.item()


# --- the critic's part ---------------------------------------------------------------------------


@rewrite("update_actor")
def critic_frozen_and_restored(batch, actor, actor_optimizer, critic):
    for p in critic.parameters():
        p.requires_grad = False

    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()

    for p in critic.parameters():
        p.requires_grad = True
    return loss.item()


@rewrite("update_actor")
def critic_frozen_with_try_and_finally(batch, actor, actor_optimizer, critic):
    critic.requires_grad_(False)
    try:
        actor_optimizer.zero_grad()
        loss = actor_loss(batch, actor, critic)
        loss.backward()
        actor_optimizer.step()
        return loss.item()
    finally:
        critic.requires_grad_(True)


@contextmanager
def frozen(network):
    flags = [p.requires_grad for p in network.parameters()]
    network.requires_grad_(False)
    try:
        yield network
    finally:
        for p, flag in zip(network.parameters(), flags):
            p.requires_grad_(flag)


@rewrite("update_actor")
def critic_frozen_by_a_context_manager(batch, actor, actor_optimizer, critic):
    with frozen(critic):
        loss = actor_loss(batch, actor, critic)
        actor_optimizer.zero_grad()
        loss.backward()
    actor_optimizer.step()
    return loss.item()


@rewrite("update_actor")
def critic_copied_and_frozen(batch, actor, actor_optimizer, critic):
    judge = copy.deepcopy(critic).requires_grad_(False)
    loss = actor_loss(batch, actor, judge)
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()
    return loss.item()


@rewrite("update_actor")
def critic_gradients_put_back(batch, actor, actor_optimizer, critic):
    kept = [None if p.grad is None else p.grad.clone() for p in critic.parameters()]
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()
    for p, g in zip(critic.parameters(), kept):
        p.grad = g
    return loss.item()


@rewrite("update_actor")
def critic_saved_and_loaded(batch, actor, actor_optimizer, critic):
    saved = copy.deepcopy(critic.state_dict())
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()
    critic.load_state_dict(saved)
    return loss.item()


@rewrite("update_actor")
def critic_with_detached_weights(batch, actor, actor_optimizer, critic):
    weights = {k: v.detach() for k, v in critic.named_parameters()}
    q = torch.func.functional_call(critic, weights, (batch.states, actor(batch.states)))
    loss = -q.mean()
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()
    return loss.item()


# --- how gradients are computed ------------------------------------------------------------------


@rewrite("update_actor")
def backward_with_inputs(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    loss.backward(inputs=tuple(actor.parameters()))
    actor_optimizer.step()
    return loss.item()


@rewrite("update_actor")
def autograd_grad_assigned(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    for p, g in zip(actor.parameters(), torch.autograd.grad(loss, list(actor.parameters()))):
        p.grad = g.clone()
    actor_optimizer.step()
    return loss.detach()


@rewrite("update_actor")
def chain_rule_by_hand(batch, actor, actor_optimizer, critic):
    actions = actor(batch.states)
    given = actions.detach().requires_grad_(True)
    q = critic(batch.states, given)
    (dq_da,) = torch.autograd.grad(q.sum(), given)
    actor_optimizer.zero_grad()
    actions.backward(gradient=-dq_da / len(actions))
    actor_optimizer.step()
    return -q.mean().item()


@rewrite("update_actor")
def backward_of_every_value(batch, actor, actor_optimizer, critic):
    q = critic(batch.states, actor(batch.states))
    actor_optimizer.zero_grad()
    q.backward(torch.full_like(q, -1.0 / q.numel()))
    actor_optimizer.step()
    return -q.detach().mean().numpy()


@rewrite("update_actor")
def climbs_and_turns_the_gradients(batch, actor, actor_optimizer, critic):
    actor_optimizer.zero_grad()
    value = critic(batch.states, actor(batch.states)).mean()
    value.backward()
    for p in actor.parameters():
        p.grad.neg_()
    actor_optimizer.step()
    return -value.item()


@rewrite("update_actor")
def closure(batch, actor, actor_optimizer, critic):
    def evaluate():
        actor_optimizer.zero_grad()
        loss = actor_loss(batch, actor, critic)
        loss.backward()
        return loss

    return float(actor_optimizer.step(evaluate))


@rewrite("update_actor")
def accumulated_row_by_row(batch, actor, actor_optimizer, critic):
    n = len(batch.states)
    actor_optimizer.zero_grad()
    losses = []
    for i in range(n):
        loss = actor_loss(Batch(*[c[i : i + 1] for c in batch]), actor, critic)
        (loss / n).backward()
        losses.append(loss.item())
    actor_optimizer.step()
    return sum(losses) / n


# --- what is returned, what it builds on, what is done besides -----------------------------------


@rewrite("update_actor")
def returns_the_tensor(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    loss.backward(retain_graph=True)
    actor_optimizer.step()
    return loss


@rewrite("update_actor")
def returns_numpy(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch=batch, actor=actor, critic=critic)
    actor_optimizer.zero_grad()
    torch.autograd.backward(loss)
    actor_optimizer.step()
    return loss.detach().cpu().numpy()


@rewrite("update_actor")
def written_out(batch, actor, actor_optimizer, critic):
    states = batch.states
    mu = actor(states)
    loss = (-critic(states, mu)).mean()
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()
    return loss.item()


@rewrite("update_actor")
def partial_and_lambda(batch, actor, actor_optimizer, critic):
    loss = partial(actor_loss, critic=critic)(batch, actor)
    clear, step = lambda: actor_optimizer.zero_grad(), lambda: actor_optimizer.step()
    for do in (clear, loss.backward, step):
        do()
    return loss.item()


def optimise(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


history = {"actor": []}


@rewrite("update_actor")
def helper_and_a_global_history(
    batch: Batch, actor: nn.Module, actor_optimizer: torch.optim.Optimizer, critic: nn.Module
) -> float:
    """Move the actor uphill."""
    loss = actor_loss(batch, actor, critic)
    optimise(actor_optimizer, loss)
    history["actor"].append(loss.item())
    return history["actor"][-1]


@rewrite("update_actor")
def prints_and_warns(batch, actor, actor_optimizer, critic):
    print("before:", sum(p.abs().sum() for p in actor.parameters()).item())
    loss = actor_loss(batch, actor, critic)
    if not loss.requires_grad:
        raise RuntimeError("nothing to differentiate")
    actor_optimizer.zero_grad()
    loss.backward()
    warnings.warn("gradients are left on the critic", stacklevel=2)
    actor_optimizer.step()
    print("after:", sum(p.abs().sum() for p in actor.parameters()).item(), file=sys.stderr)
    return loss.item()


@rewrite("update_actor")
def critic_behind_a_lambda(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, lambda s, a: critic(s, a))
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()
    return loss.item()
