"""Endless dealing of the rows of strata: which row each draw of a stratum is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._groups import Groups
from penstock.sampling.random._keyed import ROUNDS, KeyedOrder, keyed_places_of
from penstock.sampling.random._philox import words

__all__ = ["Deals"]

_SHORT: Final = 1 << 9
_MUCH: Final = 1 << 11  # draws of a deal from which on tables of its own pay
_KEYS_AT_ONCE: Final = 1 << 20
_DEALS_AT_ONCE: Final = 1 << 18

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_TAG_SHIFT, _KEY_SHIFT, _KEY_BITS = np.uint64(46), np.uint64(34), np.uint64(16)

Ints = NDArray[np.int64]


class Deals:
    """Draw ``k`` of a stratum of ``n`` rows is place ``k mod n`` of its deal ``k div n``, each deal in a fresh order.

    With ``base`` the stratum's word of the Philox stream ``(domain, 0, 0)``, ``step = 0x9E3779B97F4A7C15`` and `mix`
    the finalizer of SplitMix64, all modulo ``2**64``:

    * up to 512 rows, draw ``k`` has the key ``mix(base + k step)``; a deal sorts its places by the upper 30 bits of
      their keys, equal ones by place;
    * above, a deal ``d`` is a keyed permutation (`KeyedOrder`) of six rounds; the key of round ``r`` is the low half
      of ``mix(mix(base + d step) + (r + 1) step)``.

    Parameters
    ----------
    strata : Groups
        The pool.
    seed : int
        In ``[0, 2**128)``.
    domain : int
        First part of the name of the Philox streams.

    References
    ----------
    G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators, 2014: SplitMix64.
    """

    def __init__(self, strata: Groups, seed: int, domain: int) -> None:
        self._strata = strata
        self._seed = seed
        self._domain = domain

    def rows(self, before: Ints, after: Ints) -> Ints:
        """Return the rows of draws ``[before, after)`` of every stratum, stratum after stratum.

        Parameters
        ----------
        before, after : ndarray of int64, shape (num_strata,)
            Draws each stratum has had before and after.

        Returns
        -------
        ndarray of int64, shape (sum(after - before),)
        """
        strata, drawn = self._strata, after - before
        begins = np.cumsum(drawn) - drawn
        rows = np.empty(int(drawn.sum()), np.int64)
        for wanted, deal in (
            (strata.sizes == 1, self._repeat),
            ((strata.sizes > 1) & (strata.sizes <= _SHORT), self._deal_short),
            (strata.sizes > _SHORT, self._deal_long),
        ):
            which = np.flatnonzero(wanted & (drawn > 0))
            if len(which):
                deal(rows, _Spans(which, before[which], after[which], begins[which]))
        return rows

    @cached_property
    def _bases(self) -> NDArray[np.uint64]:
        return words(self._seed, (self._domain, 0, 0), 0, self._strata.num_strata)

    def _repeat(self, rows: Ints, spans: _Spans) -> None:
        """Write the rows of strata that have just one."""
        number, slots = _counted(spans.after - spans.before, spans.begins)
        rows[slots] = self._strata.rows[self._strata.offsets[spans.strata[number]]]

    def _deal_short(self, rows: Ints, spans: _Spans) -> None:
        """Write the rows of short strata: all deals that are touched are sorted, and what is not drawn is left out."""
        strata = self._strata
        for deals in spans.deals(strata.sizes):
            first = (deals.number * deals.size).astype(np.uint64)
            inside = _sorted_inside(self._bases[deals.owner] + first * _STEP, deals.size)
            deal, places = _counted(deals.taken, np.cumsum(deals.size) - deals.size + deals.low)
            rows[deals.slots] = strata.rows[strata.offsets[deals.owner][deal] + inside[places]]

    def _deal_long(self, rows: Ints, spans: _Spans) -> None:
        """Write the rows of long strata: of deals that much is drawn of each by itself."""
        for deals in spans.deals(self._strata.sizes):
            much = deals.taken >= _MUCH
            for place in np.flatnonzero(much).tolist():
                self._deal_much(rows, deals.part(slice(place, place + 1)))
            if not much.all():
                self._deal_little(rows, deals.part(~much) if much.any() else deals)

    def _deal_much(self, rows: Ints, deal: _Deals) -> None:
        offset, size, low = int(self._strata.offsets[deal.owner[0]]), int(deal.size[0]), int(deal.low[0])
        own = self._strata.rows[offset : offset + size]
        order = KeyedOrder(self._keys(deal.owner, deal.number)[:, 0], size)
        begin, taken = int(deal.begins[0]), int(deal.taken[0])
        inside = order.places(np.arange(low, low + taken))
        rows[begin : begin + taken] = own.take(inside, 0, None, "clip")  # the only mode that neither checks nor buffers

    def _deal_little(self, rows: Ints, deals: _Deals) -> None:
        strata = self._strata
        deal, places = _counted(deals.taken, deals.low)
        inside = keyed_places_of(self._keys(deals.owner, deals.number), deals.size, deal, places)
        rows[deals.slots] = strata.rows[strata.offsets[deals.owner][deal] + inside]

    def _keys(self, strata: Ints, deals: Ints) -> NDArray[np.uint32]:
        """Return the keys of the rounds of each deal, shape (num_rounds, num_deals)."""
        own = _mixed(self._bases[strata] + deals.astype(np.uint64) * _STEP)
        rounds = np.arange(1, ROUNDS + 1, dtype=np.uint64)[:, None] * _STEP
        return _mixed(own + rounds).astype(np.uint32)


@dataclass(frozen=True, slots=True)
class _Spans:
    """Draws ``[before, after)`` of some strata, and the slots where their rows begin."""

    strata: Ints
    before: Ints
    after: Ints
    begins: Ints

    def deals(self, sizes: Ints) -> Iterator[_Deals]:
        """Give the deals that are touched, those of a bounded number of draws at a time."""
        count = sizes[self.strata]
        first, last = self.before // count, (self.after - 1) // count
        place, deals = _counted(last - first + 1, first)
        whole = count[place]
        low = np.maximum(self.before[place] - deals * whole, 0)
        high = np.minimum(self.after[place] - deals * whole, whole)
        found = _Deals(
            owner=self.strata[place],
            number=deals,
            size=whole,
            low=low,
            taken=high - low,
            begins=self.begins[place] + deals * whole + low - self.before[place],
        )
        portion = np.maximum(np.cumsum(whole) // _KEYS_AT_ONCE, np.arange(len(whole)) // _DEALS_AT_ONCE)
        cuts = np.flatnonzero(np.diff(portion)) + 1
        for begin, end in pairwise([0, *cuts.tolist(), len(whole)]):
            yield found if end - begin == len(whole) else found.part(slice(begin, end))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deals:
    """Deals of strata: places ``[low, low + taken)`` of each are drawn, into the slots from `begins` on."""

    owner: Ints
    number: Ints
    size: Ints
    low: Ints
    taken: Ints
    begins: Ints

    def part(self, which: slice | NDArray[np.bool_]) -> _Deals:
        return _Deals(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    @property
    def slots(self) -> Ints:
        """The slot of each draw."""
        return _counted(self.taken, self.begins)[1]


def _counted(counts: Ints, begins: Ints) -> tuple[Ints, Ints]:
    """Return, for ``counts[i]`` numbers from ``begins[i]`` on, one after the other: i, and the number."""
    owner = np.repeat(np.arange(len(counts)), counts)
    numbers = np.repeat(begins - (np.cumsum(counts) - counts), counts)
    numbers += np.arange(len(owner))
    return owner, numbers


def _sorted_inside(bases: NDArray[np.uint64], sizes: Ints) -> NDArray[np.uint16]:
    """Return the place of each draw's row in its stratum: deal after deal, each sorted by the keys of its draws."""
    deal, place = _counted(sizes, np.zeros(len(sizes), np.int64))
    inside = place.astype(np.uint64)
    keys = _mixed(bases[deal] + inside * _STEP)
    keys >>= _KEY_SHIFT
    keys <<= _KEY_BITS
    keys |= inside
    keys |= deal.astype(np.uint64) << _TAG_SHIFT
    keys.sort()
    return keys.astype(np.uint16)


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits of each word, in place: the finalizer of SplitMix64."""
    for shift, factor in ((30, _FIRST), (27, _SECOND)):
        words ^= words >> np.uint64(shift)
        words *= factor
    words ^= words >> np.uint64(31)
    return words
