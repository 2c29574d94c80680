"""Errors as the browser gets them: name, message, where in the query, what would correct it."""

from __future__ import annotations

import re
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from penstock.errors import ConflictError, ImageDecodeError, PenstockError, QueryCancelledError, TQLError
from penstock.tql.writing._offsets import Offsets
from penstock.widgets.requests._checks import BadRequestError, OutdatedError

if TYPE_CHECKING:
    from penstock.dataset import Conflict

__all__ = ["Problem", "failure", "in_short", "problem_of"]

Problem = Literal["refused", "unreachable", "missing", "damaged", "none", "other"]
"""Why an image is not shown: access is refused, its storage or file is not there, it is damaged, there is none."""

_PROBLEMS: tuple[tuple[Problem, re.Pattern[str]], ...] = (
    ("refused", re.compile(r"access was denied|no credentials were found|permission was denied|permission denied")),
    ("missing", re.compile(r"linked file .* does not exist|is missing")),
    (
        "unreachable",
        re.compile(
            r"reachable|does not respond|not available now|interrupted|redirects|server returned|does not exist"
            r"|another region|certificate|could not return"
        ),
    ),
    ("damaged", re.compile(r"damaged|decode|is not an image")),
)
_LONGEST = 2000
_LONG_VALUE = 200
_MAX_CONFLICTS = 50


def failure(error: BaseException) -> dict[str, Any]:
    """Return an `RpcError` of the contract.

    Parameters
    ----------
    error : BaseException
        What a handler raised.

    Returns
    -------
    dict
        Code and message; for a query, the span in UTF-16 units, line and column from 1.
    """
    if isinstance(error, BadRequestError):
        code = "Outdated" if isinstance(error, OutdatedError) else "BadRequest"
        return {"code": code, "message": str(error)}
    if isinstance(error, (QueryCancelledError, CancelledError)):
        return {"code": "Cancelled", "message": "cancelled"}
    if isinstance(error, PenstockError):
        return _known(error)
    return {"code": type(error).__name__, "message": in_short(error)}


def _conflict(conflict: Conflict) -> dict[str, Any]:
    """Return a conflict as text; `object` is which one of the sample it is, here or, if it is deleted here, there."""
    of_object = conflict.object is not None or conflict.object_there is not None
    gone = {"ours": of_object and conflict.object is None, "theirs": of_object and conflict.object_there is None}
    values = {"ours": conflict.ours, "theirs": conflict.theirs}
    return {
        "row": conflict.row,
        "object": conflict.object if conflict.object is not None else conflict.object_there,
        "tensor": conflict.tensor or conflict.reason,
        "base": _value(conflict.base),
        **{side: "deleted" if gone[side] else _value(value) for side, value in values.items()},
    }


def _value(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, (list, tuple)) and all(isinstance(entry, str) for entry in value):
        text = ", ".join(value) or "none"
    else:
        text = " ".join(str(np.asarray(value).tolist() if isinstance(value, np.ndarray) else value).split())
    return text if len(text) <= _LONG_VALUE else f"{text[: _LONG_VALUE - 1]}…"


def in_short(error: BaseException) -> str:
    """Return what went wrong on one line; of an error nobody foresaw its type alone: its text is not for users."""
    if isinstance(error, PenstockError):
        return " ".join(error.message.split())[:_LONGEST]
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()[:_LONGEST]
    return f"penstock failed ({type(error).__name__}); the log of the kernel has the details"


def problem_of(error: BaseException) -> Problem:
    """Return what kind of trouble an error of reading is, as a tile of the grid names it."""
    if isinstance(error, ImageDecodeError):
        return "damaged"
    if not isinstance(error, PenstockError):
        return "other"
    return next((problem for problem, words in _PROBLEMS if words.search(error.message)), "other")


def _known(error: PenstockError) -> dict[str, Any]:
    described: dict[str, Any] = {"code": type(error).__name__, "message": error.message}
    if error.hint:
        described["hint"] = error.hint
    if isinstance(error, ConflictError) and error.conflicts:
        described["conflicts"] = [_conflict(conflict) for conflict in error.conflicts[:_MAX_CONFLICTS]]
        described["num_conflicts"] = len(error.conflicts)
    if isinstance(error, TQLError):
        places, line_start = Offsets(error.text), error.text.rfind("\n", 0, error.start) + 1
        described["from"] = places.to_utf16(error.start)
        described["to"] = places.to_utf16(error.end)
        described["line"] = error.line
        described["column"] = places.to_utf16(error.start) - places.to_utf16(line_start) + 1
        if error.fix is not None:
            described["fix"] = error.fix
    return described
