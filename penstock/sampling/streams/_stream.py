"""Endless sequences of rows: pure functions of a seed and a position."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from penstock.errors import LoaderStateError, SamplingError
from penstock.sampling.random._permute import Orders
from penstock.sampling.random._philox import SHUFFLE, check_seed
from penstock.sampling.spec._count import checked_count

__all__ = [
    "IndexStream",
    "SequentialStream",
    "ShuffledStream",
    "Stream",
    "by_epoch",
    "checked_position",
    "state_of",
    "whole_of_state",
]

_MIN_CHUNK, _MAX_CHUNK = 256, 4096


@runtime_checkable
class IndexStream(Protocol):
    """What a loader reads rows from.

    Positions count draws from 0 without end; epoch ``e`` is ``[e * size, (e + 1) * size)``. Every answer depends on
    the stream and the position only, never on what was asked before.
    """

    @property
    def size(self) -> int:
        """Draws per epoch."""
        ...

    @property
    def fingerprint(self) -> str:
        """Equal for streams that give equal rows."""
        ...

    def slice(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the pool positions of draws ``[start, stop)``, int64."""
        ...

    def epoch(self, number: int) -> NDArray[np.int64]:
        """Return the pool positions of one epoch, int64 of shape (size,)."""
        ...

    def state(self, position: int = 0) -> dict[str, Any]:
        """Return what another process needs to go on at `position`, ready for JSON."""
        ...

    def position(self, state: Mapping[str, Any]) -> int:
        """Return the position a state was taken at; LoaderStateError if it is another stream's."""
        ...


def whole_of_state(state: Mapping[str, Any], name: str) -> int:
    """Return a number that a state holds, or say that it is missing or not a number of a state."""
    value = state.get(name)
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise LoaderStateError(
            f"{name!r} of the state is {value!r}. Expected a whole number of at least 0",
            hint="pass all that state_dict() returned, unchanged",
        )
    return int(value)


def state_of(stream: IndexStream, seed: int, position: int) -> dict[str, Any]:
    """Return what another process needs to go on in a stream at a position; see `Stream.state`."""
    epoch = position // stream.size if stream.size else 0
    return {"fingerprint": stream.fingerprint, "seed": seed, "epoch": epoch, "position": int(position)}


def checked_position(stream: IndexStream, state: Mapping[str, Any]) -> int:
    """Return the position a state of a stream was taken at, or say that it is of another one."""
    if not isinstance(state, Mapping):
        raise LoaderStateError(f"the state is {state!r}. Expected the dictionary that state_dict() returned")
    if state.get("fingerprint") != stream.fingerprint:
        raise LoaderStateError(
            f"the state is of another stream: fingerprint {str(state.get('fingerprint'))[:12]!r}, "
            f"expected {stream.fingerprint[:12]!r}",
            hint="resume with the same dataset version, query, weights, mode, size and seed",
        )
    return whole_of_state(state, "position")


class Stream:
    """What all streams share: slices out of chunks, epochs, state."""

    size: int
    """Draws per epoch."""
    seed: int
    """Seed of the draws."""
    continuing = False
    """Whether draws beyond an epoch are the next epoch's (iid, deck), or each epoch is one of its own."""

    def __init__(self, size: int, seed: int) -> None:
        self.size = checked_count("size", size, least=0)
        self.seed = check_seed(seed)
        self._chunk: tuple[int, NDArray[np.int64]] | None = None
        self._next = -1

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that decides the rows."""
        text = ":".join([type(self).__name__, str(self.size), str(self.seed), self._identity()])
        return hashlib.sha256(text.encode()).hexdigest()

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
        if start == stop or self.size == 0:
            return np.zeros(0, np.int64)
        chunk = min(max(self.size, _MIN_CHUNK), _MAX_CHUNK)
        reading_on, self._next = start == self._next, stop
        if stop - start >= chunk or not reading_on:
            return self._draw(start, stop)
        first, last = start // chunk, (stop - 1) // chunk
        parts = [self._chunk_of(number, chunk) for number in range(first, last + 1)]
        joined = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return joined[start - first * chunk : stop - first * chunk].copy()

    def _chunk_of(self, number: int, chunk: int) -> NDArray[np.int64]:
        kept = self._chunk
        if kept is None or kept[0] != number:
            kept = (number, self._draw(number * chunk, (number + 1) * chunk))
            self._chunk = kept
        return kept[1]

    def epoch(self, number: int) -> NDArray[np.int64]:
        """Return the pool positions of one epoch, int64 of shape (size,)."""
        return self.slice(number * self.size, (number + 1) * self.size)

    def state(self, position: int = 0) -> dict[str, Any]:
        """Return what another process needs to go on at `position`, ready for JSON.

        Parameters
        ----------
        position : int
            Draws delivered so far.

        Returns
        -------
        dict
            ``fingerprint``, ``seed``, ``epoch``, ``position``.
        """
        return state_of(self, self.seed, position)

    def position(self, state: Mapping[str, Any]) -> int:
        """Return the position a state was taken at.

        Raises
        ------
        LoaderStateError
            If the state is not of this stream.
        """
        return checked_position(self, state)

    def _identity(self) -> str:
        return ""

    def _draw(self, start: int, stop: int) -> NDArray[np.int64]:
        raise NotImplementedError


class SequentialStream(Stream):
    """Rows in order, again each epoch.

    Parameters
    ----------
    num_rows : int
        Rows of the pool, and draws per epoch.

    Examples
    --------
    >>> SequentialStream(3).slice(2, 5).tolist()
    [2, 0, 1]
    """

    def __init__(self, num_rows: int) -> None:
        super().__init__(num_rows, 0)

    def _draw(self, start: int, stop: int) -> NDArray[np.int64]:
        return np.arange(start, stop, dtype=np.int64) % self.size


class ShuffledStream(Stream):
    """Every row once an epoch, in an order of its own each epoch.

    Parameters
    ----------
    num_rows : int
        Rows of the pool, and draws per epoch.
    seed : int
        In ``[0, 2**128)``.

    Examples
    --------
    >>> stream = ShuffledStream(5, seed=0)
    >>> sorted(stream.epoch(3).tolist())
    [0, 1, 2, 3, 4]
    """

    def __init__(self, num_rows: int, seed: int = 0) -> None:
        super().__init__(num_rows, seed)
        self._orders = Orders(self.seed, SHUFFLE)

    def _draw(self, start: int, stop: int) -> NDArray[np.int64]:
        return by_epoch(start, stop, self.size, self._of_epoch)

    def _of_epoch(self, number: int, first: int, last: int) -> NDArray[np.int64]:
        return self._orders.places((number, 0), self.size, np.arange(first, last))


def by_epoch(
    start: int, stop: int, size: int, rows_of: Callable[[int, int, int], NDArray[np.int64]]
) -> NDArray[np.int64]:
    """Return the rows of positions ``[start, stop)``, asked for epoch by epoch: number, first and last place in it."""
    parts = []
    for epoch in range(start // size, (stop - 1) // size + 1):
        first, last = max(start - epoch * size, 0), min(stop - epoch * size, size)
        parts.append(rows_of(epoch, first, last))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
