"""Wrong losses of the critic."""

import torch
import torch.nn.functional as F

from ddpg_helpers.instructor.mutants.registry import mutant
from ddpg_helpers.instructor.reference.updates import td_target


def _errors(batch, critic, actor_target, critic_target, gamma):
    targets = td_target(batch, actor_target, critic_target, gamma)
    return critic(batch.states, batch.actions) - targets


# --- what is made of the TD errors ---------------------------------------------------------------


@mutant(
    "critic_loss",
    breaks=["value"],
    says="Your loss is the sum of the squared errors, not their mean. A sum grows with the batch, "
    "and the size of a plain gradient step with it.",
)
def loss_summed(batch, critic, actor_target, critic_target, gamma):
    return _errors(batch, critic, actor_target, critic_target, gamma).square().sum()


@mutant(
    "critic_loss",
    breaks=["value"],
    says="Your loss is divided by the batch size twice. A mean has divided by it already.",
)
def batch_size_divided_twice(batch, critic, actor_target, critic_target, gamma):
    errors = _errors(batch, critic, actor_target, critic_target, gamma)
    return errors.square().mean() / len(errors)


@mutant(
    "critic_loss",
    breaks=["value"],
    says="Your loss is the mean of the TD errors, not of their squares. Errors above and below "
    "cancel in it, and it falls without end as the critic's values fall.",
)
def errors_not_squared(batch, critic, actor_target, critic_target, gamma):
    return _errors(batch, critic, actor_target, critic_target, gamma).mean()


@mutant(
    "critic_loss",
    breaks=["value"],
    says="Your loss is the mean of the absolute errors. It leads to the median of the targets; "
    "a value is an expectation, and that is what squares lead to.",
)
def errors_absolute(batch, critic, actor_target, critic_target, gamma):
    return _errors(batch, critic, actor_target, critic_target, gamma).abs().mean()


@mutant(
    "critic_loss",
    breaks=["value"],
    says="Your loss is half of what is asked for. Some texts put a half in front of the squared "
    "error; here the loss is the mean squared error itself.",
)
def loss_halved(batch, critic, actor_target, critic_target, gamma):
    return 0.5 * _errors(batch, critic, actor_target, critic_target, gamma).square().mean()


@mutant(
    "critic_loss",
    breaks=["value"],
    says="Your loss is the root of the mean squared error. The root changes how long each step is "
    "and has no slope at 0. Stop before it.",
)
def root_of_the_loss(batch, critic, actor_target, critic_target, gamma):
    return _errors(batch, critic, actor_target, critic_target, gamma).square().mean().sqrt()


@mutant(
    "critic_loss",
    breaks=["value"],
    says="Your loss averages the TD errors before it squares them. Errors above and below then "
    "cancel, and a critic that is wrong everywhere can look perfect. Look at the order.",
)
def averaged_before_squared(batch, critic, actor_target, critic_target, gamma):
    return _errors(batch, critic, actor_target, critic_target, gamma).mean().square()


@mutant(
    "critic_loss",
    breaks=["value"],
    says="Your loss is the smooth L1 (Huber) loss. It treats large errors as absolute ones; here "
    "the plain mean squared error is asked for.",
)
def huber_loss(batch, critic, actor_target, critic_target, gamma):
    errors = _errors(batch, critic, actor_target, critic_target, gamma)
    return F.smooth_l1_loss(errors, torch.zeros_like(errors))


@mutant(
    "critic_loss",
    breaks=["value", "gradient"],
    says="Your loss has the wrong sign: making it smaller makes the errors larger. The critic is "
    "fitted to its targets, so its loss goes down as the errors do.",
)
def loss_negated(batch, critic, actor_target, critic_target, gamma):
    return -_errors(batch, critic, actor_target, critic_target, gamma).square().mean()


@mutant(
    "critic_loss",
    breaks=["value"],
    says="The critic's column [N, 1] met flat targets [N], so each value was compared with every "
    "target: N times N errors. Keep both at shape [N, 1].",
)
def flat_targets_broadcast(batch, critic, actor_target, critic_target, gamma):
    targets = td_target(batch, actor_target, critic_target, gamma)
    return (critic(batch.states, batch.actions) - targets.flatten()).square().mean()


@mutant(
    "critic_loss",
    breaks=["value"],
    says="Your loss has one number for each transition. An optimiser can only make one number "
    "smaller: the mean over the batch.",
)
def loss_not_averaged(batch, critic, actor_target, critic_target, gamma):
    return _errors(batch, critic, actor_target, critic_target, gamma).square()


# --- the graph -----------------------------------------------------------------------------------

