"""Streams of a plan: which row each position draws."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._groups import Groups
from penstock.sampling.random._alias import alias_table, outcomes, sides
from penstock.sampling.random._philox import DRAW, uniforms
from penstock.sampling.streams._stream import Stream

__all__ = ["DrawStream"]

Rows = NDArray[np.signedinteger]

_MOST_THREADS = 4
_BLOCK = 1 << 14  # its temporaries stay in a core's cache; what is drawn does not depend on it


class DrawStream(Stream):
    """Independent draws: position g reads words 2g and 2g + 1, the first for the stratum, the second for the row.

    Parameters
    ----------
    strata : Groups
        The pool.
    probabilities : ndarray of float64, shape (num_strata,)
        Probability of one row of each stratum.
    size : int
        Draws per epoch.
    seed : int
        In ``[0, 2**128)``.
    identity : callable
        Returns what else tells this stream from others: the spec. Called when a fingerprint is asked for.
    """

    continuing = True

    def __init__(
        self, strata: Groups, probabilities: NDArray[np.float64], *, size: int, seed: int, identity: Callable[[], str]
    ) -> None:
        super().__init__(size, seed)
        self._strata = strata
        self._name = identity
        self._threshold, alias = alias_table(probabilities * strata.sizes)
        stratum = outcomes(alias)
        self._sizes = strata.sizes.astype(np.float64).take(stratum)
        self._begins = strata.offsets.take(stratum)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of spec and strata."""
        return super().fingerprint

    def _identity(self) -> str:
        return self._name() + self._strata.fingerprint

    def _draw(self, start: int, stop: int) -> NDArray[np.int64]:
        out = np.empty(stop - start, np.int64)
        pieces = _pieces(len(out))
        helpers = min(os.cpu_count() or 1, _MOST_THREADS, len(pieces)) - 1
        if helpers < 1:
            rows: Future[Rows] = Future()
            rows.set_result(self._strata.rows)
            self._fill(out, start, rows, pieces)
            return out
        with ThreadPoolExecutor(helpers) as pool:
            rows = pool.submit(lambda: self._strata.rows)  # sorted by a helper, where they are not yet
            helping = [pool.submit(self._fill, out, start, rows, pieces) for _ in range(helpers)]
            self._fill(out, start, rows, pieces)
        for helper in helping:
            helper.result()
        return out

    def _fill(self, out: NDArray[np.int64], start: int, rows: Future[Rows], pieces: deque[slice]) -> None:
        """Draw pieces until none is left: whichever thread is awake takes the next, so that none is waited for long.

        Places are drawn whether or not the rows are sorted; rows are looked up as soon as they are.
        """
        scratch = _Scratch.of(min(len(out), _BLOCK))
        placed: list[NDArray[np.int64]] = []
        for piece in _taken(pieces):
            placed.append(out[piece])
            self._place(placed[-1], start + piece.start, scratch)
            if rows.done():
                _look_up(rows.result(), placed)
        _look_up(rows.result(), placed)

    def _place(self, out: NDArray[np.int64], start: int, scratch: _Scratch) -> None:
        """Write places in the rows by stratum: where the stratum begins, and how far into it."""
        # two numbers for each draw: even ones choose the stratum, odd ones the row in it
        source = uniforms(self.seed, (DRAW, 0, 0), 2 * start)
        for first in range(0, len(out), _BLOCK):
            place = out[first : first + _BLOCK]
            block = scratch.first(len(place))
            source.random(out=block.units)
            side = sides(
                block.units[::2], self._threshold,
                cell=block.cell, place=block.place, limit=block.limit, below=block.below,
            )  # fmt: skip
            inside = self._sizes.take(side, out=block.place, mode="clip")
            inside *= block.units[1::2]
            # "clip" neither checks nor buffers; the indices are known to be right
            self._begins.take(side, out=place, mode="clip")
            np.copyto(side, inside, casting="unsafe")
            place += side


def _look_up(rows: Rows, placed: list[NDArray[np.int64]]) -> None:
    """Turn places into rows."""
    while placed:
        piece = placed.pop()
        piece[:] = rows.take(piece, mode="clip")


@dataclass(frozen=True, slots=True, eq=False)
class _Scratch:
    """Arrays of one thread, used again for every block."""

    units: NDArray[np.float64]
    place: NDArray[np.float64]
    limit: NDArray[np.float64]
    below: NDArray[np.bool_]
    cell: NDArray[np.int64]

    @classmethod
    def of(cls, size: int) -> _Scratch:
        cells = np.empty(size, np.int64)
        return cls(np.empty(2 * size), np.empty(size), np.empty(size), np.empty(size, bool), cells)

    def first(self, size: int) -> _Scratch:
        """Return the arrays for a block of `size` draws."""
        if size == len(self.cell):
            return self
        return _Scratch(
            self.units[: 2 * size], self.place[:size], self.limit[:size], self.below[:size], self.cell[:size]
        )  # fmt: skip


def _pieces(count: int) -> deque[slice]:
    """Return what a thread takes at a time: whole blocks, an eighth of the draws where that is more."""
    size = _BLOCK * max(2, -(-count // (8 * _BLOCK)))
    return deque(slice(start, min(start + size, count)) for start in range(0, count, size))


def _taken(pieces: deque[slice]) -> Iterator[slice]:
    """Yield pieces no other thread has taken."""
    with suppress(IndexError):
        while True:
            yield pieces.popleft()
