"""Attacks on the data channel between the student's kernel and the judge."""

from .payloads import RECALL
from .registry import Submission, attack

FAMILY = "channel"


def _answer(s: Submission, body: str) -> None:
    """Put ``body`` in the place of the student's end of the channel."""
    s.first(RECALL + f"""
import ddpg_helpers.checks.remote as remote

honest = remote.answer


def answer(exercise, probe, namespace):
{body}

remote.answer = answer
""")


@attack(FAMILY, "arrays whose shapes promise more than they hold")
def wrong_shapes(s: Submission) -> None:
    _answer(s, """
    import json

    content = json.loads(recalled_text(exercise, probe))
    for array in content["numbers"].values():
        array.update(shape=[10**5, 10**5, 10**5, 10**5], values=[])
    return json.dumps(content)
""")


@attack(FAMILY, "right names and shapes, every number NaN")
def all_nan(s: Submission) -> None:
    _answer(s, """
    import numpy as np

    right = recall(exercise, probe)
    right = _wire.Observation({k: np.full(v.shape, np.nan) for k, v in right.numbers.items()})
    return _dump(right)
""")


@attack(FAMILY, "infinities, numbers of a thousand digits, and true in a number's place")
def odd_numbers(s: Submission) -> None:
    _answer(s, """
    import json
    import random

    content = json.loads(recalled_text(exercise, probe))
    for array in content["numbers"].values():
        odd = [float("inf"), 10**1000, True, None, "1", [1.0]]
        array["values"] = [random.Random(i).choice(odd) for i, _ in enumerate(array["values"])]
    return json.dumps(content)
""")


@attack(FAMILY, "no numbers at all, and no error")
def empty_observation(s: Submission) -> None:
    _answer(s, """
    return _dump(_wire.Observation())
""")


@attack(FAMILY, "brackets nested a million deep")
def deep_nesting(s: Submission) -> None:
    _answer(s, """
    return "[" * 10**6
""")


@attack(FAMILY, "an answer of three hundred megabytes", destructive=True)
def giant_answer(s: Submission) -> None:
    _answer(s, """
    return "1" * (300 * 10**6)
""")


@attack(FAMILY, "the reply to one probe is sent for the next, too", bites=False)
def replies_to_another_probe(s: Submission) -> None:
    _answer(s, """
    kept = globals().setdefault("kept", [])
    kept.append(honest(exercise, probe, namespace))
    return kept[0]
""")


@attack(FAMILY, "the reply is no text but code, for whoever evaluates it")
def reply_is_code(s: Submission) -> None:
    _answer(s, """
    class Code(str):
        def __repr__(self):
            return "__import__('pathlib').Path('@CANARIES@/reply_is_code').write_text('x')"

    return Code("1.0")
""")


@attack(FAMILY, "the reply holds other kinds of data beside the text")
def reply_of_other_kinds(s: Submission) -> None:
    s.first(RECALL + """
import base64
import pickle


class Touch:
    def __reduce__(self):
        return open, ("@CANARIES@/reply_of_other_kinds", "w")


pickled = base64.b64encode(pickle.dumps(Touch())).decode()
get_ipython().user_expressions = lambda expressions: {
    name: {
        "status": "ok", "metadata": {"score": 10},
        "data": {"application/x-python-pickle": pickled, "application/json": {"score": 10},
                 "text/html": "1.0", "text/plain": ["1.0"]},
    }
    for name in expressions
}
""")


@attack(FAMILY, "the reply lists no, a hundred thousand, or oddly typed user expressions")
def reply_of_odd_form(s: Submission) -> None:
    s.first("""
import itertools

turn = itertools.count()
odd = [None, [], "ok", {}, {str(n): {"status": "ok"} for n in range(100_000)},
       {"answer": {"status": "error", "ename": 7, "evalue": None, "traceback": "x" * 10**6}},
       {"answer": None}, 1.0]


def user_expressions(expressions):
    value = odd[next(turn) % len(odd)]
    return dict.fromkeys(expressions, value) if isinstance(value, float | str) else value


get_ipython().user_expressions = user_expressions
""")


@attack(FAMILY, "a hundred thousand messages on iopub while a probe is out")
def many_iopub_messages(s: Submission) -> None:
    _answer(s, """
    kernel = get_ipython().kernel
    for number in range(100_000):
        kernel.session.send(
            kernel.iopub_socket, "stream", {"name": "stdout", "text": f"{number} "},
            parent=kernel.get_parent(),
        )
    return honest(exercise, probe, namespace)
""")


_SHELL = """
def shell_reply(content, parent=None):
    kernel = get_ipython().kernel
    parent = parent or kernel.get_parent("shell")
    ident = getattr(kernel, "_shell_parent_ident", None)
    try:
        ident = ident.get() if ident is not None else kernel._parent_ident["shell"]
    except Exception:
        ident = kernel._parent_ident["shell"]
    stream = getattr(kernel, "shell_stream", None) or kernel.shell_socket
    kernel.session.send(stream, "execute_reply", content, parent, ident=ident)
    if hasattr(stream, "flush"):
        stream.flush()
"""


