"""Wrong steps of the actor."""

import torch

from ddpg_helpers.instructor.mutants.registry import mutant
from ddpg_helpers.instructor.reference.updates import actor_loss

# --- the actor never moves -----------------------------------------------------------------------

_NOTHING_SHOWN = ["step", "second_step", "critic_unchanged"]
_NEVER_MOVES = (
    "Your actor never moves. Either the step of the optimiser or the backward pass is missing, or "
    "the gradients are cleared between the two, or the step comes before the backward pass, or the "
    "actions are cut from the graph so that no gradient reaches the actor. Look at the order "
    "first, then at the chain from the loss back to the actor."
)


@mutant("update_actor", breaks=_NOTHING_SHOWN, says=_NEVER_MOVES, family="actor_never_moves")
def step_missing(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    loss.backward()
    return loss.item()


@mutant("update_actor", breaks=_NOTHING_SHOWN, says=_NEVER_MOVES, family="actor_never_moves")
def zero_grad_after_backward(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    loss.backward()
    actor_optimizer.zero_grad()
    actor_optimizer.step()
    return loss.item()


@mutant("update_actor", breaks=_NOTHING_SHOWN, says=_NEVER_MOVES, family="actor_never_moves")
def backward_missing(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    actor_optimizer.step()
    return loss.item()


@mutant("update_actor", breaks=_NOTHING_SHOWN, says=_NEVER_MOVES, family="actor_never_moves")
def step_before_backward(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    actor_optimizer.step()
    loss.backward()
    return loss.item()


@mutant("update_actor", breaks=_NOTHING_SHOWN, says=_NEVER_MOVES, family="actor_never_moves")
def actions_detached(batch, actor, actor_optimizer, critic):
    loss = -critic(batch.states, actor(batch.states).detach()).mean()
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()
    return loss.item()


@mutant(
    "update_actor",
    breaks=_NOTHING_SHOWN,
    says="Your step uses the gradients of the call before: it comes first, and the backward pass "
    "for this batch comes after it. The first call moves nothing. Look at the order.",
)
def step_one_call_late(batch, actor, actor_optimizer, critic):
    actor_optimizer.step()
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    loss.backward()
    return loss.item()


@mutant(
    "update_actor",
    breaks=["returned", *_NOTHING_SHOWN],
    says="Your step values the actions from the batch. They do not depend on the actor, so no "
    "gradient reaches it and it never moves. Ask the actor for its own action.",
)
def buffer_action(batch, actor, actor_optimizer, critic):
    loss = -critic(batch.states, batch.actions).mean()
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()
    return loss.item()


# --- old gradients -------------------------------------------------------------------------------

_OLD_GRADIENTS = (
    "Old gradients of the actor play a part in your step: they are never cleared, so each backward "
    "pass adds to all the ones before it. Look for what clears them, whether it is really called, "
    "and on what."
)


@mutant(
    "update_actor", breaks=["second_step"], says=_OLD_GRADIENTS, family="gradients_not_cleared"
)
def zero_grad_missing(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    loss.backward()
    actor_optimizer.step()
    return loss.item()


@mutant(
    "update_actor", breaks=["second_step"], says=_OLD_GRADIENTS, family="gradients_not_cleared"
)
def zero_grad_of_the_critic(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    critic.zero_grad()
    loss.backward()
    actor_optimizer.step()
    return loss.item()


@mutant(
    "update_actor",
    breaks=["second_step"],
    says="Your gradients are cleared at the end of the call only. What others left on the actor "
    "before it still gets into your step. Clear them before the backward pass.",
)
def zero_grad_at_the_end(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    loss.backward()
    actor_optimizer.step()
    actor_optimizer.zero_grad()
    return loss.item()


# --- the step itself -----------------------------------------------------------------------------


@mutant(
    "update_actor",
    breaks=["step"],
    says="Your actor steps the wrong way: the value of its actions falls. The optimiser makes the "
    "loss smaller by itself; give it the loss as it is.",
)
def gradient_ascent_on_the_loss(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    (-loss).backward()
    actor_optimizer.step()
    return loss.item()


@mutant(
    "update_actor",
    breaks=["step"],
    says="Your gradients are clipped before the step. Clipping is a choice that some "
    "implementations make; here the plain step of the optimiser is asked for.",
)
def gradient_clipped(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(actor.parameters(), 0.1)
    actor_optimizer.step()
    return loss.item()


@mutant(
    "update_actor",
    breaks=["returned", "step"],
    says="The loss inside your step has the wrong sign. An optimiser makes a loss smaller; the "
    "actor shall make the value larger. With this sign it learns the worst actions it can find.",
)
def sign_missing(batch, actor, actor_optimizer, critic):
    loss = critic(batch.states, actor(batch.states)).mean()
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()
    return loss.item()


@mutant(
    "update_actor",
    breaks=["returned", "step"],
    says="The loss inside your step looks at the next states. The actor is improved in the states "
    "of the batch.",
)
def next_states_instead_of_states(batch, actor, actor_optimizer, critic):
    loss = -critic(batch.next_states, actor(batch.next_states)).mean()
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()
    return loss.item()


@mutant(
    "update_actor",
    breaks=["step"],
    says="Your actor takes two steps of its optimiser in one call. One call is one step, so that "
    "the learning rate means what it says.",
)
def two_steps(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()
    actor_optimizer.step()
    return loss.item()


@mutant(
    "update_actor",
    breaks=["step"],
    says="Your step is written by hand and does not use the optimiser that was passed in, so its "
    "learning rate and its memory of earlier gradients are lost.",
)
def step_by_hand(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    actor.zero_grad()
    loss.backward()
    with torch.no_grad():
        for parameter in actor.parameters():
            parameter -= 1e-3 * parameter.grad
    return loss.item()


@mutant(
    "update_actor",
    breaks=["step"],
    says="Your function makes an optimiser of its own at each call. Adam remembers earlier "
    "gradients, and a new one has nothing to remember. Use the one that is passed in.",
)
def optimizer_made_anew(batch, actor, actor_optimizer, critic):
    own = torch.optim.Adam(actor.parameters(), lr=actor_optimizer.param_groups[0]["lr"])
    loss = actor_loss(batch, actor, critic)
    own.zero_grad()
    loss.backward()
    own.step()
    return loss.item()


# --- what is returned ----------------------------------------------------------------------------


@mutant(
    "update_actor",
    breaks=["returned"],
    says="The loss that you return is computed again, after the step. Return the "
    "loss that the step was taken on.",
)
def returns_the_loss_after_the_step(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()
    return actor_loss(batch, actor, critic).item()


@mutant(
    "update_actor",
    breaks=["returned"],
    says="Your function returns nothing. Return the loss from before the "
    "step, so that it can be plotted.",
)
def returns_nothing(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()


@mutant(
    "update_actor",
    breaks=["returned"],
    says="You return the mean value, not the loss: the sign is the other "
    "one.",
)
def returns_the_value(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()
    return -loss.item()


@mutant(
    "update_actor",
    breaks=["returned"],
    says="The loss inside your step is a sum over the batch, not a mean. Adam hides the scale in "
    "its first step; a plain gradient step grows with the batch.",
)
def loss_summed(batch, actor, actor_optimizer, critic):
    loss = -critic(batch.states, actor(batch.states)).sum()
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()
    return loss.item()


# --- the critic ----------------------------------------------------------------------------------


@mutant(
    "update_actor",
    breaks=["critic_unchanged"],
    says="Your step leaves the critic frozen: its parameters no longer require a gradient, so it "
    "can never learn again. If you freeze it for the actor's step, put it back afterwards.",
)
def critic_frozen_for_ever(batch, actor, actor_optimizer, critic):
    critic.requires_grad_(False)
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    loss.backward()
    actor_optimizer.step()
    return loss.item()


_CRITIC_MOVED = (
    "Your step moves the critic too, towards larger values. It would learn to flatter the actor "
    "instead of judging it. Only the actor's parameters take part in this step."
)


@mutant(
    "update_actor",
    breaks=["critic_unchanged"],
    says=_CRITIC_MOVED,
)
def critic_moved_too(batch, actor, actor_optimizer, critic):
    loss = -critic(batch.states, actor(batch.states)).mean()
    actor_optimizer.zero_grad()
    critic.zero_grad()
    loss.backward()
    actor_optimizer.step()
    torch.optim.SGD(critic.parameters(), lr=1e-2).step()
    return loss.item()


@mutant(
    "update_actor",
    breaks=["critic_unchanged"],
    says=_CRITIC_MOVED,
    family="critic_moved_too",
)
def critic_moved_through_the_loss(batch, actor, actor_optimizer, critic):
    loss = actor_loss(batch, actor, critic)
    actor_optimizer.zero_grad()
    critic.zero_grad()
    loss.backward()
    actor_optimizer.step()
    torch.optim.SGD(critic.parameters(), lr=1e-2).step()
    return loss.item()
