"""What a training loop reports, kept until the epoch ends."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock._wording import escaped
from penstock.errors import SignalError
from penstock.signals._log import Buffer, Log
from penstock.signals._numbers import (
    MAX_POSITION,
    Copy,
    check_signal_name,
    device_copy,
    is_on_device,
    local_array,
    one_each,
)

__all__ = ["Recorder"]


@dataclass(frozen=True, slots=True)
class _Coming:
    """A copy from a device, and where it goes; `name` None for the rows."""

    copy: Copy
    buffer: Buffer
    place: slice
    name: str | None


class Recorder:
    """Numbers per sample, as a training loop reports them.

    Parameters
    ----------
    num_rows : int
        Rows of the dataset.
    first, step : int
        The position of the first record that comes without one, and how far each is from the one before: ranks that
        count for themselves begin at their number and step by the number of ranks.

    Examples
    --------
    >>> import numpy as np
    >>> recorder = Recorder(10)
    >>> recorder.record(np.array([3, 1]), None, {"loss": np.array([0.5, 2.0])})
    >>> [block] = recorder.collect()
    >>> block.rows.tolist(), block.positions.tolist(), block.values["loss"].tolist()
    ([3, 1], [0, 1], [0.5, 2.0])
    """

    def __init__(self, num_rows: int, *, first: int = 0, step: int = 1) -> None:
        self.num_rows = num_rows
        self._next, self._step = first, step
        self._names: set[str] = set()
        self._buffers: dict[tuple[str, ...], Buffer] = {}
        self._coming: deque[_Coming] = deque()
        self._lock = threading.Lock()

    def record(self, rows: Any, positions: Any, values: Mapping[str, Any]) -> None:
        """Keep one number of each signal for each sample; no device is waited for.

        Parameters
        ----------
        rows : array or tensor of int, shape (n,)
            The samples, by their rows.
        positions : array or tensor of int, shape (n,), optional
            Where in the stream they were drawn, below 2**40. By default records are counted.
        values : mapping of str to array or tensor, shape (n,)
            The numbers, by the name of the signal: integers, floats or bool, of any device. They are kept as float32.

        Raises
        ------
        SignalError
            If a name, a row, a length or a type is not valid. Nothing is recorded then. Rows in the memory of a device
            are checked when they are collected.
        """
        far = is_on_device(rows)
        found = rows if far else self._rows(rows)
        count = int(found.shape[0]) if found.ndim else 0
        drawn = None if positions is None else _positions(positions, count)
        kept = {name: self._values(name, value, count) for name, value in values.items()}
        if not kept or not count:
            return
        with self._lock:
            self._collect_done()
            self._keep(found, far, drawn, count, kept)

    def collect(self) -> Log:
        """Return what was recorded since the last call, and wait for the devices that have it.

        Raises
        ------
        SignalError
            If a row that was recorded from the memory of a device is not valid.
        """
        with self._lock:
            while self._coming:
                self._arrive(self._coming.popleft())
            buffers, self._buffers = self._buffers, {}
        return [buffer.block() for buffer in buffers.values()]

    # ---- checks --------------------------------------------------------------------------------

    def _rows(self, rows: Any) -> NDArray[Any]:
        found = local_array(rows, "the index of the samples")
        if found.ndim != 1 or found.dtype.kind not in "iu":
            if found.size or found.ndim != 1:
                raise SignalError(
                    f"the index of the samples has shape {found.shape} and dtype {found.dtype}. Expected rows, "
                    "integers of shape (n,)"
                )
            found = found.astype(np.int64)
        self._check_rows(found)
        return found

    def _check_rows(self, rows: NDArray[Any]) -> None:
        if len(rows) and (int(rows.min()) < 0 or int(rows.max()) >= self.num_rows):
            wrong = next(row for row in rows.tolist() if not 0 <= row < self.num_rows)
            raise SignalError(f"row {wrong} does not exist. Expected 0 to {self.num_rows - 1}")

    def _values(self, name: str, values: Any, count: int) -> Any:
        if name not in self._names:
            check_signal_name(name)
            self._names.add(name)
        what = f"signal {escaped(name)!r}"
        if is_on_device(values):
            one_each(tuple(values.shape), count, what)
            return values
        found = local_array(values, what)
        if found.shape != (count,):
            one_each(found.shape, count, what)
            found = found.reshape(-1)
        return found

    # ---- keeping -------------------------------------------------------------------------------

    def _keep(
        self, rows: Any, far: bool, positions: NDArray[Any] | None, count: int, values: Mapping[str, Any]
    ) -> None:
        started = {name: device_copy(value, as_float=True) for name, value in values.items() if is_on_device(value)}
        far_rows = device_copy(rows, as_float=False) if far else None
        buffer, place = self._reserved(tuple(values), count)
        buffer.rows[place] = -1 if far_rows else rows
        buffer.positions[place] = self._counted(count) if positions is None else positions
        if far_rows:
            self._coming.append(_Coming(far_rows, buffer, place, None))
        for name, value in values.items():
            if name in started:
                self._coming.append(_Coming(started[name], buffer, place, name))
            elif value.dtype == np.float64:
                with np.errstate(over="ignore", invalid="ignore"):  # more than float32 holds is kept as infinite
                    buffer.values[name][place] = value
            else:
                buffer.values[name][place] = value

    def _reserved(self, names: tuple[str, ...], count: int) -> tuple[Buffer, slice]:
        buffer = self._buffers.get(names)
        if buffer is None:
            buffer = self._buffers[names] = Buffer(names)
        return buffer, buffer.reserve(count)

    def _counted(self, count: int) -> NDArray[np.int64]:
        begin, self._next = self._next, self._next + count * self._step
        return np.arange(begin, self._next, self._step)

    def _collect_done(self) -> None:
        while self._coming and self._coming[0].copy.is_done():
            self._arrive(self._coming.popleft())

    def _arrive(self, coming: _Coming) -> None:
        found = coming.copy.result()
        if coming.name is None:
            self._check_rows(found)
            coming.buffer.rows[coming.place] = found
        else:
            coming.buffer.values[coming.name][coming.place] = found


def _positions(positions: Any, count: int) -> NDArray[Any]:
    found = local_array(positions, "the positions of the samples")
    if found.shape != (count,) or found.dtype.kind not in "iu":
        raise SignalError(
            f"the positions of the samples have shape {found.shape} and dtype {found.dtype}. Expected integers of "
            f"shape ({count},)"
        )
    if count and (int(found.min()) < 0 or int(found.max()) > MAX_POSITION):
        raise SignalError(f"position {int(found.max())} is not valid. Expected 0 to {MAX_POSITION}")
    return found
