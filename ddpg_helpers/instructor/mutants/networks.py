"""Wrong networks, and wrong target copies of them."""

import copy

import torch
from torch import nn

from ddpg_helpers.instructor.mutants.registry import mutant
from ddpg_helpers.networks import Actor, Critic

# --- the actor -----------------------------------------------------------------------------------


@mutant(
    "Actor.forward",
    breaks=["values", "range"],
    says="Your actor has no tanh at the end, so its actions can leave the range from -1 to 1. "
    "Nothing after it brings them back.",
)
class TanhMissing(Actor):
    def forward(self, state):
        hidden = torch.relu(self.linear1(state))
        return self.linear3(torch.relu(self.linear2(hidden)))


@mutant(
    "Actor.forward",
    breaks=["values"],
    says="Your actor has no ReLU between its layers. Linear layers in a row are one linear layer, "
    "however many there are.",
)
class ReluMissing(Actor):
    def forward(self, state):
        return torch.tanh(self.linear3(self.linear2(self.linear1(state))))


@mutant(
    "Actor.forward",
    breaks=["values"],
    says="One ReLU is missing in your actor: the one after the second layer. Each of the two "
    "hidden layers has one.",
)
class SecondReluMissing(Actor):
    def forward(self, state):
        hidden = torch.relu(self.linear1(state))
        return torch.tanh(self.linear3(self.linear2(hidden)))


@mutant(
    "Actor.forward",
    breaks=["values"],
    says="Your actor uses tanh in the hidden layers. The hidden layers take ReLU; tanh comes once, "
    "at the end.",
)
class TanhInTheHiddenLayers(Actor):
    def forward(self, state):
        hidden = torch.tanh(self.linear1(state))
        return torch.tanh(self.linear3(torch.tanh(self.linear2(hidden))))


@mutant(
    "Actor.forward",
    breaks=["values", "range"],
    says="Your actor ends with a sigmoid, so its actions lie between 0 and 1. Half of what it "
    "could do, everything below 0, is out of its reach.",
)
class SigmoidAtTheEnd(Actor):
    def forward(self, state):
        hidden = torch.relu(self.linear1(state))
        return torch.sigmoid(self.linear3(torch.relu(self.linear2(hidden))))


@mutant(
    "Actor.forward",
    breaks=["values", "range"],
    says="Your actor ends with a softmax, as if it chose between actions. A deterministic policy "
    "for continuous actions gives the action itself, each dimension between -1 and 1.",
)
class SoftmaxAtTheEnd(Actor):
    def forward(self, state):
        hidden = torch.relu(self.linear1(state))
        return torch.softmax(self.linear3(torch.relu(self.linear2(hidden))), dim=1)


@mutant(
    "Actor.forward",
    breaks=["values"],
    says="Your actor cuts its output off at -1 and 1. Beyond these the slope is 0 and no gradient "
    "comes back. tanh comes close to the bounds and keeps a slope.",
)
class ClampedInsteadOfTanh(Actor):
    def forward(self, state):
        hidden = torch.relu(self.linear1(state))
        return self.linear3(torch.relu(self.linear2(hidden))).clamp(-1, 1)


@mutant(
    "Actor.forward",
    breaks=["values", "range"],
    says="Your actor stretches its actions to the range of the environment. The environment's "
    "wrapper does that; the actor's own range is -1 to 1.",
)
class ScaledToTheEnvironment(Actor):
    def forward(self, state):
        return 2.0 * super().forward(state)


@mutant(
    "Actor.forward",
    breaks=["values", "range"],
    says="Your actor has a ReLU between the last layer and tanh, so no action is ever below 0. "
    "The last layer goes into tanh as it is.",
)
class ReluBeforeTanh(Actor):
    def forward(self, state):
        hidden = torch.relu(self.linear1(state))
        hidden = torch.relu(self.linear2(hidden))
        return torch.tanh(torch.relu(self.linear3(hidden)))


