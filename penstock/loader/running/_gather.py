"""Batches of arrays in memory: rows are drawn ahead by blocks, batches gathered a few at a time.

Where nothing has to be read, decoded or transformed, threads and the books of each batch would cost more than the
batch. Small batches are therefore gathered together and cut apart. Each is the caller's, who may keep it and write to
it: no other batch has its rows. One that is kept keeps those it was gathered with, at most 2,048 rows or 512 KB.
"""

from __future__ import annotations

import mmap
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.loader.accounts._recent import MOST_RECENT
from penstock.loader.accounts._stats import Meter
from penstock.loader.batching._batch import Draw
from penstock.loader.batching._to_torch import require_torch, to_tensors
from penstock.loader.reading._reader import Reader
from penstock.loader.running._armed import ArmedEpoch
from penstock.loader.running._jobs import PipelineEnded
from penstock.loader.settings._settings import Settings
from penstock.loader.sources._planned import PlannedStream
from penstock.loader.sources._pool import Pool
from penstock.storage import renewed_lock
from penstock.table import Table

__all__ = ["Arrays", "Gather", "arrays_of"]

_FIRST_ROWS = 1 << 13  # as many as draws are computed at once at least
_MOST_ROWS = 1 << 16
_GROWTH = 4
_MOST_BATCHES = 64
_TRAY_ROWS = 1 << 11
_TRAY_BYTES = 1 << 19
_Pieces = Callable[[NDArray[Any], int], Sequence[Any]]
"""Cuts an array into pieces of a length, as the caller's framework has them; the last one is what is left."""


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
    return Arrays(columns, with_index=settings.return_index, all_rows=bool(all_rows), pieces=_pieces(settings, columns))


def _whole(table: Table, name: str, shape: tuple[int, ...]) -> NDArray[Any] | None:
    array = table.stacked(name, shape)
    return (
        None if array is None or _is_mapped(array) or not array.dtype.isnative else np.require(array, None, ["C", "A"])
    )


