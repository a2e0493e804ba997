"""The DDPG agent: four networks, a memory, and Algorithm 1 of Lillicrap et al. (2015)."""

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from updates import update_actor, update_critic

from ddpg_helpers.memory import Batch, ReplayMemory
from ddpg_helpers.networks import Actor, Critic, make_target


@torch.no_grad()
def soft_update(target: nn.Module, online: nn.Module, tau: float) -> None:
    """Move ``target`` a fraction ``tau`` of the way to ``online``, in place."""
    # One call for all parameters: a loop over target_parameter.lerp_(parameter, tau) in one.
    torch._foreach_lerp_(list(target.parameters()), list(online.parameters()), tau)


class DDPGAgent:
    """An actor and a critic, each with a target copy and an optimiser, and a replay memory.

    Args:
        env: an environment whose action space is a box from -1 to 1 in every dimension.
        hidden_size: units in each of the two hidden layers.
        actor_learning_rate: step size of the actor's Adam.
        critic_learning_rate: step size of the critic's Adam.
        gamma: discount factor.
        tau: the fraction that the targets move towards the online networks at each update.
        max_memory_size: transitions that the memory keeps.
        seed: of the initial weights and of the memory's choices; None for fresh ones.
        device: where the networks live.
    """

    def __init__(
        self,
        env: gym.Env,
        hidden_size: int = 256,
        actor_learning_rate: float = 1e-4,
        critic_learning_rate: float = 1e-3,
        gamma: float = 0.99,
        tau: float = 1e-2,
        max_memory_size: int = 50_000,
        seed: int | None = None,
        device: str = "cpu",
    ) -> None:
        state_size = env.observation_space.shape[0]
        action_size = env.action_space.shape[0]
        self.gamma = gamma
        self.tau = tau
        self.device = device
        with torch.random.fork_rng(devices=[]):  # leaves torch's global generator as it was
            torch.manual_seed(np.random.default_rng(seed).integers(2**31))
            self.actor = Actor(state_size, action_size, hidden_size).to(device)
            self.critic = Critic(state_size, action_size, hidden_size).to(device)
        self.actor_target = make_target(self.actor)
        self.critic_target = make_target(self.critic)
        # fused: all parameters of a network in one call
        self.actor_optimizer = torch.optim.Adam(
            self.actor.parameters(), lr=actor_learning_rate, fused=True
        )
        self.critic_optimizer = torch.optim.Adam(
            self.critic.parameters(), lr=critic_learning_rate, fused=True
        )
        self.memory = ReplayMemory(max_memory_size, rng=np.random.default_rng(seed))

    @torch.no_grad()
    def get_action(self, state: np.ndarray) -> np.ndarray:
        """Return the actor's action for one state [S]: float32 of shape [A], without noise."""
        states = torch.as_tensor(state, dtype=torch.float32, device=self.device).unsqueeze(0)
        return self.actor(states).squeeze(0).cpu().numpy()

    def update(self, batch_size: int) -> tuple[float, float]:
        """Learn from one batch: critic step, actor step, soft updates; return the two losses."""
        batch = Batch(*(column.to(self.device) for column in self.memory.sample(batch_size)))
        critic_loss = update_critic(
            batch, self.critic, self.critic_optimizer, self.actor_target, self.critic_target,
            self.gamma,
        )
        actor_loss = update_actor(batch, self.actor, self.actor_optimizer, self.critic)
        soft_update(self.actor_target, self.actor, self.tau)
        soft_update(self.critic_target, self.critic, self.tau)
        return critic_loss, actor_loss
