"""Random orders by name: any place of any order without the others, where orders are long."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.random._keyed import ROUNDS, KeyedOrder
from penstock.sampling.random._philox import words

__all__ = ["SHUFFLE_LIMIT", "Orders", "shuffled", "sorted_order"]

SHUFFLE_LIMIT: Final = 1 << 16
_HALF = np.uint64(32)
_MOST_KEPT = 4

Ints = NDArray[np.int64]


def sorted_order(keys: NDArray[np.uint64]) -> Ints:
    """Return the order that sorts the keys, equal keys by position on every machine.

    Values are sorted many times as fast as their order is found: so each key's lower bits make room for its place,
    and those that only these bits can tell apart are put right.
    """
    # the place is written into the low bits of its own key, so that sorting values also moves the places
    mask = np.uint64((1 << max(len(keys) - 1, 1).bit_length()) - 1)
    tagged = keys & ~mask
    tagged |= np.arange(len(keys), dtype=np.uint64)
    tagged.sort()
    order = (tagged & mask).astype(np.int64)
    tagged &= ~mask
    alike = tagged[1:] == tagged[:-1]
    if alike.any():
        unsure = np.flatnonzero(np.append(alike, False) | np.insert(alike, 0, False))
        own = order[unsure]
        order[unsure] = own[np.lexsort((own, keys[own]))]
    return order


def shuffled(raw: NDArray[np.uint64], count: int) -> NDArray[np.uint16]:
    """Return random orders of `count` things (at most `SHUFFLE_LIMIT`), one for each `count` words.

    Each order sorts its places by the upper 32 bits of their words, equal ones by place.
    """
    # upper half: the key; lower half: the place, which travels along when the rows are sorted
    tagged = (raw >> _HALF << _HALF).reshape(-1, count)
    tagged |= np.arange(count, dtype=np.uint64)
    tagged.sort(axis=1)
    return tagged.astype(np.uint16).ravel()


class Orders:
    """Random orders of a number of things, named by two numbers.

    Up to `SHUFFLE_LIMIT` things an order sorts raw Philox words; above it is a keyed permutation.

    Parameters
    ----------
    seed : int
        In ``[0, 2**128)``.
    domain : int
        First part of the name of the Philox stream.
    """

    def __init__(self, seed: int, domain: int) -> None:
        self._seed = seed
        self._domain = domain
        self._kept: tuple[tuple[tuple[int, int], NDArray[np.uint16] | KeyedOrder], ...] = ()

    def places(self, name: tuple[int, int], count: int, which: Ints) -> Ints:
        """Return the things at some places of an order."""
        order = dict(self._kept).get(name)
        if order is None:
            order = self._order(name, count)
            self._kept = (*self._kept[1 - _MOST_KEPT :], (name, order))  # readers in other threads keep what they have
        return order.places(which) if isinstance(order, KeyedOrder) else order[which].astype(np.int64)

    def _order(self, name: tuple[int, int], count: int) -> NDArray[np.uint16] | KeyedOrder:
        if count > SHUFFLE_LIMIT:
            return KeyedOrder(words(self._seed, (self._domain, *name), 0, ROUNDS), count)
        return shuffled(words(self._seed, (self._domain, *name), 0, count), count)
