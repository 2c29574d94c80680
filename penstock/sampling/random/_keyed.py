"""Keyed permutations: any place of a long random order without the others."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["ROUNDS", "KeyedOrder", "keyed_places", "keyed_places_of"]

ROUNDS: Final = 6
_FIRST, _SECOND = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_BLOCK: Final = 1 << 14  # places that fit the cache with what is made of them on the way
_TABLE_BITS: Final = 14  # longer tables would not fit the cache

Ints = NDArray[np.int64]


class KeyedOrder:
    """A keyed permutation of ``[0, count)``.

    A Feistel network with a round per key (its low 32 bits) over the smallest power of two not below `count`, its
    halves as equal as the bits allow, walked along its cycle until the number is below `count` again: fewer than two
    steps on average. What a round makes of half the bits is looked up in a table, up to 2**28 places.

    Parameters
    ----------
    keys : ndarray of uint64 or uint32, shape (num_rounds,)
        One a round.
    count : int
        Things to permute, at least 1.

    References
    ----------
    J. Black, P. Rogaway, Ciphers with arbitrary finite domains, 2002: cycle walking.
    """

    def __init__(self, keys: NDArray[np.unsignedinteger], count: int) -> None:
        self._count = count
        self._bits = _width(count)
        self._keys = keys.astype(np.uint32)[:, None]
        low_bits = self._bits // 2
        short = self._bits - low_bits <= _TABLE_BITS
        self._tables = _tables(self._keys, low_bits, self._bits - low_bits) if short else ()

    def places(self, which: Ints) -> Ints:
        """Return where some numbers go, int64 of the shape of `which`, (num_places,)."""
        out = self._once(which)
        # cycle walking: numbers beyond the count go on along their cycle until they are inside
        outside = np.flatnonzero(out >= self._count)
        value = out[outside]
        while len(outside):
            value = self._once(value)
            out[outside] = value
            still = np.flatnonzero(value >= self._count)
            outside, value = outside[still], value[still]
        return out

    def _once(self, which: Ints) -> Ints:
        """Go one step along the cycles."""
        if len(which) <= _BLOCK:
            return self._step(which)
        out = np.empty_like(which)
        for start in range(0, len(which), _BLOCK):
            out[start : start + _BLOCK] = self._step(which[start : start + _BLOCK])
        return out

    def _step(self, which: Ints) -> Ints:
        if not self._tables:
            return _feistel(which, self._keys, self._bits)
        low_bits = self._bits // 2
        high, low = which >> low_bits, which & ((1 << low_bits) - 1)
        mixed = np.empty_like(high)
        for number, table in enumerate(self._tables):
            source, target = (low, high) if number % 2 else (high, low)
            table.take(source, 0, mixed, "clip")  # the only mode that neither checks nor buffers
            np.bitwise_xor(target, mixed, out=target)
        high <<= low_bits
        high |= low
        return high


def _tables(keys: NDArray[np.uint32], low_bits: int, high_bits: int) -> tuple[Ints, ...]:
    """Return what each round adds to one half, by the other half: even rounds to the lower."""
    even = _mixed(np.arange(1 << high_bits, dtype=np.uint32), keys[0::2], low_bits).astype(np.int64)
    odd = _mixed(np.arange(1 << low_bits, dtype=np.uint32), keys[1::2], high_bits).astype(np.int64)
    return tuple((odd if number % 2 else even)[number // 2] for number in range(len(keys)))


def keyed_places(keys: NDArray[np.uint64], count: int, which: Ints) -> Ints:
    """Return where a `KeyedOrder` takes some numbers."""
    return KeyedOrder(keys, count).places(which)


def keyed_places_of(keys: NDArray[np.uint32], counts: Ints, owner: Ints, which: Ints) -> Ints:
    """Return where keyed permutations, each number's own, take some numbers; see `KeyedOrder`.

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
    out = np.empty(len(which), np.int64)
    # the exponent of a float is the bit length of its whole part: exact below 2**53
    widths = np.maximum(np.frexp(counts - 1.0)[1], 2)
    for bits in np.unique(widths).tolist():
        here = np.flatnonzero(widths[owner] == bits)
        own = owner[here]
        out[here] = _walked(keys[:, own], counts[own], which[here], bits)
    return out


def _width(count: int) -> int:
    """Return the bits of the numbers below `count`, at least 2."""
    return max((count - 1).bit_length(), 2)


def _walked(keys: NDArray[np.uint32], counts: Ints, which: Ints, bits: int) -> Ints:
    """Follow the cycles of permutations of ``2**bits`` numbers until they are below `counts`; one of each a number."""
    out = np.empty(len(which), np.int64)
    for start in range(0, len(which), _BLOCK):
        part = slice(start, start + _BLOCK)
        own, limit = keys[:, part], counts[part]
        value = _feistel(which[part], own, bits)
        outside = np.flatnonzero(value >= limit)
        while len(outside):
            value[outside] = _feistel(value[outside], own[:, outside], bits)
            outside = outside[value[outside] >= limit[outside]]
        out[part] = value
    return out


def _feistel(value: Ints, keys: NDArray[np.uint32], bits: int) -> Ints:
    low_bits = bits // 2
    halves = low_bits, bits - low_bits
    high, low = (value >> low_bits).astype(np.uint32), (value & ((1 << low_bits) - 1)).astype(np.uint32)
    for number, key in enumerate(keys):
        source, target = (low, high) if number % 2 else (high, low)
        np.bitwise_xor(target, _mixed(source, key, halves[number % 2]), out=target)
    return (high.astype(np.int64) << low_bits) | low


def _mixed(source: NDArray[np.uint32], key: NDArray[np.uint32], bits: int) -> NDArray[np.uint32]:
    """Mix a half and a key; keep the lower `bits`."""
    mixed = source ^ key
    shifted = np.empty_like(mixed)
    np.multiply(mixed, _FIRST, out=mixed)
    np.right_shift(mixed, 15, out=shifted)
    np.bitwise_xor(mixed, shifted, out=mixed)
    np.multiply(mixed, _SECOND, out=mixed)
    np.right_shift(mixed, 16, out=shifted)
    np.bitwise_xor(mixed, shifted, out=mixed)
    np.bitwise_and(mixed, np.uint32((1 << bits) - 1), out=mixed)
    return mixed
