"""Wrong DDPG agents."""

import copy

import numpy as np
import torch

from ddpg_helpers.instructor.mutants.registry import mutant
from ddpg_helpers.instructor.reference.agent import DDPGAgent, soft_update
from ddpg_helpers.instructor.reference.updates import (
    actor_loss,
    critic_loss,
    update_actor,
    update_critic,
)
from ddpg_helpers.networks import Actor, Critic, make_target

# --- get_action ----------------------------------------------------------------------------------


@mutant(
    "DDPGAgent.get_action",
    breaks=["action"],
    says="Your action has its first dimension only. Whoever controls more than one motor needs "
    "all of them.",
)
class FirstDimensionOnly(DDPGAgent):
    def get_action(self, state):
        return super().get_action(state)[:1]


@mutant(
    "DDPGAgent.get_action",
    breaks=["action", "plain"],
    says="Your action is a single number: the first dimension as a float. The environment takes an "
    "array with one entry for each dimension of the action.",
)
class FirstDimensionAsAFloat(DDPGAgent):
    def get_action(self, state):
        return float(super().get_action(state)[0])


@mutant(
    "DDPGAgent.get_action",
    breaks=["action"],
    says="Your action keeps the batch dimension: its shape is [1, A]. One state gives one action "
    "of shape [A].",
)
class BatchDimensionKept(DDPGAgent):
    def get_action(self, state):
        return super().get_action(state)[np.newaxis]


@mutant(
    "DDPGAgent.get_action",
    breaks=["action"],
    says="Your action loses its dimension where there is only one: every axis of length 1 is taken "
    "away, also the action's own. Take away the batch's axis alone.",
)
class SqueezedTooFar(DDPGAgent):
    def get_action(self, state):
        return super().get_action(state).squeeze()


@mutant(
    "DDPGAgent.get_action",
    breaks=["plain"],
    says="Your action is float64. The environment and the networks use float32, and the two do not "
    "mix well.",
)
class DoublePrecision(DDPGAgent):
    def get_action(self, state):
        return super().get_action(state).astype(np.float64)


@mutant(
    "DDPGAgent.get_action",
    breaks=["plain"],
    says="Your action is a tensor that still carries its graph. The environment takes a numpy "
    "array, and no gradient is needed for acting.",
)
class TensorWithAGradient(DDPGAgent):
    def get_action(self, state):
        return self.actor(torch.as_tensor(state, dtype=torch.float32).unsqueeze(0)).squeeze(0)


@mutant(
    "DDPGAgent.get_action",
    breaks=["plain"],
    says="Your action is a tensor. The environment takes a numpy array.",
)
class PlainTensor(DDPGAgent):
    def get_action(self, state):
        return torch.from_numpy(super().get_action(state))


@mutant(
    "DDPGAgent.get_action",
    breaks=["plain"],
    says="Your action is a list. The environment takes a numpy array.",
)
class PlainList(DDPGAgent):
    def get_action(self, state):
        return super().get_action(state).tolist()


def _before_tanh(actor, state):
    with torch.no_grad():
        hidden = torch.relu(actor.linear1(torch.as_tensor(state, dtype=torch.float32)))
        return actor.linear3(torch.relu(actor.linear2(hidden))).numpy()


@mutant(
    "DDPGAgent.get_action",
    breaks=["action"],
    says="Your action is what the actor has before its tanh, so it can lie outside -1 to 1. Ask "
    "the actor itself and not its layers.",
)
class Unsquashed(DDPGAgent):
    def get_action(self, state):
        return _before_tanh(self.actor, state)


@mutant(
    "DDPGAgent.get_action",
    breaks=["action"],
    says="Your action is stretched beyond -1 to 1, as if to the range of the environment. The "
    "environment's wrapper does that, and then it would happen twice.",
)
class ScaledToTheEnvironment(DDPGAgent):
    def get_action(self, state):
        return np.float32(2.0) * super().get_action(state)


