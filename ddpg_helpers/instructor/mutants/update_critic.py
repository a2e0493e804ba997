"""Wrong steps of the critic."""

import torch
import torch.nn.functional as F

from ddpg_helpers.instructor.mutants.registry import mutant
from ddpg_helpers.instructor.reference.updates import critic_loss, td_target

# --- the critic never moves ----------------------------------------------------------------------

_NOTHING_SHOWN = ["step", "second_step", "only_the_critic"]
_NEVER_MOVES = (
    "Your critic never moves. Either the step of the optimiser or the backward pass is missing, "
    "or the gradients are cleared between the two, or the step comes before the backward pass. "
    "Look at the order of clearing, backward pass and step."
)


@mutant("update_critic", breaks=_NOTHING_SHOWN, says=_NEVER_MOVES, family="critic_never_moves")
def step_missing(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    loss.backward()
    return loss.item()


@mutant("update_critic", breaks=_NOTHING_SHOWN, says=_NEVER_MOVES, family="critic_never_moves")
def zero_grad_after_backward(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    loss.backward()
    critic_optimizer.zero_grad()
    critic_optimizer.step()
    return loss.item()


@mutant("update_critic", breaks=_NOTHING_SHOWN, says=_NEVER_MOVES, family="critic_never_moves")
def backward_missing(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    critic_optimizer.step()
    return loss.item()


@mutant("update_critic", breaks=_NOTHING_SHOWN, says=_NEVER_MOVES, family="critic_never_moves")
def step_before_backward(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    critic_optimizer.step()
    loss.backward()
    return loss.item()


@mutant(
    "update_critic",
    breaks=_NOTHING_SHOWN,
    says="Your step uses the gradients of the call before: it comes first, and the backward pass "
    "for this batch comes after it. The first call moves nothing. Look at the order.",
)
def step_one_call_late(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    critic_optimizer.step()
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    loss.backward()
    return loss.item()


@mutant(
    "update_critic",
    breaks=["returned", "step", "second_step", "only_the_critic"],
    says="The loss was cut from the graph before the backward pass, so there is nothing to go back "
    "through. Detach it, if at all, only for the number that you return.",
)
def loss_cut_from_the_graph(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma).detach()
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    return loss.item()


# --- old gradients -------------------------------------------------------------------------------

_OLD_GRADIENTS = (
    "Old gradients of the critic play a part in your step: they are never cleared, so each "
    "backward pass adds to all the ones before it. Look for what clears them, whether it is "
    "really called, and on what."
)


@mutant(
    "update_critic", breaks=["second_step"], says=_OLD_GRADIENTS, family="gradients_not_cleared"
)
def zero_grad_missing(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    loss.backward()
    critic_optimizer.step()
    return loss.item()


@mutant(
    "update_critic", breaks=["second_step"], says=_OLD_GRADIENTS, family="gradients_not_cleared"
)
def zero_grad_of_the_target(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_target.zero_grad()
    loss.backward()
    critic_optimizer.step()
    return loss.item()


@mutant(
    "update_critic", breaks=["second_step"], says=_OLD_GRADIENTS, family="gradients_not_cleared"
)
def zero_grad_not_called(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad  # noqa: B018
    loss.backward()
    critic_optimizer.step()
    return loss.item()


@mutant(
    "update_critic",
    breaks=["second_step"],
    says="Your gradients are cleared at the end of the call only. What others left on the critic "
    "before it, such as the actor's step, still gets into your step. Clear them before the "
    "backward pass.",
)
def zero_grad_at_the_end(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    loss.backward()
    critic_optimizer.step()
    critic_optimizer.zero_grad()
    return loss.item()


# --- the step itself -----------------------------------------------------------------------------


@mutant(
    "update_critic",
    breaks=["step"],
    says="Your critic steps uphill: its loss grows. The optimiser goes down by itself; give it the "
    "loss as it is.",
)
def gradient_ascent(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    (-loss).backward()
    critic_optimizer.step()
    return loss.item()


@mutant(
    "update_critic",
    breaks=["step"],
    says="Your critic takes two steps of its optimiser in one call. One call is one step, so that "
    "the learning rate means what it says.",
)
def two_steps(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    critic_optimizer.step()
    return loss.item()


@mutant(
    "update_critic",
    breaks=["step"],
    says="Your step is written by hand and does not use the optimiser that was passed in, so its "
    "learning rate and its memory of earlier gradients are lost.",
)
def step_by_hand(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic.zero_grad()
    loss.backward()
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter -= 1e-3 * parameter.grad
    return loss.item()


@mutant(
    "update_critic",
    breaks=["step"],
    says="Your function makes an optimiser of its own at each call. Adam remembers earlier "
    "gradients, and a new one has nothing to remember. Use the one that is passed in.",
)
def optimizer_made_anew(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    own = torch.optim.Adam(critic.parameters(), lr=critic_optimizer.param_groups[0]["lr"])
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    own.zero_grad()
    loss.backward()
    own.step()
    return loss.item()


@mutant(
    "update_critic",
    breaks=["step"],
    says="Your gradients are clipped before the step. Clipping is a choice that some "
    "implementations make; here the plain step of the optimiser is asked for.",
)
def gradient_clipped(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(critic.parameters(), 1.0)
    critic_optimizer.step()
    return loss.item()


# --- what is returned ----------------------------------------------------------------------------


@mutant(
    "update_critic",
    breaks=["returned"],
    says="The loss that you return is computed again, after the step. Return the "
    "loss that the step was taken on.",
)
def returns_the_loss_after_the_step(
    batch, critic, critic_optimizer, actor_target, critic_target, gamma
):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    return critic_loss(batch, critic, actor_target, critic_target, gamma).item()


@mutant(
    "update_critic",
    breaks=["returned"],
    says="Your function returns nothing. Return the loss from before the "
    "step, so that it can be plotted.",
)
def returns_nothing(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()


@mutant(
    "update_critic",
    breaks=["returned"],
    says="The loss inside your step is a sum over the batch, not a mean. Adam hides the scale in "
    "its first step; a plain gradient step grows with the batch.",
)
def loss_summed(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    targets = td_target(batch, actor_target, critic_target, gamma)
    loss = F.mse_loss(critic(batch.states, batch.actions), targets, reduction="sum")
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    return loss.item()


@mutant(
    "update_critic",
    breaks=["returned"],
    says="The target inside your step uses the online critic. It then moves with every step that "
    "chases it. Look at which networks you pass on.",
)
def online_critic_in_the_target(
    batch, critic, critic_optimizer, actor_target, critic_target, gamma
):
    loss = critic_loss(batch, critic, actor_target, critic, gamma)
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    return loss.item()


@mutant(
    "update_critic",
    breaks=["returned"],
    says="The target inside your step bootstraps from terminal states too. Nothing follows a "
    "terminal state, so the target there is the reward alone. Look at the terminated column.",
)
def terminal_mask_missing(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    with torch.no_grad():
        next_values = critic_target(batch.next_states, actor_target(batch.next_states))
    targets = batch.rewards + gamma * next_values
    loss = F.mse_loss(critic(batch.states, batch.actions), targets)
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    return loss.item()


# --- other networks ------------------------------------------------------------------------------


@mutant(
    "update_critic",
    breaks=["only_the_critic"],
    says="Your step moves the target critic too. The targets follow later, slowly, in an update of "
    "their own; during the critic's step they stand still.",
)
def target_critic_moved_too(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    critic_target.load_state_dict(critic.state_dict())
    return loss.item()


@mutant(
    "update_critic",
    breaks=["only_the_critic"],
    says="After your step the critic no longer requires a gradient, so it can never learn again. "
    "Look for what switches its parameters off.",
)
def critic_frozen_afterwards(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    loss = critic_loss(batch, critic, actor_target, critic_target, gamma)
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    critic.requires_grad_(False)
    return loss.item()
