"""Wrong Ornstein-Uhlenbeck noise."""

import numpy as np

from ddpg_helpers.instructor.mutants.registry import mutant
from ddpg_helpers.noise import OUNoise

# --- evolve_state: the pull ----------------------------------------------------------------------


@mutant(
    "OUNoise.evolve_state",
    breaks=["mean_reversion"],
    says="Nothing pulls your state back towards mu, so it wanders further and further away. "
    "The pull is what makes it an Ornstein-Uhlenbeck process.",
)
class NoMeanReversion(OUNoise):
    def evolve_state(self):
        self.state = self.state + self.sigma * self.rng.standard_normal(self.action_dim)
        return self.state


@mutant(
    "OUNoise.evolve_state",
    breaks=["mean_reversion"],
    says="Your state is pushed away from mu instead of pulled towards it, and runs off faster and "
    "faster. Look at which of the two is subtracted from the other.",
)
class RevertsTheWrongWay(OUNoise):
    def evolve_state(self):
        push = self.theta * (self.state - self.mu)
        self.state = self.state + push + self.sigma * self.rng.standard_normal(self.action_dim)
        return self.state


@mutant(
    "OUNoise.evolve_state",
    breaks=["mean_reversion"],
    says="Your state is pulled towards 0, whatever mu is. Look at what the state's distance is "
    "measured from.",
)
class PulledTowardsZero(OUNoise):
    def evolve_state(self):
        pull = -self.theta * self.state
        self.state = self.state + pull + self.sigma * self.rng.standard_normal(self.action_dim)
        return self.state


_FROM_MU = (
    "Each of your steps starts from mu and not from where the last one ended: either mu is taken "
    "as the start, or the pull goes all the way because theta is missing. Then successive noise is "
    "not correlated at all."
)


@mutant(
    "OUNoise.evolve_state",
    breaks=["mean_reversion", "state"],
    says=_FROM_MU,
    family="starts_from_mu",
)
class ThetaMissing(OUNoise):
    def evolve_state(self):
        pull = self.mu - self.state
        self.state = self.state + pull + self.sigma * self.rng.standard_normal(self.action_dim)
        return self.state


@mutant(
    "OUNoise.evolve_state",
    breaks=["mean_reversion", "state"],
    says=_FROM_MU,
    family="starts_from_mu",
)
class StartsFromMu(OUNoise):
    def evolve_state(self):
        self.state = self.mu + self.sigma * self.rng.standard_normal(self.action_dim)
        return self.state


@mutant(
    "OUNoise.evolve_state",
    breaks=["mean_reversion", "noise"],
    says="Your new state is the change alone: the state from before is not in it. A step adds "
    "the change to what was there.",
)
class StateBeforeForgotten(OUNoise):
    def evolve_state(self):
        pull = self.theta * (self.mu - self.state)
        self.state = pull + self.sigma * self.rng.standard_normal(self.action_dim)
        return self.state


# --- evolve_state: the noise ---------------------------------------------------------------------


@mutant(
    "OUNoise.evolve_state",
    breaks=["noise"],
    says="Your fresh noise is uniform between 0 and 1. It then pushes one way only, and the state "
    "settles above mu. The process takes normal draws, which have mean 0 and no bounds.",
)
class UniformDraws(OUNoise):
    def evolve_state(self):
        pull = self.theta * (self.mu - self.state)
        self.state = self.state + pull + self.sigma * self.rng.random(self.action_dim)
        return self.state


@mutant(
    "OUNoise.evolve_state",
    breaks=["noise"],
    says="Your fresh noise is uniform between -1 and 1. The process takes standard normal draws: "
    "their standard deviation is 1, and now and then there is a large one.",
)
class SymmetricUniformDraws(OUNoise):
    def evolve_state(self):
        pull = self.theta * (self.mu - self.state)
        self.state = self.state + pull + self.sigma * self.rng.uniform(-1, 1, self.action_dim)
        return self.state


@mutant(
    "OUNoise.evolve_state",
    breaks=["noise"],
    says="sigma and the fresh noise are inside the pull, so theta scales them down as well. The "
    "noise is a term of its own. Look at your brackets.",
)
class SigmaInsideThePull(OUNoise):
    def evolve_state(self):
        noise = self.sigma * self.rng.standard_normal(self.action_dim)
        self.state = self.state + self.theta * (self.mu - self.state + noise)
        return self.state


@mutant(
    "OUNoise.evolve_state",
    breaks=["mean_reversion", "noise"],
    says="sigma scales the pull instead of the noise. sigma says how strong the fresh noise is and "
    "nothing else.",
)
class SigmaOnThePull(OUNoise):
    def evolve_state(self):
        pull = self.theta * (self.mu - self.state)
        self.state = self.state + self.sigma * pull + self.rng.standard_normal(self.action_dim)
        return self.state


@mutant(
    "OUNoise.evolve_state",
    breaks=["mean_reversion", "noise"],
    says="sigma is missing from your step, so the fresh noise has strength 1 whatever sigma is. "
    "Then the decay of sigma has no effect either.",
)
class SigmaMissing(OUNoise):
    def evolve_state(self):
        pull = self.theta * (self.mu - self.state)
        self.state = self.state + pull + self.rng.standard_normal(self.action_dim)
        return self.state


