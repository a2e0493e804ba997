"""Right soft updates."""
# ruff: noqa: B905, E731  (as students write)

import sys
import warnings
from collections import deque
from functools import partial

import torch
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from torch.optim.swa_utils import get_ema_multi_avg_fn

from rewrites.registry import rewrite

# --- parameter by parameter ----------------------------------------------------------------------


@rewrite("soft_update")
def copy_into_data(target, online, tau):
    for target_param, param in zip(target.parameters(), online.parameters()):
        target_param.data.copy_(param.data * tau + target_param.data * (1.0 - tau))


@rewrite("soft_update")
def data_rebound(target, online, tau):
    for t, o in zip(target.parameters(), online.parameters()):
        t.data = tau * o.data + (1 - tau) * t.data


@rewrite("soft_update")
def data_rebound_without_no_grad(target, online, tau):
    for t, o in zip(target.parameters(), online.parameters()):
        t.data = (tau * o + (1 - tau) * t).detach()


@rewrite("soft_update")
@torch.no_grad()
def copy_under_no_grad(target, online, tau):
    for t, o in zip(target.parameters(), online.parameters()):
        t.copy_(tau * o + (1 - tau) * t)


@rewrite("soft_update")
def lerp_with_detach(target, online, tau):
    for t, o in zip(target.parameters(), online.parameters()):
        t.lerp_(o.detach(), tau)


@rewrite("soft_update")
def lerp_out_of_place(target, online, tau):
    with torch.no_grad():
        for t, o in zip(target.parameters(), online.parameters()):
            blend = torch.lerp(t, o, tau)
            t.copy_(blend)


@rewrite("soft_update")
def mul_then_add(target, online, tau):
    with torch.no_grad():
        for p, p_targ in zip(online.parameters(), target.parameters()):
            p_targ.data.mul_(1 - tau)
            p_targ.data.add_(tau * p.data)


@rewrite("soft_update")
def mul_and_add_with_alpha(target, online, tau):
    with torch.no_grad():
        for p, q in zip(target.parameters(), online.parameters()):
            p.mul_(1 - tau).add_(q, alpha=tau)


@rewrite("soft_update")
def augmented_assignment(target, online, tau):
    with torch.no_grad():
        for t, o in zip(target.parameters(), online.parameters()):
            t *= 1 - tau
            t += tau * o


@rewrite("soft_update")
def step_towards_online(target, online, tau):
    with torch.no_grad():
        for t, o in zip(target.parameters(), online.parameters()):
            t += tau * (o - t)


@rewrite("soft_update")
def difference_subtracted(target, online, tau):
    torch.set_grad_enabled(False)
    for t, o in zip(target.parameters(), online.parameters()):
        t.sub_((t - o) * tau)
    torch.set_grad_enabled(True)


@rewrite("soft_update")
def sliced_assignment(target, online, tau):
    for t, o in zip(target.parameters(), online.parameters()):
        t.data[:] = tau * o.data[:] + (1 - tau) * t.data[:]


@rewrite("soft_update")
def index_into_lists(target, online, tau):
    old, new = list(target.parameters()), list(online.parameters())
    for i in range(len(old)):
        old[i].data = old[i].data + tau * (new[i].data - old[i].data)


@rewrite("soft_update")
def through_numpy(target, online, tau):
    for t, o in zip(target.parameters(), online.parameters()):
        blend = tau * o.detach().numpy() + (1 - tau) * t.detach().numpy()
        t.data = torch.from_numpy(blend).float()


@rewrite("soft_update")
@torch.inference_mode()
def under_inference_mode(target, online, tau):
    for t, o in zip(target.parameters(), online.parameters()):
        t.mul_(1 - tau)
        t.add_(o * tau)


# --- by names or modules -------------------------------------------------------------------------


@rewrite("soft_update")
def named_parameters(target, online, tau):
    online_parameters = dict(online.named_parameters())
    with torch.no_grad():
        for name, p in target.named_parameters():
            p.copy_((1 - tau) * p + tau * online_parameters[name])


@rewrite("soft_update")
def state_dict_loaded(target, online, tau):
    target_state, online_state = target.state_dict(), online.state_dict()
    for key in online_state:
        target_state[key] = online_state[key] * tau + target_state[key] * (1 - tau)
    target.load_state_dict(target_state)


