"""Right agents. Where ``__init__`` isn't written, it is the given one."""
# ruff: noqa: B905, E731  (as students write)

import copy
import sys
import warnings
from collections import namedtuple
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ddpg_helpers.instructor.reference.agent import DDPGAgent as _Given
from ddpg_helpers.instructor.reference.updates import update_actor, update_critic
from ddpg_helpers.memory import Batch, ReplayMemory
from ddpg_helpers.networks import Actor, Critic, make_target
from rewrites.registry import rewrite


def soft_update(target, online, tau):  # the cell above
    with torch.no_grad():
        for t, o in zip(target.parameters(), online.parameters()):
            t.mul_(1 - tau).add_(tau * o)


# --- get_action ----------------------------------------------------------------------------------


@rewrite("DDPGAgent.get_action")
class FromNumpyAndIndex(_Given):
    def get_action(self, state):
        state = torch.from_numpy(state).float().unsqueeze(0)
        action = self.actor(state)
        return action.detach().numpy()[0]


@rewrite("DDPGAgent.get_action")
class TensorOfAList(_Given):
    def get_action(self, state):
        with torch.no_grad():
            return self.actor(torch.tensor([state], dtype=torch.float32))[0].numpy()


@rewrite("DDPGAgent.get_action")
class WithoutABatchAxis(_Given):
    def get_action(self, state):
        with torch.no_grad():
            return self.actor(torch.as_tensor(state, dtype=torch.float32)).numpy()


@rewrite("DDPGAgent.get_action")
class InferenceMode(_Given):
    @torch.inference_mode()
    def get_action(self, state):
        return self.actor(torch.FloatTensor(state).unsqueeze(0)).squeeze(0).cpu().numpy()


@rewrite("DDPGAgent.get_action")
class RavelAndAstype(_Given):
    def get_action(self, state):
        states = torch.tensor(np.expand_dims(state, 0)).to(torch.float32)
        return self.actor.forward(states).detach().cpu().numpy().ravel().astype(np.float32)


@rewrite("DDPGAgent.get_action")
class DataAndFlatten(_Given):
    def get_action(self, state):
        s = torch.Tensor(state.reshape(1, -1)).to(self.device)
        return self.actor(s).data.numpy().flatten()


@rewrite("DDPGAgent.get_action")
class ArrayOfAList(_Given):
    def get_action(self, state):
        state = np.array(state, dtype=np.float32, copy=True)[None]
        actions = self.actor(torch.from_numpy(state)).tolist()
        return np.array(actions[0], dtype=np.float32)


@rewrite("DDPGAgent.get_action")
class EvalAndTrain(_Given):
    def get_action(self, state):
        self.actor.eval()
        with torch.set_grad_enabled(False):
            action = self.actor(torch.from_numpy(np.float32(state)[np.newaxis, :])).squeeze(0)
        self.actor.train()
        return np.array(action)


@rewrite("DDPGAgent.get_action")
class ClippedToTheSpace(_Given):
    def __init__(self, env, *args, **kwargs):
        super().__init__(env, *args, **kwargs)
        self.low, self.high = env.action_space.low, env.action_space.high
        self.action_size = env.action_space.shape[0]

    def get_action(self, state):
        with torch.no_grad():
            action = self.actor(torch.as_tensor(state).float().view(1, -1)).numpy()
        return np.clip(action.reshape(self.action_size), self.low, self.high)


@rewrite("DDPGAgent.get_action")
class ActorFrozenForTheMoment(_Given):
    def get_action(self, state):
        for p in self.actor.parameters():
            p.requires_grad = False
        action = self.actor(torch.as_tensor(state, dtype=torch.float32)[None, :])
        for p in self.actor.parameters():
            p.requires_grad = True
        return np.asarray(action[0])


def to_tensor(array):
    return torch.as_tensor(np.asarray(array), dtype=torch.float32)


to_numpy = lambda tensor: tensor.detach().cpu().numpy()


@rewrite("DDPGAgent.get_action")
class HelpersOfTheSameCell(_Given):
    def get_action(self, state: np.ndarray) -> np.ndarray:
        """mu(s)"""
        action: np.ndarray = to_numpy(self.actor(to_tensor(state).unsqueeze(dim=0)))
        return action.squeeze(axis=0)


