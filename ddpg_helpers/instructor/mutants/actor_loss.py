"""Wrong losses of the actor."""

import torch
import torch.nn.functional as F

from ddpg_helpers.instructor.mutants.registry import mutant


@mutant(
    "actor_loss",
    breaks=["value", "gradient"],
    says="Your loss has the wrong sign. An optimiser makes a loss smaller; the actor shall make "
    "the value larger. With this sign it learns the worst actions it can find.",
)
def sign_missing(batch, actor, critic):
    return critic(batch.states, actor(batch.states)).mean()


@mutant(
    "actor_loss",
    breaks=["value"],
    says="Your loss is a sum over the batch, not a mean. A sum grows with the batch, and the size "
    "of a plain gradient step with it.",
)
def loss_summed(batch, actor, critic):
    return -critic(batch.states, actor(batch.states)).sum()


@mutant(
    "actor_loss",
    breaks=["value"],
    says="Your loss is divided by the batch size twice. A mean has divided by it already.",
)
def batch_size_divided_twice(batch, actor, critic):
    return -critic(batch.states, actor(batch.states)).mean() / len(batch.states)


@mutant(
    "actor_loss",
    breaks=["value"],
    says="Your loss has one number for each transition. An optimiser can only make one number "
    "smaller: the mean over the batch.",
)
def loss_not_averaged(batch, actor, critic):
    return -critic(batch.states, actor(batch.states))


@mutant(
    "actor_loss",
    breaks=["value", "gradient"],
    says="Your loss values the actions from the batch. They were taken by an older policy with "
    "noise and do not depend on the actor, so it gets no gradient. Ask the actor for its own "
    "action.",
)
def buffer_action(batch, actor, critic):
    return -critic(batch.states, batch.actions).mean()


_CUT = (
    "Your loss has no gradient for the actor, so the actor can never "
    "learn from it. Either the actor's actions were detached, or something was computed without "
    "gradients, or the loss was turned into a plain number. The chain has to run from the loss "
    "through the critic to the actor."
)


@mutant("actor_loss", breaks=["gradient"], says=_CUT, family="graph_cut")
def actions_detached(batch, actor, critic):
    return -critic(batch.states, actor(batch.states).detach()).mean()


@mutant("actor_loss", breaks=["gradient"], says=_CUT, family="graph_cut")
def critic_without_gradients(batch, actor, critic):
    with torch.no_grad():
        values = critic(batch.states, actor(batch.states))
    return -values.mean()


@mutant("actor_loss", breaks=["gradient"], says=_CUT, family="graph_cut")
def returned_as_a_float(batch, actor, critic):
    return -critic(batch.states, actor(batch.states)).mean().item()


@mutant(
    "actor_loss",
    breaks=["value", "gradient"],
    says="Your loss looks at the next states. That belongs to the critic's target; the actor is "
    "improved in the states of the batch.",
)
def next_states_instead_of_states(batch, actor, critic):
    return -critic(batch.next_states, actor(batch.next_states)).mean()


@mutant(
    "actor_loss",
    breaks=["value", "gradient"],
    says="Your loss values the actor's action for s in the next state. State and action have to "
    "belong together.",
)
def valued_in_the_next_state(batch, actor, critic):
    return -critic(batch.next_states, actor(batch.states)).mean()


@mutant(
    "actor_loss",
    breaks=["value", "gradient"],
    says="Your loss values the actor's action for s' in s. State and action have to belong "
    "together.",
)
def action_of_the_next_state(batch, actor, critic):
    return -critic(batch.states, actor(batch.next_states)).mean()


@mutant(
    "actor_loss",
    breaks=["value", "gradient"],
    says="Your loss squares the values. The actor shall make the value large, not bring it to or "
    "away from 0: there is no target here, and no error to square.",
)
def values_squared(batch, actor, critic):
    return critic(batch.states, actor(batch.states)).square().mean()


@mutant(
    "actor_loss",
    breaks=["value", "gradient"],
    says="Your loss looks at the best transition of the batch alone. The actor shall do well in "
    "every state, so all of them count equally.",
)
def best_transition_only(batch, actor, critic):
    return -critic(batch.states, actor(batch.states)).max()


@mutant(
    "actor_loss",
    breaks=["value", "gradient"],
    says="Your loss pulls the actor towards the actions in the batch. That imitates what was done, "
    "good or bad; the critic, who knows better, is not asked.",
)
def imitates_the_batch(batch, actor, critic):
    return F.mse_loss(actor(batch.states), batch.actions)


@mutant(
    "actor_loss",
    breaks=["value", "gradient"],
    says="Your loss averages the actions before the critic sees them. One mean action for all "
    "states is not what the policy does. Average the values, at the end.",
)
def actions_averaged_first(batch, actor, critic):
    actions = actor(batch.states)
    return -critic(batch.states, actions.mean(dim=0, keepdim=True).expand_as(actions)).mean()