@mutant(
    "DDPGAgent.get_action",
    breaks=["action"],
    says="Your action is only the sign of the actor's output: full power one way or the other. "
    "The actor's own number is the action.",
)
class FullPowerOnly(DDPGAgent):
    def get_action(self, state):
        return np.sign(super().get_action(state))


@mutant(
    "DDPGAgent.get_action",
    breaks=["action"],
    says="Your action comes from the target actor, which lags behind. It is there for the "
    "critic's target; the agent acts by the online actor.",
)
class TargetActorActs(DDPGAgent):
    def get_action(self, state):
        with torch.no_grad():
            return self.actor_target(torch.as_tensor(state).unsqueeze(0)).squeeze(0).numpy()


@mutant(
    "DDPGAgent.get_action",
    breaks=["action", "plain"],
    says="Your action is another one at each call: there is noise in it. Noise is added outside, "
    "while training, so that the agent can be evaluated without it.",
)
class NoiseAdded(DDPGAgent):
    def get_action(self, state):
        noise = np.random.default_rng().normal(0, 0.1, self.actor.linear3.out_features)
        return np.clip(super().get_action(state) + noise, -1, 1).astype(np.float32)


@mutant(
    "DDPGAgent.get_action",
    breaks=["action", "plain"],
    says="Your function clips the state that it was given, in place. The action is then one for "
    "another state, and the memory stores the changed one.",
)
class StateClippedInPlace(DDPGAgent):
    def get_action(self, state):
        np.clip(state, -0.2, 0.2, out=state)
        return super().get_action(state)


@mutant(
    "DDPGAgent.get_action",
    breaks=["plain"],
    says="The actor is frozen after your action: its parameters no longer require "
    "a gradient, and it can never learn again. Switch gradients off for the moment, not for ever.",
)
class ActorFrozenByActing(DDPGAgent):
    def get_action(self, state):
        self.actor.requires_grad_(False)
        return super().get_action(state)


# --- update: which networks make the target ------------------------------------------------------


class InPieces(DDPGAgent):
    """A right agent whose update is in pieces."""

    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        losses = self.update_critic(batch), self.update_actor(batch)
        self.update_targets()
        return losses

    def update_critic(self, batch):
        targets = self.actor_target, self.critic_target
        return update_critic(batch, self.critic, self.critic_optimizer, *targets, self.gamma)

    def update_actor(self, batch):
        return update_actor(batch, self.actor, self.actor_optimizer, self.critic)

    def update_targets(self):
        soft_update(self.actor_target, self.actor, self.tau)
        soft_update(self.critic_target, self.critic, self.tau)

    def critic_loss(self, batch):
        return critic_loss(batch, self.critic, self.actor_target, self.critic_target, self.gamma)


@mutant(
    "DDPGAgent.update",
    breaks=["critic_loss"],
    says="The critic's target uses the online actor. It changes with every step, and the target "
    "with it; the Bellman target wants the target actor.",
)
class OnlineActorInTheTarget(InPieces):
    def update_critic(self, batch):
        networks = self.actor, self.critic_target
        return update_critic(batch, self.critic, self.critic_optimizer, *networks, self.gamma)


@mutant(
    "DDPGAgent.update",
    breaks=["critic_loss"],
    says="The critic's target uses the online critic. It then moves with every step that chases "
    "it; the Bellman target wants the target critic.",
)
class OnlineCriticInTheTarget(InPieces):
    def update_critic(self, batch):
        networks = self.actor_target, self.critic
        return update_critic(batch, self.critic, self.critic_optimizer, *networks, self.gamma)


@mutant(
    "DDPGAgent.update",
    breaks=["critic_loss"],
    says="The critic's target uses the online networks, so your two target networks have no part "
    "in anything. They are there to hold the target still.",
)
class OnlineNetworksInTheTarget(InPieces):
    def update_critic(self, batch):
        networks = self.actor, self.critic
        return update_critic(batch, self.critic, self.critic_optimizer, *networks, self.gamma)


