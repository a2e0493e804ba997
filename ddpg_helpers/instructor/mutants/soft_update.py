"""Wrong soft updates of a target network."""

import copy

import torch
from torch import nn

from ddpg_helpers.instructor.mutants.registry import mutant


def _pairs(target, online):
    return zip(target.parameters(), online.parameters(), strict=True)


# --- the blend -----------------------------------------------------------------------------------


@mutant(
    "soft_update",
    breaks=["blend"],
    says="tau and 1 - tau have changed places. With a small tau the target would jump almost all "
    "the way at once; it shall keep most of what it has.",
)
@torch.no_grad()
def tau_swapped(target, online, tau):
    for old, new in _pairs(target, online):
        old.copy_(tau * old + (1 - tau) * new)


@mutant(
    "soft_update",
    breaks=["blend"],
    says="Your target becomes an exact copy of the online network, whatever tau is. Then it moves "
    "as fast as the network that chases it, and gives no steady goal.",
)
def hard_copy(target, online, tau):
    target.load_state_dict(online.state_dict())


@mutant(
    "soft_update",
    breaks=["blend"],
    says="Your blend uses a tau of its own and not the one that is passed in. Look for a number "
    "that is written into the function.",
)
@torch.no_grad()
def tau_hard_coded(target, online, tau):
    for old, new in _pairs(target, online):
        old.lerp_(new, 0.01)


@mutant(
    "soft_update",
    breaks=["blend"],
    says="Your target keeps all of its old value and the online part comes on top, so its "
    "parameters grow with every update. The two weights of a blend sum to 1.",
)
@torch.no_grad()
def old_part_kept_whole(target, online, tau):
    for old, new in _pairs(target, online):
        old.add_(new, alpha=tau)


@mutant(
    "soft_update",
    breaks=["blend"],
    says="Your target takes in the online value whole, on top of its own share. The two weights of "
    "a blend sum to 1.",
)
@torch.no_grad()
def online_part_whole(target, online, tau):
    for old, new in _pairs(target, online):
        old.copy_(new + (1 - tau) * old)


@mutant(
    "soft_update",
    breaks=["blend"],
    says="Your target moves away from the online network. Look at which of the two is subtracted "
    "from the other.",
)
@torch.no_grad()
def difference_reversed(target, online, tau):
    for old, new in _pairs(target, online):
        old.add_(old - new, alpha=tau)


@mutant(
    "soft_update",
    breaks=["blend"],
    says="Your blend is applied twice in one call, so the target moves almost twice as far as tau "
    "says.",
)
@torch.no_grad()
def blended_twice(target, online, tau):
    for old, new in [*_pairs(target, online), *_pairs(target, online)]:
        old.lerp_(new, tau)


# --- which parameters ----------------------------------------------------------------------------


@mutant(
    "soft_update",
    breaks=["blend"],
    says="Only the first layer of your target moves. A target whose layers belong to different "
    "times is no copy of anything. Look at what your loop runs over, and where it returns.",
)
@torch.no_grad()
def first_layer_only(target, online, tau):
    for old, new in _pairs(target.linear1, online.linear1):
        old.lerp_(new, tau)


@mutant(
    "soft_update",
    breaks=["blend"],
    says="Only the weights of your target move, and the biases stay where they were. All "
    "parameters of a layer belong together.",
)
@torch.no_grad()
def weights_only(target, online, tau):
    for old, new in _pairs(target, online):
        if old.dim() > 1:
            old.lerp_(new, tau)


@mutant(
    "soft_update",
    breaks=["blend"],
    says="Only the last layer of your target moves. A target whose layers belong to different "
    "times is no copy of anything. Look at what your loop runs over.",
)
@torch.no_grad()
def last_layer_only(target, online, tau):
    for old, new in _pairs(target.linear3, online.linear3):
        old.lerp_(new, tau)


# --- nothing moves -------------------------------------------------------------------------------

_NOTHING = (
    "Your target does not move at all, and neither does anything else. Either it is blended with "
    "itself, or the result stays in a variable, a copy or a dictionary that nobody puts back. "
    "The target's own parameters have to change, in place."
)