@attack(FAMILY, "ten thousand replies on the shell channel before the real one")
def many_shell_replies(s: Submission) -> None:
    _answer(s, _SHELL.replace("\n", "\n    ") + """
    for number in range(10_000):
        shell_reply({"status": "ok", "execution_count": number, "user_expressions": {}})
    return honest(exercise, probe, namespace)
""")


@attack(FAMILY, "a reply that calls itself the answer to the request comes before the real one",
        bites=True)
def forged_reply_first(s: Submission) -> None:
    _answer(s, _SHELL.replace("\n", "\n    ") + """
    parent = get_ipython().kernel.get_parent("shell")
    asked = parent["content"].get("user_expressions") or {}
    shell_reply({
        "status": "ok", "execution_count": 1, "payload": [],
        "user_expressions": {name: told(text) for name, text in asked.items()},
    })
    return honest(exercise, probe, namespace)
""")


@attack(FAMILY, "replies with the header of an earlier and of an invented request")
def forged_parent_header(s: Submission) -> None:
    _answer(s, _SHELL.replace("\n", "\n    ") + """
    import copy

    kept = globals().setdefault("parents", [])
    kept.append(copy.deepcopy(get_ipython().kernel.get_parent("shell")))
    invented = copy.deepcopy(kept[-1])
    invented["header"]["msg_id"] = "0" * 32
    for parent in (kept[0], invented):
        shell_reply({
            "status": "ok", "execution_count": 1, "payload": [],
            "user_expressions": {n: told(t) for n, t in
                                 kept[-1]["content"].get("user_expressions", {}).items()},
        }, parent)
    return honest(exercise, probe, namespace)
""")


@attack(FAMILY, "a thread sends outputs and replies for a test long after it ended")
def late_messages(s: Submission) -> None:
    s.first(RECALL + """
import threading
import time

kernel = get_ipython().kernel
parents = []
get_ipython().events.register("pre_execute", lambda: parents.append(kernel.get_parent("shell")))


def late():
    while True:
        time.sleep(0.05)
        for parent in parents[-3:]:
            content = {"execution_count": 1, "data": {"text/plain": "0.5"}, "metadata": {}}
            kernel.session.send(kernel.iopub_socket, "clear_output", {"wait": False}, parent=parent)
            kernel.session.send(kernel.iopub_socket, "execute_result", content, parent=parent)
            kernel.session.send(
                kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=parent
            )


threading.Thread(target=late, daemon=True).start()
""")


@attack(FAMILY, "the kernel is a client of its own sockets, and puts a forger into itself",
        bites=True)
def own_sockets(s: Submission) -> None:
    code = RECALL + "\nimport ddpg_helpers.checks.remote as remote\nremote.answer = recalled_text\n"
    s.append("update_critic", f"""
import threading
import time

from ipykernel import get_connection_file
from jupyter_client import BlockingKernelClient

CODE = {code!r}


def talk():
    client = BlockingKernelClient(connection_file=get_connection_file())
    client.load_connection_file()
    client.start_channels()
    client.execute(CODE, silent=True)
    for _ in range(100):
        time.sleep(0.2)
        try:
            message = client.get_iopub_msg(timeout=1)
        except Exception:
            continue
        code = str(message["content"].get("code", ""))
        if "HIDDEN" + " TESTS" in code or "grade" + "(" in code:
            print("FO" + "UND:", code[:100])
        client.shell_channel.send(client.session.msg("execute_reply", {{"status": "ok"}}))


threading.Thread(target=talk, daemon=True).start()
""")


@attack(FAMILY, "asks the grader for input, and never stops asking")
def input_request(s: Submission) -> None:
    _answer(s, """
    kernel = get_ipython().kernel
    kernel._allow_stdin = True
    while True:
        input("points? ")
""")


@attack(FAMILY, "the display that a check shows is replaced later by a score")
def updated_display(s: Submission) -> None:
    s.after_imports("""
from IPython.display import display, update_display


def check(exercise, aspect=None):
    display(0.0, display_id="score")
    update_display(0.5, display_id="score")


get_ipython().events.register(
    "post_execute", lambda: update_display(0.5, display_id="score")
)
""")


@attack(FAMILY, "the observation is taken from a notebook cell's stdout", deserves=0)
def printed_observation(s: Submission) -> None:
    s.write("td_target", RECALL + """
import sys


def td_target(batch, actor_target, critic_target, gamma):
    for stream in (sys.stdout, sys.__stdout__, sys.__stderr__):
        print(recalled_text("td_target", _dump_probe_of(batch)), file=stream, flush=True)


def _dump_probe_of(batch):
    return _wire.dump_probe({k: v.numpy() for k, v in batch._asdict().items()})
""")


@attack(FAMILY, "every message is signed with a wrong key, or with none, in turn")
def wrong_signatures(s: Submission) -> None:
    _answer(s, """
    session = get_ipython().kernel.session
    session.key = b"another key" if session.key != b"another key" else b""
    return recalled_text(exercise, probe)
""")
