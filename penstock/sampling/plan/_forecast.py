"""What to expect of draws by some weights, in closed form: counts of classes, distinct samples seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError
from penstock.sampling.laws._coverage import Coverage, coverage
from penstock.sampling.laws._deck_law import DeckLaw
from penstock.sampling.laws._epochs import DeckEpoch, Epoch, EpochCounts, IidEpoch, OnceEpoch
from penstock.sampling.laws._histogram import Histogram, Unit, class_sums_of, histogram, labels_of
from penstock.sampling.laws._moments import drawn_covariance
from penstock.sampling.laws._repeats import PassLaw
from penstock.sampling.laws._unseen import IidLaw, Law, OnceLaw
from penstock.sampling.plan._weighing import Weighing
from penstock.sampling.streams._blocks import Blocks
from penstock.sampling.streams._prefix import prefixes

__all__ = ["Forecast", "law_of"]

Floats = NDArray[np.float64]


class Forecast:
    """The laws of what a plan draws; `SamplingPlan` documents every answer.

    Parameters
    ----------
    weighing : Weighing
        Strata and weights.
    """

    def __init__(self, weighing: Weighing) -> None:
        self._weighing = weighing

    def histogram(self, num_draws: int | None, unit: Unit, level: float, *, epoch: int, start: int | None) -> Histogram:
        """Return the expected counts of each class; see `SamplingPlan.histogram`."""
        labels = labels_of(self._weighing.dealt.strata)
        draws = self._weighing.checked_draws(num_draws)
        counts = self.counts(unit, draws, epoch * draws if start is None else start)
        return histogram(labels, counts, draws, unit=unit, level=level)

    def counts(self, unit: Unit, draws: int, begin: int) -> EpochCounts:
        """Return the counts of classes in the draws of an epoch that begins at a position of the stream."""
        strata = self._weighing.dealt.strata
        labels_of(strata)
        sums = class_sums_of(strata, unit)
        values = None if sums[0] is sums[1] else strata.class_values
        return EpochCounts(epoch=self._epoch(draws, begin), sums=sums, values=values)

    def moments(self, num_draws: int | None, unit: Unit, *, start: int | None) -> tuple[Floats, Floats]:
        """Return mean and variance of the count of each class; see `SamplingPlan.moments`."""
        return self.counts(unit, self._weighing.checked_draws(num_draws), start or 0).moments()

    def covariance(self, num_draws: int | None, unit: Unit) -> Floats:
        """Return the covariance of the counts of classes; see `SamplingPlan.covariance`."""
        weighing = self._weighing
        labels, draws = labels_of(weighing.strata), weighing.checked_draws(num_draws)
        class_sums_of(weighing.strata, unit)
        if weighing.spec.mode != "iid":
            raise SamplingError(f"mode is {weighing.spec.mode!r}. Expected 'iid', for which the covariance is known")
        return drawn_covariance(labels, weighing.probabilities[weighing.strata.ids], draws, unit == "instances")

    def coverage(self, num_epochs: int, num_draws: int | None, level: float) -> Coverage:
        """Return the distinct samples seen after each epoch; see `SamplingPlan.coverage`."""
        weighing = self._weighing
        draws = weighing.checked_draws(num_draws)
        folded = weighing.folded.dealt
        if weighing.spec.mode == "once" and weighing.strata.identity is not None:
            law: Law = PassLaw(folded.strata.sizes, folded.weights, weighing.strata.num_rows, draws)
        else:
            law = law_of(folded, draws)
        return coverage(folded.strata, law, num_epochs, draws, level)

    def _epoch(self, draws: int, begin: int) -> Epoch:
        """Return the law of the draws of an epoch that begins at a position of the stream."""
        weighing = self._weighing.dealt
        strata, size = weighing.strata, weighing.num_draws
        if weighing.spec.mode == "iid":
            return IidEpoch(strata, weighing.probabilities, draws)
        if weighing.spec.mode == "once":
            return OnceEpoch(strata, weighing.inclusion * min(draws / size, 1.0), draws)
        ends = np.array([begin, begin + draws])
        return DeckEpoch(strata, *prefixes(weighing.masses, Blocks(size), ends, weighing.spec.interleave))


def law_of(weighing: Weighing, draws: int) -> Law:
    """Return the law of the rows unseen after epochs of so many draws."""
    sizes, size = weighing.strata.sizes, weighing.num_draws
    if weighing.spec.mode == "deck":
        return DeckLaw(sizes, weighing.weights, size, draws, weighing.spec.interleave)
    if weighing.spec.mode == "once":
        return OnceLaw(sizes, weighing.inclusion * min(draws / size, 1.0))
    return IidLaw(sizes, weighing.probabilities, draws)
