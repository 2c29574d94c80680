"""Random orders by name: any place of any order without the others, where orders are long."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from penstock.sampling._philox import words

__all__ = ["SHUFFLE_LIMIT", "Deals", "Orders", "keyed_places", "shuffled", "sorted_order"]

SHUFFLE_LIMIT: Final = 1 << 16
_GROUP: Final = 1 << 13
_ROUNDS: Final = 6
_FIRST, _SECOND = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_BLOCK = 1 << 14
_HALF = np.uint64(32)
_LONG = 1 << 11
_KEPT_BYTES = 64 << 20


def sorted_order(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the order that sorts the keys, equal keys by position on every machine."""
    order = np.argsort(keys)
    ranked = keys[order]
    if (ranked[1:] == ranked[:-1]).any():
        return np.argsort(keys, kind="stable")
    return order


def shuffled(raw: NDArray[np.uint64], count: int) -> NDArray[np.uint16]:
    """Return random orders of `count` things (at most `SHUFFLE_LIMIT`), one for each `count` words.

    Each order sorts its places by the upper 32 bits of their words, equal ones by place: long orders by two passes of
    a radix sort, short ones all at once.
    """
    if count >= _LONG:
        orders = [_radix_order((part >> _HALF).astype(np.uint32)) for part in raw.reshape(-1, count)]
        return np.concatenate(orders)
    tagged = (raw >> _HALF << _HALF).reshape(-1, count)
    tagged |= np.arange(count, dtype=np.uint64)
    tagged.sort(axis=1)
    return tagged.astype(np.uint16).ravel()


def _radix_order(keys: NDArray[np.uint32]) -> NDArray[np.uint16]:
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    upper = (keys >> np.uint32(16)).astype(np.uint16)
    return order[np.argsort(upper[order], kind="stable")].astype(np.uint16)


class _Kept:
    """Arrays by name, forgotten when they are too many bytes; readers in other threads keep what they have."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[int, ...], NDArray[np.uint16]] = {}
        self._bytes = 0

    def get(self, name: tuple[int, ...]) -> NDArray[np.uint16] | None:
        return self._arrays.get(name)

    def put(self, name: tuple[int, ...], array: NDArray[np.uint16]) -> None:
        self._arrays[name] = array
        self._bytes += array.nbytes
        if self._bytes > _KEPT_BYTES:
            self._arrays, self._bytes = {name: array}, array.nbytes


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
        self._kept = _Kept()

    def places(self, name: tuple[int, int], count: int, which: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the things at some places of an order."""
        if count > SHUFFLE_LIMIT:
            return keyed_places(words(self._seed, (self._domain, *name), 0, _ROUNDS), count, which)
        order = self._kept.get(name)
        if order is None:
            order = shuffled(words(self._seed, (self._domain, *name), 0, count), count)
            self._kept.put(name, order)
        return order[which].astype(np.int64)


class Deals:
    """Endless dealing of the rows of strata, each deal in an order of its own.

    Draw ``k`` of a stratum of ``n`` rows is place ``k mod n`` of deal ``k div n``. Up to `SHUFFLE_LIMIT` rows, deals
    are shuffled in groups of ``max(8192 div n, 1)``: the stream ``(domain, stratum, group)`` has one word per draw.
    Above, a deal is the keyed permutation of the first words of the stream ``(domain, stratum, deal)``.

    Parameters
    ----------
    seed : int
        In ``[0, 2**128)``.
    domain : int
        First part of the name of the Philox streams.
    """

    def __init__(self, seed: int, domain: int) -> None:
        self._seed = seed
        self._domain = domain
        self._kept = _Kept()

    def rows(self, stratum: int, count: int, draws: NDArray[np.int64], span: tuple[int, int]) -> NDArray[np.int64]:
        """Return the rows (0 .. count - 1) of some draws of a stratum, all within the span of an epoch."""
        size = count if count > SHUFFLE_LIMIT else _deals(count) * count
        parts = draws // size
        first, last = int(parts.min()), int(parts.max())
        if first == last:
            return self._part(stratum, count, first, draws - first * size, span)
        rows = np.empty(len(draws), np.int64)
        for part in range(first, last + 1):
            here = np.flatnonzero(parts == part)
            if len(here):
                rows[here] = self._part(stratum, count, part, draws[here] - part * size, span)
        return rows

    def _part(
        self, stratum: int, count: int, part: int, places: NDArray[np.int64], span: tuple[int, int]
    ) -> NDArray[np.int64]:
        if count > SHUFFLE_LIMIT:
            return keyed_places(words(self._seed, (self._domain, stratum, part), 0, _ROUNDS), count, places)
        deals = _deals(count)
        low = min(max(span[0] // count - part * deals, 0), deals - 1)
        high = min(max(-(-span[1] // count) - part * deals, low + 1), deals)
        name = (stratum, part, low, high)
        order = self._kept.get(name)
        if order is None:
            raw = words(self._seed, (self._domain, stratum, part), low * count, (high - low) * count)
            order = shuffled(raw, count)
            self._kept.put(name, order)
        return order[places - low * count].astype(np.int64)


def _deals(count: int) -> int:
    """Return how many deals of so many rows are shuffled at once."""
    return max(_GROUP // count, 1)


def keyed_places(keys: NDArray[np.uint64], count: int, which: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where a keyed permutation of ``[0, count)`` takes some numbers.

    A Feistel network with a round per key (its low 32 bits) over the smallest power of two not below `count`, its
    halves as equal as the bits allow, walked along its cycle until the number is below `count` again: fewer than two
    steps on average.

    References
    ----------
    J. Black, P. Rogaway, Ciphers with arbitrary finite domains, 2002: cycle walking.
    """
    bits = max((count - 1).bit_length(), 2)
    short = keys.astype(np.uint32)
    out = np.empty(len(which), np.int64)
    for start in range(0, len(which), _BLOCK):
        value = _feistel(which[start : start + _BLOCK], short, bits)
        outside = np.flatnonzero(value >= count)
        while len(outside):
            value[outside] = _feistel(value[outside], short, bits)
            outside = outside[value[outside] >= count]
        out[start : start + _BLOCK] = value
    return out


def _feistel(value: NDArray[np.int64], keys: NDArray[np.uint32], bits: int) -> NDArray[np.int64]:
    low_bits = bits // 2
    masks = np.uint32((1 << low_bits) - 1), np.uint32((1 << (bits - low_bits)) - 1)
    high, low = (value >> low_bits).astype(np.uint32), (value & int(masks[0])).astype(np.uint32)
    mixed, shift = np.empty_like(high), np.empty_like(high)
    for number, key in enumerate(keys):
        source, target = (low, high) if number % 2 else (high, low)
        np.bitwise_xor(source, key, out=mixed)
        np.multiply(mixed, _FIRST, out=mixed)
        np.right_shift(mixed, 15, out=shift)
        np.bitwise_xor(mixed, shift, out=mixed)
        np.multiply(mixed, _SECOND, out=mixed)
        np.right_shift(mixed, 16, out=shift)
        np.bitwise_xor(mixed, shift, out=mixed)
        np.bitwise_and(mixed, masks[number % 2], out=mixed)
        np.bitwise_xor(target, mixed, out=target)
    return (high.astype(np.int64) << low_bits) | low