@rewrite("DDPGAgent.get_action")
class LoopOverDimensions(_Given):
    @torch.no_grad()
    def get_action(self, state):
        output = self.actor(torch.tensor(state, dtype=torch.float32).unsqueeze(0))
        action = np.zeros(output.shape[1], dtype=np.float32)
        for i in range(output.shape[1]):
            action[i] = output[0, i].item()
        return action


@rewrite("DDPGAgent.get_action")
class PrintsAndAsserts(_Given):
    def get_action(self, state):
        print("state", state, file=sys.stderr)
        with torch.no_grad():
            action = self.actor(torch.from_numpy(state.astype(np.float32)).unsqueeze(0))[0].numpy()
        if np.abs(action).max() > 0.99:
            warnings.warn("the actor saturates", stacklevel=2)
        assert action.dtype == np.float32 and action.ndim == 1
        assert (-1 <= action).all() and (action <= 1).all()
        return action.copy()


# --- update, with the functions of the cells above -----------------------------------------------


@rewrite("DDPGAgent.update")
class FunctionsOfTheCellsAbove(_Given):
    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        critic_loss = update_critic(
            batch, self.critic, self.critic_optimizer, self.actor_target, self.critic_target,
            self.gamma,
        )  # fmt: skip
        actor_loss = update_actor(batch, self.actor, self.actor_optimizer, self.critic)
        soft_update(self.critic_target, self.critic, self.tau)
        soft_update(self.actor_target, self.actor, self.tau)
        return critic_loss, actor_loss


@rewrite("DDPGAgent.update")
class ByKeywords(_Given):
    def update(self, batch_size):
        batch = self.memory.sample(batch_size=batch_size)
        critic_loss = update_critic(
            batch=batch,
            critic=self.critic,
            critic_optimizer=self.critic_optimizer,
            actor_target=self.actor_target,
            critic_target=self.critic_target,
            gamma=self.gamma,
        )
        actor_loss = update_actor(
            batch=batch, actor=self.actor, actor_optimizer=self.actor_optimizer, critic=self.critic
        )
        for target, online in (
            (self.actor_target, self.actor),
            (self.critic_target, self.critic),
        ):
            soft_update(target=target, online=online, tau=self.tau)
        return (critic_loss, actor_loss)


@rewrite("DDPGAgent.update")
class EachTargetRightAfterItsStep(_Given):
    def update(self, batch_size):
        b = self.memory.sample(batch_size)
        targets = (self.actor_target, self.critic_target)
        lc = update_critic(b, self.critic, self.critic_optimizer, *targets, self.gamma)
        soft_update(self.critic_target, self.critic, self.tau)
        la = update_actor(b, self.actor, self.actor_optimizer, self.critic)
        soft_update(self.actor_target, self.actor, self.tau)
        return lc, la


@rewrite("DDPGAgent.update")
class OneSoftUpdateForBoth(_Given):
    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        losses = (
            update_critic(batch, self.critic, self.critic_optimizer, self.actor_target,
                          self.critic_target, self.gamma),
            update_actor(batch, self.actor, self.actor_optimizer, self.critic),
        )  # fmt: skip
        targets = nn.ModuleList([self.actor_target, self.critic_target])
        soft_update(targets, nn.ModuleList([self.actor, self.critic]), self.tau)
        return losses


@rewrite("DDPGAgent.update")
class OneTargetByHand(_Given):
    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        q_loss = update_critic(batch, self.critic, self.critic_optimizer, self.actor_target,
                               self.critic_target, self.gamma)  # fmt: skip
        p_loss = update_actor(batch, self.actor, self.actor_optimizer, self.critic)
        soft_update(self.actor_target, self.actor, self.tau)
        for t, o in zip(self.critic_target.parameters(), self.critic.parameters()):
            t.data.copy_(self.tau * o.data + (1 - self.tau) * t.data)
        return q_loss, p_loss


@rewrite("DDPGAgent.update")
class PartialsMadeAtTheStart(_Given):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.step_critic = partial(
            update_critic,
            critic=self.critic,
            critic_optimizer=self.critic_optimizer,
            actor_target=self.actor_target,
            critic_target=self.critic_target,
            gamma=self.gamma,
        )
        self.step_actor = lambda batch: update_actor(
            batch, self.actor, self.actor_optimizer, self.critic
        )

    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        critic_loss, actor_loss = self.step_critic(batch), self.step_actor(batch)
        [soft_update(t, o, self.tau) for t, o in self.pairs()]
        return critic_loss, actor_loss

    def pairs(self):
        yield self.actor_target, self.actor
        yield self.critic_target, self.critic