@mutant(
    "Actor.forward",
    breaks=["values", "range"],
    says="Your actor applies tanh twice. The second one squeezes the range to about -0.76 to 0.76, "
    "so the strongest actions are lost.",
)
class TanhTwice(Actor):
    def forward(self, state):
        return torch.tanh(super().forward(state))


@mutant(
    "Actor.forward",
    breaks=["values"],
    says="Your actor leaves out the second layer. Its weights never learn, because nothing depends "
    "on them.",
)
class SecondLayerSkipped(Actor):
    def forward(self, state):
        return torch.tanh(self.linear3(torch.relu(self.linear1(state))))


@mutant(
    "Actor.forward",
    breaks=["values"],
    says="Your actions are cut from the graph, so the actor can never learn. "
    "Gradients are switched off where an action is used, not where it is made.",
)
class ActionsDetached(Actor):
    def forward(self, state):
        return super().forward(state).detach()


# --- the critic ----------------------------------------------------------------------------------


@mutant(
    "Critic.forward",
    breaks=["shape", "values"],
    says="Your critic has one output for each dimension of the action. That is for choosing "
    "between a few actions; here the action is an input, and its value is one number.",
)
class ActionSizeOutputs(Critic):
    def __init__(self, state_size, action_size, hidden_size=256):
        super().__init__(state_size, action_size, hidden_size)
        self.linear3 = nn.Linear(hidden_size, action_size)


@mutant(
    "Critic.forward",
    breaks=["shape", "values"],
    says="Your critic puts states and actions together along the wrong axis: one below the other, "
    "as more transitions. Each transition's action belongs beside its state.",
)
class ConcatenatedOnTheWrongAxis(Critic):
    def forward(self, state, action):
        hidden = torch.relu(self.linear1(torch.cat([state, action], dim=0)))
        return self.linear3(torch.relu(self.linear2(hidden)))


@mutant(
    "Critic.forward",
    breaks=["values"],
    says="Your critic puts the action before the state. The order is a matter of agreement, and "
    "the given one is state first. Look at how the two are put together.",
)
class ActionBeforeState(Critic):
    def forward(self, state, action):
        hidden = torch.relu(self.linear1(torch.cat([action, state], dim=1)))
        return self.linear3(torch.relu(self.linear2(hidden)))


@mutant(
    "Critic.forward",
    breaks=["shape", "values"],
    says="Your critic looks at the state alone, and its first layer expects state and action side "
    "by side. A critic that cannot see the action cannot judge it.",
)
class ActionLeftOut(Critic):
    def forward(self, state, action):
        hidden = torch.relu(self.linear1(state))
        return self.linear3(torch.relu(self.linear2(hidden)))


@mutant(
    "Critic.forward",
    breaks=["values"],
    says="Your critic ends with tanh, so its values stay between -1 and 1. Returns can be of any "
    "size; a value has no bounds.",
)
class TanhAtTheEnd(Critic):
    def forward(self, state, action):
        return torch.tanh(super().forward(state, action))


@mutant(
    "Critic.forward",
    breaks=["values"],
    says="Your critic ends with a ReLU, so its values are never below 0. Rewards can be negative, "
    "and then returns are too.",
)
class ReluAtTheEnd(Critic):
    def forward(self, state, action):
        return torch.relu(super().forward(state, action))


@mutant(
    "Critic.forward",
    breaks=["values"],
    says="Your critic has no ReLU between its layers. Linear layers in a row are one linear layer, "
    "and the best action would always lie at the edge of the range.",
)
class CriticReluMissing(Critic):
    def forward(self, state, action):
        return self.linear3(self.linear2(self.linear1(torch.cat([state, action], dim=1))))


@mutant(
    "Critic.forward",
    breaks=["shape"],
    says="Your values are flat: their shape is [N]. Compared with targets of "
    "shape [N, 1], every row would meet every other. Keep the last dimension.",
)
class FlatValues(Critic):
    def forward(self, state, action):
        return super().forward(state, action).squeeze(1)


