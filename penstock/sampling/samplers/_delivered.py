"""Which positions of the stream the latest rows of a sampler have, for what training reports of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError

__all__ = ["Delivered"]

_MOST = 1 << 16
"""Rows that are remembered, beside those added last."""


class Delivered:
    """The rows that a sampler gave one process last, one after the other, with their positions."""

    def __init__(self) -> None:
        self._rows = self._positions = np.zeros(0, np.int64)
        self._found = 0  # those before were asked for

    def add(self, rows: NDArray[np.int64], start: int, rank: int, world_size: int, batch_size: int) -> None:
        """Remember the draws of all processes from a position on, of which one process gets its batches."""
        positions = np.arange(start, start + len(rows))
        if world_size > 1:
            mine = positions.reshape(-1, world_size, batch_size)[:, rank].ravel()
            rows, positions = rows[mine - start], mine
        self._found = max(self._found - max(len(self._rows) - _MOST, 0), 0)
        self._rows = np.concatenate([self._rows[-_MOST:], rows])
        self._positions = np.concatenate([self._positions[-_MOST:], positions])

    def find(self, rows: Any) -> NDArray[np.int64]:
        """Return the position of each of some rows that were given one after the other.

        Raises
        ------
        SamplingError
            If they were not.
        """
        wanted = np.asarray(rows.detach().cpu() if hasattr(rows, "detach") else rows)
        if not wanted.size:
            return np.zeros(0, np.int64)
        place = self._place(wanted)
        if place is None:
            raise SamplingError(
                f"{len(wanted)} rows, the first of them {wanted.ravel()[0]}, are no batch that this sampler gave. "
                "Expected the rows of a batch, in their order",
                hint="pass the sampler that the DataLoader reads by, and the rows as the sampler numbers them",
            )
        self._found = place + len(wanted)
        return self._positions[place : self._found]

    def _place(self, wanted: NDArray[Any]) -> int | None:
        """Return where these rows are: behind what was asked for last, or else before."""
        if self._is_at(self._found, wanted):
            return self._found
        starts = np.flatnonzero(self._rows == wanted.ravel()[0])
        later = np.searchsorted(starts, self._found)
        ordered = [*starts[later:].tolist(), *starts[:later][::-1].tolist()]
        return next((place for place in ordered if self._is_at(place, wanted)), None)

    def _is_at(self, place: int, wanted: NDArray[Any]) -> bool:
        return np.array_equal(self._rows[place : place + len(wanted)], wanted)
