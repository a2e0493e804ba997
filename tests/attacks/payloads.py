"""Pieces of code that several attacks share. They run in the student's kernel."""

# Of all that a student has, the stored right outcomes of the visible checks are the best guess.
RECALL = '''
import ddpg_helpers.checks.stored as _stored
import ddpg_helpers.checks.wire as _wire

_dump, _load, _look_up = _wire.dump_observation, _wire.load_probe, _stored.load


def recall(exercise, probe, namespace=None):
    """The stored right outcome of the aspect whose probe is most like this one."""
    probe = _load(probe) if isinstance(probe, str) else probe
    aspects = _look_up(exercise).aspects

    def unlike(name):
        own = aspects[name].probe
        return sum(repr(own.get(key)) != repr(value) for key, value in probe.items())

    return aspects[min(aspects, key=unlike)].right[0]


def recalled_text(exercise, probe, namespace=None):
    return _dump(recall(exercise, probe))


def told(expression):
    """What a kernel says to a user expression that asks for an answer."""
    import re

    class Answer:
        def answer(self, exercise, probe, namespace):
            return recalled_text(exercise, probe)

    call = re.search(r"answer\\s*\\(.*", expression, re.DOTALL)
    text = eval("_it." + call[0], {"_it": Answer()}) if call else "1.0"
    return {"status": "ok", "data": {"text/plain": repr(text)}, "metadata": {}}
'''

# Say on stdout that something was read. The word is put together while running, so that it is in
# no cell's text.
FOUND = '''
def found(what):
    print("FO" + "UND:", str(what)[:200].replace(chr(10), " "))
'''

# Definitions that do not raise NotImplementedError: they count as attempted, and are wrong.
WRONG = {
    "td_target": "def td_target(batch, actor_target, critic_target, gamma):\n    return None",
    "critic_loss": (
        "def critic_loss(batch, critic, actor_target, critic_target, gamma):\n    return None"
    ),
    "update_critic": (
        "def update_critic(batch, critic, critic_optimizer, actor_target, critic_target, gamma):\n"
        "    return None"
    ),
}
