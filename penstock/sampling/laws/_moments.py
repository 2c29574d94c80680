"""Mean and variance of the count of each class in an epoch, for each mode."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._groups import Groups
from penstock.sampling.pool._labels import ClassCounts
from penstock.sampling.streams._prefix import Prefix
from penstock.sampling.streams._smooth import circle

__all__ = [
    "ClassMoments",
    "dealt_moments",
    "drawn_covariance",
    "drawn_moments",
    "included_moments",
    "parts_of_blocks",
    "spread_of_deals",
]

_CLASSES_AT_ONCE = 256

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ClassMoments = tuple[Floats, Floats]


def _per_class(strata: Groups, values: Floats) -> Floats:
    """Return the sum of the entries' values for each class, in the order of the entries."""
    count = strata.labels.num_classes if strata.labels else 0
    return np.bincount(strata.class_sums.classes, values, count).astype(np.float64, copy=False)


def drawn_moments(strata: Groups, probabilities: Floats, draws: int, sums: ClassMoments) -> ClassMoments:
    """Return mean ``D sum p A`` and variance ``D (sum p B - (sum p A)**2)`` of independent draws.

    `sums` are A and B of the entries: rows with the class twice, or sums of instances and of their squares.
    """
    first, second = sums
    share = _weighed(strata, probabilities, first)
    square = share if second is first else _weighed(strata, probabilities, second)
    return draws * share, np.maximum(draws * (square - share**2), 0.0)


def _weighed(strata: Groups, factors: Floats, entries: Floats) -> Floats:
    """Return the sum over strata of a factor each times the entries, for each class."""
    table = strata.class_sums.table(entries)
    if table is None:
        return _per_class(strata, factors[strata.class_sums.strata] * entries)
    return np.asarray(factors @ table)


def drawn_covariance(labels: ClassCounts, chances: Floats, draws: int, every_instance: bool) -> Floats:
    """Return ``D (E[k k'] - E[k] E[k'])`` over rows drawn with the given chances."""
    rows, classes, counts = labels.entries
    number = np.ones(len(rows)) if counts is None or not every_instance else counts.astype(np.float64)
    # every ordered pair of classes of a row: each entry is repeated once for each entry of its row
    sizes = np.bincount(rows, minlength=labels.num_rows)
    begins = np.cumsum(sizes) - sizes
    partners = sizes[rows]
    first = np.repeat(np.arange(len(rows)), partners)
    second = begins[rows[first]] + np.arange(len(first)) - np.repeat(np.cumsum(partners) - partners, partners)
    joint = classes[first].astype(np.int64) * labels.num_classes + classes[second]
    together = np.bincount(joint, chances[rows[first]] * number[first] * number[second], labels.num_classes**2)
    alone = np.bincount(classes, chances[rows] * number, labels.num_classes)
    return np.asarray(draws * (together.reshape(labels.num_classes, -1) - np.outer(alone, alone)))


def included_moments(strata: Groups, included: Floats, sums: ClassMoments) -> ClassMoments:
    """Return mean ``sum pi A`` and Hajek's variance of draws without replacement: approximate.

    With ``v = pi (1 - pi)`` and ``x = sum v A / sum v n``: ``sum v B - x sum v A``.
    """
    first, second = sums
    each = included[strata.class_sums.strata]
    spread = included * (1 - included)
    of_entry = spread[strata.class_sums.strata]
    weighted = _per_class(strata, of_entry * first)
    square = weighted if second is first else _per_class(strata, of_entry * second)
    total = float((spread * strata.sizes).sum())
    variance = square - weighted**2 / total if total > 0 else np.zeros_like(weighted)
    return _per_class(strata, each * first), np.maximum(variance, 0.0)


def dealt_moments(strata: Groups, start: Prefix, stop: Prefix, sums: ClassMoments) -> ClassMoments:
    """Return mean and variance of the draws of a deck between two positions.

    A stratum of ``n`` rows with ``a = before mod n`` rows of its deal gone gives ``t1 = min(after - before, n - a)``
    rows of that deal, then whole deals, then ``t2 = (after - before - t1) mod n`` of a last one. Means
    ``sum (after - before) A / n``; each part adds ``t (n - t) / (n - 1) (B / n - (A / n)**2)``. Inside a block `before`
    and `after` are means, and what a part of a shuffled block has of each stratum adds its hypergeometric variance. Of
    a smooth block all is exact: the mean over the block's turns of the parts, and the variance over them of the mean.
    """
    first, second = sums
    size = strata.sizes
    drawn = stop.mean - start.mean
    parts = spread_of_deals(size, start, stop)
    owner = strata.class_sums.strata
    mean_of_row = first / size[owner]
    variance_of_row = np.maximum(second / size[owner] - mean_of_row**2, 0.0)
    variance = np.maximum(_per_class(strata, parts[owner] * variance_of_row), 0.0)
    for prefix, taken in parts_of_blocks(start, stop):
        variance += _spread_of_block(strata, prefix, taken, mean_of_row)
    return _per_class(strata, drawn[owner] * mean_of_row), variance


