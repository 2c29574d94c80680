"""Which samples were edited after a run recorded them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.table import Table, edited_since

__all__ = ["stale_rows"]


def stale_rows(
    table: Table,
    versions: Sequence[tuple[int, Mapping[str, Any]]],
    position: NDArray[np.float64],
    rows: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Return which of some rows were edited after they were recorded.

    Parameters
    ----------
    table : Table
        The table now.
    versions : sequence of (int, mapping)
        The states that the run trained on, each with the position of its first record.
    position : ndarray of float64, shape (n,)
        Where each row was recorded last; only looked at if there are several states.
    rows : ndarray of int64, shape (n,)
        The rows.
    """
    stale = np.zeros(len(rows), bool)
    for place, (begin, state) in enumerate(versions):
        end = versions[place + 1][0] if place + 1 < len(versions) else np.inf
        edited = edited_since(table, state)[rows]
        stale |= edited if len(versions) == 1 else edited & (position >= begin) & (position < end)
    return stale
