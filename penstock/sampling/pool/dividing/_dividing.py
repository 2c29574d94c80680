"""Units, each of one or more rows with labels, divided so that every part has its share of rows and of each label.

Four fifths of the units with the same labels are dealt out in whole multiples, which leaves each label at its share.
All others are divided label by label, the rarest first, as iterative stratification does: each part takes what it still
lacks of the label (Sechidis, Tsoumakas and Vlahavas, 2011). Where too few units are left for that, single units are
moved at the end.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._sorting import Digits, digits_of_numbers, stable_order
from penstock.sampling.pool.dividing._refining import refined
from penstock.sampling.pool.dividing._units import BLOCK, Units

__all__ = ["apportioned", "divided"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_ROUNDING = 1e-9
_HASH_BITS = 24
_NOISE_BITS = 16
_DEALT = 0.8
_FEW_LABELS = 4096


def divided(units: Units, shares: Floats, rng: np.random.Generator) -> Ints:
    """Return the part of each unit.

    Parameters
    ----------
    units : Units
        The units.
    shares : ndarray of float64, shape (num_parts,)
        What each part should have of all rows and of the rows with each label; they sum to 1.
    rng : Generator
        Draws which of equal units goes where.
    """
    part, rest = _dealt(units, shares, rng)
    given_rows, given_labels = units.totals(part, len(shares))
    totals = np.bincount(units.labels, units.counts, units.num_labels)
    lacking = np.outer(totals, shares) - given_labels
    lacking_rows = units.sizes.sum() * shares - given_rows
    part[rest] = _Remaining(units.take(rest), lacking, lacking_rows, rng).divided()
    return refined(units, part, shares, rng) if units.num_labels else part


def _dealt(units: Units, shares: Floats, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return the part of units dealt out in whole multiples, -1 for the others, and those in random order."""
    count = len(units.sizes)
    kinds = _kinds(units)
    noise = rng.integers(0, 1 << _NOISE_BITS, count, np.uint64)
    order = stable_order([Digits(kinds, _HASH_BITS), Digits(noise, _NOISE_BITS)], count)
    kinds = kinds[order]
    starts = np.flatnonzero(np.append(True, kinds[1:] != kinds[:-1])) if count else np.zeros(0, np.int64)
    lengths = np.diff(starts, append=count)
    whole = np.floor(_DEALT * lengths[:, None] * shares).astype(np.int64)
    counts = np.column_stack([whole, lengths - whole.sum(axis=1)])
    numbers = np.append(np.arange(len(shares)), -1)
    part = np.repeat(np.tile(numbers, len(lengths)), counts.ravel())
    rest = rng.permutation(order[part < 0])
    found = np.empty(count, np.int64)
    found[order] = part
    return found, rest


def _kinds(units: Units) -> NDArray[np.uint64]:
    """Return a hash of the labels and size of each unit; kinds of one hash are dealt out together: no harm."""
    words = np.random.Generator(np.random.Philox(1)).integers(0, 2**63, units.num_labels + 1, np.uint64)
    found = units.sizes.astype(np.uint64) * words[-1]
    for start in range(0, len(found), BLOCK):
        offsets = units.offsets[start : start + BLOCK + 1]
        entries = slice(offsets[0], offsets[-1])
        mixed = words[units.labels[entries]] * (2 * units.counts[entries].astype(np.uint64) + np.uint64(1))
        mixed ^= mixed >> np.uint64(29)
        filled = np.flatnonzero(np.diff(offsets))
        if len(filled):
            found[start + filled] += np.add.reduceat(mixed, offsets[filled] - offsets[0])
    found *= np.uint64(0x9E3779B97F4A7C15)
    hashed: NDArray[np.uint64] = found >> np.uint64(64 - _HASH_BITS)
    return hashed


def apportioned(count: int, lacking: Floats, then: Floats) -> Ints:
    """Return how many of some equal units each part gets, by what each lacks; `then` decides between equals."""
    wanted = np.clip(lacking, 0, None)
    if wanted.sum() <= _ROUNDING:
        wanted = np.clip(then, 0, None)
    if wanted.sum() <= _ROUNDING:
        wanted = np.ones(len(lacking))
    wanted *= count / wanted.sum()
    sizes = np.floor(wanted + _ROUNDING).astype(np.int64)
    rest = count - int(sizes.sum())
    if rest > 0:
        order = np.lexsort((-then, -np.round(wanted - sizes, 6)))
        sizes[order[:rest]] += 1
    return sizes


class _Remaining:
    """Units that are divided label by label, and what each part still lacks of rows and of each label."""

    def __init__(self, units: Units, lacking: Floats, lacking_rows: Floats, rng: np.random.Generator) -> None:
        self.units = units
        self.lacking = np.ascontiguousarray(lacking)
        self.lacking_rows = lacking_rows
        self.rng = rng
        self.part = np.full(len(units.sizes), -1, np.int64)
        self.left = np.bincount(units.labels, units.counts, units.num_labels).astype(np.int64)
        # the entries by label: which units have it, and how often
        self.owners = np.repeat(np.arange(len(units.sizes)), np.diff(units.offsets))
        self.entries = stable_order([digits_of_numbers(units.labels)], len(units.labels))
        self.begins = np.concatenate(
            [np.zeros(1, np.int64), np.cumsum(np.bincount(units.labels, minlength=len(self.left)))]
        )

    def divided(self) -> Ints:
        """Return the part of each unit."""
        for label in self._rarest_first():
            entries = self.entries[self.begins[label] : self.begins[label + 1]]
            entries = entries[self.part[self.owners[entries]] < 0]
            self._give(self.owners[entries], self.units.counts[entries], label)
        rest = np.flatnonzero(self.part < 0)
        self._give(rest, self.units.sizes[rest], None)
        return self.part

    def _rarest_first(self) -> Iterator[int]:
        """Yield labels that units are left with, that with the fewest rows first; of very many, by the first count."""
        if len(self.left) > _FEW_LABELS:
            yield from (label for label in np.argsort(self.left, kind="stable").tolist() if self.left[label])
            return
        while self.left.any():
            yield int(np.where(self.left > 0, self.left, np.iinfo(np.int64).max).argmin())

    def _give(self, units: Ints, weights: Ints, label: int | None) -> None:
        """Give units to parts by what these lack of a label, or of rows; those that weigh most first."""
        if not len(units):
            return
        order = np.argsort(-weights, kind="stable")
        units, weights = units[order], weights[order]
        starts = np.flatnonzero(np.diff(weights, prepend=-1))
        for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(weights)], strict=True):
            lacking = self.lacking_rows if label is None else self.lacking[label]
            sizes = apportioned(stop - start, lacking, self.lacking_rows)
            self._take(units[start:stop], self.rng.permutation(np.repeat(np.arange(len(sizes)), sizes)))

    def _take(self, units: Ints, parts: Ints) -> None:
        self.part[units] = parts
        given = self.units.take(units)
        num_parts = len(self.lacking_rows)
        self.lacking_rows -= np.bincount(parts, given.sizes, num_parts)
        cells = given.labels * num_parts + np.repeat(parts, np.diff(given.offsets))
        np.subtract.at(self.lacking.reshape(-1), cells, given.counts)
        np.subtract.at(self.left, given.labels, given.counts)
