"""Random orders by name: any place of any order without the others, where orders are long."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from penstock.sampling._philox import words

__all__ = ["ROUNDS", "SHUFFLE_LIMIT", "Orders", "keyed_places", "keyed_places_of", "shuffled", "sorted_order"]

SHUFFLE_LIMIT: Final = 1 << 16
ROUNDS: Final = 6
_FIRST, _SECOND = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_BLOCK = 1 << 14
_MANY = 1 << 10
_HALF = np.uint64(32)
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

    Each order sorts its places by the upper 32 bits of their words, equal ones by place.
    """
    tagged = (raw >> _HALF << _HALF).reshape(-1, count)
    tagged |= np.arange(count, dtype=np.uint64)
    tagged.sort(axis=1)
    return tagged.astype(np.uint16).ravel()


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
            return keyed_places(words(self._seed, (self._domain, *name), 0, ROUNDS), count, which)
        order = self._kept.get(name)
        if order is None:
            order = shuffled(words(self._seed, (self._domain, *name), 0, count), count)
            self._kept.put(name, order)
        return order[which].astype(np.int64)


def keyed_places(keys: NDArray[np.uint64], count: int, which: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where a keyed permutation of ``[0, count)`` takes some numbers.

    A Feistel network with a round per key (its low 32 bits) over the smallest power of two not below `count`, its
    halves as equal as the bits allow, walked along its cycle until the number is below `count` again: fewer than two
    steps on average.

    References
    ----------
    J. Black, P. Rogaway, Ciphers with arbitrary finite domains, 2002: cycle walking.
    """
    return _walked(keys.astype(np.uint32)[:, None], np.array([count]), which, _width(count))


def keyed_places_of(
    keys: NDArray[np.uint32], counts: NDArray[np.int64], owner: NDArray[np.int64], which: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return where keyed permutations, each number's own, take some numbers; see `keyed_places`.

    Parameters
    ----------
    keys : ndarray of uint32, shape (num_rounds, num_permutations)
        Of each permutation.
    counts : ndarray of int64, shape (num_permutations,)
        What each permutes: ``[0, count)``.
    owner : ndarray of int64, shape (num_places,)
        Which permutation takes each number, ascending.
    which : ndarray of int64, shape (num_places,)
        The numbers.

    Returns
    -------
    ndarray of int64, shape (num_places,)
    """
    if len(which) >= _MANY * len(counts):  # one after the other: keys and bounds are then single numbers
        ends = np.searchsorted(owner, np.arange(len(counts) + 1)).tolist()
        parts = [
            _walked(keys[:, number, None], counts[number, None], which[begin:end], _width(int(counts[number])))
            for number, (begin, end) in enumerate(pairwise(ends))
        ]
        return np.concatenate(parts) if parts else which
    out = np.empty(len(which), np.int64)
    widths = np.maximum(np.frexp(counts - 1.0)[1], 2)
    for bits in np.unique(widths).tolist():
        here = np.flatnonzero(widths[owner] == bits)
        own = owner[here]
        out[here] = _walked(keys[:, own], counts[own], which[here], bits)
    return out


def _width(count: int) -> int:
    """Return the bits of the numbers below `count`, at least 2."""
    return max((count - 1).bit_length(), 2)


def _walked(
    keys: NDArray[np.uint32], counts: NDArray[np.int64], which: NDArray[np.int64], bits: int
) -> NDArray[np.int64]:
    """Follow the cycles of permutations of ``2**bits`` numbers until they are below `counts`: one of each, or one."""
    out = np.empty(len(which), np.int64)
    alike = keys.shape[1] == 1
    for start in range(0, len(which), _BLOCK):
        part = slice(start, start + _BLOCK)
        own, limit = (keys, counts) if alike else (keys[:, part], counts[part])
        value = _feistel(which[part], own, bits)
        outside = np.flatnonzero(value >= limit)
        while len(outside):
            value[outside] = _feistel(value[outside], own if alike else own[:, outside], bits)
            outside = outside[value[outside] >= (limit if alike else limit[outside])]
        out[part] = value
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