@rewrite("DDPGAgent.update")
class KeepsAHistoryAndTalks(_Given):
    history = None
    updates = 0

    def update(self, batch_size: int) -> tuple[float, float]:
        """One update; prints now and then."""
        if len(self.memory) < batch_size:
            raise ValueError(f"only {len(self.memory)} transitions are stored")
        if self.history is None:
            self.history = []
        batch = Batch(*[column.to(self.device) for column in self.memory.sample(batch_size)])
        critic_loss = update_critic(
            batch, self.critic, self.critic_optimizer, self.actor_target, self.critic_target,
            self.gamma,
        )  # fmt: skip
        actor_loss = update_actor(batch, self.actor, self.actor_optimizer, self.critic)
        soft_update(self.actor_target, self.actor, self.tau)
        soft_update(self.critic_target, self.critic, self.tau)
        self.updates += 1
        self.history.append((critic_loss, actor_loss))
        if self.updates % 100 == 1:
            print(f"update {self.updates}: {critic_loss:.3f} {actor_loss:.3f}")
            print("still here", file=sys.stderr)
        if critic_loss > 1e3:
            warnings.warn("the critic's loss is large", stacklevel=2)
        return self.history[-1]


# --- update, written out -------------------------------------------------------------------------


@rewrite("DDPGAgent.update")
class WrittenOutInOnePiece(_Given):
    def update(self, batch_size):
        states, actions, rewards, next_states, terminated = self.memory.sample(batch_size)

        # critic
        with torch.no_grad():
            next_q = self.critic_target(next_states, self.actor_target(next_states))
            targets = rewards + self.gamma * (1 - terminated) * next_q
        critic_loss = F.mse_loss(self.critic(states, actions), targets)
        self.critic_optimizer.zero_grad()
        critic_loss.backward()
        self.critic_optimizer.step()

        # actor
        actor_loss = -self.critic(states, self.actor(states)).mean()
        self.actor_optimizer.zero_grad()
        actor_loss.backward()
        self.actor_optimizer.step()

        # targets
        for target_param, param in zip(self.actor_target.parameters(), self.actor.parameters()):
            target_param.data.copy_(param.data * self.tau + target_param.data * (1.0 - self.tau))
        for target_param, param in zip(self.critic_target.parameters(), self.critic.parameters()):
            target_param.data.copy_(param.data * self.tau + target_param.data * (1.0 - self.tau))

        return critic_loss.item(), actor_loss.item()


mse = nn.MSELoss()


@rewrite("DDPGAgent.update")
class HelperMethods(_Given):
    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        losses = self._learn_values(batch), self._learn_policy(batch)
        self._track(self.actor_target, self.actor)
        self._track(self.critic_target, self.critic)
        return losses

    @torch.no_grad()
    def _targets(self, batch):
        next_q = self.critic_target(batch.next_states, self.actor_target(batch.next_states))
        return torch.where(batch.terminated > 0, batch.rewards, batch.rewards + self.gamma * next_q)

    def _learn_values(self, batch):
        self.critic_optimizer.zero_grad()
        loss = mse(self.critic(batch.states, batch.actions), self._targets(batch))
        loss.backward()
        self.critic_optimizer.step()
        return loss.item()

    def _learn_policy(self, batch):
        self.actor_optimizer.zero_grad()
        loss = self.critic(batch.states, self.actor(batch.states)).mean().neg()
        loss.backward()
        self.actor_optimizer.step()
        return loss.item()

    def _track(self, target, online):
        with torch.no_grad():
            torch._foreach_lerp_(list(target.parameters()), list(online.parameters()), self.tau)


@rewrite("DDPGAgent.update")
class SoftUpdateAsAMethod(_Given):
    def soft_update(self, target, online):
        for t, o in zip(target.parameters(), online.parameters()):
            t.data = self.tau * o.data + (1 - self.tau) * t.data

    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        critic_loss = update_critic(
            batch, self.critic, self.critic_optimizer, self.actor_target, self.critic_target,
            self.gamma,
        )  # fmt: skip
        actor_loss = update_actor(batch, self.actor, self.actor_optimizer, self.critic)
        self.soft_update(self.actor_target, self.actor)
        self.soft_update(self.critic_target, self.critic)
        return critic_loss, actor_loss


