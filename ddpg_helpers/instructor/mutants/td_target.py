"""Wrong Bellman targets."""

import torch

from ddpg_helpers.instructor.mutants.registry import mutant


def _next_values(batch, actor, critic):
    with torch.no_grad():
        return critic(batch.next_states, actor(batch.next_states))


# --- the terminal mask ---------------------------------------------------------------------------


@mutant(
    "td_target",
    breaks=["mask"],
    says="Your target bootstraps from terminal states too. Nothing follows a terminal state, so "
    "its value is 0 and the target there is the reward alone. Look at the terminated column.",
)
def terminal_mask_missing(batch, actor_target, critic_target, gamma):
    return batch.rewards + gamma * _next_values(batch, actor_target, critic_target)


@mutant(
    "td_target",
    breaks=["mask", "bootstrap"],
    says="Your terminal mask is the wrong way round: the target bootstraps where the episode "
    "ended and nowhere else. terminated is 1 where there is no next value to add.",
)
def terminal_mask_inverted(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target)
    return batch.rewards + gamma * batch.terminated * next_values


@mutant(
    "td_target",
    breaks=["mask", "bootstrap"],
    says="Your terminal mask is added to the next value. Adding shifts the value but never takes "
    "it away; a mask has to make it 0. Look at how the mask and the next value are combined.",
)
def terminal_mask_added(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target)
    return batch.rewards + gamma * (1 - batch.terminated + next_values)


@mutant(
    "td_target",
    breaks=["mask"],
    says="One terminal transition switches off the next values of the whole batch. Each transition "
    "has its own flag; keep the mask at shape [N, 1].",
)
def terminal_mask_for_all(batch, actor_target, critic_target, gamma):
    goes_on = 1 - batch.terminated.max()
    next_values = critic_target(batch.next_states, actor_target(batch.next_states))
    return batch.rewards + gamma * goes_on * next_values


@mutant(
    "td_target",
    breaks=["mask"],
    says="Your terminal mask takes the reward away too. The reward of the last transition was "
    "received; only what would follow it is missing. Look at what the mask multiplies.",
)
def terminal_mask_on_the_reward_too(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target)
    return (1 - batch.terminated) * (batch.rewards + gamma * next_values)


@mutant(
    "td_target",
    breaks=["mask"],
    says="Your terminal mask multiplies the reward instead of the next value. The reward of the "
    "last transition was received; the value after it does not exist.",
)
def terminal_mask_on_the_reward_only(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target)
    return (1 - batch.terminated) * batch.rewards + gamma * next_values


# --- gamma and the reward ------------------------------------------------------------------------


@mutant(
    "td_target",
    breaks=["bootstrap"],
    says="gamma is missing from your target. Without it a value far in the future counts as much "
    "as one now, and the values can grow without bound. Look at the factor of the next value.",
)
def gamma_missing(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target)
    return batch.rewards + (1 - batch.terminated) * next_values


@mutant(
    "td_target",
    breaks=["bootstrap"],
    says="gamma is applied twice to the next value. The next state is one step ahead, so its value "
    "is discounted once.",
)
def gamma_squared(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target)
    return batch.rewards + gamma**2 * (1 - batch.terminated) * next_values


@mutant(
    "td_target",
    breaks=["mask", "bootstrap"],
    says="gamma multiplies the reward too. The reward comes with this very step and is not "
    "discounted; only what comes after it is. Look at your brackets.",
)
def gamma_on_the_reward_too(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target)
    return gamma * (batch.rewards + (1 - batch.terminated) * next_values)


@mutant(
    "td_target",
    breaks=["mask", "bootstrap"],
    says="gamma multiplies the reward instead of the next value. The reward comes now and counts "
    "in full; the value lies one step ahead and is discounted.",
)
def gamma_on_the_reward_only(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target)
    return gamma * batch.rewards + (1 - batch.terminated) * next_values


@mutant(
    "td_target",
    breaks=["mask", "bootstrap"],
    says="The reward is missing from your target. Without it the critic learns from its own "
    "guesses alone and never hears what the environment pays.",
)
def reward_missing(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target)
    return gamma * (1 - batch.terminated) * next_values


