"""The loops that the course's speed is compared with, each in its own customary style.

All train on Pendulum-v1 with the settings of the original tutorial: two hidden layers of 256,
batches of 128, a memory of 50 000, one update a step. Each returns the seconds that it took.
"""

import random
import time
from collections import deque

import gymnasium as gym
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

BATCH_SIZE, HIDDEN_SIZE, MEMORY_SIZE, GAMMA, TAU = 128, 256, 50_000, 0.99, 1e-2
ACTOR_LR, CRITIC_LR = 1e-4, 1e-3


# --- the original tutorial, written again on gymnasium --------------------------------------------


class _OriginalCritic(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(inputs, HIDDEN_SIZE)
        self.linear2 = nn.Linear(HIDDEN_SIZE, HIDDEN_SIZE)
        self.linear3 = nn.Linear(HIDDEN_SIZE, outputs)

    def forward(self, state: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        x = torch.cat([state, action], 1)
        x = F.relu(self.linear1(x))
        x = F.relu(self.linear2(x))
        return self.linear3(x)


class _OriginalActor(_OriginalCritic):
    def forward(self, state: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.linear1(state))
        x = F.relu(self.linear2(x))
        return torch.tanh(self.linear3(x))


class _NormalizedEnv(gym.ActionWrapper):
    def action(self, action: np.ndarray) -> np.ndarray:
        scale = (self.action_space.high - self.action_space.low) / 2.0
        middle = (self.action_space.high + self.action_space.low) / 2.0
        return scale * action + middle


class OriginalAgent:
    """The original tutorial's agent: a deque of tuples, lists of arrays made tensors each step."""

    def __init__(
        self, env: gym.Env, actor_learning_rate: float = ACTOR_LR,
        critic_learning_rate: float = CRITIC_LR, tau: float = TAU,
    ) -> None:  # fmt: skip
        states, actions = env.observation_space.shape[0], env.action_space.shape[0]
        self.tau = tau
        self.actor = _OriginalActor(states, actions)
        self.actor_target = _OriginalActor(states, actions)
        self.critic = _OriginalCritic(states + actions, actions)
        self.critic_target = _OriginalCritic(states + actions, actions)
        self.actor_target.load_state_dict(self.actor.state_dict())
        self.critic_target.load_state_dict(self.critic.state_dict())
        self.memory: deque = deque(maxlen=MEMORY_SIZE)
        self.criterion = nn.MSELoss()
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=actor_learning_rate)
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), lr=critic_learning_rate)

    def get_action(self, state: np.ndarray) -> float:
        state = torch.from_numpy(state).float().unsqueeze(0)
        return self.actor.forward(state).detach().numpy()[0, 0]

    def update(self, batch_size: int) -> None:
        states, actions, rewards, next_states, _ = zip(
            *random.sample(self.memory, batch_size), strict=True
        )
        states = torch.FloatTensor(np.array(states))
        actions = torch.FloatTensor(np.array(actions))
        rewards = torch.FloatTensor(np.array(rewards))
        next_states = torch.FloatTensor(np.array(next_states))
        values = self.critic.forward(states, actions)
        next_actions = self.actor_target.forward(next_states)
        next_values = self.critic_target.forward(next_states, next_actions.detach())
        critic_loss = self.criterion(values, rewards + GAMMA * next_values.detach())
        actor_loss = -self.critic.forward(states, self.actor.forward(states)).mean()
        self.actor_optimizer.zero_grad()
        actor_loss.backward()
        self.actor_optimizer.step()
        self.critic_optimizer.zero_grad()
        critic_loss.backward()
        self.critic_optimizer.step()
        for target, online in (
            (self.actor_target, self.actor),
            (self.critic_target, self.critic),
        ):
            for target_param, param in zip(target.parameters(), online.parameters(), strict=True):
                target_param.data.copy_(param.data * self.tau + target_param.data * (1 - self.tau))


class _OriginalNoise:
    def __init__(self, space: gym.spaces.Box, rng: np.random.Generator) -> None:
        self.space, self.rng = space, rng
        self.reset()

    def reset(self) -> None:
        self.state = np.zeros(self.space.shape[0])

    def get_action(self, action: float) -> np.ndarray:
        self.state = self.state - 0.15 * self.state + 0.3 * self.rng.standard_normal(1)
        return np.clip(action + self.state, self.space.low, self.space.high)


def original_returns(seed: int, episodes: int, **settings: float) -> list[float]:
    """The original tutorial's training returns, noise included, one an episode."""
    torch.manual_seed(seed)
    random.seed(seed)
    env = _NormalizedEnv(gym.make("Pendulum-v1"))
    agent = OriginalAgent(env, **settings)
    noise = _OriginalNoise(env.action_space, np.random.default_rng(seed))
    returns = []
    for episode in range(episodes):
        state, _ = env.reset(seed=seed if episode == 0 else None)
        noise.reset()
        episode_return = 0.0
        for _ in range(500):
            action = noise.get_action(agent.get_action(state))
            new_state, reward, terminated, truncated, _ = env.step(action)
            done = terminated or truncated
            agent.memory.append((state, action, np.array([reward]), new_state, done))
            if len(agent.memory) > BATCH_SIZE:
                agent.update(BATCH_SIZE)
            state = new_state
            episode_return += float(reward)
            if done:
                break
        returns.append(episode_return)
    return returns


