"""Raw Philox words by name and position, and the numbers they become."""

from __future__ import annotations

import secrets
from typing import Final

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError

__all__ = [
    "DECK",
    "DRAW",
    "INTERLEAVE",
    "ONCE",
    "ONCE_ORDER",
    "RESEED",
    "SHUFFLE",
    "SIMULATE",
    "SUBSET",
    "check_seed",
    "fresh_seed",
    "uniforms",
    "units",
    "words",
]

DRAW: Final = 1
DECK: Final = 2
INTERLEAVE: Final = 3
ONCE: Final = 4
ONCE_ORDER: Final = 5
SHUFFLE: Final = 6
SIMULATE: Final = 8
SUBSET: Final = 9
RESEED: Final = 12

_WORDS_PER_BLOCK = 4
_MASK = (1 << 64) - 1


def fresh_seed() -> int:
    """Return a seed from the system's entropy, small enough to be exact in JSON.

    Returns
    -------
    int
        In ``[0, 2**53)``.
    """
    return secrets.randbits(53)


def check_seed(seed: int) -> int:
    """Return the seed as an int in ``[0, 2**128)``, or say what is wrong with it."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= int(seed) < 1 << 128:
        raise SamplingError(
            f"seed is {seed!r}. Expected an integer in [0, 2**128)",
            hint="fresh_seed() makes one",
        )
    return int(seed)


def words(seed: int, stream: tuple[int, int, int], start: int, count: int) -> NDArray[np.uint64]:
    """Return words ``[start, start + count)`` of the stream ``(domain, first, second)`` of a seed.

    Philox4x64-10 of key ``(seed mod 2**64, seed // 2**64)`` and counter ``(block, first, second, domain)``; a block
    has four words, and numpy counts on once before it makes the first, so word ``i`` is part ``i % 4`` of the block
    with counter ``i // 4 + 1``.
    """
    bits, skip = _philox_at(seed, stream, start)
    drawn: NDArray[np.uint64] = bits.random_raw(skip + count)
    return drawn[skip:]


def uniforms(seed: int, stream: tuple[int, int, int], start: int) -> np.random.Generator:
    """Return a generator whose doubles are ``units(words(seed, stream, start, ...))``, for filling arrays in place."""
    bits, skip = _philox_at(seed, stream, start)
    bits.random_raw(skip, output=False)
    return np.random.Generator(bits)


def _philox_at(seed: int, stream: tuple[int, int, int], start: int) -> tuple[np.random.Philox, int]:
    """Return the bit generator at the block of word `start`, and how many words of it come before."""
    block, skip = divmod(start, _WORDS_PER_BLOCK)
    key = np.array([seed & _MASK, seed >> 64], np.uint64)
    counter = np.array([block, stream[1], stream[2], stream[0]], np.uint64)
    return np.random.Philox(key=key, counter=counter), skip


def units(raw: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return the upper 53 bits of each word as a number in [0, 1), exactly.

    The largest is 1 - 2**-53; its product with an integer below 2**53 never rounds up to that integer, so that the
    whole part of a product is a fair choice among that many things, up to one part in 2**53.
    """
    numbers = (raw >> np.uint64(11)).astype(np.float64)
    numbers *= 2.0**-53
    return numbers
