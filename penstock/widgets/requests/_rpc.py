"""Requests from the browser: checked, run on a lane, answered; whatever happens becomes a reply.

The contract, with every operation and type, is ``widgets_js/src/session/protocol.ts``.
"""

from __future__ import annotations

import contextvars
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from penstock.errors import PenstockError, QueryCancelledError
from penstock.widgets.requests._checks import BadRequestError, Check, check_arguments, in_few_words
from penstock.widgets.requests._failures import failure

__all__ = ["Call", "Dispatcher", "Lane", "Operations", "Reply", "Send", "operation"]

_log = logging.getLogger("penstock.widgets")
_ID = re.compile(r"[0-9a-f]{1,32}:[0-9]{1,15}")
_PROTOCOL = 1
_NUM_READERS = 4
_PROGRESS_S = 0.2

Lane = Literal["order", "read"]
Send = Callable[[dict[str, Any], list[bytes]], None]
_readers = ThreadPoolExecutor(_NUM_READERS, thread_name_prefix="penstock-read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A result with binary buffers beside it."""

    result: Mapping[str, Any]
    buffers: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request while it runs."""

    id: str
    send: Send
    cancelled: threading.Event = field(default_factory=threading.Event)
    quiet_until: float = field(default_factory=lambda: time.monotonic() + _PROGRESS_S)

    @property
    def view(self) -> str:
        """Id of the browser's view that asked."""
        return self.id.split(":", 1)[0]

    def check_cancelled(self) -> None:
        """Raise if the browser no longer wants the answer."""
        if self.cancelled.is_set():
            raise QueryCancelledError("cancelled")

    def progress(self, done: int, total: int | None, what: str) -> None:
        """Tell the browser how far the work is, a few times a second and only of what takes that long."""
        if time.monotonic() < self.quiet_until:
            return
        object.__setattr__(self, "quiet_until", time.monotonic() + _PROGRESS_S)
        event = {"v": _PROTOCOL, "event": "progress", "id": self.id, "done": done, "total": total, "what": what}
        self.send(event, [])


@dataclass(frozen=True, slots=True)
class _Operation:
    method: str
    checks: Mapping[str, Check]
    lane: Lane


def operation(name: str, /, *, lane: Lane = "order", **checks: Check) -> Callable[[Any], Any]:
    """Declare a method as the answer to an operation of the contract.

    Parameters
    ----------
    name : str
        The operation, as the browser names it.
    lane : {"order", "read"}
        ``order``: one after the other, as sent. ``read``: changes nothing, runs beside others.
    **checks : Check
        How each argument is checked; the method gets them by keyword.
    """

    def mark(method: Any) -> Any:
        method.operation = (name, checks, lane)
        return method

    return mark


class Operations:
    """Base of classes whose methods answer operations; a subclass's method wins over its base's."""

    table: ClassVar[Mapping[str, _Operation]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        table: dict[str, _Operation] = {}
        for base in reversed(cls.__mro__):
            for method_name, member in vars(base).items():
                if hasattr(member, "operation"):
                    name, checks, lane = member.operation
                    table[name] = _Operation(method_name, checks, lane)
        cls.table = table


class Dispatcher:
    """Answers the requests of one widget's browser views.

    Parameters
    ----------
    operations : Operations
        What can be asked.
    send : callable
        Sends a message and its buffers to every browser on the kernel; called from any thread.
    order : Executor
        The lane for what must happen one after the other; shared by widgets of one session.
    """

    def __init__(self, operations: Operations, send: Send, order: ThreadPoolExecutor) -> None:
        self._operations = operations
        self._send = send
        self._lanes: Mapping[Lane, ThreadPoolExecutor] = {"order": order, "read": _readers}
        self._running: dict[str, Call] = {}
        self._lock = threading.Lock()

    def receive(self, content: Any) -> None:
        """Take a message from the browser; the answer is sent from a lane's thread."""
        call = self._admit(content)
        if call is None:
            return
        found = self._operations.table.get(content["op"]) if isinstance(content.get("op"), str) else None
        lane = self._lanes[found.lane if found else "read"]
        context = contextvars.copy_context()
        lane.submit(context.run, self._finish, call, content)

    def answer(self, content: Any) -> None:
        """Take a message and answer it in this thread."""
        call = self._admit(content)
        if call is not None:
            self._finish(call, content)

    def cancel_all(self) -> None:
        """Cancel whatever runs or waits."""
        with self._lock:
            calls = list(self._running.values())
        for call in calls:
            call.cancelled.set()

    def _admit(self, content: Any) -> Call | None:
        call_id = content.get("id") if isinstance(content, Mapping) else None
        if not isinstance(call_id, str) or not _ID.fullmatch(call_id):
            _log.warning("dropped a message from the browser without a usable id")
            return None
        with self._lock:
            if content.get("op") == "cancel":
                running = self._running.get(call_id)
                if running:
                    running.cancelled.set()
                return None
            call = Call(id=call_id, send=self._send)
            if call_id in self._running:
                _log.warning("dropped a request whose id is in use: %s", call_id)
                return None
            self._running[call_id] = call
        return call

    def _finish(self, call: Call, content: Mapping[str, Any]) -> None:
        try:
            reply = self._run(call, content)
            message: dict[str, Any] = {"v": _PROTOCOL, "id": call.id, "ok": True, "result": reply.result}
            buffers = list(reply.buffers)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  a panic of an engine too: unanswered, a control is dead
            self._log_unexpected(error, content)
            message, buffers = {"v": _PROTOCOL, "id": call.id, "ok": False, "error": failure(error)}, []
        finally:
            with self._lock:
                self._running.pop(call.id, None)
        self._send(message, buffers)

    def _run(self, call: Call, content: Mapping[str, Any]) -> Reply:
        call.check_cancelled()
        if content.get("v") != _PROTOCOL:
            spoken = in_few_words(content.get("v"))
            raise BadRequestError(f"protocol {spoken} is not supported, expected {_PROTOCOL}")
        name = content.get("op")
        found = self._operations.table.get(name) if isinstance(name, str) else None
        if found is None:
            raise BadRequestError(f"there is no operation {in_few_words(name)}")
        arguments = check_arguments(content.get("args", {}), found.checks)
        answered = getattr(self._operations, found.method)(call, **arguments)
        return answered if isinstance(answered, Reply) else Reply(result=answered)

    def _log_unexpected(self, error: BaseException, content: Mapping[str, Any]) -> None:
        if not isinstance(error, (PenstockError, BadRequestError)):
            _log.error("operation %s failed", in_few_words(content.get("op")), exc_info=error)
