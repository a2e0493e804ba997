"""DDPG's two update rules: one step of the critic, one step of the actor."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Optimizer

from ddpg_helpers.memory import Batch
from ddpg_helpers.networks import Actor, Critic


def td_target(batch: Batch, actor_target: Actor, critic_target: Critic, gamma: float) -> Tensor:
    """The Bellman target y = r + gamma (1 - terminated) Q'(s', mu'(s')), shape [N, 1]."""
    with torch.no_grad():
        next_actions = actor_target(batch.next_states)
        next_values = critic_target(batch.next_states, next_actions)
        return batch.rewards + gamma * (1 - batch.terminated) * next_values


def critic_loss(
    batch: Batch, critic: Critic, actor_target: Actor, critic_target: Critic, gamma: float
) -> Tensor:
    """The mean squared TD error, a scalar (Lillicrap et al. 2015, equations 4 and 5)."""
    targets = td_target(batch, actor_target, critic_target, gamma)
    return F.mse_loss(critic(batch.states, batch.actions), targets)


def update_critic(
    batch: Batch,
    critic: Critic,
    critic_optimizer: Optimizer,
    actor_target: Actor,
    critic_target: Critic,
    gamma: float,
) -> float:
    """Take one step of the critic; return the loss before it."""
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    return loss.item()


def actor_loss(batch: Batch, actor: Actor, critic: Critic) -> Tensor:
    """Minus the mean value of the actor's own actions, a scalar (Lillicrap et al. 2015, eq. 6)."""
    return -critic(batch.states, actor(batch.states)).mean()


def update_actor(batch: Batch, actor: Actor, actor_optimizer: Optimizer, critic: Critic) -> float:
    """Take one step of the actor; return the loss before it. The critic is left as it was."""
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    loss.backward(inputs=list(actor.parameters()))
    actor_optimizer.step()
    return loss.item()
