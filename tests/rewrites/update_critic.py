"""Right steps of the critic."""
# ruff: noqa: B905, E731  (as students write)

import sys
import warnings
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from ddpg_helpers.memory import Batch
from rewrites.registry import rewrite


def td_target(batch, actor_target, critic_target, gamma):  # the cells above
    with torch.no_grad():
        next_values = critic_target(batch.next_states, actor_target(batch.next_states))
        return batch.rewards + gamma * (1 - batch.terminated) * next_values


def critic_loss(batch, critic, actor_target, critic_target, gamma):
    targets = td_target(batch, actor_target, critic_target, gamma)
    return F.mse_loss(critic(batch.states, batch.actions), targets)


# --- when and how gradients are cleared ----------------------------------------------------------


@rewrite("update_critic")
def cleared_at_the_start(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    critic_optimizer.zero_grad()
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    loss.backward()
    critic_optimizer.step()
    return loss.item()


@rewrite("update_critic")
def cleared_in_the_middle(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    L = critic_loss(batch, critic, actor_target, critic_target, gamma)
    value = L.item()
    critic_optimizer.zero_grad()
    L.backward()
    critic_optimizer.step()
    return value


@rewrite("update_critic")
def cleared_before_and_after(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    critic_optimizer.zero_grad()
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    loss.backward()
    critic_optimizer.step()
    critic_optimizer.zero_grad()
    return float(loss)


@rewrite("update_critic")
def cleared_on_the_network(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic.zero_grad()
    loss.backward()
    critic_optimizer.step()
    return loss.item()


@rewrite("update_critic")
def cleared_to_zeros(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    critic_optimizer.zero_grad(set_to_none=False)
    critic.zero_grad(set_to_none=False)
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    loss.backward()
    critic_optimizer.step()
    return loss.item()


@rewrite("update_critic")
def cleared_by_hand(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    for p in critic.parameters():
        p.grad = None
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    loss.backward()
    critic_optimizer.step()
    return loss.item()


@rewrite("update_critic")
def zeroed_by_hand(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    for group in critic_optimizer.param_groups:
        for p in group["params"]:
            if p.grad is not None:
                p.grad.zero_()
    loss.backward()
    critic_optimizer.step()
    return loss.item()


# --- how gradients are computed ------------------------------------------------------------------


@rewrite("update_critic")
def autograd_grad_assigned(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    parameters = list(critic.parameters())
    gradients = torch.autograd.grad(loss, parameters)
    for p, g in zip(parameters, gradients):
        p.grad = g
    critic_optimizer.step()
    return loss.item()


@rewrite("update_critic")
def backward_with_inputs(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    loss.backward(inputs=list(critic.parameters()))
    critic_optimizer.step()
    return loss.item()


@rewrite("update_critic")
def autograd_backward(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    critic_optimizer.zero_grad()
    with torch.enable_grad():
        loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    torch.autograd.backward([loss], retain_graph=True)
    critic_optimizer.step()
    return loss.item()


@rewrite("update_critic")
def closure(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    def compute():
        critic_optimizer.zero_grad()
        loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
        loss.backward()
        return loss

    return critic_optimizer.step(compute).item()


@rewrite("update_critic")
def functional_call(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    targets = td_target(batch, actor_target, critic_target, gamma)

    def loss_of(weights):
        values = torch.func.functional_call(critic, weights, (batch.states, batch.actions))
        return F.mse_loss(values, targets)

    weights = {name: p.detach() for name, p in critic.named_parameters()}
    gradients, loss = torch.func.grad_and_value(loss_of)(weights)
    for name, p in critic.named_parameters():
        p.grad = gradients[name]
    critic_optimizer.step()
    return loss.item()


@rewrite("update_critic")
def accumulated_row_by_row(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    n, total = len(batch.rewards), 0.0
    critic_optimizer.zero_grad()
    for i in range(n):
        one = Batch(*(column[i : i + 1] for column in batch))
        loss = critic_loss(one, critic, actor_target, critic_target, gamma) / n
        loss.backward()
        total += loss.item()
    critic_optimizer.step()
    return total


# --- what is returned ----------------------------------------------------------------------------


@rewrite("update_critic")
def returns_the_tensor(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    critic_optimizer.zero_grad()
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    loss.backward()
    critic_optimizer.step()
    return loss


@rewrite("update_critic")
def returns_a_detached_tensor(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    return loss.detach().clone()


@rewrite("update_critic")
def returns_numpy(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    critic_optimizer.zero_grad()
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    loss.backward()
    critic_optimizer.step()
    return loss.detach().cpu().numpy()


@rewrite("update_critic")
def returns_a_numpy_float(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    before = loss.data.numpy()[()]
    critic_optimizer.zero_grad()
    loss.backward()
    del loss
    critic_optimizer.step()
    return before


# --- what it builds on ---------------------------------------------------------------------------


@rewrite("update_critic")
def all_written_out(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    s, a, r, s2, d = batch
    with torch.no_grad():
        y = r + gamma * (1 - d) * critic_target(s2, actor_target(s2))
    q = critic(s, a)
    loss = ((y - q) ** 2).mean()
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    return loss.item()


@rewrite("update_critic")
def all_written_out_without_detach(
    batch, critic, critic_optimizer, actor_target, critic_target, gamma
):
    next_q = critic_target(batch.next_states, actor_target(batch.next_states))
    target = torch.where(batch.terminated.bool(), batch.rewards, batch.rewards + gamma * next_q)
    loss = nn.MSELoss()(critic(batch.states, batch.actions), target)
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    return loss.item()


loss_function = nn.MSELoss()


@rewrite("update_critic")
def td_target_and_a_global_loss(
    batch, critic, critic_optimizer, actor_target, critic_target, gamma
):
    targets = td_target(batch, actor_target, critic_target, gamma)
    values = critic(batch.states, batch.actions)
    loss = loss_function(values, targets)
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    return loss.item()


@rewrite("update_critic")
def by_keywords(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(
        gamma=gamma, critic=critic, critic_target=critic_target, actor_target=actor_target,
        batch=batch,
    )  # fmt: skip
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    return loss.item()


compute_loss = critic_loss


@rewrite("update_critic")
def alias_of_critic_loss(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    critic_optimizer.zero_grad()
    loss = compute_loss(batch, critic, actor_target, critic_target, gamma)
    loss.backward()
    critic_optimizer.step()
    return loss.item()


def take_step(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@rewrite("update_critic")
def helper_of_the_same_cell(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    return take_step(
        critic_optimizer, critic_loss(batch, critic, actor_target, critic_target, gamma)
    )


@rewrite("update_critic")
def partial_and_lambda(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss_now = partial(critic_loss, batch, critic, actor_target, critic_target)
    step = lambda loss: (critic_optimizer.zero_grad(), loss.backward(), critic_optimizer.step())
    loss = loss_now(gamma)
    step(loss)
    return loss.item()


# --- what is done besides ------------------------------------------------------------------------

N_UPDATES = 0
LOSSES = []


@rewrite("update_critic")
def counts_in_globals(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    global N_UPDATES
    N_UPDATES += 1
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    LOSSES.append(loss.item())
    return LOSSES[-1]


@rewrite("update_critic")
def prints_and_warns(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    warnings.warn("one step", DeprecationWarning, stacklevel=2)
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    loss.backward()
    for name, p in critic.named_parameters():
        print(name, p.grad.norm().item(), file=sys.stderr)
    critic_optimizer.step()
    print("critic loss:", loss.item())
    return loss.item()


@rewrite("update_critic")
def asserts_on_the_way(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    before = [p.clone() for p in critic_target.parameters()]
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    assert loss.shape == (), f"not a scalar: {loss.shape}"
    assert loss.item() >= 0 and loss.requires_grad
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    assert all(torch.equal(p, q) for p, q in zip(before, critic_target.parameters()))
    return loss.item()


@rewrite("update_critic")
def train_mode_around_the_step(
    batch: Batch,
    critic: nn.Module,
    critic_optimizer: torch.optim.Optimizer,
    actor_target: nn.Module,
    critic_target: nn.Module,
    gamma: float,
) -> float:
    """One gradient step."""
    critic.train()
    try:
        loss: torch.Tensor = critic_loss(batch, critic, actor_target, critic_target, gamma)
        critic_optimizer.zero_grad()
        loss.backward()
        critic_optimizer.step()
    finally:
        critic.eval()
    return loss.item()


@rewrite("update_critic")
def networks_behind_lambdas(
    batch, critic, critic_optimizer, actor_target, critic_target, gamma
):
    loss = critic_loss(
        batch,
        lambda s, a: critic(s, a),
        lambda s: actor_target(s),
        lambda s, a: critic_target(s, a),
        gamma,
    )
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    return loss.item()
