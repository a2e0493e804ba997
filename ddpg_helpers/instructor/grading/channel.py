"""The channel to a student's kernel: probes go in, observations come out, and nothing else does."""

import ast
import time
from collections.abc import Callable
from queue import Empty
from typing import Any

import zmq
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_core.utils import ensure_async, run_sync

from ddpg_helpers.checks.wire import (
    MAX_CHARACTERS,
    Observation,
    Probe,
    WireError,
    dump_probe,
    load_observation,
)

_EXPRESSION = (
    "__import__('ddpg_helpers.checks.remote', fromlist=['answer']).answer({!r}, {!r}, globals())"
)


class KernelChannel:
    """Asks for one test cell; after an answer that never came, it does not ask for that again.

    Args:
        client: of the student's kernel.
        is_alive: whether the kernel still runs.
        interrupt: sends the kernel an interrupt.
        timeout: seconds that an answer may take.

    Attributes:
        timed_out: whether an answer did not come in time.
        stuck: whether the kernel died or would not be interrupted, and must be replaced.
    """

    POLL = 0.5  # seconds between looks at whether the kernel lives
    GRACE = 3.0  # seconds for an interrupt to be obeyed

    def __init__(
        self,
        client: AsyncKernelClient,
        is_alive: Callable[[], Any],
        interrupt: Callable[[], Any],
        timeout: float,
    ) -> None:
        self._client = client
        self._is_alive = is_alive
        self._interrupt = interrupt
        self._timeout = timeout
        self._unanswered: dict[str, Observation] = {}
        self.timed_out = False
        self.stuck = False

    def ask(self, exercise: str, probe: Probe) -> Observation:
        """Have the student's answer observed on a probe."""
        if exercise in self._unanswered:
            return self._unanswered[exercise]
        observation = run_sync(self._ask)(exercise, probe)
        if observation.raised in ("TimeoutError", "KernelDied"):
            self._unanswered[exercise] = observation
        return observation

    async def _ask(self, exercise: str, probe: Probe) -> Observation:
        if self.stuck:
            return Observation(raised="KernelDied", message="the kernel had ended before")
        expression = _EXPRESSION.format(exercise, dump_probe(probe))
        try:
            request = self._client.execute(
                "", silent=True, store_history=False, user_expressions={"answer": expression}
            )
        except zmq.ZMQError:
            self.stuck = True
            return Observation(raised="KernelDied", message="the kernel took no more requests")
        reply = await self._reply(request, self._timeout)
        if isinstance(reply, str):
            return Observation(raised="KernelDied", message=reply)
        if reply is None:
            self.timed_out = True
            await ensure_async(self._interrupt())
            self.stuck = not isinstance(await self._reply(request, self.GRACE), dict)
            return Observation(
                raised="TimeoutError", message=f"it did not finish within {self._timeout:g} seconds"
            )
        try:
            text = reply["data"]["text/plain"]
            if len(text) > 2 * MAX_CHARACTERS or text[:1] not in ("'", '"'):
                raise WireError("its numbers came in another form than expected")
            return load_observation(ast.literal_eval(text))
        except (KeyError, TypeError, ValueError, SyntaxError, MemoryError, RecursionError) as error:
            reason = str(error) if isinstance(error, WireError) else "its numbers did not come back"
            return Observation(raised="UnreadableAnswer", message=reason)

    async def _reply(self, request: str, seconds: float) -> dict[str, Any] | str | None:
        """The answer's reply, None if none comes in time, a reason if none can come any more."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = await self._client.get_shell_msg(timeout=min(left, self.POLL))
            except (TimeoutError, Empty):
                if not await ensure_async(self._is_alive()):
                    self.stuck = True
                    return "the kernel ended while it ran"
                continue
            except Exception:  # it is no message: whatever a student's code may send
                continue
            if _at(message, "parent_header", "msg_id") == request:
                answer = _at(message, "content", "user_expressions", "answer")
                return answer if isinstance(answer, dict) else {}
        return None


def _at(content: Any, *path: str) -> Any:
    """What stands at a path in nested dictionaries; None where it does not go on."""
    for name in path:
        content = content.get(name) if isinstance(content, dict) else None
    return content
