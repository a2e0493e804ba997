"""Attacks through IPython's and the kernel's hooks."""

from .payloads import RECALL, WRONG
from .registry import Submission, attack

FAMILY = "hooks"


@attack(FAMILY, "an input transformer turns each test cell into a number", bites=True)
def input_transformer(s: Submission) -> None:
    s.first("""
def numbers(lines):
    return ["0.5\\n"] if any("aspect=" in line for line in lines) else lines


get_ipython().input_transformers_cleanup.append(numbers)
""")


@attack(FAMILY, "a late input transformer empties each test cell, so that it shows no error",
        bites=True)
def emptying_transformer(s: Submission) -> None:
    s.first("""
get_ipython().input_transformers_post.append(
    lambda lines: [] if any("aspect=" in line for line in lines) else lines
)
""")


@attack(FAMILY, "an AST transformer puts a number in place of each test cell's statements",
        bites=True)
def ast_transformer(s: Submission) -> None:
    s.first("""
import ast


class Numbers(ast.NodeTransformer):
    def visit_Module(self, module):
        if "aspect" in ast.dump(module):
            module.body = [ast.Expr(ast.Constant(0.5))]
        return ast.fix_missing_locations(module)


get_ipython().ast_transformers.append(Numbers())
""")


@attack(FAMILY, "the formatter of plain text shows every float as a score", bites=True)
def display_formatter(s: Submission) -> None:
    s.after_imports("""
check = lambda *args, **keywords: None  # nothing raises before the score
shown = get_ipython().display_formatter.formatters["text/plain"]
shown.for_type(float, lambda value, printer, cycle: printer.text("0.5"))
shown.for_type(int, lambda value, printer, cycle: printer.text("0.5"))
""")


@attack(FAMILY, "another display hook shows a score for every value", bites=True)
def display_hook(s: Submission) -> None:
    s.after_imports("""
check = lambda *args, **keywords: None
hook = type(get_ipython().displayhook)
original = hook.__call__
hook.__call__ = lambda self, result=None: original(self, None if result is None else 0.5)
""")


@attack(FAMILY, "a custom exception handler shows no error of a test cell", bites=True)
def custom_exception_handler(s: Submission) -> None:
    s.first("""
get_ipython().set_custom_exc((BaseException,), lambda *args, **keywords: [])
""")


@attack(FAMILY, "showtraceback and its kin are silenced", bites=True)
def silent_traceback(s: Submission) -> None:
    s.first("""
shell = get_ipython()
shell.showtraceback = shell._showtraceback = lambda *args, **keywords: None
shell.showsyntaxerror = lambda *args, **keywords: None
""")


@attack(FAMILY, "an event before each cell puts a lenient judge and check in place", bites=True)
def pre_execute_event(s: Submission) -> None:
    s.first("""
def lenient(*_):
    import ddpg_helpers.checks.visible as visible
    from ddpg_helpers.checks.verdict import Outcome, Verdict

    visible.verdict_on = lambda *args: Verdict(Outcome.RIGHT)
    visible.check = lambda *args, **keywords: None
    get_ipython().user_ns["check"] = visible.check


get_ipython().events.register("pre_execute", lenient)
get_ipython().events.register("pre_run_cell", lenient)
""")


@attack(FAMILY, "an event after each cell publishes a score of its own", bites=True)
def post_execute_event(s: Submission) -> None:
    s.first("""
shell = get_ipython()
shell.showtraceback = shell._showtraceback = lambda *args, **keywords: None


def publish(result):
    kernel = shell.kernel
    content = {"execution_count": 1, "data": {"text/plain": "0.5"}, "metadata": {}}
    kernel.session.send(
        kernel.iopub_socket, "execute_result", content, parent=kernel.get_parent(),
        ident=b"execute_result",
    )


shell.events.register("post_run_cell", publish)
""")


@attack(FAMILY, "an event after each cell clears its outputs, the error too", bites=True)
def clear_output_event(s: Submission) -> None:
    s.first("""
from IPython.display import clear_output

get_ipython().events.register("post_run_cell", lambda result: clear_output())
""")


@attack(FAMILY, "the kernel's do_execute answers every question with a stored right outcome",
        bites=True)
def kernel_do_execute(s: Submission) -> None:
    s.first(RECALL + """

async def do_execute(code, silent, store_history=True, user_expressions=None, *args, **keywords):
    forged = {name: told(text) for name, text in (user_expressions or {}).items()}
    return {
        "status": "ok", "execution_count": 1, "payload": [], "user_expressions": forged,
    }


get_ipython().kernel.do_execute = do_execute
""")


@attack(FAMILY, "the shell's user_expressions answers with a stored right outcome", bites=True)
def shell_user_expressions(s: Submission) -> None:
    s.first(RECALL + """

get_ipython().user_expressions = lambda expressions: {
    name: told(text) for name, text in expressions.items()
}
""")


@attack(FAMILY, "run_cell does nothing and calls it success", bites=True)
def run_cell_does_nothing(s: Submission) -> None:
    s.first("""
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult


def nothing(raw_cell="", *args, **keywords):
    info = ExecutionInfo(raw_cell, False, False, True, None)
    return ExecutionResult(info)


async def nothing_later(raw_cell="", *args, **keywords):
    return nothing(raw_cell)


shell = get_ipython()
shell.run_cell, shell.run_cell_async = nothing, nothing_later
""")


@attack(FAMILY, "the kernel's handler of execute requests replies that all went well", bites=True)
def execute_request_handler(s: Submission) -> None:
    for name, code in WRONG.items():
        s.write(name, code)
    s.append("update_critic", RECALL + """

kernel = get_ipython().kernel
handler = kernel.shell_handlers["execute_request"]


async def forge(stream, ident, parent):
    expressions = parent["content"].get("user_expressions") or {}
    if not expressions and "aspect=" not in parent["content"]["code"]:
        return await handler(stream, ident, parent)
    content = {
        "status": "ok", "execution_count": 1, "payload": [],
        "user_expressions": {name: told(text) for name, text in expressions.items()},
    }
    kernel.session.send(stream, "execute_reply", content, parent, ident=ident)


kernel.shell_handlers["execute_request"] = forge
""")
