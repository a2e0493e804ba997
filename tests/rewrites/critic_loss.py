"""Right losses of the critic."""
# ruff: noqa: B905, E731  (as students write)

import sys
import warnings
from functools import partial

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.functional import mse_loss

from ddpg_helpers.memory import Batch
from rewrites.registry import rewrite


def td_target(batch, actor_target, critic_target, gamma):  # the cell above
    with torch.no_grad():
        next_values = critic_target(batch.next_states, actor_target(batch.next_states))
        return batch.rewards + gamma * (1 - batch.terminated) * next_values


@rewrite("critic_loss")
def mse_loss_object(batch, critic, actor_target, critic_target, gamma):
    criterion = nn.MSELoss()
    y = td_target(batch, actor_target, critic_target, gamma)
    q = critic(batch.states, batch.actions)
    return criterion(q, y)


LOSS = nn.MSELoss(reduction="mean")


@rewrite("critic_loss")
def global_loss_object(batch, critic, actor_target, critic_target, gamma):
    targets = td_target(batch, actor_target, critic_target, gamma).detach()
    return LOSS(critic(batch.states, batch.actions), targets)


@rewrite("critic_loss")
def target_first(batch, critic, actor_target, critic_target, gamma):
    return mse_loss(
        td_target(batch, actor_target, critic_target, gamma), critic(batch.states, batch.actions)
    )


@rewrite("critic_loss")
def by_keywords(batch, critic, actor_target, critic_target, gamma):
    target = td_target(
        batch=batch, actor_target=actor_target, critic_target=critic_target, gamma=gamma
    )
    return F.mse_loss(input=critic(state=batch.states, action=batch.actions), target=target)


@rewrite("critic_loss")
def power_of_two(batch, critic, actor_target, critic_target, gamma):
    with torch.no_grad():
        y = td_target(batch, actor_target, critic_target, gamma)
    td_error = y - critic(batch.states, batch.actions)
    return torch.mean(td_error**2)


@rewrite("critic_loss")
def square_and_mean(batch, critic, actor_target, critic_target, gamma):
    q = critic(batch.states, batch.actions)
    return torch.square(q - td_target(batch, actor_target, critic_target, gamma)).mean()


@rewrite("critic_loss")
def pow_and_sum_over_n(batch, critic, actor_target, critic_target, gamma):
    N = len(batch.rewards)
    delta = td_target(batch, actor_target, critic_target, gamma) - critic(*batch[:2])
    return delta.pow(2).sum() / N


@rewrite("critic_loss")
def times_itself_over_numel(batch, critic, actor_target, critic_target, gamma):
    errors = td_target(batch, actor_target, critic_target, gamma) - critic(
        batch.states, batch.actions
    )
    return (errors * errors).sum() / errors.numel()


@rewrite("critic_loss")
def sum_reduction_over_n(batch, critic, actor_target, critic_target, gamma):
    n = batch.states.shape[0]
    targets = td_target(batch, actor_target, critic_target, gamma)
    return F.mse_loss(critic(batch.states, batch.actions), targets, reduction="sum") / n


@rewrite("critic_loss")
def no_reduction_then_mean(batch, critic, actor_target, critic_target, gamma):
    targets = td_target(batch, actor_target, critic_target, gamma)
    losses = F.mse_loss(critic(batch.states, batch.actions), targets, reduction="none")
    return losses.mean(dim=0).squeeze()


@rewrite("critic_loss")
def dot_product(batch, critic, actor_target, critic_target, gamma):
    d = (td_target(batch, actor_target, critic_target, gamma) - critic(*batch[:2])).flatten()
    return torch.dot(d, d) / len(d)


@rewrite("critic_loss")
def matrix_product(batch, critic, actor_target, critic_target, gamma):
    d = critic(batch.states, batch.actions) - td_target(batch, actor_target, critic_target, gamma)
    return (d.T @ d).squeeze() / d.shape[0]


@rewrite("critic_loss")
def einsum(batch, critic, actor_target, critic_target, gamma):
    d = critic(batch.states, batch.actions) - td_target(batch, actor_target, critic_target, gamma)
    return torch.einsum("ni,ni->", d, d).div(d.size(0))


@rewrite("critic_loss")
def squared_norm(batch, critic, actor_target, critic_target, gamma):
    y = td_target(batch, actor_target, critic_target, gamma)
    return torch.linalg.norm(y - critic(batch.states, batch.actions)) ** 2 / len(y)


