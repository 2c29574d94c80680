"""Batches of arrays in memory: rows are drawn ahead by blocks, each batch is gathered when it is asked for.

Where nothing has to be read, decoded or transformed, threads and the books of each batch would cost more than the
batch. A batch still has memory of its own, which the caller may keep and write to: gathering it from the columns is
faster than cutting it out of a block, and no block is kept by one batch of it.
"""

from __future__ import annotations

import mmap
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.loader._audit import Tally
from penstock.loader._batch import Draw
from penstock.loader._epoch import Draws, Epoch, Stream
from penstock.loader._pipeline import PipelineEnded
from penstock.loader._pool import Pool
from penstock.loader._reader import Reader
from penstock.loader._run import draw_of
from penstock.loader._sequential import SequentialTable
from penstock.loader._settings import Settings
from penstock.loader._source import SourceTable
from penstock.loader._stats import Meter
from penstock.loader._torch import require_torch, to_tensors
from penstock.storage import renewed_lock
from penstock.table import Table

__all__ = ["Arrays", "Gather", "arrays_of"]

_FIRST_ROWS = 1 << 13  # as many as draws are computed at once at least
_MOST_ROWS = 1 << 16
_GROWTH = 4
_Finish = Callable[[NDArray[Any]], Any]


def arrays_of(reader: Reader, pool: Pool, settings: Settings) -> Arrays | None:
    """Return the columns a loader's batches can be gathered from; None where a sample has to be read or decoded."""
    table, columns = pool.table, dict[str, NDArray[Any]]()
    for name in reader.tensors:
        shape = reader.fixed[name]
        column = None if shape is None or table.tensors[name].is_encoded else _whole(table, name, shape)
        if column is None:
            return None
        columns[name] = column
    if not columns or not columns.keys().isdisjoint(settings.scale_boxes):
        return None
    all_rows = len(pool.rows) == table.num_rows and _in_a_row(pool.rows) and pool.rows[0] == 0
    return Arrays(columns, with_index=settings.return_index, all_rows=bool(all_rows), finish=_finish(settings, columns))


def _whole(table: Table, name: str, shape: tuple[int, ...]) -> NDArray[Any] | None:
    if isinstance(table, SequentialTable):
        return None
    array = table.whole(name) if isinstance(table, SourceTable) else table.column(name).stacked(shape)
    return (
        None if array is None or _is_mapped(array) or not array.dtype.isnative else np.require(array, None, ["C", "A"])
    )


