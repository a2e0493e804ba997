"""The actor, the critic, and target copies of them."""

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class Actor(nn.Module):
    """The deterministic policy mu(s): two hidden layers with ReLU, tanh at the end.

    (Lillicrap et al. 2015, section 7; hidden layers of 400 and 300 units there.)
    """

    def __init__(self, state_size: int, action_size: int, hidden_size: int = 256) -> None:
        super().__init__()
        self.linear1 = nn.Linear(state_size, hidden_size)
        self.linear2 = nn.Linear(hidden_size, hidden_size)
        self.linear3 = nn.Linear(hidden_size, action_size)

    def forward(self, state: Tensor) -> Tensor:
        """Map states [N, S] to actions [N, A] in [-1, 1]."""
        hidden = torch.relu_(self.linear1(state))  # in place, as nobody else sees it
        hidden = torch.relu_(self.linear2(hidden))
        return torch.tanh(self.linear3(hidden))


class Critic(nn.Module):
    """The action value Q(s, a): one number a transition, whatever the size of the action.

    The action enters with the state, at the first layer; in Lillicrap et al. 2015, section 7, it
    enters at the second.
    """

    def __init__(self, state_size: int, action_size: int, hidden_size: int = 256) -> None:
        super().__init__()
        self.linear1 = nn.Linear(state_size + action_size, hidden_size)
        self.linear2 = nn.Linear(hidden_size, hidden_size)
        self.linear3 = nn.Linear(hidden_size, 1)

    def forward(self, state: Tensor, action: Tensor) -> Tensor:
        """Map states [N, S] and actions [N, A] to values [N, 1]."""
        hidden = torch.relu_(self.linear1(torch.cat([state, action], dim=1)))
        hidden = torch.relu_(self.linear2(hidden))
        return self.linear3(hidden)


def make_target(network: Network) -> Network:
    """Return a copy that equals ``network``, shares no storage with it and requires no grad.

    (The target networks mu' and Q' of Lillicrap et al. 2015, section 3 and Algorithm 1.)
    """
    return copy.deepcopy(network).requires_grad_(False)