@rewrite("critic_loss")
def variance_plus_squared_mean(batch, critic, actor_target, critic_target, gamma):
    d = td_target(batch, actor_target, critic_target, gamma) - critic(batch.states, batch.actions)
    return d.var(unbiased=False) + d.mean() ** 2


@rewrite("critic_loss")
def both_flat(batch, critic, actor_target, critic_target, gamma):
    q = critic(batch.states, batch.actions).squeeze(-1)
    y = td_target(batch, actor_target, critic_target, gamma).squeeze(-1)
    assert q.shape == y.shape, "shapes!"
    return F.mse_loss(q, y)


@rewrite("critic_loss")
def double_precision(batch, critic, actor_target, critic_target, gamma):
    q = critic(batch.states, batch.actions).double()
    y = td_target(batch, actor_target, critic_target, gamma).double()
    return (q - y).square().mean()


@rewrite("critic_loss")
def loop_over_rows(batch, critic, actor_target, critic_target, gamma):
    y = td_target(batch, actor_target, critic_target, gamma)
    q = critic(batch.states, batch.actions)
    loss = 0
    for i in range(len(y)):
        loss = loss + (y[i, 0] - q[i, 0]) ** 2
    return loss / len(y)


@rewrite("critic_loss")
def list_comprehension(batch, critic, actor_target, critic_target, gamma):
    y = td_target(batch, actor_target, critic_target, gamma)
    q = critic(batch.states, batch.actions)
    return torch.stack([(a - b) ** 2 for a, b in zip(y, q)]).mean()


@rewrite("critic_loss")
def td_target_row_by_row(batch, critic, actor_target, critic_target, gamma):
    losses = []
    for i in range(len(batch.rewards)):
        one = Batch(*(column[i : i + 1] for column in batch))
        y = td_target(one, actor_target, critic_target, gamma)
        losses.append(F.mse_loss(critic(one.states, one.actions), y))
    return sum(losses) / len(losses)


@rewrite("critic_loss")
def written_out(batch, critic, actor_target, critic_target, gamma):
    states, actions, rewards, next_states, terminated = batch
    with torch.no_grad():
        next_q = critic_target(next_states, actor_target(next_states))
        y = rewards + gamma * next_q * (1 - terminated)
    return F.mse_loss(critic(states, actions), y)


@rewrite("critic_loss")
def written_out_without_detach(batch, critic, actor_target, critic_target, gamma):
    mask = ~batch.terminated.bool()
    next_q = critic_target(batch.next_states, actor_target(batch.next_states))
    td = batch.rewards + gamma * mask * next_q - critic(batch.states, batch.actions)
    return td.pow(2).mean()


def mean_square(x):
    return (x**2).mean()


@rewrite("critic_loss")
def helper_of_the_same_cell(batch, critic, actor_target, critic_target, gamma):
    y = td_target(batch, actor_target, critic_target, gamma)
    return mean_square(y - critic(batch.states, batch.actions))


@rewrite("critic_loss")
def partial_and_lambda(batch, critic, actor_target, critic_target, gamma):
    mse = partial(F.mse_loss, reduction="mean")
    q = lambda: critic(batch.states, batch.actions)
    y = partial(td_target, batch, actor_target, critic_target)
    return mse(q(), y(gamma))


@rewrite("critic_loss")
def nested_td_error(
    batch: Batch,
    critic: nn.Module,
    actor_target: nn.Module,
    critic_target: nn.Module,
    gamma: float,
) -> torch.Tensor:
    """MSBE"""

    @torch.no_grad()
    def target() -> torch.Tensor:
        return td_target(batch, actor_target, critic_target, gamma)

    def td_error() -> torch.Tensor:
        return target() - critic(batch.states, batch.actions)

    return td_error().square().mean()


@rewrite("critic_loss")
def prints_and_warns(batch, critic, actor_target, critic_target, gamma):
    y = td_target(batch, actor_target, critic_target, gamma)
    q = critic(batch.states, batch.actions)
    if y.shape != q.shape:
        warnings.warn(f"{y.shape} is not {q.shape}", stacklevel=2)
    warnings.warn("computing the loss now", FutureWarning, stacklevel=2)
    print("targets", y.ravel().tolist())
    loss = F.mse_loss(q, y)
    print("loss", loss.item(), file=sys.stderr)
    return loss