_CUT = (
    "Your loss has no gradient for the critic, so the critic can never "
    "learn from it. Either the critic's own values were detached or computed without gradients, "
    "or the loss was turned into a plain number. Only the target is a constant."
)


@mutant("critic_loss", breaks=["gradient"], says=_CUT, family="graph_cut")
def prediction_detached(batch, critic, actor_target, critic_target, gamma):
    targets = td_target(batch, actor_target, critic_target, gamma)
    return F.mse_loss(critic(batch.states, batch.actions).detach(), targets)


@mutant("critic_loss", breaks=["gradient"], says=_CUT, family="graph_cut")
def returned_as_a_float(batch, critic, actor_target, critic_target, gamma):
    return _errors(batch, critic, actor_target, critic_target, gamma).square().mean().item()


# --- which networks, states and actions ----------------------------------------------------------


@mutant(
    "critic_loss",
    breaks=["networks"],
    says="Your target uses the online critic. It then moves with every step of the critic that "
    "chases it, and learning can run away. The next value comes from the target critic.",
)
def online_critic_in_the_target(batch, critic, actor_target, critic_target, gamma):
    targets = td_target(batch, actor_target, critic, gamma)
    return F.mse_loss(critic(batch.states, batch.actions), targets)


@mutant(
    "critic_loss",
    breaks=["networks"],
    says="Your target uses the online critic, and the gradient flows through it as well. The "
    "target then moves with every step and is even pulled towards the prediction. The next value "
    "comes from the target critic.",
)
def gradient_through_the_online_target(batch, critic, actor_target, critic_target, gamma):
    next_values = critic(batch.next_states, actor_target(batch.next_states))
    targets = batch.rewards + gamma * (1 - batch.terminated) * next_values
    return F.mse_loss(critic(batch.states, batch.actions), targets)


@mutant(
    "critic_loss",
    breaks=["gradient", "networks"],
    says="Your loss compares the target critic with the target, so the online critic has no part "
    "in it and cannot learn. The critic that is trained makes the prediction.",
)
def target_critic_predicts(batch, critic, actor_target, critic_target, gamma):
    targets = td_target(batch, actor_target, critic_target, gamma)
    return F.mse_loss(critic_target(batch.states, batch.actions), targets)


@mutant(
    "critic_loss",
    breaks=["gradient", "networks"],
    says="The online and the target critic changed places in your loss. The online critic makes "
    "the prediction for s, the target critic the value of s'.",
)
def critics_swapped(batch, critic, actor_target, critic_target, gamma):
    with torch.no_grad():
        predictions = critic_target(batch.states, batch.actions)
    next_values = critic(batch.next_states, actor_target(batch.next_states))
    targets = batch.rewards + gamma * (1 - batch.terminated) * next_values
    return F.mse_loss(predictions, targets)


@mutant(
    "critic_loss",
    breaks=["networks"],
    says="The target inside your loss bootstraps from terminal states too. Nothing follows a "
    "terminal state, so the target there is the reward alone. Look at the terminated column.",
)
def terminal_mask_missing(batch, critic, actor_target, critic_target, gamma):
    with torch.no_grad():
        next_values = critic_target(batch.next_states, actor_target(batch.next_states))
    return F.mse_loss(critic(batch.states, batch.actions), batch.rewards + gamma * next_values)


@mutant(
    "critic_loss",
    breaks=["networks"],
    says="The target inside your loss does not discount the next value. Without gamma a value far "
    "in the future counts as much as one now.",
)
def gamma_missing(batch, critic, actor_target, critic_target, gamma):
    with torch.no_grad():
        next_values = critic_target(batch.next_states, actor_target(batch.next_states))
    targets = batch.rewards + (1 - batch.terminated) * next_values
    return F.mse_loss(critic(batch.states, batch.actions), targets)


@mutant(
    "critic_loss",
    breaks=["value", "gradient", "networks"],
    says="Your loss asks the critic about s' where it should ask about s. The prediction belongs "
    "to the state in which the batch's action was taken.",
)
def prediction_at_the_next_state(batch, critic, actor_target, critic_target, gamma):
    targets = td_target(batch, actor_target, critic_target, gamma)
    return F.mse_loss(critic(batch.next_states, batch.actions), targets)


@mutant(
    "critic_loss",
    breaks=["value", "gradient", "networks"],
    says="Your loss predicts the value of the action that the target actor would take in s. The "
    "reward in the target was paid for the action in the batch, so the prediction is about that "
    "one.",
)
def policy_action_in_the_prediction(batch, critic, actor_target, critic_target, gamma):
    targets = td_target(batch, actor_target, critic_target, gamma)
    return F.mse_loss(critic(batch.states, actor_target(batch.states)), targets)
