"""Rows divided at random within each label set."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._sorting import Digits, digits_of_numbers, equal_rows, stable_order
from penstock.table import Ragged

__all__ = ["divided_by_set", "row_labels"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Parts = NDArray[np.integer]

_ROUNDING = 1e-9
_WORD = 64
_BLOCK = 1 << 16


def divided_by_set(column: Ragged | None, num_rows: int, shares: Floats, rng: np.random.Generator) -> Parts:
    """Return the part of each row, -1 for none; each label set is divided by itself, and what is owed is carried on."""
    order, starts = (np.arange(num_rows), np.zeros(min(num_rows, 1), np.int64)) if column is None else _by_set(column)
    all_shares = [*shares.tolist(), max(0.0, 1.0 - float(shares.sum()))]
    owed = [0.0] * len(all_shares)
    bounds = [*starts.tolist(), num_rows]
    sizes: list[int] = []
    for start, stop in pairwise(bounds):
        if stop - start > 1:
            rng.shuffle(order[start:stop])
        owed = [one + share * (stop - start) for one, share in zip(owed, all_shares, strict=True)]
        given = _whole(owed, stop - start)
        owed = [one - size for one, size in zip(owed, given, strict=True)]
        sizes += given
    kind = np.min_scalar_type(-len(all_shares))
    part = np.empty(num_rows, kind)
    numbers = np.append(np.arange(len(shares)), -1).astype(kind)
    part[order] = np.repeat(np.tile(numbers, len(starts)), sizes)
    return part


def _whole(owed: list[float], total: int) -> list[int]:
    """Return integer sizes that sum to `total`, by largest remainders; negative remainders get none.

    Plain Python: there can be a set for every few rows, and a part or two of each.
    """
    wanted = [one if one > 0.0 else 0.0 for one in owed]  # noqa: FURB136  `max` takes three times as long
    together = 0.0
    for one in wanted:  # one after another: `sum` rounds in a way of its own
        together += one
    if together > 0:
        factor = total / together
        wanted = [one * factor for one in wanted]
    sizes = [math.floor(one + _ROUNDING) for one in wanted]
    rest = total - sum(sizes)
    if rest:
        lacking = [size - one for size, one in zip(sizes, wanted, strict=True)]
        for index in sorted(range(len(sizes)), key=lacking.__getitem__)[:rest]:
            sizes[index] += 1
    return sizes


def _by_set(column: Ragged) -> tuple[Ints, Ints]:
    """Return rows by label set, sets ordered by the sum of two random 64-bit words a class, and where sets begin."""
    classes = int(column.values.max()) + 1 if len(column.values) else 0
    words = np.random.Generator(np.random.Philox(0)).integers(0, 2**63, (classes, 2), np.uint64)
    one_each = len(column.values) == len(column) and bool((column.lengths == 1).all())
    key = digits_of_numbers(column.values) if one_each else Digits(_summed(column, words[:, 0]), _WORD)
    order, starts = equal_rows([key], len(column)) if one_each else _by_word(key.words)
    shown = column.take(order[starts])
    sets = stable_order([Digits(_summed(shown, word), _WORD) for word in words.T], len(starts))
    if (sets[1:] > sets[:-1]).all():  # they are in order
        return order, starts
    lengths = np.diff(starts, append=len(order))[sets]
    ends = np.cumsum(lengths)
    places = np.arange(len(order)) + np.repeat(starts[sets] - (ends - lengths), lengths)
    return order[places], ends - lengths


def _by_word(words: NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """Return rows in the order of their words, equal ones side by side and ascending, and where each run begins."""
    row_bits = max(len(words) - 1, 1).bit_length()
    mask = np.uint64((1 << row_bits) - 1)
    packed = words & ~mask
    for start in range(0, len(words), _BLOCK):
        block = packed[start : start + _BLOCK]
        block |= np.arange(start, start + len(block), dtype=np.uint64)
    packed.sort()
    begins = np.ones(len(words), bool)
    order = np.empty(len(words), np.int64)
    before = np.uint64(0)
    for start in range(0, len(words), _BLOCK):
        block = packed[start : start + _BLOCK]
        rows = np.bitwise_and(block, mask, out=order[start : start + _BLOCK].view(np.uint64))
        own = words[rows]
        np.not_equal(own[1:], own[:-1], out=begins[start + 1 : start + len(own)])
        begins[start] = not start or own[0] != before
        before = own[-1]
    starts = np.flatnonzero(begins)
    first = words[order[starts]]
    if (first[1:] <= first[:-1]).any():  # words that differ in their last bits alone
        return equal_rows([Digits(words, _WORD)], len(words))
    return order, starts


def _summed(column: Ragged, words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the sum of the words of each row's labels, each label counted once."""
    found = np.zeros(len(column), np.uint64)
    for start, rows, labels in _labels_by_block(column):
        first = np.flatnonzero(np.diff(rows, prepend=-1))
        if len(first):
            found[start + rows[first]] = np.add.reduceat(words[labels], first)
    return found


def row_labels(column: Ragged) -> tuple[Ints, Ints]:
    """Return the labels of each row once, as pairs of row and label, ascending."""
    rows, labels = np.empty(len(column.values), np.int64), np.empty(len(column.values), np.int64)
    stop = 0
    for start, own_rows, own_labels in _labels_by_block(column):
        begin, stop = stop, stop + len(own_rows)
        np.add(own_rows, start, out=rows[begin:stop])
        labels[begin:stop] = own_labels
    return rows[:stop], labels[:stop]


def _labels_by_block(column: Ragged) -> Iterator[tuple[int, Ints, Ints]]:
    """Yield the first row of each of some blocks, and the labels of its rows once: row, from 0, and label, ascending.

    A block stays in the caches of the processor, which a column of many millions of rows does not.
    """
    bits = int(column.values.max(initial=0)).bit_length()
    for start in range(0, len(column), _BLOCK):
        offsets = column.offsets[start : start + _BLOCK + 1]
        lengths = np.diff(offsets)
        rows = np.repeat(np.arange(len(lengths)), lengths)
        labels = column.values[offsets[0] : offsets[-1]].astype(np.int64, copy=False)
        if len(labels) and int(lengths.max()) > 1:
            pairs = (rows << bits) | labels
            pairs.sort()
            kept = np.ones(len(pairs), bool)
            np.not_equal(pairs[1:], pairs[:-1], out=kept[1:])
            pairs = pairs[kept]
            rows, labels = pairs >> bits, pairs & ((1 << bits) - 1)
        yield start, rows, labels