@mutant(
    "DDPGAgent.update",
    breaks=["critic_loss"],
    says="Your critic learns with a gamma of 0.99, whatever the agent was made with. Look for a "
    "number that is written into the method.",
)
class GammaHardCoded(InPieces):
    def update_critic(self, batch):
        targets = self.actor_target, self.critic_target
        return update_critic(batch, self.critic, self.critic_optimizer, *targets, 0.99)


@mutant(
    "DDPGAgent.update",
    breaks=["critic_loss"],
    says="The critic's target bootstraps from terminal states too. Nothing follows a terminal "
    "state. Look at what becomes of the batch's terminated column on the way.",
)
class TerminalMaskLost(InPieces):
    def update_critic(self, batch):
        never = torch.zeros_like(batch.terminated)
        return super().update_critic(batch._replace(terminated=never))


# --- update: the critic's step -------------------------------------------------------------------


@mutant(
    "DDPGAgent.update",
    breaks=["critic_step"],
    says="Your update computes the critic's loss, but the critic never moves. Look for the "
    "backward pass and the step of its optimiser, and their order.",
)
class CriticStepMissing(InPieces):
    def update_critic(self, batch):
        return self.critic_loss(batch).item()


@mutant(
    "DDPGAgent.update",
    breaks=["critic_step"],
    says="Your critic takes two steps in one update. One update is one step of each network.",
)
class CriticSteppedTwice(InPieces):
    def update_critic(self, batch):
        loss = super().update_critic(batch)
        super().update_critic(batch)
        return loss


_CRITIC_GRADIENTS = (
    "Old gradients of the critic play a part in its step: nothing clears them before the backward "
    "pass, or the wrong optimiser does. The critic's are cleared by the critic's own optimiser."
)


@mutant(
    "DDPGAgent.update",
    breaks=["critic_step"],
    says=_CRITIC_GRADIENTS,
    family="critic_gradients_not_cleared",
)
class CriticZeroGradMissing(InPieces):
    def update_critic(self, batch):
        loss = self.critic_loss(batch)
        loss.backward()
        self.critic_optimizer.step()
        return loss.item()


@mutant(
    "DDPGAgent.update",
    breaks=["critic_step"],
    says=_CRITIC_GRADIENTS,
    family="critic_gradients_not_cleared",
)
class CriticZeroGradOfTheWrongOptimizer(InPieces):
    def update_critic(self, batch):
        loss = self.critic_loss(batch)
        self.actor_optimizer.zero_grad()
        loss.backward()
        self.critic_optimizer.step()
        return loss.item()


@mutant(
    "DDPGAgent.update",
    breaks=["critic_step"],
    says="The actor's step leaves gradients on the critic, and they get into the critic's next "
    "step: you clear the critic's gradients after its step, and what comes between is never "
    "cleared. Clear them right before the backward pass.",
)
class DirtyGradientsOfTheActorStep(InPieces):
    def update_critic(self, batch):
        loss = self.critic_loss(batch)
        loss.backward()
        self.critic_optimizer.step()
        self.critic_optimizer.zero_grad()
        return loss.item()

    def update_actor(self, batch):
        loss = actor_loss(batch, self.actor, self.critic)
        self.actor_optimizer.zero_grad()
        loss.backward()
        self.actor_optimizer.step()
        return loss.item()


@mutant(
    "DDPGAgent.update",
    breaks=["critic_step", "actor_loss", "actor_step"],
    says="Both losses are summed into one backward pass. The actor's loss then pulls the critic "
    "towards larger values, and the actor learns through the critic from before its step. Take "
    "the two steps one after the other.",
)
class LossesSummed(InPieces):
    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        losses = self.critic_loss(batch), actor_loss(batch, self.actor, self.critic)
        self.critic_optimizer.zero_grad()
        self.actor_optimizer.zero_grad()
        sum(losses).backward()
        self.critic_optimizer.step()
        self.actor_optimizer.step()
        self.update_targets()
        return losses[0].item(), losses[1].item()