@rewrite("soft_update")
def state_dict_comprehension(target, online, tau):
    new, old = online.state_dict(), target.state_dict()
    target.load_state_dict({k: tau * new[k] + (1 - tau) * old[k] for k in old})


@rewrite("soft_update")
def state_dict_in_place(target, online, tau):
    state = online.state_dict()
    for name, value in target.state_dict().items():
        value.mul_(1 - tau).add_(state[name], alpha=tau)


@rewrite("soft_update")
def module_by_module(target, online, tau):
    for t, o in zip(target.modules(), online.modules()):
        for name, p in t._parameters.items():
            if p is not None:
                p.data.lerp_(getattr(o, name).data, tau)


@rewrite("soft_update")
def recursion_over_children(target, online, tau):
    for t, o in zip(target.children(), online.children()):
        recursion_over_children(t, o, tau)
    with torch.no_grad():
        for t, o in zip(target.parameters(recurse=False), online.parameters(recurse=False)):
            t.copy_(torch.add((1 - tau) * t, o, alpha=tau))


# --- all at once ---------------------------------------------------------------------------------


@rewrite("soft_update")
def foreach_lerp(target, online, tau):
    with torch.no_grad():
        torch._foreach_lerp_(list(target.parameters()), list(online.parameters()), tau)


@rewrite("soft_update")
@torch.no_grad()
def foreach_mul_and_add(target, online, tau):
    targets, onlines = list(target.parameters()), [*online.parameters()]
    torch._foreach_mul_(targets, 1 - tau)
    torch._foreach_add_(targets, onlines, alpha=tau)


@rewrite("soft_update")
def foreach_copy(target, online, tau):
    old, new = [p.data for p in target.parameters()], [p.data for p in online.parameters()]
    parts = torch._foreach_mul(old, 1 - tau), torch._foreach_mul(new, tau)
    torch._foreach_copy_(old, torch._foreach_add(*parts))


@rewrite("soft_update")
def vectors(target, online, tau):
    with torch.no_grad():
        old = parameters_to_vector(target.parameters())
        new = parameters_to_vector(online.parameters())
        vector_to_parameters(tau * new + (1 - tau) * old, target.parameters())


@rewrite("soft_update")
def vectors_without_no_grad(target, online, tau):
    mixed = torch.lerp(
        parameters_to_vector(target.parameters()), parameters_to_vector(online.parameters()), tau
    )
    vector_to_parameters(mixed, target.parameters())


@rewrite("soft_update")
def moving_average_of_torch(target, online, tau):
    average = get_ema_multi_avg_fn(decay=1 - tau)
    average(list(target.parameters()), list(online.parameters()), None)


# --- other forms ---------------------------------------------------------------------------------


@rewrite("soft_update")
def list_comprehension(target, online, tau):
    pairs = zip(target.parameters(), online.parameters())
    [t.data.copy_(tau * o.data + (1 - tau) * t.data) for t, o in pairs]


@rewrite("soft_update")
def map_and_lambda(target, online, tau):
    mix = lambda t, o: t.data.mul_(1 - tau).add_(o.data.mul(tau))
    deque(map(mix, target.parameters(), online.parameters()), maxlen=0)


def blend(old, new, fraction):
    return fraction * new + (1 - fraction) * old


@rewrite("soft_update")
def partial_of_a_helper(target: nn.Module, online: nn.Module, tau: float) -> None:
    """Polyak averaging."""
    mixed = partial(blend, fraction=tau)
    for t, o in zip(target.parameters(), online.parameters()):
        t.data.copy_(mixed(t.data, o.data))


@rewrite("soft_update")
def prints_and_warns(target, online, tau):
    if tau > 0.05:
        warnings.warn(f"tau = {tau} is large", stacklevel=2)

    @torch.no_grad()
    def move(t, o):
        t.copy_(tau * o + (1 - tau) * t)
        t.requires_grad_(False)

    for t, o in zip(target.parameters(), online.parameters()):
        assert t.shape == o.shape
        move(t, o)
    print("moved", file=sys.stderr)