@mutant("soft_update", breaks=["blend", "repeated", "apart"], says=_NOTHING, family="nothing_moves")
@torch.no_grad()
def blended_with_itself(target, online, tau):
    for old, _ in _pairs(target, online):
        old.copy_(tau * old + (1 - tau) * old)


@mutant("soft_update", breaks=["blend", "repeated", "apart"], says=_NOTHING, family="nothing_moves")
@torch.no_grad()
def loop_variable_rebound(target, online, tau):
    for old, new in _pairs(target, online):
        old = tau * new + (1 - tau) * old


@mutant("soft_update", breaks=["blend", "repeated", "apart"], says=_NOTHING, family="nothing_moves")
@torch.no_grad()
def blended_into_a_copy(target, online, tau):
    target = copy.deepcopy(target)
    for old, new in _pairs(target, online):
        old.lerp_(new, tau)
    return target


@mutant("soft_update", breaks=["blend", "repeated", "apart"], says=_NOTHING, family="nothing_moves")
def state_dict_not_loaded(target, online, tau):
    state, new = dict(target.state_dict()), online.state_dict()
    for name in state:
        state[name] = tau * new[name] + (1 - tau) * state[name]


# --- the graph -----------------------------------------------------------------------------------


@mutant(
    "soft_update",
    breaks=["repeated"],
    says="Your blend is recorded for gradients: after it your target "
    "belongs to the online network's graph, which grows with every update. A soft update is no "
    "part of what is differentiated.",
)
def graph_left_on_the_target(target, online, tau):
    for old, new in _pairs(target, online):
        old.copy_(tau * new + (1 - tau) * old)


@mutant(
    "soft_update",
    breaks=["repeated"],
    says="Your target gets new parameters that require a gradient. "
    "A target is never trained; its values change in place.",
)
@torch.no_grad()
def parameters_made_anew(target, online, tau):
    for name in ("linear1", "linear2", "linear3"):
        old, new = getattr(target, name), getattr(online, name)
        old.weight = nn.Parameter(tau * new.weight + (1 - tau) * old.weight)
        old.bias = nn.Parameter(tau * new.bias + (1 - tau) * old.bias)


# --- the online network --------------------------------------------------------------------------


@mutant(
    "soft_update",
    breaks=["blend", "apart"],
    says="Your blend is written into the online network, and the target stays where it was. That "
    "undoes part of what was learned. The target follows, never the other way round.",
)
@torch.no_grad()
def online_overwritten(target, online, tau):
    for old, new in _pairs(target, online):
        new.lerp_(old, 1 - tau)


@mutant(
    "soft_update",
    breaks=["apart"],
    says="The online network is moved as well. That undoes part of what "
    "was learned. The online network is only read here.",
)
@torch.no_grad()
def both_moved(target, online, tau):
    for old, new in _pairs(target, online):
        old.lerp_(new, tau)
        new.copy_(old)


@mutant(
    "soft_update",
    breaks=["blend", "apart"],
    says="Your target now shares its memory with the online network: whatever moves one moves the "
    "other, and there is no target left. Copy numbers, not the tensors that hold them.",
)
def target_rebound(target, online, tau):
    for old, new in _pairs(target, online):
        old.data = new.data


@mutant(
    "soft_update",
    breaks=["apart"],
    says="With tau 1 your target shares its memory with the online network, and follows whatever "
    "moves it from then on. Copy numbers, not the tensors that hold them.",
)
def shared_at_tau_one(target, online, tau):
    for old, new in _pairs(target, online):
        old.data = new.data if tau == 1 else tau * new.data + (1 - tau) * old.data


@mutant(
    "soft_update",
    breaks=["apart"],
    says="The online network no longer requires a gradient and can never "
    "learn again. Only the target is frozen.",
)
@torch.no_grad()
def online_frozen(target, online, tau):
    for old, new in _pairs(target, online.requires_grad_(False)):
        old.lerp_(new, tau)
