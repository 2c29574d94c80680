"""The pairs of rows of two sides that have equal keys.

The rows of both sides are sorted together as words, each a hash of the keys above the number of the row, so that
partners lie side by side. Their pairs are words again, and are sorted by rows. All of this goes through memory in
order; only the keys of pairs are looked up here and there, once, to tell apart keys that have one hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.tql.values._values import Value
from penstock.tql.values.keys._digits import equal_digits, missing_rows
from penstock.tql.values.keys._keys import concatenated

__all__ = ["Key", "equal_pairs", "matching_keys"]

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Words = NDArray[np.uint64]
Key = tuple[NDArray[Any], NDArray[Any]]  # of the left and of the right side, numbers of one type

_U = np.uint64
_WORD = 64
_BLOCK = 1 << 16
_BY_CHANCE = 1 << 20  # far more pairs than hashes bring together whose keys differ
_MIX = (_U(0x9E3779B97F4A7C15), _U(0xBF58476D1CE4E5B9))


def matching_keys(left: Value, right: Value) -> tuple[list[Key], tuple[Flags | None, Flags | None]]:
    """Return numbers that are equal where values of two sides are, and which rows of each side equal no other."""
    num_left = left.num_rows
    if all(value.offsets is None and value.data.dtype.kind in "biuf" for value in (left, right)):
        kind = np.result_type(left.data.dtype, right.data.dtype)
        keys = [(left.data.astype(kind, copy=False), right.data.astype(kind, copy=False))]
        return keys, (_missing(left), _missing(right))
    digits, missing = equal_digits(concatenated(left, right), num_left + right.num_rows)
    keys = [(one.words[:num_left], one.words[num_left:]) for one in digits]
    return keys, (None, None) if missing is None else (missing[:num_left], missing[num_left:])


def _missing(value: Value) -> Flags | None:
    null, nan = missing_rows(value)
    return nan if null is None else null if nan is None else null | nan


def equal_pairs(
    keys: Sequence[Key], missing: tuple[Flags | None, Flags | None], sizes: tuple[int, int], most: int
) -> tuple[Ints, Ints] | int:
    """Return the pairs of a left and a right row with equal keys, in the order of left rows and then of right ones.

    Parameters
    ----------
    keys : sequence of (ndarray, ndarray)
        Numbers of the rows of both sides, all of which have to be equal.
    missing : (ndarray of bool or None, ndarray of bool or None)
        The rows of each side that have no partners.
    sizes : (int, int)
        Rows of each side.
    most : int
        With many more pairs than this, only their number is returned.
    """
    row_bits = max(sum(sizes) - 1, 1).bit_length()
    lowest = _lowest(keys, _WORD - row_bits)
    packed = _packed(keys, missing, sizes, row_bits, lowest)
    packed.sort()
    right_bits = max(sizes[1] - 1, 1).bit_length()
    parts: list[Words] = [np.zeros(0, _U)]
    total = 0
    for block in _runs(packed, row_bits):
        begins, lefts, rights, rows = _sides(block, row_bits, sizes[0])
        total += int(lefts @ rights)
        if total <= most + _BY_CHANCE:
            parts.append(_pairs(begins, lefts, rights, rows, sizes[0], right_bits))
    if total > most + _BY_CHANCE:
        return total
    del packed
    words = np.concatenate(parts)
    words.sort()
    first, second = (words >> _U(right_bits)).view(np.int64), (words & _U((1 << right_bits) - 1)).view(np.int64)
    return (first, second) if lowest is not None else _with_equal(keys, first, second)


def _lowest(keys: Sequence[Key], room: int) -> int | None:
    """Return the least key where the keys, counted from it, have room in a word; else they are hashed."""
    sides = [side for side in keys[0] if len(side)] if len(keys) == 1 else []
    if not sides or sides[0].dtype.kind == "f":
        return None
    low, high = min(int(side.min()) for side in sides), max(int(side.max()) for side in sides)
    return low if (high - low).bit_length() <= room else None


def _packed(
    keys: Sequence[Key],
    missing: tuple[Flags | None, Flags | None],
    sizes: tuple[int, int],
    row_bits: int,
    lowest: int | None,
) -> Words:
    """Return a word for each row that is not missing: its key or the hash of its keys, and its number."""
    present = [None if gone is None else np.flatnonzero(~gone) for gone in missing]
    counts = [size if rows is None else len(rows) for size, rows in zip(sizes, present, strict=True)]
    found = np.empty(sum(counts), _U)
    at = 0
    for side, (count, rows) in enumerate(zip(counts, present, strict=True)):
        for start in range(0, count, _BLOCK):
            own = np.arange(start, min(start + _BLOCK, count)) if rows is None else rows[start : start + _BLOCK]
            chosen = own if rows is not None else slice(start, start + _BLOCK)
            words = _words([key[side][chosen] for key in keys], len(own), lowest)
            words <<= _U(row_bits)
            words |= own.view(_U) + _U(side * sizes[0])
            found[at : at + len(own)] = words
            at += len(own)
    return found


def _words(keys: Sequence[NDArray[Any]], num_rows: int, lowest: int | None) -> Words:
    if lowest is not None:  # modulo 2**64, so that the difference is right for negative numbers too
        exact: Words = keys[0].astype(_U) - _U(lowest % (1 << _WORD))
        return exact
    found = np.zeros(num_rows, _U)
    for key in keys:
        # -0.0 becomes 0.0
        found ^= (key.astype(np.float64) + 0.0).view(_U) if key.dtype.kind == "f" else key.astype(_U)
        for factor in _MIX:
            found *= factor
            found ^= found >> _U(32)
    return found


def _runs(packed: Words, row_bits: int) -> Iterator[Words]:
    """Yield the words block by block; those of one key or hash are never in two blocks."""
    mask = _U((1 << row_bits) - 1)
    start = 0
    while start < len(packed):
        stop = min(start + _BLOCK, len(packed))
        last = packed[stop - 1]
        if stop < len(packed) and packed[stop] | mask == last | mask:
            begin = int(np.searchsorted(packed, last & ~mask))
            stop = begin if begin > start else int(np.searchsorted(packed, last | mask, "right"))
        yield packed[start:stop]
        start = stop


def _sides(block: Words, row_bits: int, num_left: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Return where runs begin, how many left and then right rows each has, and the rows."""
    hashes = block >> _U(row_bits)
    begins = np.concatenate([np.zeros(1, np.int64), np.flatnonzero(hashes[1:] != hashes[:-1]) + 1])
    rows = (block & _U((1 << row_bits) - 1)).view(np.int64)
    before = np.zeros(len(block) + 1, np.int64)
    np.cumsum(rows < num_left, out=before[1:])
    lengths = np.diff(begins, append=len(block))
    lefts = before[begins + lengths] - before[begins]
    return begins, lefts, lengths - lefts, rows


def _pairs(begins: Ints, lefts: Ints, rights: Ints, rows: Ints, num_left: int, right_bits: int) -> Words:
    """Return each left row with each right row of its run, as one word for a pair."""
    own = rows[rows < num_left]
    counts, places = np.repeat(rights, lefts), np.repeat(begins + lefts, lefts)
    if counts.max(initial=0) <= 1:
        kept = counts > 0
        first, places = own[kept], places[kept]
    else:
        first = np.repeat(own, counts)
        places = np.repeat(places - (np.cumsum(counts) - counts), counts) + np.arange(len(first))
    found: Words = first.view(_U) << _U(right_bits)
    found |= (rows[places] - num_left).view(_U)
    return found


def _with_equal(keys: Sequence[Key], first: Ints, second: Ints) -> tuple[Ints, Ints]:
    """Return the pairs whose keys are equal, which nearly all are."""
    kept = np.ones(len(first), bool)
    for start in range(0, len(first), _BLOCK):
        block = slice(start, start + _BLOCK)
        for left, right in keys:
            kept[block] &= left[first[block]] == right[second[block]]
    return (first, second) if kept.all() else (first[kept], second[kept])