@rewrite("DDPGAgent.update")
class StaticPolyak(_Given):
    @staticmethod
    def polyak(target, online, tau):
        state, new = target.state_dict(), online.state_dict()
        target.load_state_dict({k: torch.lerp(state[k], new[k], tau) for k in state})

    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        critic_loss = update_critic(
            batch, self.critic, self.critic_optimizer, self.actor_target, self.critic_target,
            self.gamma,
        )  # fmt: skip
        actor_loss = update_actor(batch, self.actor, self.actor_optimizer, self.critic)
        DDPG.polyak(self.actor_target, self.actor, self.tau)
        self.polyak(self.critic_target, self.critic, self.tau)
        return [critic_loss, actor_loss][0], [critic_loss, actor_loss][1]


DDPG = StaticPolyak


@rewrite("DDPGAgent.update")
class ActionsComputedFirst(_Given):
    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        policy_actions = self.actor(batch.states)
        next_q = self.critic_target(batch.next_states, self.actor_target(batch.next_states))
        y = batch.rewards + self.gamma * ~batch.terminated.bool() * next_q

        critic_loss = (y.detach() - self.critic(batch.states, batch.actions)).pow(2).mean()
        self.critic_optimizer.zero_grad()
        critic_loss.backward()
        self.critic_optimizer.step()

        actor_loss = torch.mean(-self.critic(batch.states, policy_actions))
        self.actor_optimizer.zero_grad()
        actor_loss.backward()
        self.actor_optimizer.step()
        with torch.no_grad():
            for target, net in [(self.actor_target, self.actor), (self.critic_target, self.critic)]:
                mixed = parameters_to_vector(net.parameters()) * self.tau
                mixed += parameters_to_vector(target.parameters()) * (1 - self.tau)
                vector_to_parameters(mixed, target.parameters())
        return critic_loss.detach().numpy(), actor_loss.detach().numpy()


@rewrite("DDPGAgent.update")
class CriticFrozenForTheActorsStep(_Given):
    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        critic_loss = update_critic(
            batch, self.critic, self.critic_optimizer, self.actor_target, self.critic_target,
            self.gamma,
        )  # fmt: skip
        for p in self.critic.parameters():
            p.requires_grad = False
        try:
            actor_loss = -self.critic(batch.states, self.actor(batch.states)).mean()
            self.actor_optimizer.zero_grad()
            actor_loss.backward()
            self.actor_optimizer.step()
        finally:
            for p in self.critic.parameters():
                p.requires_grad = True
        soft_update(self.actor_target, self.actor, self.tau)
        soft_update(self.critic_target, self.critic, self.tau)
        return critic_loss, actor_loss


@rewrite("DDPGAgent.update")
class AllGradientsClearedAtBothEnds(_Given):
    def clear(self):
        for network in (self.actor, self.critic, self.actor_target, self.critic_target):
            network.zero_grad()

    def update(self, batch_size):
        self.clear()
        batch = self.memory.sample(batch_size)
        y = self._y(batch)
        critic_loss = nn.MSELoss()(self.critic(batch.states, batch.actions), y)
        critic_loss.backward()
        self.critic_optimizer.step()
        self.clear()
        actor_loss = -self.critic(batch.states, self.actor(batch.states)).mean()
        actor_loss.backward()
        self.actor_optimizer.step()
        self.clear()
        soft_update(self.actor_target, self.actor, self.tau)
        soft_update(self.critic_target, self.critic, self.tau)
        return critic_loss, actor_loss

    def _y(self, batch):
        q = self.critic_target(batch.next_states, self.actor_target(batch.next_states))
        return batch.rewards + self.gamma * (1 - batch.terminated) * q


Losses = namedtuple("Losses", ["critic", "actor"])


