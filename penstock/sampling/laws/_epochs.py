"""How often each class occurs in an epoch, for each mode: moments of the counts, and the parts of their laws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.laws._moments import ClassMoments, dealt_moments, drawn_moments, included_moments
from penstock.sampling.laws._parts import Split, Values, dealt_parts, drawn_parts, included_parts
from penstock.sampling.laws._sum_parts import Drawn, Part
from penstock.sampling.pool._class_values import ClassValues
from penstock.sampling.pool._groups import Groups
from penstock.sampling.streams._prefix import Prefix

__all__ = ["Counts", "DeckEpoch", "Epoch", "EpochCounts", "IidEpoch", "OnceEpoch", "SummedCounts"]

Floats = NDArray[np.float64]


class Epoch(Protocol):
    """Some draws of a plan."""

    def moments(self, sums: ClassMoments) -> ClassMoments:
        """Return mean and variance of the count of each class."""
        ...

    def split(self, values: Values) -> Split:
        """Return what a class has for certain, and what chance adds."""
        ...


@dataclass(frozen=True, slots=True)
class IidEpoch:
    """Independent draws."""

    strata: Groups
    probabilities: Floats
    draws: int

    def moments(self, sums: ClassMoments) -> ClassMoments:
        """Return mean and variance of the count of each class."""
        return drawn_moments(self.strata, self.probabilities, self.draws, sums)

    def split(self, values: Values) -> Split:
        """Return what a class has for certain, and what chance adds."""
        return drawn_parts(values, self.probabilities, self.draws)


@dataclass(frozen=True, slots=True)
class OnceEpoch:
    """Draws without replacement."""

    strata: Groups
    included: Floats
    draws: int

    def moments(self, sums: ClassMoments) -> ClassMoments:
        """Return mean and variance of the count of each class."""
        return included_moments(self.strata, self.included, sums)

    def split(self, values: Values) -> Split:
        """Return what a class has for certain, and what chance adds."""
        return included_parts(values, self.strata.sizes, self.included, self.draws)


@dataclass(frozen=True, slots=True)
class DeckEpoch:
    """Dealt draws between two positions."""

    strata: Groups
    first: Prefix
    last: Prefix

    def moments(self, sums: ClassMoments) -> ClassMoments:
        """Return mean and variance of the count of each class."""
        return dealt_moments(self.strata, self.first, self.last, sums)

    def split(self, values: Values) -> Split:
        """Return what a class has for certain, and what chance adds."""
        return dealt_parts(values, self.strata.sizes, self.first, self.last)


class Counts(Protocol):
    """The counts of classes in some draws."""

    @property
    def often(self) -> Sequence[int] | None:
        """Classes that a draw may have several times; None where that cannot be."""
        ...

    def moments(self) -> ClassMoments:
        """Return mean and variance of the count of each class."""
        ...

    def split(self, number: int) -> Split:
        """Return what one class has for certain, and what chance adds."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class EpochCounts:
    """The counts of classes in an epoch; `values` are those that a draw may have several times, if any."""

    epoch: Epoch
    sums: ClassMoments
    values: ClassValues | None

    @cached_property
    def _values(self) -> dict[int, Values]:
        return {} if self.values is None else {number: Values(*own) for number, own in self.values.items()}

    @property
    def often(self) -> Sequence[int] | None:
        """Classes that a draw may have several times; None where that cannot be."""
        return None if self.values is None else list(self._values)

    def moments(self) -> ClassMoments:
        """Return mean and variance of the count of each class."""
        return self.epoch.moments(self.sums)

    def split(self, number: int) -> Split:
        """Return what one class has for certain, and what chance adds."""
        return self.epoch.split(self._values[number])


class SummedCounts:
    """The counts of classes in several independent runs of draws together, each so many times."""

    def __init__(self, runs: Sequence[tuple[Counts, int]]) -> None:
        self._runs = runs

    @property
    def often(self) -> Sequence[int] | None:
        """Classes that a draw may have several times; None where that cannot be."""
        return self._runs[0][0].often

    def moments(self) -> ClassMoments:
        """Return mean and variance of the count of each class."""
        found = [(times, *counts.moments()) for counts, times in self._runs]
        mean = np.sum([times * own for times, own, _ in found], axis=0)
        return mean, np.sum([times * own for times, _, own in found], axis=0)

    def split(self, number: int) -> Split:
        """Return what one class has for certain, and what chance adds: no parts where a run has none but varies."""
        fixed, parts = 0.0, list[Part]()
        for counts, times in self._runs:
            own = counts.split(number)
            fixed += times * own.fixed
            parts += [_alone(part) for part in own.parts] * times
            if not own.parts and counts.moments()[1][number] > 0:
                return Split(fixed, [])
        return Split(fixed, parts)


def _alone(part: Part) -> Part:
    """Return a part without the narrower law that it has where it is the only one."""
    return replace(part, choice=None) if isinstance(part, Drawn) else part