@mutant(
    "Critic.forward",
    breaks=["shape", "values"],
    says="Your critic gives one number for the whole batch. The mean is taken later, in the loss; "
    "each transition has its own value.",
)
class ValuesAveraged(Critic):
    def forward(self, state, action):
        return super().forward(state, action).mean()


@mutant(
    "Critic.forward",
    breaks=["values"],
    says="The action is cut from the graph inside the critic. The actor "
    "learns through the critic's slope with respect to the action, and here it would be 0.",
)
class ActionDetached(Critic):
    def forward(self, state, action):
        return super().forward(state, action.detach())


# --- target copies -------------------------------------------------------------------------------

_SAME = (
    "Your target shares its parameters with the online network, and they still require a "
    "gradient: it is the same network under another name, or a shallow copy of it. A target needs "
    "numbers of its own that stay where they are."
)
_SAME_FROZEN = (
    "Your target shares its parameters with the online network, and switching their gradients off "
    "has frozen the online network as well. A target needs numbers of its own; only those are "
    "frozen."
)


@mutant("make_target", breaks=["apart", "frozen"], says=_SAME, family="parameters_shared")
def same_network(network):
    return network


@mutant("make_target", breaks=["apart", "frozen"], says=_SAME, family="parameters_shared")
def shallow_copy(network):
    return copy.copy(network)


@mutant("make_target", breaks=["apart", "frozen"], says=_SAME_FROZEN, family="shared_and_frozen")
def same_network_frozen(network):
    return network.requires_grad_(False)


@mutant("make_target", breaks=["apart", "frozen"], says=_SAME_FROZEN, family="shared_and_frozen")
def shallow_copy_frozen(network):
    return copy.copy(network).requires_grad_(False)


def _fresh(network):
    inputs, hidden = network.linear1.in_features, network.linear1.out_features
    fresh = copy.deepcopy(network)
    fresh.linear1 = nn.Linear(inputs, hidden)
    fresh.linear2 = nn.Linear(hidden, hidden)
    fresh.linear3 = nn.Linear(hidden, network.linear3.out_features)
    return fresh


@mutant(
    "make_target",
    breaks=["equal"],
    says="Your target is a new network with random numbers of its own. Its values have nothing to "
    "do with what was learned, and the critic would start by chasing noise. A target starts equal.",
)
def fresh_network(network):
    return _fresh(network).requires_grad_(False)


@mutant(
    "make_target",
    breaks=["equal"],
    says="Your target has the weights of the network, but not its biases. All parameters of a "
    "layer belong together.",
)
def biases_not_copied(network):
    target = _fresh(network)
    weights = {name: w for name, w in network.state_dict().items() if name.endswith("weight")}
    target.load_state_dict(weights, strict=False)
    return target.requires_grad_(False)


@mutant(
    "make_target",
    breaks=["frozen"],
    says="Your target is an equal copy, but its parameters still require a gradient. Nothing ever "
    "trains a target; work spent on its gradients is wasted, and a careless optimiser could move "
    "it.",
)
def not_frozen(network):
    return copy.deepcopy(network)


@mutant(
    "make_target",
    breaks=["frozen"],
    says="Your target is frozen, and the online network as well: it was switched off before it was "
    "copied. The online network has to go on learning.",
)
def online_frozen_too(network):
    return copy.deepcopy(network.requires_grad_(False))


@mutant(
    "make_target",
    breaks=["frozen"],
    says="The online network is frozen instead of the target. The online network learns; the "
    "target only follows it.",
)
def online_frozen_instead(network):
    target = copy.deepcopy(network)
    network.requires_grad_(False)
    return target


@mutant(
    "make_target",
    breaks=["apart"],
    says="The last layer of your target is the online network's own. When that learns, this part "
    "of the target moves with it. Copy every layer.",
)
def last_layer_shared(network):
    target = copy.deepcopy(network).requires_grad_(False)
    for name in ("weight", "bias"):
        getattr(target.linear3, name).data = getattr(network.linear3, name).data
    return target
