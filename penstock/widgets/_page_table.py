"""The columns of a page without a kernel: their profiles, and the first rows of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["page_columns"]

_NUM_COLUMNS = 64
_NUM_ROWS = 256

_Ask = Callable[[str, Mapping[str, Any]], tuple[Any, Sequence[bytes]]]


def page_columns(ask: _Ask) -> dict[str, Any]:
    """Return the columns, their profiles, and the first 256 rows; nothing of it can be selected in the page.

    Parameters
    ----------
    ask : callable
        Answers an operation of the contract: result and buffers.
    """
    listed = ask("columns.list", {})[0]
    columns = listed["columns"][:_NUM_COLUMNS]
    names = [column["name"] for column in columns]
    profiles = ask("columns.profile", {"names": names})[0]["profiles"]
    return {
        "list": listed | {"columns": columns},
        "profiles": [one | {"selectable": [False] * len(one["bars"])} for one in profiles],
        "rows": ask("table.rows", {"start": 0, "stop": _NUM_ROWS, "names": names})[0]["rows"],
    }
