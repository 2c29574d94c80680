"""How often each class occurs in an epoch, for each mode: moments of the counts, and the parts of their laws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.laws._moments import ClassMoments, dealt_moments, drawn_moments, included_moments
from penstock.sampling.laws._parts import Split, Values, dealt_parts, drawn_parts, included_parts
from penstock.sampling.pool._groups import Groups
from penstock.sampling.streams._prefix import Prefix

__all__ = ["DeckEpoch", "Epoch", "IidEpoch", "OnceEpoch"]

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
