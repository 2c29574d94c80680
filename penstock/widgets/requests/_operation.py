"""Operations of the contract: methods that declare what they answer, and the call they answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal

from penstock.errors import QueryCancelledError
from penstock.widgets.requests._checks import Check

__all__ = [
    "PROTOCOL",
    "RUNNING",
    "Call",
    "Event",
    "Lane",
    "News",
    "Operation",
    "Reply",
    "Send",
    "operation",
    "operations_of",
]

PROTOCOL = 1
_PROGRESS_S = 0.2

Lane = Literal["order", "read"]
News = Literal["query", "grid", "dataset"]
Send = Callable[[dict[str, Any], list[bytes]], None]
Event = Callable[[], tuple[dict[str, Any], list[bytes]]]

_COVERED: Mapping[News | None, frozenset[News]] = {
    None: frozenset(),
    "dataset": frozenset({"dataset"}),
    "grid": frozenset({"grid"}),
    "query": frozenset({"query", "grid", "dataset"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A result with binary buffers beside it.

    Parameters
    ----------
    result : mapping
        As the contract defines it for the operation.
    buffers : sequence of bytes
        Travel beside it.
    news : {"query", "grid", "dataset"}, optional
        The result holds the same as an event of that name: browser views that did not ask read it as that event.
    """

    result: Mapping[str, Any]
    buffers: Sequence[bytes] = ()
    news: News | None = None

    def covers(self, news: News) -> bool:
        """Whether the result tells what an event of that name would."""
        return news in _COVERED[self.news]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request while it runs.

    Parameters
    ----------
    id : str
        As the browser numbers it.
    send : callable
        Sends a message to every browser view of the widget.
    cancelled : Event
        Set when the browser no longer wants the answer.
    changed : dict of News to callable
        What the request has changed so far, with the event that reports it where the reply does not.
    """

    id: str
    send: Send
    cancelled: threading.Event = field(default_factory=threading.Event)
    changed: dict[News, Event] = field(default_factory=dict)
    _progress_at: list[float] = field(default_factory=lambda: [time.monotonic()])  # one item: the class is frozen

    def check_cancelled(self) -> None:
        """Raise if the browser no longer wants the answer."""
        if self.cancelled.is_set():
            raise QueryCancelledError("cancelled")

    def progress(self, done: int, total: int | None, what: str) -> None:
        """Report to the browser how far the work is, a few times a second and only of what takes that long."""
        now = time.monotonic()
        if now < self._progress_at[0] + _PROGRESS_S:
            return
        self._progress_at[0] = now
        self.send({"v": PROTOCOL, "event": "progress", "id": self.id, "done": done, "total": total, "what": what}, [])


RUNNING: ContextVar[Call | None] = ContextVar("penstock_call", default=None)
"""The request that runs in this thread: its own changes are reported in its reply, all others at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """How an operation is answered.

    Parameters
    ----------
    answer : callable
        Takes the call and the checked arguments.
    checks : mapping of str to Check
        By argument.
    lane : {"order", "read"}
        As of `operation`.
    """

    answer: Callable[..., Any]
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


def operations_of(owners: Sequence[object]) -> dict[str, Operation]:
    """Return what some objects answer, by name of the operation.

    Raises
    ------
    ValueError
        If two methods answer the same operation.
    """
    found: dict[str, Operation] = {}
    for owner in owners:
        for member in vars(type(owner)).values():
            if not hasattr(member, "operation"):
                continue
            name, checks, lane = member.operation
            if name in found:
                raise ValueError(f"operation {name!r} is answered twice. Expected one method for each operation")
            found[name] = Operation(answer=member.__get__(owner), checks=checks, lane=lane)
    return found