# --- update: the actor's step --------------------------------------------------------------------


@mutant(
    "DDPGAgent.update",
    breaks=["actor_step"],
    says="Your update computes the actor's loss, but the actor never moves. Look for the backward "
    "pass and the step of its optimiser, and their order.",
)
class ActorStepMissing(InPieces):
    def update_actor(self, batch):
        return actor_loss(batch, self.actor, self.critic).item()


@mutant(
    "DDPGAgent.update",
    breaks=["critic_step", "actor_step"],
    says="The actor's loss is followed by a step of the critic's optimiser. The actor never moves, "
    "and the critic is pushed towards larger values. Each loss has its own optimiser.",
)
class ActorLossStepsTheCritic(InPieces):
    def update_actor(self, batch):
        loss = actor_loss(batch, self.actor, self.critic)
        self.critic_optimizer.zero_grad()
        loss.backward()
        self.critic_optimizer.step()
        return loss.item()


_ACTOR_GRADIENTS = (
    "Old gradients of the actor play a part in its step: nothing clears them before the backward "
    "pass, or the wrong optimiser does. The actor's are cleared by the actor's own optimiser."
)


@mutant(
    "DDPGAgent.update",
    breaks=["actor_step"],
    says=_ACTOR_GRADIENTS,
    family="actor_gradients_not_cleared",
)
class ActorZeroGradMissing(InPieces):
    def update_actor(self, batch):
        loss = actor_loss(batch, self.actor, self.critic)
        loss.backward()
        self.actor_optimizer.step()
        return loss.item()


@mutant(
    "DDPGAgent.update",
    breaks=["actor_step"],
    says=_ACTOR_GRADIENTS,
    family="actor_gradients_not_cleared",
)
class ActorZeroGradOfTheWrongOptimizer(InPieces):
    def update_actor(self, batch):
        loss = actor_loss(batch, self.actor, self.critic)
        self.critic_optimizer.zero_grad()
        loss.backward()
        self.actor_optimizer.step()
        return loss.item()


_OLD_CRITIC = (
    "The actor learns through the critic from before its step. In Algorithm 1 the critic learns "
    "first, and the actor asks the critic that has just learned. Look at the order of the two, "
    "and at where the actor's loss is computed."
)


@mutant(
    "DDPGAgent.update",
    breaks=["actor_loss", "actor_step"],
    says=_OLD_CRITIC,
    family="actor_through_the_old_critic",
)
class ActorSteppedFirst(InPieces):
    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        loss = self.update_actor(batch)
        losses = self.update_critic(batch), loss
        self.update_targets()
        return losses


@mutant(
    "DDPGAgent.update",
    breaks=["actor_loss", "actor_step"],
    says=_OLD_CRITIC,
    family="actor_through_the_old_critic",
)
class ActorGradientFromBefore(InPieces):
    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        loss = actor_loss(batch, self.actor, self.critic)
        self.actor_optimizer.zero_grad()
        loss.backward()
        losses = self.update_critic(batch), loss.item()
        self.actor_optimizer.step()
        self.update_targets()
        return losses


@mutant(
    "DDPGAgent.update",
    breaks=["actor_loss", "actor_step"],
    says="The actor learns through the target critic, which lags behind. The target networks are "
    "there for the critic's target alone.",
)
class ActorThroughTheTargetCritic(InPieces):
    def update_actor(self, batch):
        return update_actor(batch, self.actor, self.actor_optimizer, self.critic_target)


