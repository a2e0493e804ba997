"""Right forward passes of actor and critic, and right target copies."""
# ruff: noqa: B905, E731  (as students write)

import copy
import io
import pickle
import sys
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ddpg_helpers.networks import Actor as _Actor
from ddpg_helpers.networks import Critic as _Critic
from rewrites.registry import rewrite

# --- the actor -----------------------------------------------------------------------------------


@rewrite("Actor.forward")
class FunctionalRelu(_Actor):
    def forward(self, state):
        x = F.relu(self.linear1(state))
        x = F.relu(self.linear2(x))
        x = torch.tanh(self.linear3(x))
        return x


@rewrite("Actor.forward")
class MethodsInAChain(_Actor):
    def forward(self, state):
        return self.linear3(self.linear2(self.linear1(state).relu()).relu()).tanh()


@rewrite("Actor.forward")
class ReluInPlace(_Actor):
    def forward(self, state):
        hidden = self.linear1(state).relu_()
        hidden = F.relu(self.linear2(hidden), inplace=True)
        return self.linear3(hidden).tanh_()


@rewrite("Actor.forward")
class ClampForRelu(_Actor):
    def forward(self, state):
        hidden1 = self.linear1(state).clamp(min=0)
        hidden2 = torch.clamp_min(self.linear2(hidden1), 0.0)
        return F.tanh(self.linear3(hidden2))


@rewrite("Actor.forward")
class MaximumAndWhere(_Actor):
    def forward(self, state):
        h = self.linear1(state)
        h = torch.maximum(h, torch.zeros_like(h))
        h = self.linear2(h)
        h = torch.where(h > 0, h, torch.zeros_like(h))
        return torch.tanh(self.linear3(h))


@rewrite("Actor.forward")
class SequentialOnTheSpot(_Actor):
    def forward(self, state):
        layers = nn.Sequential(
            self.linear1, nn.ReLU(), self.linear2, nn.ReLU(), self.linear3, nn.Tanh()
        )
        return layers(state)


@rewrite("Actor.forward")
class LoopOverLayers(_Actor):
    def forward(self, state):
        x = state
        for layer in (self.linear1, self.linear2):
            x = layer(x)
            x = x * (x > 0)
        return torch.tanh(self.linear3(x))


@rewrite("Actor.forward")
class PrintsItsShapes(_Actor):
    def __init__(self, state_size, action_size, hidden_size=256):
        super().__init__(state_size, action_size, hidden_size)
        self.relu = nn.ReLU()
        self.tanh = nn.Tanh()

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        """Actions from states."""
        print("in:", state.shape)
        h1 = self.relu(self.linear1(state))
        h2 = self.relu(self.linear2(h1))
        action = self.tanh(self.linear3(h2))
        assert action.shape[0] == state.shape[0]
        print("out:", action.shape, file=sys.stderr)
        return action


@rewrite("Actor.forward")
class MatricesByHand(_Actor):
    def forward(self, state):
        h = torch.relu(state @ self.linear1.weight.T + self.linear1.bias)
        h = torch.relu(torch.addmm(self.linear2.bias, h, self.linear2.weight.t()))
        return 2 * torch.sigmoid(2 * F.linear(h, self.linear3.weight, self.linear3.bias)) - 1


# --- the critic ----------------------------------------------------------------------------------


@rewrite("Critic.forward")
class TupleAtTheLastAxis(_Critic):
    def forward(self, state, action):
        x = torch.cat((state, action), -1)
        x = F.relu(self.linear1(x))
        x = F.relu(self.linear2(x))
        q_value = self.linear3(x)
        return q_value


@rewrite("Critic.forward")
class Hstack(_Critic):
    def forward(self, state, action):
        state_action = torch.hstack([state, action])
        return self.linear3(self.linear2(self.linear1(state_action).relu()).relu())


@rewrite("Critic.forward")
class ConcatenateAndClamp(_Critic):
    def forward(self, state, action):
        sa = torch.concatenate([state, action], axis=1)
        h = self.linear1(sa).clamp(min=0)
        h = self.linear2(h).clamp_(min=0)
        return self.linear3(h)


@rewrite("Critic.forward")
class FirstLayerInTwoParts(_Critic):
    def forward(self, state, action):
        size = state.shape[1]
        from_state = F.linear(state, self.linear1.weight[:, :size])
        from_action = F.linear(action, self.linear1.weight[:, size:], self.linear1.bias)
        hidden = torch.relu(from_state + from_action)
        return self.linear3(torch.relu(self.linear2(hidden)))