@mutant(
    "td_target",
    breaks=["bootstrap"],
    says="Your target subtracts the next value. The return is the reward now plus what is still "
    "to come. Look at the sign of the second term.",
)
def next_value_subtracted(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target)
    return batch.rewards - gamma * (1 - batch.terminated) * next_values


# --- states and actions --------------------------------------------------------------------------


@mutant(
    "td_target",
    breaks=["bootstrap"],
    says="Your target takes the next value at s instead of s'. The target looks one step ahead: "
    "both the action and the value belong to the next state.",
)
def state_instead_of_next_state(batch, actor_target, critic_target, gamma):
    with torch.no_grad():
        values = critic_target(batch.states, actor_target(batch.states))
    return batch.rewards + gamma * (1 - batch.terminated) * values


@mutant(
    "td_target",
    breaks=["bootstrap"],
    says="Your target asks the target actor for its action in s instead of s'. The value at s' "
    "needs the action that would be taken there.",
)
def next_action_chosen_in_the_state(batch, actor_target, critic_target, gamma):
    with torch.no_grad():
        next_values = critic_target(batch.next_states, actor_target(batch.states))
    return batch.rewards + gamma * (1 - batch.terminated) * next_values


@mutant(
    "td_target",
    breaks=["bootstrap"],
    says="Your target values the next action in s instead of s'. State and action have to belong "
    "together, and both lie one step ahead.",
)
def next_action_valued_in_the_state(batch, actor_target, critic_target, gamma):
    with torch.no_grad():
        values = critic_target(batch.states, actor_target(batch.next_states))
    return batch.rewards + gamma * (1 - batch.terminated) * values


@mutant(
    "td_target",
    breaks=["bootstrap"],
    says="Your target uses the action from the batch at s'. That action was taken in s; what would "
    "be done in s' is for the target actor to say.",
)
def buffer_action_in_the_next_state(batch, actor_target, critic_target, gamma):
    with torch.no_grad():
        next_values = critic_target(batch.next_states, batch.actions)
    return batch.rewards + gamma * (1 - batch.terminated) * next_values


@mutant(
    "td_target",
    breaks=["bootstrap"],
    says="Every row of your target has the largest next value of the whole batch. The maximum in "
    "Q-learning runs over actions, and here the target actor takes its place. Each transition "
    "keeps its own next value.",
)
def largest_next_value_of_the_batch(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target).max()
    return batch.rewards + gamma * (1 - batch.terminated) * next_values


# --- shapes --------------------------------------------------------------------------------------


@mutant(
    "td_target",
    breaks=["shape"],
    says="Your target is flat: its shape is [N]. Subtracted from "
    "the critic's column [N, 1] it would give [N, N]. Keep the last dimension.",
)
def target_flat(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target)
    return (batch.rewards + gamma * (1 - batch.terminated) * next_values).squeeze(1)


@mutant(
    "td_target",
    breaks=["shape", "mask", "bootstrap"],
    says="Your target has shape [N, N]: a column [N, 1] and a flat [N] were combined, and every "
    "row met every other. The rewards are the flat ones. Keep each tensor at shape [N, 1].",
)
def flat_rewards_broadcast(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target)
    return batch.rewards.squeeze(1) + gamma * (1 - batch.terminated) * next_values


@mutant(
    "td_target",
    breaks=["shape", "mask", "bootstrap"],
    says="Your target has shape [N, N]: a column [N, 1] and a flat [N] were combined, and every "
    "row met every other. The next values are the flat ones. Keep each tensor at shape [N, 1].",
)
def flat_next_values_broadcast(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target).squeeze(1)
    return batch.rewards + gamma * (1 - batch.terminated) * next_values


@mutant(
    "td_target",
    breaks=["shape", "mask", "bootstrap"],
    says="Your target is one number for the whole batch. The mean is taken later, of the squared "
    "errors; here each transition needs its own target.",
)
def target_averaged(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target)
    return (batch.rewards + gamma * (1 - batch.terminated) * next_values).mean()


@mutant(
    "td_target",
    breaks=["bootstrap"],
    says="Your target is written into the batch's rewards. Whoever uses the "
    "batch next finds other rewards there. Look for an operation that works in place.",
)
def rewards_overwritten(batch, actor_target, critic_target, gamma):
    next_values = _next_values(batch, actor_target, critic_target)
    return batch.rewards.add_(gamma * (1 - batch.terminated) * next_values)