@mutant(
    "OUNoise.evolve_state",
    breaks=["noise"],
    says="Your fresh noise has strength sigma squared. sigma is the standard deviation of what is "
    "added in a step, not the variance.",
)
class SigmaSquared(OUNoise):
    def evolve_state(self):
        pull = self.theta * (self.mu - self.state)
        noise = self.sigma**2 * self.rng.standard_normal(self.action_dim)
        self.state = self.state + pull + noise
        return self.state


@mutant(
    "OUNoise.evolve_state",
    breaks=["noise"],
    says="All dimensions of your action get the same draw. Each dimension explores on its own and "
    "needs a draw of its own.",
)
class OneDrawForAllDimensions(OUNoise):
    def evolve_state(self):
        pull = self.theta * (self.mu - self.state)
        self.state = self.state + pull + self.sigma * self.rng.standard_normal()
        return self.state


@mutant(
    "OUNoise.evolve_state",
    breaks=["noise"],
    says="Your draws do not come from self.rng, so the same seed gives other noise each time and "
    "no run can be repeated. Look at whose generator you ask.",
)
class AnotherGenerator(OUNoise):
    def evolve_state(self):
        pull = self.theta * (self.mu - self.state)
        draws = np.random.default_rng().standard_normal(self.action_dim)
        self.state = self.state + pull + self.sigma * draws
        return self.state


# --- evolve_state: the state ---------------------------------------------------------------------


@mutant(
    "OUNoise.evolve_state",
    breaks=["state"],
    says="The new state is not kept in self.state. The next step then "
    "starts where this one did, and the noise is not correlated in time.",
)
class StateNotKept(OUNoise):
    def evolve_state(self):
        pull = self.theta * (self.mu - self.state)
        return self.state + pull + self.sigma * self.rng.standard_normal(self.action_dim)


@mutant(
    "OUNoise.evolve_state",
    breaks=["mean_reversion", "noise", "state"],
    says="Your function returns the change of the state and not the new state. What is added to "
    "an action is where the process is, not how far it moved.",
)
class ReturnsTheChange(OUNoise):
    def evolve_state(self):
        before = self.state
        return super().evolve_state() - before


@mutant(
    "OUNoise.evolve_state",
    breaks=["state"],
    says="reset leaves your state where it was, so an episode starts with the noise of the last "
    "one. It has to go back to mu.",
)
class StateNotReset(OUNoise):
    def reset(self):
        if not hasattr(self, "state"):
            super().reset()


@mutant(
    "OUNoise.evolve_state",
    breaks=["state"],
    says="reset puts your state to 0, whatever mu is. A process around another mu would start each "
    "episode away from its centre.",
)
class ResetToZero(OUNoise):
    def reset(self):
        self.state = np.zeros(self.action_dim)


# --- get_action: sigma ---------------------------------------------------------------------------


def _progress(noise, t):
    return min(1.0, t / noise.decay_period)


def _set_sigma(noise, t):
    noise.sigma = noise.max_sigma - (noise.max_sigma - noise.min_sigma) * _progress(noise, t)


@mutant(
    "OUNoise.get_action",
    breaks=["sigma"],
    says="Your sigma never changes. An agent explores much at first and less once it knows more; "
    "look at where sigma is set from t.",
)
class DecayNeverApplied(OUNoise):
    def get_action(self, action, t=0):
        return np.clip(action + self.evolve_state(), self.low, self.high)


@mutant(
    "OUNoise.get_action",
    breaks=["sigma"],
    says="Your sigma grows from min_sigma to max_sigma. Exploration shall become weaker with time, "
    "not stronger.",
)
class DecayTheWrongWay(OUNoise):
    def get_action(self, action, t=0):
        span = self.max_sigma - self.min_sigma
        self.sigma = self.min_sigma + span * _progress(self, t)
        return np.clip(action + self.evolve_state(), self.low, self.high)


@mutant(
    "OUNoise.get_action",
    breaks=["sigma"],
    says="Your sigma goes on falling after decay_period, below min_sigma and in the end below 0. "
    "From decay_period on it stays at min_sigma.",
)
class DecayNotStopped(OUNoise):
    def get_action(self, action, t=0):
        span = self.max_sigma - self.min_sigma
        self.sigma = self.max_sigma - span * t / self.decay_period
        return np.clip(action + self.evolve_state(), self.low, self.high)


@mutant(
    "OUNoise.get_action",
    breaks=["sigma"],
    says="Your sigma falls to 0 instead of min_sigma. Then all exploration ends at decay_period.",
)
class DecayToZero(OUNoise):
    def get_action(self, action, t=0):
        self.sigma = self.max_sigma * (1 - _progress(self, t))
        return np.clip(action + self.evolve_state(), self.low, self.high)