@rewrite("Critic.forward")
class LastLayerAsAWeightedSum(_Critic):
    def forward(self, state, action):
        hidden = torch.relu(self.linear1(torch.column_stack((state, action))))
        hidden = torch.relu(self.linear2(hidden))
        return (hidden * self.linear3.weight).sum(dim=1, keepdim=True) + self.linear3.bias


@rewrite("Critic.forward")
class EinsumAndUnsqueeze(_Critic):
    def forward(self, state, action):
        hidden = torch.relu(self.linear1(torch.cat([state, action], dim=-1)))
        hidden = torch.relu(self.linear2(hidden))
        q = torch.einsum("nh,oh->no", hidden, self.linear3.weight).squeeze(1) + self.linear3.bias
        return q.unsqueeze(-1)


@rewrite("Critic.forward")
class FilledByColumns(_Critic):
    def forward(self, state, action):
        n, s = state.shape
        inputs = torch.empty(n, s + action.shape[1])
        inputs[:, :s] = state
        inputs[:, s:] = action
        out = inputs
        for i, layer in enumerate([self.linear1, self.linear2, self.linear3]):
            out = layer(out)
            if i < 2:
                out = torch.relu(out)
        return out


@rewrite("Critic.forward")
class WarnsAndAsserts(_Critic):
    def forward(self, state, action):
        warnings.warn("the critic is asked", stacklevel=2)
        x = torch.cat([state, action], dim=1)
        assert x.shape == (len(state), state.shape[1] + action.shape[1])
        body = lambda x: nn.ReLU(inplace=True)(self.linear2(nn.ReLU()(self.linear1(x))))
        q = self.linear3(body(x)).view(-1, 1)
        assert q.shape == (state.shape[0], 1), q.shape
        return q


# --- target copies -------------------------------------------------------------------------------


@rewrite("make_target")
def deepcopy_and_loop(network):
    target_network = copy.deepcopy(network)
    for param in target_network.parameters():
        param.requires_grad = False
    return target_network


@rewrite("make_target")
def deepcopy_and_eval(network):
    import copy

    target = copy.deepcopy(network)
    target.eval()
    target.requires_grad_(False)
    return target


@rewrite("make_target")
def list_comprehension(network):
    target = copy.deepcopy(network)
    [p.requires_grad_(False) for p in target.parameters()]
    return target


def freeze(network):
    """Switch off the gradients of a network."""
    for _, parameter in network.named_parameters():
        parameter.requires_grad_(requires_grad=False)
    return network


@rewrite("make_target")
def helper_that_freezes(network: nn.Module) -> nn.Module:
    print("making a target of", type(network).__name__)
    return freeze(copy.deepcopy(network))


@rewrite("make_target")
def new_network_of_its_type(network):
    """A new actor or critic, loaded; a copy of anything else."""
    if not hasattr(network, "linear3"):
        target = copy.deepcopy(network)
    else:
        inputs, hidden = network.linear1.in_features, network.linear1.out_features
        outputs = network.linear3.out_features
        if type(network).__name__ == "Critic":
            target = type(network)(inputs - 1, 1, hidden)
        else:
            target = type(network)(inputs, outputs, hidden)
        target.load_state_dict(network.state_dict())
    for p in target.parameters():
        p.requires_grad = False
    return target


@rewrite("make_target")
def loaded_once_more(network):
    target = copy.deepcopy(network)
    target.load_state_dict(network.state_dict())
    target = target.requires_grad_(False)
    return target.train(False)


@rewrite("make_target")
def pickled(network):
    return pickle.loads(pickle.dumps(network)).requires_grad_(False)


@rewrite("make_target")
def saved_and_loaded(network):
    file = io.BytesIO()
    torch.save(network, file)
    file.seek(0)
    target = torch.load(file, weights_only=False)
    for p in target.parameters():
        p.requires_grad = False
    return target


@rewrite("make_target")
def fresh_parameters(network):
    target = copy.deepcopy(network)
    for module in target.modules():
        for name, p in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(p.detach().clone(), requires_grad=False))
    return target


@rewrite("make_target")
def checks_itself_and_warns(network):
    target = copy.deepcopy(network)
    for p, q in zip(target.parameters(), network.parameters()):
        p.requires_grad = False
        assert np.allclose(p.numpy(), q.detach().numpy())
        if p.data_ptr() == q.data_ptr():
            raise RuntimeError("shared!")
    warnings.warn("this target is frozen", UserWarning, stacklevel=1)
    return target


@rewrite("make_target")
@torch.no_grad()
def under_no_grad(network):
    target = copy.deepcopy(network)
    for own, other in zip(target.parameters(), network.parameters()):
        own.copy_(other)
        own.requires_grad_(False)
    return target