@rewrite("DDPGAgent.update")
class ClosuresAndANamedTuple(_Given):
    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        with torch.no_grad():
            after = self.critic_target(batch.next_states, self.actor_target(batch.next_states))
            y = batch.rewards + self.gamma * after.masked_fill(batch.terminated == 1, 0)

        def critic_closure():
            self.critic_optimizer.zero_grad()
            loss = F.mse_loss(self.critic(batch.states, batch.actions), y)
            loss.backward()
            return loss

        def actor_closure():
            self.actor_optimizer.zero_grad()
            loss = -self.critic(batch.states, self.actor(batch.states)).mean()
            loss.backward()
            return loss

        critic_loss = self.critic_optimizer.step(critic_closure)
        actor_loss = self.actor_optimizer.step(actor_closure)
        average = get_ema_multi_avg_fn(1 - self.tau)
        for target, net in ((self.actor_target, self.actor), (self.critic_target, self.critic)):
            average(list(target.parameters()), list(net.parameters()), None)
        return Losses(critic=critic_loss.item(), actor=actor_loss.item())


@rewrite("DDPGAgent.update")
class AutogradGradAndListsMadeAtTheStart(_Given):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.actor_parameters = list(self.actor.parameters())
        self.critic_parameters = list(self.critic.parameters())
        self.online_parameters = self.actor_parameters + self.critic_parameters
        self.target_parameters = [
            *self.actor_target.parameters(), *self.critic_target.parameters()
        ]  # fmt: skip

    def step(self, loss, parameters, optimizer):
        for p, g in zip(parameters, torch.autograd.grad(loss, parameters)):
            p.grad = g
        optimizer.step()
        return loss.item()

    def update(self, batch_size):
        s, a, r, s2, end = self.memory.sample(batch_size)
        y = r + self.gamma * (1 - end) * self.critic_target(s2, self.actor_target(s2))
        critic_loss = torch.square(y - self.critic(s, a)).sum() / batch_size
        critic_loss = self.step(critic_loss, self.critic_parameters, self.critic_optimizer)
        actor_loss = -self.critic(s, self.actor(s)).sum() / batch_size
        actor_loss = self.step(actor_loss, self.actor_parameters, self.actor_optimizer)
        with torch.no_grad():
            torch._foreach_mul_(self.target_parameters, 1 - self.tau)
            torch._foreach_add_(self.target_parameters, self.online_parameters, alpha=self.tau)
        return critic_loss, actor_loss


# --- both, in whole classes ----------------------------------------------------------------------


@rewrite("DDPGAgent.get_action", "DDPGAgent.update")
class WholeClassAnew:
    """With a target of its own making, other names inside and positional arguments."""

    def __init__(
        self,
        env,
        hidden_size=256,
        actor_learning_rate=1e-4,
        critic_learning_rate=1e-3,
        gamma=0.99,
        tau=1e-2,
        max_memory_size=50_000,
        seed=None,
        device="cpu",
    ):
        n_states, n_actions = env.observation_space.shape[0], env.action_space.shape[0]
        self.discount, self.polyak, self.device = gamma, tau, torch.device(device)
        if seed is not None:
            torch.manual_seed(seed)
        self.actor = Actor(n_states, n_actions, hidden_size).to(self.device)
        self.critic = Critic(n_states, n_actions, hidden_size).to(self.device)
        self.actor_target = copy.deepcopy(self.actor)
        self.critic_target = copy.deepcopy(self.critic)
        for network in (self.actor_target, self.critic_target):
            for p in network.parameters():
                p.requires_grad = False
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), actor_learning_rate)
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), critic_learning_rate)
        self.memory = ReplayMemory(max_memory_size, np.random.default_rng(seed))

    def get_action(self, state):
        state = torch.as_tensor(state, dtype=torch.float32, device=self.device)
        return self.actor(state[None])[0].detach().cpu().numpy()

    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        delta = self._td_error(batch)
        critic_loss = (delta**2).mean()
        self._descend(self.critic_optimizer, critic_loss)
        actor_loss = -self.critic(batch.states, self.actor(batch.states)).mean()
        self._descend(self.actor_optimizer, actor_loss)
        self._follow()
        return critic_loss.item(), actor_loss.item()

    def _td_error(self, batch):
        with torch.no_grad():
            q2 = self.critic_target(batch.next_states, self.actor_target(batch.next_states))
        y = batch.rewards + self.discount * (1 - batch.terminated) * q2
        return y - self.critic(batch.states, batch.actions)

    @staticmethod
    def _descend(optimizer, loss):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def _follow(self):
        for name in ("actor", "critic"):
            target, online = getattr(self, name + "_target"), getattr(self, name)
            for t, o in zip(target.parameters(), online.parameters()):
                t.data.lerp_(o.data, self.polyak)