def _is_mapped(array: NDArray[Any]) -> bool:
    """Tell whether an array lies in a file, which threads had better read ahead."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base, mmap.mmap)


def _finish(settings: Settings, columns: Mapping[str, NDArray[Any]]) -> _Finish | None:
    if settings.framework != "pytorch":
        return None
    if settings.pin_memory or any(array.dtype.kind not in "biufc" for array in columns.values()):
        return partial(to_tensors, pin=settings.pin_memory)
    from_numpy: _Finish = require_torch().from_numpy
    return from_numpy


class Arrays:
    """Whole columns, and how rows of them become a batch.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (num_rows, ...)
        Contiguous; rows of them are gathered.
    with_index : bool
        Whether a batch has ``index``.
    all_rows : bool
        Whether the pool is the table's rows in their order, so that what is drawn from it are rows.
    finish : callable, optional
        Makes of an array what the caller's framework has.
    """

    def __init__(
        self, columns: Mapping[str, NDArray[Any]], *, with_index: bool, all_rows: bool, finish: _Finish | None
    ) -> None:
        self.all_rows = all_rows
        self._columns = tuple(columns.items())
        self._takes = tuple((name, array.take) for name, array in columns.items())
        self._with_index = with_index and "index" not in columns
        self._with_valid = "valid" not in columns
        self._finish = finish

    def gathered(self, rows: NDArray[np.int64], valid: NDArray[np.bool_] | None) -> dict[str, Any]:
        """Return the batch of some rows."""
        given: dict[str, Any] = {}
        for name, take in self._takes:
            given[name] = take(rows, 0, None, "clip")  # the only mode that neither checks nor buffers; rows are known
        return self._finished(given, rows, valid)

    def cut(self, rows: NDArray[np.int64], valid: NDArray[np.bool_] | None) -> dict[str, Any]:
        """Return the batch of rows that follow one another."""
        begin = int(rows[0])
        end = begin + len(rows)
        given: dict[str, Any] = {name: array[begin:end].copy() for name, array in self._columns}
        return self._finished(given, rows, valid)

    def _finished(
        self, given: dict[str, Any], rows: NDArray[np.int64], valid: NDArray[np.bool_] | None
    ) -> dict[str, Any]:
        if self._with_index:
            given["index"] = rows.copy()
        if valid is not None and self._with_valid:
            given["valid"] = valid.copy()
        finish = self._finish
        if finish is not None:
            for name, array in given.items():
                given[name] = finish(array)
        return given


class Gather:
    """The batches of one epoch; several threads may take them, each batch is given once and in order.

    Parameters
    ----------
    arrays : Arrays
        What batches are gathered from.
    pool, stream, epoch
        Which rows.
    tally, meter
        Who is told of them: the meter with each batch, the tally with each block.
    token : object
        Names the iterator.
    """

    def __init__(  # noqa: PLR0917  who is asked and who is told
        self, arrays: Arrays, pool: Pool, stream: Stream, epoch: Epoch, tally: Tally, meter: Meter, token: object
    ) -> None:
        self.epoch = epoch
        self.token = token
        self.given = 0
        self._arrays = arrays
        self._pool = pool
        self._draws = Draws(stream, epoch)
        self._tally = tally
        self._meter = meter
        self._size = epoch.batch_size
        self._rows_ahead = _FIRST_ROWS
        self._draw: Draw
        self._rows: NDArray[np.int64]
        self._valid: NDArray[np.bool_] | None
        self._make: Callable[[NDArray[np.int64], NDArray[np.bool_] | None], dict[str, Any]]
        self._first = self._stop = 0
        self._tallied = 0
        self._over = False
        self._lock = renewed_lock(threading.RLock())  # a signal's handler may ask for an audit within

    def take(self) -> dict[str, Any]:
        """Return the next batch.

        Raises
        ------
        PipelineEnded
            If all are given, or this is closed.
        """
        asked = time.perf_counter()
        with self._lock:
            number = self.given
            if number >= self._stop:
                self._draw_block(number)
            begin = (number - self._first) * self._size
            rows, valid = self._rows[begin : begin + self._size], self._valid
            if valid is not None:
                valid = valid[begin : begin + self._size]
            batch = self._make(rows, valid)
            self.given = number + 1
            self._meter.gathered(asked, len(rows))
        return batch

    def _draw_block(self, first: int) -> None:
        began = time.perf_counter()
        self.settle()
        self._check_open()
        left = self.epoch.num_batches - first
        if left <= 0:
            raise PipelineEnded
        count = min(max(1, self._rows_ahead // (self._size * self.epoch.world_size)), left)
        self._rows_ahead = min(self._rows_ahead * _GROWTH, _MOST_ROWS)
        self._draw = draw = draw_of(self._pool, self.epoch, self._draws, first, count, all_rows=self._arrays.all_rows)
        self._rows, self._valid = draw.rows, draw.valid
        self._make = self._arrays.cut if _in_a_row(draw.rows) else self._arrays.gathered
        self._first, self._stop = first, first + count
        self._meter.drew(time.perf_counter() - began)
        self._check_open()

    def _check_open(self) -> None:
        if self._over:  # perhaps closed by another thread while rows were drawn
            self._stop = 0
            raise PipelineEnded

    def settle(self) -> bool:
        """Have what was given tallied; return whether there is more to come."""
        with self._lock:
            done, given = self._tallied, self.given
            if given > done:
                part = slice((done - self._first) * self._size, (given - self._first) * self._size)
                self._tallied = given
                in_a_row = self.epoch.world_size == 1 or given - done == 1
                self._tally.add(self._draw.keep(part), in_a_row=in_a_row)
        return not self._over

    def close(self) -> None:
        """Give no more batches; takes no lock, so that the collector may call it anywhere."""
        self._over = True
        self._stop = 0


def _in_a_row(rows: NDArray[np.int64]) -> bool:
    return int(rows[-1] - rows[0]) == len(rows) - 1 and bool((np.diff(rows) == 1).all())