def _is_mapped(array: NDArray[Any]) -> bool:
    """Tell whether an array is in a file, which reader threads read faster."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base, mmap.mmap)


def _pieces(settings: Settings, columns: Mapping[str, NDArray[Any]]) -> _Pieces:
    if settings.framework != "pytorch":
        return _cut
    if settings.pin_memory or any(array.dtype.kind not in "biufc" for array in columns.values()):
        return partial(_cut_for_torch, pin=settings.pin_memory)
    return _cut_as_tensors(require_torch())


def _cut_as_tensors(torch: Any) -> _Pieces:
    """Return the fastest way to many tensors: cutting one, as if each were by itself, in place and with gradients."""
    from_numpy, split = torch.from_numpy, torch.unsafe_split_with_sizes

    def cut(array: NDArray[Any], size: int) -> Sequence[Any]:
        whole, count = from_numpy(array), len(array)
        if size >= count:
            return (whole,)
        pieces: Sequence[Any] = split(whole, [size] * (count // size) + [count % size] * (count % size > 0))
        return pieces

    return cut


def _cut(array: NDArray[Any], size: int) -> Sequence[NDArray[Any]]:
    if size >= len(array):
        return (array,)
    if len(array) % size == 0:
        return list(array.reshape(-1, size, *array.shape[1:]))
    return [array[begin : begin + size] for begin in range(0, len(array), size)]


def _cut_for_torch(array: NDArray[Any], size: int, *, pin: bool) -> Sequence[Any]:
    return [to_tensors(piece, pin=pin) for piece in _cut(array, size)]


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
    pieces : callable
        Cuts an array into batches, as the caller's framework has them.
    """

    def __init__(
        self, columns: Mapping[str, NDArray[Any]], *, with_index: bool, all_rows: bool, pieces: _Pieces
    ) -> None:
        self.all_rows = all_rows
        self._columns = tuple(columns.items())
        self._takes = tuple((name, array.take) for name, array in columns.items())
        self._with_index = with_index and "index" not in columns
        self._with_valid = "valid" not in columns
        self._pieces = pieces
        self._row_bytes = sum(array.nbytes // max(1, len(array)) for array in columns.values())

    def batches(self, rows: NDArray[np.int64], valid: NDArray[np.bool_] | None, size: int) -> deque[dict[str, Any]]:
        """Return the batches of some rows, the last one with what is left."""
        # rows that follow one another are a slice, many times as fast to copy as a gather
        begin, stop = int(rows[0]), int(rows[0]) + len(rows)
        if _in_a_row(rows):
            columns = {name: array[begin:stop].copy() for name, array in self._columns}
        else:  # "clip" is the only mode that neither checks nor buffers; rows are known to be right
            columns = {name: take(rows, 0, None, "clip") for name, take in self._takes}
        if self._with_index:
            columns["index"] = rows.copy()
        if valid is not None and self._with_valid:
            columns["valid"] = valid.copy()
        batches: list[dict[str, Any]] = [{} for _ in range(0, len(rows), size)]
        for name, array in columns.items():
            for batch, piece in zip(batches, self._pieces(array, size), strict=True):
                batch[name] = piece
        return deque(batches)

    def num_at_once(self, size: int) -> int:
        """Return how many batches of a size are gathered at once: as many as stay in the cache until they are used."""
        return max(1, min(_MOST_BATCHES, _TRAY_ROWS // size, _TRAY_BYTES // max(1, size * self._row_bytes)))


class Gather:
    """The batches of one epoch; several threads may take them, each batch is delivered once and in order.

    Small batches are made several at a time and wait in a tray, so that delivering one costs no more than taking it
    from there. What is counted is what was taken.

    Parameters
    ----------
    arrays : Arrays
        What batches are gathered from.
    armed : ArmedEpoch
        Which rows; its tally counts what was delivered, with each block.
    meter : Meter
        Adds up the time, with each tray.
    """

    def __init__(self, arrays: Arrays, armed: ArmedEpoch, meter: Meter) -> None:
        self.armed = armed
        self._arrays = arrays
        self._epoch = armed.epoch
        self._draws = armed.draws()
        self._drawn_from = armed.armory.now
        self._meter = meter
        self._size = armed.epoch.batch_size
        self._at_once = arrays.num_at_once(self._size)
        self._rows_ahead = _FIRST_ROWS
        self._draw: Draw
        self._first = self._stop = 0  # the batches of the block
        self._tray: tuple[deque[dict[str, Any]], int] = (deque(), 0)  # and which batch follows it
        self._counted = 0
        self._over = False
        self._lock = renewed_lock(threading.RLock())  # a signal's handler may ask for an audit within

    @property
    def num_delivered(self) -> int:
        """Batches the caller has got."""
        ready, stop = self._tray
        return stop - len(ready)

    @property
    def ready(self) -> Callable[[], dict[str, Any]]:
        """Returns a batch of the current tray; raises IndexError once it is empty, and `take` fills the next."""
        return self._tray[0].popleft

    def take(self) -> dict[str, Any]:
        """Return the next batch.

        Raises
        ------
        PipelineEnded
            If all are delivered, or this is closed.
        """
        asked = time.perf_counter()
        with self._lock:
            while True:
                try:
                    return self._tray[0].popleft()
                except IndexError:  # another thread may empty the next one first
                    self._refill(asked)

    def _refill(self, asked: float) -> None:
        try:
            self._fill(asked)
        except BaseException:
            self.close()  # under the lock: nobody gets a batch that follows an error
            raise

    def _fill(self, asked: float) -> None:
        first = self._tray[1]
        now = self.armed.armory.claim(self.armed.claimed, min(first + self._at_once, self._epoch.num_batches))
        if first >= self._stop or now is not self._drawn_from:
            self._draw_block(first, now)
        stop = min(first + self._at_once, self._stop)
        begin, end = (first - self._first) * self._size, (stop - self._first) * self._size
        draw = self._draw
        valid = None if draw.valid is None else draw.valid[begin:end]
        self._tray = self._arrays.batches(draw.rows[begin:end], valid, self._size), stop
        self._meter.gathered(asked)
        self._check_open()

    def _draw_block(self, first: int, now: PlannedStream) -> None:
        began = time.perf_counter()
        self.settle()
        self._check_open()
        left = self._epoch.num_batches - first
        if left <= 0:
            raise PipelineEnded
        if now is not self._drawn_from:  # other weights: perhaps others soon, which what is drawn ahead is lost by
            self._draws.follow(now.stream)
            self._drawn_from, self._rows_ahead = now, self._at_once * self._size
        # the first block is short, so that the first batch comes soon
        count = max(1, self._rows_ahead // (self._size * self._epoch.world_size))
        count = min(count - count % self._at_once or count, left)  # whole trays: each is claimed before it is drawn
        self._rows_ahead = min(self._rows_ahead * _GROWTH, _MOST_ROWS)
        self._draw = self.armed.draw(self._draws, first, count, all_rows=self._arrays.all_rows)
        self._first, self._stop = first, first + count
        self._meter.drew(time.perf_counter() - began)

    def _check_open(self) -> None:
        if self._over:  # perhaps closed by another thread meanwhile
            self._empty()
            raise PipelineEnded

    def settle(self) -> bool:
        """Have what was delivered counted; return whether there is more to come."""
        with self._lock:
            done, delivered = self._counted, self.num_delivered
            if delivered > done:
                part = slice((done - self._first) * self._size, (delivered - self._first) * self._size)
                self._counted = delivered
                in_a_row = self._epoch.world_size == 1 or delivered - done == 1
                draw = self._draw.keep(part)
                self.armed.count(draw, in_a_row=in_a_row)
                self._meter.counted(delivered - done, len(draw))
        return not self._over

    def find(self, rows: NDArray[np.int64]) -> Draw | None:
        """Return the latest of the batches delivered last that has these rows, in this order."""
        with self._lock:
            first, last, size = self._first, min(self.num_delivered, self._stop), self._size
            if last <= first:
                return None
            draw = self._draw
        looked_for = rows.tobytes()
        for batch in range(last - 1, max(first, last - MOST_RECENT) - 1, -1):
            begin = (batch - first) * size
            if draw.rows[begin] == rows[0] and draw.rows[begin : begin + size].tobytes() == looked_for:
                return draw.keep(slice(begin, begin + size))
        return None

    def close(self) -> None:
        """Give no more batches; takes no lock, so that the collector may call it anywhere."""
        self._over = True
        self._empty()

    def _empty(self) -> None:
        """Throw away what is ready; it was not delivered."""
        ready, stop = self._tray
        self._tray = deque(), stop - len(ready)
        left = 0
        try:
            while True:
                ready.pop()
                left += 1
        except IndexError:
            self._tray = deque(), stop - left  # another thread may have taken some meanwhile


def _in_a_row(rows: NDArray[np.int64]) -> bool:
    return int(rows[-1] - rows[0]) == len(rows) - 1 and bool((np.diff(rows) == 1).all())
