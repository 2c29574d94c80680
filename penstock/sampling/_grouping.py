"""Grouping of rows by integer codes, in linear time and little memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["compact", "counted", "dense_codes", "mask_codes", "rows_by_stratum"]

_MASKS_AT_ONCE = 12
_SORT_CHUNK = 1 << 22
_COUNT_CHUNK = 1 << 15
_FEW = 64
_FIRST_PART = 1 << 12
_MOST_SCANS = 16


def compact(codes: NDArray[np.integer], count: int) -> NDArray[np.unsignedinteger]:
    """Return codes below `count` in the smallest unsigned type."""
    return codes.astype(np.min_scalar_type(max(count - 1, 0)), copy=False)


def counted(codes: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """Return how often each code below `count` occurs; in parts, since `bincount` copies what it reads to int64."""
    if len(codes) <= _COUNT_CHUNK or count > _COUNT_CHUNK // 8:
        return np.bincount(codes, minlength=count)
    total = np.zeros(count, np.int64)
    for start in range(0, len(codes), _COUNT_CHUNK):
        total += np.bincount(codes[start : start + _COUNT_CHUNK], minlength=count)
    return total


def dense_codes(codes: NDArray[np.integer], limit: int) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
    """Return codes renumbered 0, 1, ... in ascending order, and what each number stood for."""
    if limit > max(4 * len(codes), 1 << 16):
        distinct, inverse = np.unique(codes, return_inverse=True)
        return inverse, distinct.astype(np.int64)
    seen = counted(codes, limit) > 0
    distinct = np.flatnonzero(seen)
    number = compact(np.cumsum(seen) - 1, len(distinct))
    return _looked_up(number, codes), distinct


def _looked_up(table: NDArray[np.unsignedinteger], codes: NDArray[np.integer]) -> NDArray[np.unsignedinteger]:
    """Return ``table[codes]``; bytes are translated as a string, eight times as fast."""
    if codes.dtype != np.uint8 or table.dtype != np.uint8:
        return table.take(codes)
    whole = np.zeros(256, np.uint8)
    whole[: len(table)] = table[:256]
    return np.frombuffer(codes.tobytes().translate(whole.tobytes()), np.uint8)


def mask_codes(
    masks: Sequence[NDArray[np.bool_]], num_rows: int
) -> tuple[NDArray[np.unsignedinteger], int, NDArray[np.int64]]:
    """Return the group of each row, the number of groups, and the first row of each.

    Groups are ordered by the masks read as a bit string, the first mask foremost.
    """
    codes = np.zeros(num_rows, np.uint8)
    count = min(num_rows, 1)
    for start in range(0, len(masks), _MASKS_AT_ONCE):
        some = masks[start : start + _MASKS_AT_ONCE]
        wide = codes.astype(np.min_scalar_type((count << len(some)) - 1 if count else 0))
        for mask in some:
            np.add(wide, wide, out=wide)  # a shift by one, ten times as fast
            np.bitwise_or(wide, mask.view(np.uint8), out=wide)
        dense, distinct = dense_codes(wide, count << len(some))
        count = len(distinct)
        codes = compact(dense, count)
    return codes, count, _first_rows(codes, count)


def _first_rows(codes: NDArray[np.unsignedinteger], count: int) -> NDArray[np.int64]:
    """Return the first row of each group: most are met at once, a few others are looked for one by one."""
    first = np.full(count, -1)
    _note_first(first, codes[: _FIRST_PART * count])
    missing = np.flatnonzero(first < 0)
    if len(missing) > _MOST_SCANS:
        _note_first(first, codes)
        return first
    for group in missing:
        first[group] = np.argmax(codes == group)
    return first


def _note_first(first: NDArray[np.int64], codes: NDArray[np.unsignedinteger]) -> None:
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)


def rows_by_stratum(ids: NDArray[np.unsignedinteger], sizes: NDArray[np.int64]) -> NDArray[np.signedinteger]:
    """Return row numbers sorted by stratum, by a counting sort in chunks of rows."""
    dtype = np.int32 if len(ids) < 1 << 31 else np.int64
    if len(ids) > _COUNT_CHUNK and len(sizes) <= _FEW:
        return _rows_by_few(ids, sizes, dtype)
    if len(ids) <= _SORT_CHUNK:
        return np.argsort(ids, kind="stable").astype(dtype)
    rows: NDArray[np.signedinteger] = np.empty(len(ids), dtype)
    free = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)[:-1]])
    for start in range(0, len(ids), _SORT_CHUNK):
        part = ids[start : start + _SORT_CHUNK]
        order = np.argsort(part, kind="stable")
        counts = np.bincount(part, minlength=len(sizes))
        shift = free - (np.cumsum(counts) - counts)
        rows[np.arange(len(part)) + np.repeat(shift, counts)] = order + start
        free += counts
    return rows


def _rows_by_few(
    ids: NDArray[np.unsignedinteger], sizes: NDArray[np.int64], dtype: type[np.signedinteger]
) -> NDArray[np.signedinteger]:
    """Sort a part at a time and copy each stratum's run to its place: no temporary as long as the pool."""
    rows: NDArray[np.signedinteger] = np.empty(len(ids), dtype)
    free = (np.cumsum(sizes) - sizes).tolist()
    for start in range(0, len(ids), _COUNT_CHUNK):
        part = ids[start : start + _COUNT_CHUNK]
        order = np.argsort(part, kind="stable")
        order += start
        begin = 0
        for stratum, count in enumerate(np.bincount(part, minlength=len(sizes)).tolist()):
            rows[free[stratum] : free[stratum] + count] = order[begin : begin + count]
            free[stratum] += count
            begin += count
    return rows
