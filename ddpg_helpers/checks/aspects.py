"""What of each exercise is judged apart: its aspects, and which observed numbers each looks at."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Aspect:
    """One thing that an answer can get right or wrong.

    Attributes:
        title: what it is, for a student.
        keys: the observed numbers that must be right for it.
        wrong: the sentence where they are not and no known mistake explains them.
        tolerances: absolute tolerances of keys that are measured, not computed.
        shown_by: where the keys come out the same on every probe, other numbers that do not. A
            hidden test believes the keys only beside them.
    """

    title: str
    keys: tuple[str, ...]
    wrong: str
    tolerances: dict[str, float] = field(default_factory=dict)
    shown_by: tuple[str, ...] = ()


UNITS: dict[str, tuple[str, ...]] = {
    "01_ou_noise": ("OUNoise.evolve_state", "OUNoise.get_action"),
    "02_replay_memory": ("ReplayMemory.push", "ReplayMemory.sample", "ReplayMemory.__len__"),
    "03_networks": ("Actor.forward", "Critic.forward", "make_target"),
    "04_critic_loss": ("td_target", "critic_loss", "update_critic"),
    "05_actor_loss": ("actor_loss", "update_actor"),
    "06_ddpg_agent": ("soft_update", "DDPGAgent.get_action", "DDPGAgent.update"),
}

ASPECTS: dict[str, dict[str, Aspect]] = {
    "OUNoise.evolve_state": {
        "mean_reversion": Aspect(
            "the pull towards mu",
            ("first", "first_shape"),
            "With sigma 0, one step does not move the state a fraction theta of the way to mu.",
        ),
        "noise": Aspect(
            "the fresh noise",
            ("first", "first_shape"),
            "With theta 0, one step does not add sigma times standard normals from self.rng, one "
            "for each action dimension.",
        ),
        "state": Aspect(
            "the state from step to step",
            ("returned_but_not_kept", "starts_from_the_state", "moves", "after_reset"),
            "Each step must start where the last one ended and keep the new state in self.state.",
        ),
    },
    "OUNoise.get_action": {
        "sigma": Aspect(
            "the decay of sigma",
            ("sigma",),
            "self.sigma is not on the line from max_sigma at t = 0 to min_sigma at decay_period, "
            "and min_sigma after it.",
        ),
        "order": Aspect(
            "sigma first, then one step of the process, then the sum",
            ("out_of_order", "action_shape"),
            "The noisy action is not the action plus one step of the process taken with the new "
            "sigma.",
            shown_by=("sigma", "actions"),
        ),
        "clip": Aspect(
            "clipping to the action space",
            ("unclipped", "action_changed"),
            "The result must lie between low and high in every dimension, and the given action "
            "must not be modified.",
            shown_by=("sigma", "actions"),
        ),
    },
    "ReplayMemory.push": {
        "stored": Aspect(
            "storing a copy of the transition",
            ("stored", "copied"),
            "What comes out is not what was pushed. Remember to copy: the caller may change its "
            "arrays afterwards.",
        ),
        "terminated": Aspect(
            "the terminated flag",
            ("terminated",),
            "The terminated column is not the flag that was pushed, as 0. or 1.",
        ),
        "first_in_first_out": Aspect(
            "the oldest goes first",
            ("not_the_last", "amount_when_full"),
            "When the memory is full, a new transition must take the place of the oldest one.",
            shown_by=("stored",),
        ),
    },
    "ReplayMemory.sample": {
        "batch": Aspect(
            "the form of the batch",
            ("shapes", "kinds", "rows_mixed_up"),
            "The batch must hold float32 tensors of shapes [N, S], [N, A], [N, 1], [N, S], [N, 1], "
            "and row i of each column must belong to the same transition.",
            shown_by=("contents",),
        ),
        "without_replacement": Aspect(
            "no transition twice in a batch",
            ("repeated",),
            "A transition came twice in one batch.",
            shown_by=("contents",),
        ),
        "uniform": Aspect(
            "every transition equally likely",
            ("uneven", "uneven_pairs", "same_seed_differs"),
            "Some transitions, or pairs of them, are drawn more often than others, or the choice "
            "does not come from self.rng.",
            shown_by=("contents",),
        ),
        "too_few": Aspect(
            "asking for more than is stored",
            ("too_few",),
            "Sampling more transitions than are stored must raise a ValueError.",
            shown_by=("contents",),
        ),
    },
    "ReplayMemory.__len__": {
        "length": Aspect(
            "the number of stored transitions",
            ("lengths",),
            "len(memory) must count the stored transitions, at most max_size.",
        ),
    },
    "Actor.forward": {
        "values": Aspect(
            "the actions",
            ("actions", "actions_shape", "gradient"),
            "The actions are not those of linear1, ReLU, linear2, ReLU, linear3, tanh.",
        ),
        "range": Aspect(
            "the range of the actions",
            ("range",),
            "Large inputs must give actions close to -1 or 1, and never beyond them.",
            {"range": 1e-3},
            shown_by=("actions",),
        ),
    },
    "Critic.forward": {
        "shape": Aspect(
            "one value a transition",
            ("values_shape",),
            "The critic must give one number for each transition: shape [N, 1].",
            shown_by=("values",),
        ),
        "values": Aspect(
            "the values",
            ("values", "gradient", "input_gradient"),
            "The values are not those of [state, action], linear1, ReLU, linear2, ReLU, linear3.",
        ),
    },
    "make_target": {
        "equal": Aspect(
            "equal in value",
            ("weights_differ", "values_differ", "values_shape"),
            "The target must give the same values as the network it was copied from.",
            shown_by=("target",),
        ),
        "apart": Aspect(
            "nothing shared with the online network",
            ("target_followed", "online_changed"),
            "When the online network moves, the target must stay where it was.",
            shown_by=("target",),
        ),
        "frozen": Aspect(
            "no gradient for the target, still one for the online network",
            ("requires_grad", "online_trains"),
            "The target's parameters must not require a gradient, and the online network's must.",
            shown_by=("target",),
        ),
    },
    "td_target": {
        "shape": Aspect(
            "the shape [N, 1]",
            ("target_shape",),
            "The target must have shape [N, 1], one row a transition.",
            shown_by=("target",),
        ),
        "mask": Aspect(
            "terminal transitions",
            ("terminal_rows", "others_masked"),
            "Where a transition ended in a terminal state, the target is not the right one, or "
            "the mask reaches other transitions too.",
        ),
        "bootstrap": Aspect(
            "the other transitions",
            ("target", "batch_changed"),
            "Where a transition did not end in a terminal state, the target is not the right one.",
        ),
    },
    "critic_loss": {
        "value": Aspect(
            "the value of the loss",
            ("loss", "batch_changed"),
            "The loss is not the mean of the squared TD errors.",
        ),
        "gradient": Aspect(
            "the gradient for the critic",
            ("direction",),
            "The gradient of the loss with respect to the critic's parameters does not point where "
            "it should.",
        ),
        "networks": Aspect(
            "which networks make the target",
            ("matched_loss", "reacts"),
            "The targets inside the loss are off. The target networks differ from the online ones "
            "here, gamma is not 0 and some transitions are terminal.",
            {"matched_loss": 1e-5},
            shown_by=("moved_loss",),
        ),
    },
    "update_critic": {
        "returned": Aspect(
            "the returned loss",
            ("returned",),
            "update_critic must return the loss from before the step.",
        ),
        "step": Aspect(
            "the step",
            ("step", "next_step"),
            "One call does not move the critic by one step of its optimiser.",
        ),
        "second_step": Aspect(
            "a step with old gradients around",
            ("old_gradients", "critic_moved"),
            "A call that finds old gradients must not be influenced by them.",
            shown_by=("step", "returned"),
        ),
        "only_the_critic": Aspect(
            "only the critic moves",
            ("others_moved", "critic_moved", "critic_trains"),
            "The step must move the critic, must leave it trainable, and must move nothing else: "
            "neither target network and not the batch.",
            shown_by=("step", "returned"),
        ),
    },
    "actor_loss": {
        "value": Aspect(
            "the value of the loss",
            ("loss", "batch_changed"),
            "The loss is not minus the mean value of the actor's own actions.",
        ),
        "gradient": Aspect(
            "the gradient for the actor",
            ("direction",),
            "The gradient of the loss with respect to the actor's parameters does not point where "
            "it should.",
        ),
    },
    "update_actor": {
        "returned": Aspect(
            "the returned loss",
            ("returned",),
            "update_actor must return the loss from before the step.",
        ),
        "step": Aspect(
            "the step",
            ("step", "next_step"),
            "One call does not move the actor by one step of its optimiser.",
        ),
        "second_step": Aspect(
            "a step with old gradients around",
            ("old_gradients", "actor_moved"),
            "A call that finds old gradients must not be influenced by them.",
            shown_by=("step", "returned"),
        ),
        "critic_unchanged": Aspect(
            "the critic is as it was",
            ("others_moved", "critic_trains", "actor_moved"),
            "The step must move the actor, and must leave the critic's values and its "
            "requires_grad, and the batch, as they were.",
            shown_by=("step", "returned"),
        ),
    },
    "soft_update": {
        "blend": Aspect(
            "the blend",
            ("target",),
            "The target is not tau times online plus (1 - tau) times target, in every parameter.",
        ),
        "repeated": Aspect(
            "several updates in a row",
            ("after_others", "requires_grad", "moved"),
            "A soft update must work the same however many came before it, and its target must "
            "not come to require a gradient.",
            shown_by=("target",),
        ),
        "apart": Aspect(
            "the online network is untouched and nothing is shared",
            ("online_moved", "online_trains", "target_followed", "moved"),
            "A soft update must not change the online network, and the target must not follow "
            "when the online network moves later.",
            shown_by=("target",),
        ),
    },
    "DDPGAgent.get_action": {
        "action": Aspect(
            "the action in every dimension",
            ("action", "action_shape", "single_action_shape"),
            "The action is not the actor's output for this state, of shape [A].",
        ),
        "plain": Aspect(
            "a plain float32 array, without noise",
            ("numpy_float32", "differs_again", "state_changed", "actor_changed"),
            "get_action must return a numpy array of float32, the same for the same state, and "
            "must leave the state and the actor as they were.",
            shown_by=("action",),
        ),
    },
    "DDPGAgent.update": {
        "critic_loss": Aspect(
            "the critic's loss",
            ("critic_loss",),
            "The first number returned is not the critic's loss on the sampled batch.",
        ),
        "critic_step": Aspect(
            "the critic's step",
            ("critic_step", "critic_old_gradients"),
            "The critic does not move by one step of its optimiser, or old gradients play a part.",
        ),
        "actor_loss": Aspect(
            "the actor's loss",
            ("actor_loss", "actor_loss_through_old"),
            "The second number returned is not the actor's loss on the same batch, through the "
            "critic after its step.",
        ),
        "actor_step": Aspect(
            "the actor's step through the updated critic",
            ("actor_step", "actor_step_through_old", "actor_old_gradients"),
            "The actor does not move by one step of its optimiser through the updated critic, or "
            "old gradients play a part.",
        ),
        "actor_target": Aspect(
            "the actor's target",
            (
                "actor_target_step",
                "actor_target_elsewhere",
                "actor_target_at_the_start",
                "actor_target_followed",
            ),
            "The actor's target must equal the actor at the start and, after the steps, move a "
            "fraction tau towards it.",
        ),
        "critic_target": Aspect(
            "the critic's target",
            (
                "critic_target_step",
                "critic_target_elsewhere",
                "critic_target_at_the_start",
                "critic_target_followed",
            ),
            "The critic's target must equal the critic at the start and, after the steps, move a "
            "fraction tau towards it.",
        ),
    },
}