@mutant(
    "OUNoise.get_action",
    breaks=["sigma"],
    says="Your sigma falls along an exponential curve. Here it falls along a straight line, by the "
    "same amount in each step.",
)
class ExponentialDecay(OUNoise):
    def get_action(self, action, t=0):
        ratio = self.min_sigma / self.max_sigma if self.max_sigma else 1.0
        self.sigma = self.max_sigma * ratio ** _progress(self, t)
        return np.clip(action + self.evolve_state(), self.low, self.high)


@mutant(
    "OUNoise.get_action",
    breaks=["sigma"],
    says="Your sigma follows the number of calls and not t. t counts environment steps since "
    "training began, and it is passed in.",
)
class CountsItsOwnCalls(OUNoise):
    def get_action(self, action, t=0):
        self.calls = getattr(self, "calls", -1) + 1
        _set_sigma(self, self.calls)
        return np.clip(action + self.evolve_state(), self.low, self.high)


# --- get_action: the order -----------------------------------------------------------------------


@mutant(
    "OUNoise.get_action",
    breaks=["order"],
    says="Your process moves before sigma is set, so its noise is always one step behind. Set "
    "sigma first.",
)
class DecayAfterTheDraw(OUNoise):
    def get_action(self, action, t=0):
        noise = self.evolve_state()
        _set_sigma(self, t)
        return np.clip(action + noise, self.low, self.high)


@mutant(
    "OUNoise.get_action",
    breaks=["order"],
    says="Your noise is self.state without a step of the process, so it never changes. Each call "
    "takes one step.",
)
class ProcessNotMoved(OUNoise):
    def get_action(self, action, t=0):
        _set_sigma(self, t)
        return np.clip(action + self.state, self.low, self.high)


@mutant(
    "OUNoise.get_action",
    breaks=["order"],
    says="Your process takes two steps in one call. One environment step is one step of the noise.",
)
class ProcessMovedTwice(OUNoise):
    def get_action(self, action, t=0):
        _set_sigma(self, t)
        self.evolve_state()
        return np.clip(action + self.evolve_state(), self.low, self.high)


@mutant(
    "OUNoise.get_action",
    breaks=["order"],
    says="Your process is reset at each call, so its noise is not correlated in time. It is reset "
    "at the start of an episode only.",
)
class ResetAtEachCall(OUNoise):
    def get_action(self, action, t=0):
        self.reset()
        return super().get_action(action, t)


@mutant(
    "OUNoise.get_action",
    breaks=["order"],
    says="Your function returns the noise alone: the agent's own action is not in it. Exploration "
    "happens around what the agent would do.",
)
class ActionForgotten(OUNoise):
    def get_action(self, action, t=0):
        return super().get_action(np.zeros_like(action), t)


@mutant(
    "OUNoise.get_action",
    breaks=["order"],
    says="Your noise multiplies the action. Where the action is 0 there would be no exploration at "
    "all. The noise is added.",
)
class NoiseMultiplied(OUNoise):
    def get_action(self, action, t=0):
        _set_sigma(self, t)
        return np.clip(action * (1 + self.evolve_state()), self.low, self.high)


# --- get_action: the clip ------------------------------------------------------------------------


@mutant(
    "OUNoise.get_action",
    breaks=["clip"],
    says="Your noisy action is not clipped and can leave the action space. The environment would "
    "do something else than what the memory remembers.",
)
class NoClipping(OUNoise):
    def get_action(self, action, t=0):
        _set_sigma(self, t)
        return action + self.evolve_state()


@mutant(
    "OUNoise.get_action",
    breaks=["clip"],
    says="Your action is clipped before the noise is added, so the sum can still leave the action "
    "space. Clip last.",
)
class ClippedBeforeTheSum(OUNoise):
    def get_action(self, action, t=0):
        _set_sigma(self, t)
        return np.clip(action, self.low, self.high) + self.evolve_state()


@mutant(
    "OUNoise.get_action",
    breaks=["clip"],
    says="Your noise is clipped, but not the sum, which can still leave the action space. Clip "
    "what you return.",
)
class NoiseClipped(OUNoise):
    def get_action(self, action, t=0):
        _set_sigma(self, t)
        return action + np.clip(self.evolve_state(), self.low, self.high)


@mutant(
    "OUNoise.get_action",
    breaks=["clip"],
    says="Your action is clipped to -1 and 1, whatever the action space is. Its bounds are "
    "attributes of the noise.",
)
class ClippedToOne(OUNoise):
    def get_action(self, action, t=0):
        _set_sigma(self, t)
        return np.clip(action + self.evolve_state(), -1.0, 1.0)


@mutant(
    "OUNoise.get_action",
    breaks=["clip"],
    says="Your action is clipped at the upper bound only and can fall below the lower one.",
)
class LowerBoundForgotten(OUNoise):
    def get_action(self, action, t=0):
        _set_sigma(self, t)
        return np.minimum(action + self.evolve_state(), self.high)


@mutant(
    "OUNoise.get_action",
    breaks=["clip"],
    says="Your noise is written into the action that was passed in. The "
    "caller still needs its own action. Look for an operation that works in place.",
)
class ActionModified(OUNoise):
    def get_action(self, action, t=0):
        _set_sigma(self, t)
        action += self.evolve_state()
        return np.clip(action, self.low, self.high)
