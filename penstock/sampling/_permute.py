"""Random orders by name: any place of any order without the others, where orders are long."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from penstock.sampling._philox import words

__all__ = ["SHUFFLE_LIMIT", "Orders", "keyed_places", "sorted_order"]

SHUFFLE_LIMIT: Final = 1 << 16
_ROUNDS = 8
_FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
_BLOCK = 1 << 14


def sorted_order(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the order that sorts the keys, equal keys by position on every machine."""
    order = np.argsort(keys)
    ranked = keys[order]
    if (ranked[1:] == ranked[:-1]).any():
        return np.argsort(keys, kind="stable")
    return order


class Orders:
    """Random orders of ``count`` things named by two numbers, those in use kept.

    Up to `SHUFFLE_LIMIT` things an order sorts raw Philox words; above it is a keyed permutation.

    Parameters
    ----------
    seed : int
        In ``[0, 2**128)``.
    domain : int
        First part of the name of the Philox stream.
    keep : int
        Orders kept.
    """

    def __init__(self, seed: int, domain: int, keep: int) -> None:
        self._seed = seed
        self._domain = domain
        self._keep = keep
        self._kept: OrderedDict[tuple[int, int], NDArray[np.uint16]] = OrderedDict()

    def places(self, name: tuple[int, int], count: int, which: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the things at some places of an order."""
        if count == 1:
            return np.zeros(len(which), np.int64)
        if count > SHUFFLE_LIMIT:
            return keyed_places(words(self._seed, (self._domain, *name), 0, _ROUNDS), count, which)
        return self._order(name, count)[which].astype(np.int64)

    def _order(self, name: tuple[int, int], count: int) -> NDArray[np.uint16]:
        kept = self._kept.get(name)
        if kept is None:
            kept = sorted_order(words(self._seed, (self._domain, *name), 0, count)).astype(np.uint16)
            self._kept[name] = kept
            while len(self._kept) > self._keep:
                self._kept.popitem(last=False)
        return kept


def keyed_places(keys: NDArray[np.uint64], count: int, which: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where a keyed permutation of ``[0, count)`` takes some numbers.

    A Feistel network of 8 rounds over the smallest power of two not below `count`, its halves as equal as the bits
    allow, walked along its cycle until the number is below `count` again: fewer than two steps on average.

    References
    ----------
    J. Black, P. Rogaway, Ciphers with arbitrary finite domains, 2002: cycle walking.
    """
    bits = max((count - 1).bit_length(), 2)
    out = np.empty(len(which), np.int64)
    for start in range(0, len(which), _BLOCK):
        value = _feistel(which[start : start + _BLOCK].astype(np.uint64), keys, bits)
        outside = np.flatnonzero(value >= count)
        while len(outside):
            value[outside] = _feistel(value[outside], keys, bits)
            outside = outside[value[outside] >= count]
        out[start : start + _BLOCK] = value
    return out


def _feistel(value: NDArray[np.uint64], keys: NDArray[np.uint64], bits: int) -> NDArray[np.uint64]:
    low_bits = np.uint64(bits // 2)
    low_mask, high_mask = np.uint64((1 << (bits // 2)) - 1), np.uint64((1 << (bits - bits // 2)) - 1)
    high, low = value >> low_bits, value & low_mask
    for number, key in enumerate(keys):
        if number % 2:
            high ^= _mixed(low, key) & high_mask
        else:
            low ^= _mixed(high, key) & low_mask
    return (high << low_bits) | low


def _mixed(half: NDArray[np.uint64], key: np.uint64) -> NDArray[np.uint64]:
    mixed = (half ^ key) * _FIRST
    mixed ^= mixed >> np.uint64(32)
    mixed *= _SECOND
    mixed ^= mixed >> np.uint64(32)
    return mixed