def original(steps: int) -> float:
    """Seconds of the original tutorial's loop."""
    start = time.perf_counter()
    original_returns(0, steps // 200)
    return time.perf_counter() - start


# --- in the style of CleanRL's ddpg_continuous_action.py ------------------------------------------


class _QNetwork(nn.Module):
    def __init__(self, states: int, actions: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(states + actions, HIDDEN_SIZE)
        self.fc2 = nn.Linear(HIDDEN_SIZE, HIDDEN_SIZE)
        self.fc3 = nn.Linear(HIDDEN_SIZE, 1)

    def forward(self, x: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.fc1(torch.cat([x, a], 1)))
        return self.fc3(F.relu(self.fc2(x)))


class _ScaledActor(nn.Module):
    def __init__(self, states: int, space: gym.spaces.Box) -> None:
        super().__init__()
        self.fc1 = nn.Linear(states, HIDDEN_SIZE)
        self.fc2 = nn.Linear(HIDDEN_SIZE, HIDDEN_SIZE)
        self.fc_mu = nn.Linear(HIDDEN_SIZE, space.shape[0])
        scale = torch.tensor((space.high - space.low) / 2, dtype=torch.float32)
        bias = torch.tensor((space.high + space.low) / 2, dtype=torch.float32)
        self.register_buffer("action_scale", scale)
        self.register_buffer("action_bias", bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.tanh(self.fc_mu(F.relu(self.fc2(F.relu(self.fc1(x))))))
        return x * self.action_scale + self.action_bias


class _ArrayBuffer:
    def __init__(self, states: int, actions: int) -> None:
        shapes = {"obs": states, "next_obs": states, "actions": actions, "rewards": 1, "dones": 1}
        self.arrays = {n: np.zeros((MEMORY_SIZE, w), np.float32) for n, w in shapes.items()}
        self.position, self.full = 0, False
        self.rng = np.random.default_rng(0)

    def add(self, **transition: object) -> None:
        for name, value in transition.items():
            self.arrays[name][self.position] = value
        self.position = (self.position + 1) % MEMORY_SIZE
        self.full |= self.position == 0

    def sample(self, batch_size: int) -> dict[str, torch.Tensor]:
        rows = self.rng.integers(0, MEMORY_SIZE if self.full else self.position, batch_size)
        return {name: torch.tensor(array[rows]) for name, array in self.arrays.items()}


def cleanrl_style(steps: int) -> float:
    """Seconds of a single-file loop with vectorised environments and an array buffer."""
    torch.manual_seed(0)
    start = time.perf_counter()
    envs = gym.vector.SyncVectorEnv([lambda: gym.make("Pendulum-v1")])
    states, space = envs.single_observation_space.shape[0], envs.single_action_space
    actor, target_actor = _ScaledActor(states, space), _ScaledActor(states, space)
    qf1, qf1_target = _QNetwork(states, 1), _QNetwork(states, 1)
    target_actor.load_state_dict(actor.state_dict())
    qf1_target.load_state_dict(qf1.state_dict())
    q_optimizer = torch.optim.Adam(list(qf1.parameters()), lr=CRITIC_LR)
    actor_optimizer = torch.optim.Adam(list(actor.parameters()), lr=ACTOR_LR)
    buffer = _ArrayBuffer(states, 1)
    obs, _ = envs.reset(seed=0)
    for step in range(steps):
        with torch.no_grad():
            actions = actor(torch.Tensor(obs))
            actions += torch.normal(0, actor.action_scale * 0.3)
            actions = actions.cpu().numpy().clip(space.low, space.high)
        next_obs, rewards, terminations, _, _ = envs.step(actions)
        buffer.add(obs=obs, next_obs=next_obs, actions=actions, rewards=rewards, dones=terminations)
        obs = next_obs
        if step <= BATCH_SIZE:
            continue
        data = buffer.sample(BATCH_SIZE)
        with torch.no_grad():
            next_actions = target_actor(data["next_obs"])
            next_q = qf1_target(data["next_obs"], next_actions)
            target = data["rewards"].flatten() + (
                1 - data["dones"].flatten()
            ) * GAMMA * next_q.view(-1)
        qf1_values = qf1(data["obs"], data["actions"]).view(-1)
        q_loss = F.mse_loss(qf1_values, target)
        q_optimizer.zero_grad()
        q_loss.backward()
        q_optimizer.step()
        actor_loss = -qf1(data["obs"], actor(data["obs"])).mean()
        actor_optimizer.zero_grad()
        actor_loss.backward()
        actor_optimizer.step()
        for network, target_network in ((actor, target_actor), (qf1, qf1_target)):
            for param, target_param in zip(
                network.parameters(), target_network.parameters(), strict=True
            ):
                target_param.data.copy_(TAU * param.data + (1 - TAU) * target_param.data)
    return time.perf_counter() - start


# --- Stable-Baselines3 ----------------------------------------------------------------------------


def stable_baselines3(steps: int) -> float:
    """Seconds of Stable-Baselines3's DDPG."""
    from stable_baselines3 import DDPG
    from stable_baselines3.common.noise import OrnsteinUhlenbeckActionNoise

    noise = OrnsteinUhlenbeckActionNoise(np.zeros(1), 0.3 * np.ones(1), theta=0.15, dt=1.0)
    model = DDPG(
        "MlpPolicy", "Pendulum-v1", learning_rate=CRITIC_LR, buffer_size=MEMORY_SIZE,
        learning_starts=BATCH_SIZE, batch_size=BATCH_SIZE, tau=TAU, gamma=GAMMA,
        train_freq=(1, "step"), gradient_steps=1, action_noise=noise,
        policy_kwargs={"net_arch": [HIDDEN_SIZE, HIDDEN_SIZE]}, device="cpu", seed=0,
    )  # fmt: skip
    start = time.perf_counter()
    model.learn(steps)
    return time.perf_counter() - start
