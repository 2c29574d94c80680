"""How many rows of each stratum have each class how often: counted once, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ClassTally", "are_single", "class_tally", "distinct_classes"]

_BLOCK = 1 << 15  # rows; what is made of them stays in the cache
_SPARSE_BLOCK = 1 << 20
_DENSE = 4  # pairs of stratum and class for each instance, up to which there is a counter for each pair
_SMALL = 1 << 16  # and so many are never too many

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassTally:
    """Rows by stratum, class and number of instances, ordered by these; at least 1 each.

    Parameters
    ----------
    strata, classes, counts : ndarray of int64, shape (num_entries,)
        Stratum, class, and instances in each of the rows.
    rows : ndarray of int64, shape (num_entries,)
        Rows.
    """

    strata: Ints
    classes: Ints
    counts: Ints
    rows: Ints


def class_tally(
    values: NDArray[np.integer],
    offsets: Ints,
    num_classes: int,
    ids: NDArray[np.unsignedinteger] | None = None,
    num_strata: int = 1,
) -> ClassTally:
    """Return how many rows of each stratum have each class how often.

    Parameters
    ----------
    values : ndarray of int, shape (num_instances,)
        Class indices; row ``i`` holds ``values[offsets[i]:offsets[i + 1]]``.
    offsets : ndarray of int64, shape (num_rows + 1,)
        Where each row's instances begin.
    num_classes : int
        Above every class index.
    ids : ndarray of unsigned int, shape (num_rows,), optional
        Stratum of each row; None where there is only one.
    num_strata : int
        Number of strata.

    Examples
    --------
    >>> tally = class_tally(np.array([1, 0, 1, 1]), np.array([0, 1, 4]), 2)
    >>> tally.classes.tolist(), tally.counts.tolist(), tally.rows.tolist()
    ([0, 1, 1], [1, 1, 2], [1, 1, 1])
    """
    limit = num_strata * num_classes
    is_dense = limit <= max(_DENSE * len(values), _SMALL)
    once = np.zeros(limit if is_dense else 0, np.int64)
    pairs, counts, rows = [], [], []
    block = max(_BLOCK, limit) if is_dense else _SPARSE_BLOCK
    owners = None if num_strata == 1 else ids
    for joint, often in _blocks(values, offsets, num_classes, owners, block):
        single = joint if often is None else joint[often == 1]
        if is_dense:
            once += np.bincount(single, minlength=limit)
        for pair, count, number in _distinct(joint, often, also_single=not is_dense):
            pairs.append(pair)
            counts.append(count)
            rows.append(number)
    if is_dense:
        pair = np.flatnonzero(once)
        pairs.append(pair)
        counts.append(np.ones(len(pair), np.int64))
        rows.append(once[pair])
    return _ordered(pairs, counts, rows, num_classes)


def are_single(offsets: Ints, *, block: int = _BLOCK) -> bool:
    """Return whether every row has exactly one element."""
    count = len(offsets) - 1
    if int(offsets[-1]) - int(offsets[0]) != count:
        return False
    return all(bool((np.diff(offsets[start : start + block + 1]) == 1).all()) for start in range(0, count, block))


def _blocks(
    values: NDArray[np.integer],
    offsets: Ints,
    num_classes: int,
    ids: NDArray[np.unsignedinteger] | None,
    block: int,
) -> Iterator[tuple[NDArray[np.integer], Ints | None]]:
    """Yield stratum and class as one number of each distinct class of each row, and how often the row has it."""
    for start in range(0, len(offsets) - 1, block):
        ends = offsets[start : start + block + 1]
        classes = values[ends[0] : ends[-1]]
        owner = None if ids is None else ids[start : start + block]
        lengths = np.diff(ends)
        often = None
        if not (lengths == 1).all():
            rows, classes, often = distinct_classes(classes, lengths, num_classes)
            owner = None if owner is None else owner[rows]
        yield classes if owner is None else owner.astype(np.int64) * num_classes + classes, often


def distinct_classes(
    values: NDArray[np.integer], lengths: Ints, num_classes: int
) -> tuple[Ints, NDArray[np.integer], Ints | None]:
    """Return distinct (row, class) pairs in order and how often each is there; None where all are once."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    keys = rows * num_classes + values
    steps = np.diff(keys)
    if (steps > 0).all():
        return rows, values, None
    if (steps < 0).any():
        keys = np.sort(keys)
    # keys are sorted (row, class) pairs: where the key changes a new pair begins
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    counts = np.diff(first, append=len(keys))
    rows, classes = np.divmod(keys[first], num_classes)
    return rows, classes, None if (counts == 1).all() else counts


def _distinct(
    joint: NDArray[np.integer], often: Ints | None, *, also_single: bool
) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Yield distinct pairs, instances and rows of a block: those of several instances, or all."""
    if also_single:
        single = joint if often is None else joint[often == 1]
        pair, number = np.unique(single, return_counts=True)
        yield pair.astype(np.int64), np.ones(len(pair), np.int64), number
    if often is None:
        return
    several = np.flatnonzero(often > 1)
    pair, count = joint[several].astype(np.int64), often[several]
    for each in np.unique(count).tolist():
        found, number = np.unique(pair[count == each], return_counts=True)
        yield found, np.full(len(found), each), number


def _ordered(pairs: list[Ints], counts: list[Ints], rows: list[Ints], num_classes: int) -> ClassTally:
    """Return entries of all blocks in order, equal ones added up."""
    none = np.zeros(0, np.int64)
    pair, count, number = (np.concatenate([none, *parts]) for parts in (pairs, counts, rows))
    order = np.lexsort((count, pair))
    pair, count, number = pair[order], count[order], number[order]
    begins = np.ones(len(pair), bool)
    begins[1:] = (pair[1:] != pair[:-1]) | (count[1:] != count[:-1])
    first = np.flatnonzero(begins)
    strata, classes = np.divmod(pair[first], max(num_classes, 1))
    rows_of = np.add.reduceat(number, first) if len(first) else none
    return ClassTally(strata=strata, classes=classes, counts=count[first], rows=rows_of)
