"""What training reported of the samples: of the newest run, for the rows of one state of the table."""

from __future__ import annotations

import hashlib
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.signals._signals import Signals, runs_of
from penstock.errors import PenstockError
from penstock.signals import stored_run
from penstock.table import OverlayTable, Ragged
from penstock.tql import quote_text

__all__ = ["ShownSignals", "signal_expression", "signals_now"]


def signal_expression(name: str) -> str:
    """Return how a query asks for a signal.

    Examples
    --------
    >>> signal_expression("loss")
    "signal('loss')"
    """
    return f"signal({quote_text(name)})"


class ShownSignals:
    """The signals of a run; numbers are read when they are looked at.

    Parameters
    ----------
    signals : Signals
        For every row of the table.
    token : str
        Another one when the numbers may be others.
    """

    def __init__(self, signals: Signals, token: str) -> None:
        self._signals = signals
        self._columns: dict[str, Ragged] = {}
        self.run = signals.run
        self.names = tuple(signals.names)
        self.token = token

    def values(self, name: str) -> NDArray[np.float64]:
        """Return the last value of a signal for each row, NaN where it was never reported."""
        return self._signals.values(name)

    def column(self, name: str) -> Ragged:
        """Return the last value of a signal as a column; a row without one is missing."""
        found = self._columns.get(name)
        if found is None:
            values = self.values(name)
            there = self._signals.values(name, "count") > 0
            kept = values[there].astype(np.float32)
            offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(there)])
            shapes = np.zeros((len(values), 0), np.int64)
            found = Ragged(values=kept, offsets=offsets, shapes=shapes, valid=None if there.all() else there)
            self._columns[name] = found
        return found

    @cached_property
    def stale(self) -> NDArray[np.bool_]:
        """Which rows were edited after they were reported, bool of shape (num_rows,)."""
        return self._signals.stale


def signals_now(table: OverlayTable, before: ShownSignals | None = None) -> ShownSignals | None:
    """Return the signals of the newest run; None where there is none, or it cannot be read.

    Parameters
    ----------
    table : OverlayTable
        The rows.
    before : ShownSignals, optional
        Returned where nothing has changed.
    """
    try:
        run = runs_of(table).newest
        if run is None:
            return None
        snapshot = table.stored.snapshot
        state = (stored_run(run).key(), snapshot.branch, snapshot.version, table.version)
        token = hashlib.blake2b(repr(state).encode(), digest_size=8).hexdigest()
        if before is not None and before.token == token:
            return before
        found = ShownSignals(Signals(run, table, np.arange(table.num_rows)), token)
    except PenstockError:
        return None
    return found if found.names else None