@dataclass
class Settings:
    hidden_size: int = 256
    actor_learning_rate: float = 1e-4
    critic_learning_rate: float = 1e-3
    gamma: float = 0.99
    tau: float = 1e-2
    max_memory_size: int = 50_000
    seed: int | None = None
    device: str = "cpu"


@rewrite("DDPGAgent.get_action", "DDPGAgent.update")
class SettingsInADataclass:
    def __init__(self, env, *args, **kwargs):
        self.settings = Settings(*args, **kwargs)
        sizes = (*env.observation_space.shape, *env.action_space.shape, self.settings.hidden_size)
        torch.manual_seed(self.settings.seed or 0)
        self.actor, self.critic = Actor(*sizes), Critic(*sizes)
        self.actor_target, self.critic_target = map(make_target, (self.actor, self.critic))
        actor_lr, critic_lr = self.settings.actor_learning_rate, self.settings.critic_learning_rate
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=actor_lr)
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), lr=critic_lr)
        rng = np.random.default_rng(self.settings.seed)
        self.memory = ReplayMemory(self.settings.max_memory_size, rng)

    @torch.no_grad()
    def get_action(self, state):
        return self.actor(torch.tensor(np.array([state]), dtype=torch.float32)).numpy().squeeze(0)

    def update(self, batch_size):
        batch, gamma = self.memory.sample(batch_size), self.settings.gamma
        networks = (self.actor_target, self.critic_target)
        critic_loss = update_critic(batch, self.critic, self.critic_optimizer, *networks, gamma)
        actor_loss = update_actor(batch, self.actor, self.actor_optimizer, self.critic)
        soft_update(self.actor_target, self.actor, self.settings.tau)
        soft_update(self.critic_target, self.critic, self.settings.tau)
        return torch.tensor(critic_loss), torch.tensor(actor_loss)


class _Base:
    """A general agent, from which the next one inherits."""

    def __init__(self, env, hidden_size, learning_rates, seed):
        self.state_size = env.observation_space.shape[0]
        self.action_size = env.action_space.shape[0]
        with torch.random.fork_rng():
            torch.manual_seed(0 if seed is None else seed)
            self.actor = Actor(self.state_size, self.action_size, hidden_size)
            self.critic = Critic(self.state_size, self.action_size, hidden_size)
        self.actor_optimizer, self.critic_optimizer = (
            torch.optim.Adam(network.parameters(), lr=rate)
            for network, rate in zip((self.actor, self.critic), learning_rates)
        )

    def get_action(self, state):
        actions = self.actor(torch.from_numpy(np.asarray(state, dtype=np.float32)).reshape(1, -1))
        return actions.detach().numpy().reshape(self.action_size)


@rewrite("DDPGAgent.get_action", "DDPGAgent.update")
class InheritsFromABase(_Base):
    def __init__(
        self, env, hidden_size=256, actor_learning_rate=1e-4, critic_learning_rate=1e-3,
        gamma=0.99, tau=1e-2, max_memory_size=50_000, seed=None, device="cpu",
    ):  # fmt: skip
        super().__init__(env, hidden_size, (actor_learning_rate, critic_learning_rate), seed)
        self.actor_target = Actor(self.state_size, self.action_size, hidden_size)
        self.critic_target = Critic(self.state_size, self.action_size, hidden_size)
        self.actor_target.load_state_dict(self.actor.state_dict())
        self.critic_target.load_state_dict(self.critic.state_dict())
        self.actor_target.requires_grad_(False)
        self.critic_target.requires_grad_(False)
        self.gamma, self.tau = gamma, tau
        self.memory = ReplayMemory(max_memory_size, rng=np.random.default_rng(seed))

    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        critic_loss = update_critic(
            batch, self.critic, self.critic_optimizer, self.actor_target, self.critic_target,
            self.gamma,
        )  # fmt: skip
        actor_loss = update_actor(batch, self.actor, self.actor_optimizer, self.critic)
        self.update_targets()
        return critic_loss, actor_loss

    def update_targets(self):
        for target, online in zip(
            (self.actor_target, self.critic_target), (self.actor, self.critic)
        ):
            soft_update(target, online, self.tau)


@rewrite("DDPGAgent.update")
class WaitsForMoreThanABatch(_Given):
    def update(self, batch_size):
        if len(self.memory) <= batch_size:
            return 0.0, 0.0
        return super().update(batch_size)