@mutant(
    "DDPGAgent.update",
    breaks=["actor_loss", "actor_step"],
    says="The actor's loss has the wrong sign. An optimiser makes a loss smaller; the actor shall "
    "make the value larger.",
)
class ActorSignMissing(InPieces):
    def update_actor(self, batch):
        loss = self.critic(batch.states, self.actor(batch.states)).mean()
        self.actor_optimizer.zero_grad()
        loss.backward()
        self.actor_optimizer.step()
        return loss.item()


@mutant(
    "DDPGAgent.update",
    breaks=["actor_loss", "actor_step"],
    says="The actor's step uses a second batch. Critic and actor learn from the same transitions "
    "in one update; draw once.",
)
class TwoBatches(InPieces):
    def update(self, batch_size):
        losses = (
            self.update_critic(self.memory.sample(batch_size)),
            self.update_actor(self.memory.sample(batch_size)),
        )
        self.update_targets()
        return losses


@mutant(
    "DDPGAgent.update",
    breaks=["critic_step", "actor_step"],
    says="After the first update the critic is frozen for ever: its gradients are switched off for "
    "the actor's step and not switched on again. The next update stops with an error.",
)
class CriticFrozenForEver(InPieces):
    def update_actor(self, batch):
        self.critic.requires_grad_(False)
        return super().update_actor(batch)


# --- update: what is returned --------------------------------------------------------------------


@mutant(
    "DDPGAgent.update",
    breaks=["critic_loss", "actor_loss"],
    says="Your two losses come in the wrong order: the critic's is first, the actor's second.",
)
class LossesSwapped(InPieces):
    def update(self, batch_size):
        return super().update(batch_size)[::-1]


_NOT_TWO_LOSSES = (
    "The networks move as they should, but your update does not return two losses. Return the "
    "critic's and the actor's, so that they can be plotted."
)


@mutant(
    "DDPGAgent.update",
    breaks=["critic_loss", "actor_loss"],
    says=_NOT_TWO_LOSSES,
    family="not_two_losses",
)
class ReturnsNothing(InPieces):
    def update(self, batch_size):
        super().update(batch_size)


@mutant(
    "DDPGAgent.update",
    breaks=["critic_loss", "actor_loss"],
    says=_NOT_TWO_LOSSES,
    family="not_two_losses",
)
class ReturnsTheCriticLossOnly(InPieces):
    def update(self, batch_size):
        return super().update(batch_size)[0]


# --- update: the targets -------------------------------------------------------------------------


@mutant(
    "DDPGAgent.update",
    breaks=["actor_target"],
    says="Only the critic's target moves. The actor's target keeps the policy of the first day, "
    "and the critic goes on judging that one.",
)
class ActorTargetForgotten(InPieces):
    def update_targets(self):
        soft_update(self.critic_target, self.critic, self.tau)


@mutant(
    "DDPGAgent.update",
    breaks=["critic_target"],
    says="Only the actor's target moves. The critic's target keeps the values of the first day, "
    "and nothing that is learned reaches further back.",
)
class CriticTargetForgotten(InPieces):
    def update_targets(self):
        soft_update(self.actor_target, self.actor, self.tau)


@mutant(
    "DDPGAgent.update",
    breaks=["actor_target", "critic_target"],
    says="Your targets never move. They would stay random for ever, and the critic would learn "
    "their guesses. Both follow at the end of each update.",
)
class TargetsForgotten(InPieces):
    def update_targets(self):
        pass


@mutant(
    "DDPGAgent.update",
    breaks=["actor_target", "critic_target"],
    says="Your targets move before the steps of this update, so they follow the online networks of "
    "one update ago. They move last.",
)
class TargetsMovedFirst(InPieces):
    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        self.update_targets()
        return self.update_critic(batch), self.update_actor(batch)


@mutant(
    "DDPGAgent.update",
    breaks=["actor_target"],
    says="Your targets move before the actor's step, so the actor's target follows the actor of "
    "one update ago. Both targets move last.",
)
class TargetsMovedBeforeTheActor(InPieces):
    def update(self, batch_size):
        batch = self.memory.sample(batch_size)
        critic_loss = self.update_critic(batch)
        self.update_targets()
        return critic_loss, self.update_actor(batch)


