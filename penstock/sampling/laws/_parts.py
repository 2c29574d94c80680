"""What chance adds to the count of a class, for each mode: the parts of its law."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.laws._moments import parts_of_blocks, spread_of_deals
from penstock.sampling.laws._sum_parts import Choice, Dealt, Drawn, Part
from penstock.sampling.streams._prefix import Prefix

__all__ = ["Split", "Values", "dealt_parts", "drawn_parts", "included_parts"]

_MOST_STRATA = 32
_LACK = 0.1  # of a binomial law's variance, which is at most its mean

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Values(NamedTuple):
    """Rows with a class: their stratum, instances in each of them, how many rows."""

    strata: Ints
    counts: Ints
    rows: Ints


class Split(NamedTuple):
    """What is certain, and what chance adds to it."""

    fixed: float
    parts: list[Part]


class _Taken(NamedTuple):
    """Strata of which a part is taken without replacement: rows, rows taken, and which stratum each is."""

    sizes: Ints
    taken: Floats
    strata: Ints

    def where(self, kept: NDArray[np.bool_]) -> _Taken:
        return _Taken(self.sizes[kept], self.taken[kept], self.strata[kept])


def drawn_parts(values: Values, probabilities: Floats, draws: int) -> Split:
    """Return the law of independent draws: exact.

    Each draw has the most likely number of instances, except those that have another.
    """
    counts, place = np.unique(values.counts, return_inverse=True)
    shares = np.bincount(place, probabilities[values.strata] * values.rows, len(counts))
    counts, shares = np.append(0, counts), np.append(max(1 - float(shares.sum()), 0.0), shares)
    usual = int(np.argmax(shares))
    others = (np.arange(len(counts)) != usual) & (shares > 0)
    expected = draws * shares[others]
    part = Drawn(
        jumps=counts[others] - counts[usual],
        expected=expected,
        gap=float(expected.sum()) ** 2 / draws,
        trials=float(draws),
    )
    return Split(float(draws * counts[usual]), [part] if others.any() else [])


def dealt_parts(values: Values, sizes: Ints, start: Prefix, stop: Prefix) -> Split:
    """Return the law of the draws of a deck between two positions.

    Of each stratum: the rest of a deal, whole deals, the beginning of a last one. Up to 32 such beginnings and rests
    have a law each, others, and draws that begin or end inside a block, the binomial one of their mean and variance. No
    parts where that cannot vary as much: the block may take a part of what on average are nearly whole deals.
    """
    before, after = start.mean, stop.mean
    drawn = after - before
    rest = np.minimum(drawn, sizes - before % sizes)
    last = (drawn - rest) % sizes
    deals = np.round((drawn - rest - last) / sizes).astype(np.int64)
    fixed = float((deals[values.strata] * values.counts) @ values.rows)
    strata = np.arange(len(sizes))
    taken = _Taken(np.tile(sizes, 2), np.concatenate([rest, last]), np.tile(strata, 2))
    open_ = (taken.taken > 0) & (taken.taken < taken.sizes) & np.isin(taken.strata, values.strata)
    fixed += float(_whole(taken, values))
    if start.taken == 0 and stop.taken == 0 and np.count_nonzero(open_) <= _MOST_STRATA:
        split = _each(taken.where(open_), values)
        return Split(fixed + split.fixed, split.parts)
    live = (taken.taken > 0) & (taken.taken < taken.sizes)
    return _fitted(taken.where(live), values, fixed, blocks=(start, stop)) if live.any() else Split(fixed, [])


def included_parts(values: Values, sizes: Ints, included: Floats, draws: int) -> Split:
    """Return the law of draws without replacement: exact where all rows that can come are equally likely."""
    live = np.flatnonzero(included > 0)
    kept = Values(*(part[included[values.strata] > 0] for part in values))
    size = int(sizes[live].sum())
    if draws >= size:
        return Split(float(kept.counts @ kept.rows), [])
    if np.ptp(included[live]) <= 1e-12:
        one = _Taken(np.array([size]), np.array([float(draws)]), np.zeros(1, np.int64))
        return _each(one, Values(np.zeros_like(kept.strata), kept.counts, kept.rows))
    taken = _Taken(sizes[live], included[live] * sizes[live], live)
    return _fitted(taken, kept, 0.0, draws=draws)


def _whole(taken: _Taken, values: Values) -> int:
    """Return the instances in parts that are whole strata."""
    full = np.bincount(taken.strata, taken.taken >= taken.sizes, int(taken.strata.max()) + 1)
    return int((full[values.strata] * values.counts) @ values.rows)


def _each(taken: _Taken, values: Values) -> Split:
    """Return a law for each part; of more than half of the rows, what is left out is chosen."""
    fixed, parts = 0.0, list[Part]()
    for size, number, stratum in zip(*(part.tolist() for part in taken), strict=True):
        own = values.strata == stratum
        counts, place = np.unique(values.counts[own], return_inverse=True)
        rows = np.bincount(place, values.rows[own], len(counts)).astype(np.int64)
        count, sign = round(number), 1
        if 2 * count > size:
            fixed += float(counts @ rows)
            count, sign = size - count, -1
        counts, rows = np.append(0, counts), np.append(size - rows.sum(), rows)
        usual = int(np.argmax(rows))
        others = (np.arange(len(counts)) != usual) & (rows > 0)
        fixed += float(sign * counts[usual] * count)
        if others.any() and count:
            jumps = sign * (counts[others] - counts[usual])
            parts.append(Dealt(jumps=jumps, rows=rows[others], size=size, taken=count))
    return Split(fixed, parts)


def _fitted(
    taken: _Taken, values: Values, fixed: float, *, blocks: tuple[Prefix, Prefix] | None = None, draws: int = 0
) -> Split:
    """Return one binomial law of the rows whose number of instances is not the usual one."""
    share = taken.taken / taken.sizes
    entries, counts, rows = _with_bare(taken, values)
    kinds, place = np.unique(counts, return_inverse=True)
    usual = int(kinds[np.argmax(np.bincount(place, share[entries] * rows))])
    total = draws or float(np.round(taken.taken.sum()))
    choice = Choice(shares=share[entries], counts=counts, rows=rows, draws=round(total), fixed=fixed)
    others = counts != usual
    entries, jumps, rows = entries[others], counts[others] - usual, rows[others]
    sign = np.where(share > 0.5, -1, 1)
    fixed += total * usual + float((jumps * (sign[entries] < 0)) @ rows)
    expected = np.minimum(share, 1 - share)[entries] * rows
    marked = np.bincount(entries, rows, len(share)) / taken.sizes
    spread = _spread_of_blocks(taken, marked * sign, *blocks) if blocks else _spread_of_once(taken, marked, sign)
    if blocks and spread > (1 + _LACK) * float(expected.sum()):
        return Split(fixed, [])
    part = Drawn(jumps=jumps * sign[entries], expected=expected, gap=float(expected.sum()) - spread, choice=choice)
    return Split(fixed, [part] if len(jumps) else [])


def _with_bare(taken: _Taken, values: Values) -> tuple[Ints, Ints, Ints]:
    """Return part, instances and rows of what is taken from, rows without an instance too."""
    order = np.argsort(values.strata, kind="stable")
    first = np.searchsorted(values.strata[order], taken.strata)
    number = np.searchsorted(values.strata[order], taken.strata, side="right") - first
    entries = np.repeat(np.arange(len(taken.strata)), number)
    places = order[np.arange(len(entries)) - np.repeat(np.cumsum(number) - number - first, number)]
    rows = values.rows[places]
    bare = taken.sizes - np.bincount(entries, rows, len(taken.strata)).astype(np.int64)
    some = np.flatnonzero(bare > 0)
    return (
        np.concatenate([entries, some]),
        np.concatenate([values.counts[places], np.zeros(len(some), np.int64)]),
        np.concatenate([rows, bare[some]]),
    )


def _spread_of_once(taken: _Taken, marked: Floats, sign: Ints) -> float:
    """Return Hajek's variance of the number of marked rows that come, or stay out where most come."""
    share = taken.taken / taken.sizes
    spread = share * (1 - share) * taken.sizes
    return float(spread @ marked - (spread @ (sign * marked)) ** 2 / spread.sum())


def _spread_of_blocks(taken: _Taken, slope: Floats, start: Prefix, stop: Prefix) -> float:
    """Return the variance of the number of marked rows: of the choice in each part, and of parts of blocks."""
    number, size, marked = taken.taken, taken.sizes, np.abs(slope)
    of_stratum = np.zeros(len(start.block_quotas))
    of_stratum[taken.strata] = slope
    if start.smooth:
        sizes = np.ones(len(start.block_quotas), np.int64)
        sizes[taken.strata] = size
        own = float(spread_of_deals(sizes, start, stop) @ (np.abs(of_stratum) * (1 - np.abs(of_stratum))))
    else:
        own = float((number * (size - number) / np.maximum(size - 1, 1)) @ (marked * (1 - marked)))
    for prefix, positions in parts_of_blocks(start, stop):
        own += prefix.spread(of_stratum, positions)
    return own
