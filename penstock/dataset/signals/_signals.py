"""The signals of a run, for the samples of a dataset or view."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples._content import Content
from penstock.dataset.signals._stale import stale_rows
from penstock.errors import SignalError
from penstock.signals import Kind, Run, Runs
from penstock.table import Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Signals", "runs_of", "signals_of"]


class Signals:
    """Numbers per sample that a training loop recorded, in the order of the samples; made by ``ds.signals``.

    Parameters
    ----------
    run : Run
        Where they were recorded.
    table : Table
        The table of the samples.
    rows : ndarray of int64, shape (num_samples,)
        The row of each sample.

    Examples
    --------
    >>> import tempfile, numpy as np, penstock
    >>> ds = penstock.empty(tempfile.mkdtemp() + "/ages")
    >>> _ = ds.create_tensor("age")
    >>> ds.extend({"age": [1, 2, 3]})
    >>> with ds.start_run("baseline") as run:
    ...     run.record(np.array([2, 0]), None, {"loss": np.array([0.5, 4.0])})
    >>> ds.signals("baseline").values("loss").tolist()
    [4.0, nan, 0.5]
    """

    def __init__(self, run: Run, table: Table, rows: NDArray[np.int64]) -> None:
        self._run = run
        self._table = table
        self._rows = rows

    def __repr__(self) -> str:
        """Return the run and the names."""
        return f"Signals({self.run!r}, {self.names})"

    @property
    def run(self) -> str:
        """The name of the run."""
        return self._run.name

    @property
    def names(self) -> list[str]:
        """Names of the signals, sorted."""
        return self._run.names

    @cached_property
    def _uids(self) -> NDArray[np.int64]:
        return self._table.uids(self._rows)

    def values(self, name: str, what: Kind = "last") -> NDArray[np.float64]:
        """Return one number for each sample.

        Parameters
        ----------
        name : str
            The signal.
        what : {"last", "mean", "count", "position"}
            The last value; the mean of the finite values, in which each of the first ten counts the same and later
            ones for a tenth; how many times it was recorded, up to 16,777,215; or where in the stream it was last.

        Returns
        -------
        ndarray of float64, shape (num_samples,)
            NaN where never recorded; a count is 0 there.

        Raises
        ------
        SignalError
            If there is no signal of this name, or nothing of this kind is kept.
        """
        values, recorded = self._run.numbers(name, what).at(self._uids)
        values[~recorded] = 0.0 if what == "count" else np.nan
        return values

    @cached_property
    def stale(self) -> NDArray[np.bool_]:
        """Which samples were edited after they were recorded last, bool of shape (num_samples,).

        Text and JSON that describe no objects are notes, and their edits do not count.
        """
        record = self._run.record
        position = np.full(len(self._uids), -1.0)
        for name in record.signals if len(record.versions) > 1 else ():
            position = np.fmax(position, self.values(name, "position"))
        return stale_rows(self._table, record.versions, position, self._rows)

    def to_pandas(self) -> pd.DataFrame:
        """Return a row for each sample.

        Returns
        -------
        DataFrame
            ``uid`` and ``row``; of each signal its last value under its name, then ``name (mean)`` and
            ``name (count)``; and ``stale``, whether the sample was edited since.
        """
        import pandas as pd

        columns: dict[str, NDArray[np.generic]] = {"uid": self._uids, "row": np.asarray(self._rows)}
        for name in self.names:
            columns[name] = self.values(name)
            columns[f"{name} (mean)"] = self.values(name, "mean")
            columns[f"{name} (count)"] = self.values(name, "count").astype(np.int64)
        return pd.DataFrame({**columns, "stale": self.stale})

    def delete(self) -> None:
        """Delete the run with all its signals."""
        self._run.delete()


def runs_of(table: Table) -> Runs:
    """Return the runs beside the dataset that a table is of.

    Raises
    ------
    SignalError
        If the table is of no stored dataset.
    """
    location = table.location
    if location is None:
        raise SignalError("the result of a query has no runs of its own. Expected a dataset or a view of one")
    return Runs(location)


def signals_of(content: Content, run: str | None) -> Signals:
    """Return the signals of a run, the newest by default.

    Raises
    ------
    RunNotFoundError
        If there is no such run.
    SignalError
        If there is none at all.
    """
    table, rows = content.state()
    runs = runs_of(table)
    found = runs.newest if run is None else runs[run]
    if found is None:
        raise SignalError(
            "no run was recorded beside this dataset", hint="in the training loop: loader.record(batch, loss=loss)"
        )
    return Signals(found, table, rows)
