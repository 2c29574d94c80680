"""Groups of rows by the masks that hold in them, a chunk of rows at a time.

Most clauses name what is rare, so that one group, where none of them holds, has nearly all rows. Each chunk is split
into that group and the others, and only the others are counted and translated: three times as fast as counting every
row, and no temporary is as long as the pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._grouping import compact, counted, dense_codes, looked_up

__all__ = ["MaskGroups", "group_masks"]

_MASKS_AT_ONCE = 12
_CHUNK = 1 << 16
_HEAD = 1 << 13
_MOST_CODES = 1 << 12

Masks = Sequence[NDArray[np.bool_]]


class MaskGroups(NamedTuple):
    """Rows in groups, ordered by the masks read as a bit string, the first mask foremost.

    Parameters
    ----------
    ids : ndarray of unsigned int, shape (num_rows,)
        Group of each row.
    sizes : ndarray of int64, shape (num_groups,)
        Rows of each group.
    first : ndarray of int64, shape (num_groups,)
        First row of each group.
    """

    ids: NDArray[np.unsignedinteger]
    sizes: NDArray[np.int64]
    first: NDArray[np.int64]


def group_masks(masks: Masks, num_rows: int) -> MaskGroups:
    """Return the rows grouped by which masks hold; one that is a single value, broadcast, splits nothing."""
    masks = [mask for mask in masks if mask.strides != (0,)]
    ids = np.zeros(num_rows, np.uint8)
    rows = min(num_rows, 1)
    groups = MaskGroups(ids, np.full(rows, num_rows), np.zeros(rows, np.int64))
    for start in range(0, len(masks), _MASKS_AT_ONCE):
        groups = _split(groups, masks[start : start + _MASKS_AT_ONCE])
    return groups


def _split(groups: MaskGroups, masks: Masks) -> MaskGroups:
    """Return groups split further by some masks."""
    limit = len(groups.sizes) << len(masks)
    if 0 < limit <= _MOST_CODES:
        return _split_by_chunks(groups.ids, masks, limit)
    codes, distinct = dense_codes(_coded(groups.ids, masks, slice(None), limit), limit)
    ids = compact(codes, len(distinct))
    first = np.full(len(distinct), -1)
    first[ids[::-1]] = np.arange(len(ids) - 1, -1, -1)
    return MaskGroups(ids, counted(ids, len(distinct)), first)


def _coded(ids: NDArray[np.unsignedinteger], masks: Masks, chunk: slice, limit: int) -> NDArray[np.unsignedinteger]:
    """Return group and masks as one number: the group's, then a bit for each mask."""
    codes = ids[chunk].astype(np.min_scalar_type(max(limit - 1, 0)))
    for mask in masks:
        np.add(codes, codes, out=codes)  # a shift by one, ten times as fast
        np.bitwise_or(codes, mask[chunk].view(np.uint8), out=codes)
    return codes


def _split_by_chunks(ids: NDArray[np.unsignedinteger], masks: Masks, limit: int) -> MaskGroups:
    head = _coded(ids, masks, slice(0, _HEAD), limit)
    common = int(np.bincount(head).argmax())
    sizes, first = np.zeros(limit, np.int64), np.full(limit, -1)
    first[common] = np.argmax(head == common)
    chunks = []
    for start in range(0, len(ids), _CHUNK):
        chunk = _Chunk.of(_coded(ids, masks, slice(start, start + _CHUNK), limit), common)
        chunk.count(common, start, sizes, first)
        chunks.append(chunk)
    seen = np.flatnonzero(sizes)
    number = compact(np.zeros(limit, np.int64), len(seen))
    number[seen] = np.arange(len(seen))
    numbered = np.empty_like(number, shape=len(ids))
    for index, chunk in enumerate(chunks):
        chunk.translate(number, common, out=numbered[index * _CHUNK : (index + 1) * _CHUNK])
    return MaskGroups(numbered, sizes[seen], first[seen])


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """Codes of a chunk: the uncommon ones and their places, or, where these are many, all of them (`at` None)."""

    num_rows: int
    codes: NDArray[np.unsignedinteger]
    at: NDArray[np.int64] | None

    @classmethod
    def of(cls, codes: NDArray[np.unsignedinteger], common: int) -> _Chunk:
        differs = codes != common
        if 2 * np.count_nonzero(differs) > len(codes):
            return cls(len(codes), codes, None)
        at = np.flatnonzero(differs)
        return cls(len(codes), codes.take(at), at)

    def count(self, common: int, start: int, sizes: NDArray[np.int64], first: NDArray[np.int64]) -> None:
        """Add to the rows of each code, and note the first row of a code not met before."""
        counts = np.bincount(self.codes, minlength=len(sizes))
        fresh = np.flatnonzero((counts > 0) & (first < 0))
        if len(fresh):
            places = np.arange(self.num_rows) if self.at is None else self.at
            earliest = np.empty(len(first), np.int64)
            earliest[self.codes[::-1]] = places[::-1]
            first[fresh] = earliest[fresh] + start
        sizes += counts
        if self.at is not None:
            sizes[common] += self.num_rows - len(self.at)

    def translate(self, table: NDArray[np.unsignedinteger], common: int, *, out: NDArray[np.unsignedinteger]) -> None:
        """Write ``table[code]`` of every row."""
        if self.at is None:
            out[:] = looked_up(table, self.codes)
            return
        out[:] = table[common]
        out[self.at] = table.take(self.codes)
