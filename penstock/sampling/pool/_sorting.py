"""Rows in order and equal rows side by side: keys are sorted together with the number of their row.

A word of 64 bits has room for a key and the number of the row it came from. Sorting such words by value orders the
rows, keeps ties in the order of rows, and needs no look-up in memory all over the place: numpy's own stable
``argsort`` of 10 million keys takes ten times as long. Keys of more bits are sorted in passes, the last digits first.
Rows that only have to be found equal are sorted by a hash, once, and compared with their neighbors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Digits", "digits_of_numbers", "equal_rows", "first_of_each", "grouped_rows", "stable_order"]

_WORD = 64
_BLOCK = 1 << 16
_U = np.uint64
_MIX = (_U(0x9E3779B97F4A7C15), _U(0xBF58476D1CE4E5B9))

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Digits:
    """A key of every row, as numbers that are ordered as the key is.

    Parameters
    ----------
    words : ndarray of uint64, shape (num_rows,)
        The numbers.
    bits : int
        Each is below ``2**bits``.
    """

    words: Words
    bits: int

    def of(self, rows: Ints) -> Digits:
        """Return the keys of some rows."""
        return Digits(self.words[rows], self.bits)


def digits_of_numbers(data: NDArray[Any], *, descending: bool = False) -> Digits:
    """Return integers, booleans or floats without NaN as digits; 0.0 and -0.0 are equal."""
    is_float = data.dtype.kind == "f"
    data = _ordered_bits(data) if is_float else data.astype(data.dtype.newbyteorder("="), copy=False)
    if not len(data):
        return Digits(data.astype(_U), 0)
    low, high = int(data.min()), int(data.max())
    words = data.view(_U) if data.dtype.itemsize == 8 else data.astype(_U)
    # modulo 2**64, so that differences are right for negative numbers too
    own = words if is_float else None
    if descending:
        words = np.subtract(_as_word(high), words, out=own)
    elif low:
        words = np.subtract(words, _as_word(low), out=own)
    return Digits(words, (high - low).bit_length())


def _as_word(number: int) -> np.uint64:
    return _U(number % (1 << _WORD))


def _ordered_bits(data: NDArray[Any]) -> NDArray[np.signedinteger]:
    """Return floats as integers of the same order."""
    floats, integers = (np.float64, np.int64) if data.dtype.itemsize > 4 else (np.float32, np.int32)
    found: NDArray[np.signedinteger] = np.empty(len(data), integers)
    for start in range(0, len(data), _BLOCK):
        bits = np.add(data[start : start + _BLOCK], 0.0, dtype=floats).view(integers)  # -0.0 becomes 0.0
        sign = bits >> (bits.dtype.itemsize * 8 - 1)  # -1 for negative numbers, whose other bits are turned round
        sign &= np.iinfo(integers).max
        np.bitwise_xor(bits, sign, out=found[start : start + _BLOCK])
    return found


# ---- order -------------------------------------------------------------------------------------------


def stable_order(keys: Sequence[Digits], num_rows: int) -> Ints:
    """Return the rows in ascending order of the keys, the first key foremost; ties stay in the order of rows."""
    row_bits = max(num_rows - 1, 1).bit_length()
    order: Ints | None = None
    for words in _passes(keys, num_rows, _WORD - row_bits):
        packed = (words if order is None else words[order]) << _U(row_bits)
        packed |= np.arange(num_rows, dtype=_U)
        packed.sort()
        packed &= _U((1 << row_bits) - 1)
        places = packed.view(np.int64)
        order = places if order is None else order[places]
    return np.arange(num_rows) if order is None else order


def _passes(keys: Sequence[Digits], num_rows: int, room: int) -> list[Words]:
    """Return words of at most `room` bits, the last digits first, that hold the bits of all keys one after another."""
    keys = [key for key in keys if key.bits]
    if len(keys) == 1 and keys[0].bits <= room:
        return [keys[0].words]
    found: list[Words] = []
    word, used = np.zeros(num_rows, _U), 0
    for key in reversed(keys):
        rest, bits = key.words, key.bits
        while bits:
            fit = min(bits, room - used)
            piece = rest & _U((1 << fit) - 1)
            piece <<= _U(used)
            word |= piece
            rest, bits, used = rest >> _U(fit), bits - fit, used + fit
            if used == room:
                found.append(word)
                word, used = np.zeros(num_rows, _U), 0
    return [*found, word] if used else found


# ---- equal rows --------------------------------------------------------------------------------------


def equal_rows(keys: Sequence[Digits], num_rows: int) -> tuple[Ints, Ints]:
    """Return the rows with equal ones side by side and ascending, and where each run of equal rows begins.

    The runs come in no order in particular; the end of the last one is not among the beginnings.
    """
    keys = [key for key in keys if key.bits]
    if not keys or not num_rows:
        return np.arange(num_rows), np.zeros(min(num_rows, 1), np.int64)
    row_bits = max(num_rows - 1, 1).bit_length()
    room = _WORD - row_bits
    exact = sum(key.bits for key in keys) <= room
    words = _passes(keys, num_rows, room)[0] if exact else _hashed(keys)  # whose first bits are shifted out
    packed = words << _U(row_bits)
    packed |= np.arange(num_rows, dtype=_U)
    packed.sort()
    order = (packed & _U((1 << row_bits) - 1)).view(np.int64)
    packed >>= _U(row_bits)
    begins = np.ones(num_rows, bool)
    np.not_equal(packed[1:], packed[:-1], out=begins[1:])
    if not exact:
        _tell_apart(keys, order, begins)
    return order, np.flatnonzero(begins)


def _hashed(keys: Sequence[Digits]) -> Words:
    found = np.zeros(len(keys[0].words), _U)
    for key in keys:
        found ^= key.words
        for factor in _MIX:
            found *= factor
            found ^= found >> _U(32)
    return found


def _tell_apart(keys: Sequence[Digits], order: Ints, begins: NDArray[np.bool_]) -> None:
    """Sort each run of rows of one hash, of which some have different keys, and mark where their own runs begin."""
    differ = _differing(keys, order)
    differ &= ~begins[1:]
    wrong = np.flatnonzero(differ)
    if not len(wrong):
        return
    starts = np.append(np.flatnonzero(begins), len(order))
    runs = np.unique(np.searchsorted(starts, wrong, "right"))  # the end of each, by number
    lengths = starts[runs] - starts[runs - 1]
    run = np.repeat(np.arange(len(runs)), lengths)
    places = np.arange(len(run)) + np.repeat(starts[runs] - np.cumsum(lengths), lengths)
    rows = order[places]
    rows = rows[stable_order([digits_of_numbers(run), *(key.of(rows) for key in keys)], len(rows))]
    order[places] = rows
    begins[places[1:]] |= _differing(keys, rows)  # between two runs there is a beginning anyway


def _differing(keys: Sequence[Digits], order: Ints) -> NDArray[np.bool_]:
    """Return whether each row in an order, from the second on, has other keys than the row before."""
    differ = np.zeros(len(order) - 1, bool)
    for key in keys:
        words = key.words[order]
        differ |= words[1:] != words[:-1]
    return differ


def grouped_rows(keys: Sequence[Digits], num_rows: int) -> tuple[Ints, Ints]:
    """Return the rows by group of equal rows, groups by first appearance, and where groups begin and the last ends."""
    order, starts = equal_rows(keys, num_rows)
    if len(starts) == num_rows:
        return np.arange(num_rows), np.arange(num_rows + 1)
    lengths = np.diff(starts, append=num_rows)
    runs = stable_order([digits_of_numbers(order[starts])], len(starts))
    offsets = np.zeros(len(starts) + 1, np.int64)
    np.cumsum(lengths[runs], out=offsets[1:])
    places = np.arange(num_rows) + np.repeat(starts[runs] - offsets[:-1], lengths[runs])
    return order[places], offsets


def first_of_each(keys: Sequence[Digits], num_rows: int) -> Ints:
    """Return the first of each set of equal rows, ascending."""
    order, starts = equal_rows(keys, num_rows)
    return np.sort(order[starts])