def _spread_of_block(strata: Groups, prefix: Prefix, taken: int, mean_of_row: Floats) -> Floats:
    """Return the variance of each class's mean over the orders of a block, `taken` positions of which are drawn."""
    owner = strata.class_sums.strata
    if prefix.smooth:
        return _spread_of_turns(strata, prefix, taken, mean_of_row)
    share = prefix.block_quotas[owner] / prefix.length
    spread = _per_class(strata, share * mean_of_row**2) - _per_class(strata, share * mean_of_row) ** 2
    return np.maximum(spread, 0.0) * taken * (prefix.length - taken) / max(prefix.length - 1, 1)


def _spread_of_turns(strata: Groups, prefix: Prefix, taken: int, mean_of_row: Floats) -> Floats:
    sums = strata.class_sums
    spread = np.zeros(strata.labels.num_classes if strata.labels else 0)
    for first in range(0, len(spread), _CLASSES_AT_ONCE):
        some = (sums.classes >= first) & (sums.classes < first + _CLASSES_AT_ONCE)
        slopes = np.zeros((min(_CLASSES_AT_ONCE, len(spread) - first), strata.num_strata))
        slopes[sums.classes[some] - first, sums.strata[some]] = mean_of_row[some]
        spread[first : first + len(slopes)] = circle(taken, prefix.length).spreads(prefix.block_quotas, slopes)
    return spread


def spread_of_deals(size: Ints, start: Prefix, stop: Prefix) -> Floats:
    """Return ``sum t (n - t) / (n - 1)`` over the parts of deals of each stratum, the mean over a smooth block's turns.

    `size` are the rows of the strata. A shuffled block counts by the mean of what its strata have.
    """
    most = np.maximum(size - 1, 1)
    if not start.smooth or not (start.taken or stop.taken):
        return np.asarray(_squares(size, start.mean, stop.mean) / most)
    owner, first, last, mass = _outcomes(start, stop)
    before, after = (start.before[owner] + first).astype(float), (stop.before[owner] + last).astype(float)
    return np.asarray(np.bincount(owner, mass * _squares(size[owner], before, after), len(size)) / most)


def _squares(size: Ints, before: Floats, after: Floats) -> Floats:
    drawn = after - before
    rest = np.minimum(drawn, size - before % size)
    last = (drawn - rest) % size
    return np.asarray(rest * (size - rest) + last * (size - last))


@lru_cache(maxsize=1)  # a histogram asks for every class
def _outcomes(start: Prefix, stop: Prefix) -> tuple[Ints, Ints, Ints, Floats]:
    """Return stratum, draws of the first block and of the last, and probability, of what smooth blocks can have."""
    if start.block == stop.block:
        owner, counts, mass = circle(start.taken, start.length).laws_with(
            circle(stop.taken, stop.length), start.block_quotas
        )
        return owner, counts[0], counts[1], mass
    every = np.arange(len(start.block_quotas))
    of_start, first, chance = start.laws(every)
    of_stop, last, mass = stop.laws(every)
    # all pairs of an outcome of the first block and one of the last, stratum by stratum
    number = np.bincount(of_stop, minlength=len(every))
    begin = np.cumsum(number) - number
    times = number[of_start]
    place = np.repeat(np.arange(len(first)), times)
    other = np.arange(len(place)) - np.repeat(np.cumsum(times) - times - begin[of_start], times)
    return of_start[place], first[place], last[other], chance[place] * mass[other]


def parts_of_blocks(start: Prefix, stop: Prefix) -> list[tuple[Prefix, int]]:
    """Return the blocks of which only some positions are between two others, and how many."""
    if start.block == stop.block:
        return [(start, stop.taken - start.taken)]
    return [(prefix, prefix.taken) for prefix in (start, stop) if prefix.taken]
