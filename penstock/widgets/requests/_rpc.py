"""Requests from the browser: checked, run on a lane, answered; whatever happens becomes a reply.

The contract, with every operation and type, is ``widgets_js/src/session/protocol.ts``.
"""

from __future__ import annotations

import contextvars
import logging
import re
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from penstock.errors import PenstockError
from penstock.widgets.requests._checks import BadRequestError, check_arguments, in_few_words
from penstock.widgets.requests._failures import failure
from penstock.widgets.requests._operation import PROTOCOL, RUNNING, Call, Event, Lane, News, Reply, Send, operations_of

__all__ = ["Dispatcher"]

_log = logging.getLogger("penstock.widgets")
_ID = re.compile(r"[0-9a-f]{1,32}:[0-9]{1,15}")
_NUM_READERS = 4
_readers = ThreadPoolExecutor(_NUM_READERS, thread_name_prefix="penstock-read")


class Dispatcher:
    """Answers the requests of one widget's browser views.

    Parameters
    ----------
    operations : sequence of object
        Objects whose methods are marked with `operation`; together they answer what can be asked.
    send : callable
        Sends a message and its buffers to every browser on the kernel; called from any thread.
    order : Executor
        The lane for what must happen one after the other; shared by widgets of one session.
    """

    def __init__(self, operations: Sequence[object], send: Send, order: ThreadPoolExecutor) -> None:
        self._operations = operations_of(operations)
        self._send = send
        self._lanes: Mapping[Lane, ThreadPoolExecutor] = {"order": order, "read": _readers}
        self._running: dict[str, Call] = {}
        self._lock = threading.Lock()

    def receive(self, content: Any) -> None:
        """Take a message from the browser; the answer is sent from a lane's thread."""
        call = self._admit(content)
        if call is None:
            return
        found = self._operations.get(content["op"]) if isinstance(content.get("op"), str) else None
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

    def changed(self, news: News, event: Event) -> None:
        """Report a change to every browser view: in the reply, where a request of this widget made it, else now.

        Parameters
        ----------
        news : {"query", "grid", "dataset"}
            What has changed.
        event : callable
            Returns the event and its buffers at the time they are sent.
        """
        call = RUNNING.get()
        if call is not None and call.send is self._send:
            call.changed[news] = event
        else:
            self._send(*event())

    def _finish(self, call: Call, content: Mapping[str, Any]) -> None:
        running = RUNNING.set(call)
        try:
            reply = self._run(call, content)
            message: dict[str, Any] = {"v": PROTOCOL, "id": call.id, "ok": True, "result": reply.result}
            if reply.news is not None and call.changed:
                message["news"] = reply.news
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  a panic of an engine too: unanswered, a control is dead
            self._log_unexpected(error, content)
            reply = Reply(result={})
            message = {"v": PROTOCOL, "id": call.id, "ok": False, "error": failure(error)}
        finally:
            RUNNING.reset(running)
            with self._lock:
                self._running.pop(call.id, None)
        for event in [event for news, event in call.changed.items() if not reply.covers(news)]:
            self._send_event(event)
        self._send(message, list(reply.buffers))

    def _send_event(self, event: Event) -> None:
        try:
            self._send(*event())
        except Exception:  # noqa: BLE001  the request that changed something is answered all the same
            _log.exception("a change could not be reported to the browser")

    def _run(self, call: Call, content: Mapping[str, Any]) -> Reply:
        call.check_cancelled()
        if content.get("v") != PROTOCOL:
            spoken = in_few_words(content.get("v"))
            raise BadRequestError(f"protocol {spoken} is not supported, expected {PROTOCOL}")
        name = content.get("op")
        found = self._operations.get(name) if isinstance(name, str) else None
        if found is None:
            raise BadRequestError(f"unknown operation {in_few_words(name)}")
        arguments = check_arguments(content.get("args", {}), found.checks)
        answered = found.answer(call, **arguments)
        return answered if isinstance(answered, Reply) else Reply(result=answered)

    def _log_unexpected(self, error: BaseException, content: Mapping[str, Any]) -> None:
        if not isinstance(error, (PenstockError, BadRequestError)):
            _log.error("operation %s failed", in_few_words(content.get("op")), exc_info=error)
