"""A stream that is one stream after another: the weights of a schedule, each from its position on."""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError
from penstock.sampling.streams._stream import IndexStream, checked_position, state_of

__all__ = ["ScheduledStream", "check_epochs"]


def check_epochs(start: int, own_size: int, size: int, *, continuing: bool) -> None:
    """Raise if an entry has epochs of another length, or starts inside an epoch that is one of its own."""
    if own_size != size:
        raise SamplingError(
            f"an epoch has {own_size} draws from position {start} on, and {size} before. Expected the same throughout",
            hint="without replacement samples of weight 0 are not drawn: set size= to what every entry can draw",
        )
    if size and start % size and not continuing:
        before = start // size * size
        raise SamplingError(
            f"an entry starts at position {start}, inside an epoch of {size} draws without replacement. "
            "Expected the beginning of an epoch",
            hint=f"{before} or {before + size}",
        )


class ScheduledStream:
    """Streams of one pool, each from a position on.

    Position ``g`` is drawn by the last stream that starts at or before it: as its own position ``g``, where `relative`
    is false, else as ``g - start``. A pure function of these and of the position, as any stream is.

    Parameters
    ----------
    starts : sequence of int
        Positions from which on each stream holds, ascending from 0.
    streams : sequence of IndexStream
        As many, of equal size.
    relative : bool
        Whether the positions of each stream count from its start, as those of a deck do.

    Raises
    ------
    SamplingError
        If starts are not in order, sizes differ, or draws without replacement do not start where an epoch does.

    Examples
    --------
    >>> from penstock.sampling import SequentialStream, ShuffledStream
    >>> stream = ScheduledStream([0, 3], [SequentialStream(3), SequentialStream(3)])
    >>> stream.slice(1, 5).tolist()
    [1, 2, 0, 1]
    """

    def __init__(self, starts: Sequence[int], streams: Sequence[IndexStream], *, relative: bool = False) -> None:
        if not streams or len(starts) != len(streams) or starts[0] != 0:
            raise SamplingError(
                f"{len(streams)} streams that start at {list(starts)[:3]}. Expected as many starts, from 0"
            )
        self._starts, self._streams, self._relative = [0], [streams[0]], relative
        for start, stream in zip(starts[1:], streams[1:], strict=True):
            self._check(start, stream)
            self._starts.append(int(start))
            self._streams.append(stream)

    def _check(self, start: int, stream: IndexStream) -> None:
        if start <= self._starts[-1]:
            raise SamplingError(f"a stream starts at {start}, after one at {self._starts[-1]}. Expected a later start")
        check_epochs(start, stream.size, self.size, continuing=self.continuing)

    @property
    def size(self) -> int:
        """Draws per epoch."""
        return self._streams[0].size

    @property
    def seed(self) -> int:
        """Seed of the draws."""
        return int(getattr(self._streams[0], "seed", 0))

    @property
    def continuing(self) -> bool:
        """Whether draws beyond an epoch are the next epoch's."""
        return bool(getattr(self._streams[0], "continuing", False))

    @property
    def starts(self) -> tuple[int, ...]:
        """Position from which on each stream holds."""
        return tuple(self._starts)

    def with_entry(self, start: int, stream: IndexStream) -> ScheduledStream:
        """Return the stream that goes on with another one from a position on; nothing before it changes.

        Parameters
        ----------
        start : int
            Position. Where the last stream starts there too, it is replaced.
        stream : IndexStream
            Of the same pool, with as many draws an epoch.

        Returns
        -------
        ScheduledStream
            In O(entries), whatever the pool: no row is looked at, and nothing is hashed.

        Raises
        ------
        SamplingError
            If a stream starts later, sizes differ, or draws without replacement do not start where an epoch does.
        """
        made = object.__new__(type(self))
        made._relative = self._relative
        kept = len(self._starts) - (self._starts[-1] == start)
        made._starts, made._streams = self._starts[:kept], self._streams[:kept]
        if kept:
            made._check(start, stream)
        else:
            check_epochs(start, stream.size, self.size, continuing=self.continuing)
        made._starts.append(int(start))
        made._streams.append(stream)
        return made

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the streams and where they start; of one stream alone its own."""
        if len(self._streams) == 1:
            return self._streams[0].fingerprint
        parts = [f"{start}:{stream.fingerprint}" for start, stream in zip(self._starts, self._streams, strict=True)]
        return hashlib.sha256("\n".join(["ScheduledStream", *parts]).encode()).hexdigest()

    def slice(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the pool positions of draws ``[start, stop)``.

        Parameters
        ----------
        start, stop : int
            Positions in the stream, ``0 <= start <= stop``.

        Returns
        -------
        ndarray of int64, shape (stop - start,)

        Raises
        ------
        SamplingError
            If the positions are out of order or negative.
        """
        start, stop = int(start), int(stop)
        if not 0 <= start <= stop:
            raise SamplingError(f"slice({start}, {stop}) is not a range of positions. Expected 0 <= start <= stop")
        parts = []
        number = bisect.bisect_right(self._starts, start) - 1
        while start < stop:
            end = min(stop, self._starts[number + 1]) if number + 1 < len(self._starts) else stop
            shift = self._starts[number] if self._relative else 0
            parts.append(self._streams[number].slice(start - shift, end - shift))
            start, number = end, number + 1
        if not parts:
            return np.zeros(0, np.int64)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def epoch(self, number: int) -> NDArray[np.int64]:
        """Return the pool positions of one epoch, int64 of shape (size,)."""
        return self.slice(number * self.size, (number + 1) * self.size)

    def state(self, position: int = 0) -> dict[str, Any]:
        """Return what another process needs to go on at `position`, ready for JSON."""
        return state_of(self, self.seed, position)

    def position(self, state: Mapping[str, Any]) -> int:
        """Return the position a state was taken at; LoaderStateError if it is another stream's."""
        return checked_position(self, state)