@mutant(
    "DDPGAgent.update",
    breaks=["actor_target", "critic_target"],
    says="Your targets become exact copies in each update, whatever tau is. Then they chase as "
    "fast as the networks they are to hold still for.",
)
class TauIgnored(InPieces):
    def update_targets(self):
        self.actor_target.load_state_dict(self.actor.state_dict())
        self.critic_target.load_state_dict(self.critic.state_dict())


@mutant(
    "DDPGAgent.update",
    breaks=["actor_target", "critic_target"],
    says="Your targets move with a tau of 0.005, whatever the agent was made with. Look for a "
    "number that is written into the method.",
)
class TauHardCoded(InPieces):
    def update_targets(self):
        soft_update(self.actor_target, self.actor, 0.005)
        soft_update(self.critic_target, self.critic, 0.005)


@mutant(
    "DDPGAgent.update",
    breaks=["actor_target", "critic_target"],
    says="Your targets move with 1 - tau instead of tau. With a small tau they would jump almost "
    "all the way at once.",
)
class TauSwapped(InPieces):
    def update_targets(self):
        soft_update(self.actor_target, self.actor, 1 - self.tau)
        soft_update(self.critic_target, self.critic, 1 - self.tau)


@mutant(
    "DDPGAgent.update",
    breaks=["actor_target", "critic_target"],
    says="Your targets move twice in one update. One update moves them once, a fraction tau.",
)
class TargetsMovedTwice(InPieces):
    def update_targets(self):
        super().update_targets()
        super().update_targets()


@mutant(
    "DDPGAgent.update",
    breaks=["actor_target", "critic_target"],
    says="The online networks are moved towards their targets. That undoes what was learned, and "
    "the targets stay where they were. Look at the order of the arguments.",
)
class OnlineNetworksMovedInstead(InPieces):
    def update_targets(self):
        soft_update(self.actor, self.actor_target, self.tau)
        soft_update(self.critic, self.critic_target, self.tau)


@mutant(
    "DDPGAgent.update",
    breaks=["actor_target", "critic_target"],
    says="After your update the target networks are the online networks themselves, under another "
    "name. Whatever moves one moves the other. Copy numbers, not networks.",
)
class TargetsRebound(InPieces):
    def update_targets(self):
        self.actor_target = self.actor
        self.critic_target = self.critic


@mutant(
    "DDPGAgent.update",
    breaks=["actor_target", "critic_target"],
    says="Your targets do not start as copies: they have random numbers of their own. The critic "
    "would first learn their guesses.",
)
class TargetsNotEqualAtTheStart(InPieces):
    def __init__(self, env, hidden_size=256, *arguments, **settings):
        super().__init__(env, hidden_size, *arguments, **settings)
        sizes = env.observation_space.shape[0], env.action_space.shape[0], hidden_size
        self.actor_target = make_target(Actor(*sizes))
        self.critic_target = make_target(Critic(*sizes))


@mutant(
    "DDPGAgent.update",
    breaks=["critic_target"],
    says="Your target critic is trained: it requires a gradient, is among the critic's optimiser's "
    "parameters, and the target is not cut from the graph. A target only follows, by soft "
    "updates.",
)
class TargetCriticIsTrained(InPieces):
    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.critic_target = copy.deepcopy(self.critic)
        self.critic_optimizer.add_param_group({"params": self.critic_target.parameters()})

    def update_critic(self, batch):
        next_values = self.critic_target(batch.next_states, self.actor_target(batch.next_states))
        targets = batch.rewards + self.gamma * (1 - batch.terminated) * next_values
        loss = (self.critic(batch.states, batch.actions) - targets).square().mean()
        self.critic_optimizer.zero_grad()
        loss.backward()
        self.critic_optimizer.step()
        return loss.item()
