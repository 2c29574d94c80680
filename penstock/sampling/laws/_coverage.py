"""Which share of the samples is seen, after how many epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError
from penstock.sampling.laws._bands import band
from penstock.sampling.laws._unseen import Law
from penstock.sampling.pool._groups import Groups
from penstock.sampling.spec._count import checked_count, checked_fraction

__all__ = ["Coverage", "Population", "TimesSeen", "coverage"]

Population = Literal["pool", "drawable"]

_MAX_EPOCHS = 1 << 40
_TAIL = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimesSeen:
    """How often samples were seen: distribution functions per class.

    Parameters
    ----------
    class_names : tuple of str
        The classes.
    cdf : ndarray of float64, shape (num_classes, max_times + 1)
        Expected share of the samples with the class that were seen at most ``k`` times; NaN without samples.
    overall : ndarray of float64, shape (max_times + 1,)
        The same of all samples of the pool.
    num_epochs : int
        Epochs drawn.
    """

    class_names: tuple[str, ...]
    cdf: NDArray[np.float64]
    overall: NDArray[np.float64]
    num_epochs: int

    def to_pandas(self) -> Any:
        """Return a DataFrame: one row per number of times, one column per class, and "all"."""
        import pandas as pd

        frame = pd.DataFrame(self.cdf.T, columns=list(self.class_names)).assign(all=self.overall)
        return frame.rename_axis(index="times_seen", columns="class")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coverage:
    """Distinct samples seen after 1, 2, ... epochs.

    Parameters
    ----------
    unique : ndarray of float64, shape (num_epochs,)
        Mean number of distinct samples seen by the end of each epoch.
    low, high : ndarray of float64, shape (num_epochs,)
        Pointwise band at `level`.
    num_rows, num_drawable : int
        Samples of the pool; those with a weight above 0.
    num_draws : int
        Draws delivered per epoch.
    level : float
        Probability of the band, each epoch by itself.
    """

    unique: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    num_rows: int
    num_drawable: int
    num_draws: int
    level: float
    _law: Law = field(repr=False)
    _strata: Groups = field(repr=False)

    @property
    def share(self) -> NDArray[np.float64]:
        """Mean share of the pool seen, float64 of shape (num_epochs,)."""
        return self.unique / self.num_rows

    @property
    def ceiling(self) -> float:
        """Share of the pool that can be drawn at all."""
        return self.num_drawable / self.num_rows

    @property
    def certificate(self) -> int | None:
        """Epochs after which every drawable sample was seen for certain; None where chance decides."""
        return self._law.certificate

    def probability_covered(self, share: float, num_epochs: int, *, of: Population = "pool") -> float:
        """Return the probability that a share of the samples was seen after some epochs.

        Parameters
        ----------
        share : float
            In (0, 1]; at least ``ceil(share * samples)`` samples are to be seen.
        num_epochs : int
            Epochs drawn.
        of : {"pool", "drawable"}
            Which samples the share is of.

        Returns
        -------
        float
        """
        allowed = self._allowed(share, of)
        num_epochs = checked_count("num_epochs", num_epochs, least=0)
        return self._law.at_most_unseen(num_epochs, allowed) if allowed >= 0 and num_epochs > 0 else 0.0

    def epochs_to_cover(
        self, share: float = 1.0, quantiles: Sequence[float] = (0.05, 0.5, 0.95, 0.99), *, of: Population = "pool"
    ) -> NDArray[np.float64]:
        """Return the epochs after which a share is covered with the given probabilities.

        Parameters
        ----------
        share : float
            In (0, 1].
        quantiles : sequence of float
            Probabilities in (0, 1).
        of : {"pool", "drawable"}
            Which samples the share is of.

        Returns
        -------
        ndarray of float64, shape (num_quantiles,)
            Whole numbers, infinite where the share exceeds the drawable samples.

        Raises
        ------
        SamplingError
            If the share or a quantile is out of range.
        """
        allowed = self._allowed(share, of)
        for quantile in quantiles:
            checked_fraction("quantile", quantile)
        if allowed < 0:
            return np.full(len(quantiles), math.inf)
        return np.array([self._first_epoch(allowed, quantile) for quantile in quantiles])

    def _allowed(self, share: float, of: Population) -> int:
        """Return how many drawable samples may still be unseen; negative where the share is out of reach."""
        if of not in get_args(Population):
            raise SamplingError(f"of is {of!r}. Expected 'pool' or 'drawable'")
        share = checked_fraction("share", share, whole=True, hint="0.9 means 90 % of them")
        total = self.num_rows if of == "pool" else self.num_drawable
        return self.num_drawable - math.ceil(share * total - 1e-9)

    def _first_epoch(self, allowed: int, quantile: float) -> float:
        high = 1
        while self._law.at_most_unseen(high, allowed) < quantile:
            high *= 2
            if high > _MAX_EPOCHS:
                return math.inf
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._law.at_most_unseen(middle, allowed) < quantile else (low, middle)
        return float(high)

    def times_seen(self, num_epochs: int = 1, *, max_times: int | None = None) -> TimesSeen:
        """Return how often the samples of each class were seen after some epochs.

        Parameters
        ----------
        num_epochs : int
            Epochs drawn.
        max_times : int, optional
            Largest count returned; default: where less than a millionth of any class is left.

        Returns
        -------
        TimesSeen
        """
        strata = self._strata
        limit = 64 if max_times is None else max_times
        laws, group = self._law.times_seen(num_epochs, limit)
        while max_times is None and laws[:, -1].min() < 1 - _TAIL:
            limit *= 2
            laws, group = self._law.times_seen(num_epochs, limit)
        if max_times is None:
            limit = int((laws.min(axis=0) < 1 - _TAIL).sum())
        laws = laws[:, : limit + 1]
        labels, sums = strata.labels, strata.class_sums
        # rows of each class under each law: class and law as one number, then one weighted count
        joint = sums.classes.astype(np.int64) * len(laws) + group[sums.strata]
        num_classes = labels.num_classes if labels else 0
        rows = np.bincount(joint, sums.rows_with_class, num_classes * len(laws)).reshape(num_classes, len(laws))
        with np.errstate(invalid="ignore"):
            shares = rows / rows.sum(axis=1, keepdims=True)
        return TimesSeen(
            class_names=labels.class_names if labels else (),
            cdf=shares @ laws,
            overall=(np.bincount(group, strata.sizes, len(laws)) / strata.num_rows) @ laws,
            num_epochs=num_epochs,
        )

    def to_pandas(self) -> Any:
        """Return a DataFrame with one row per epoch."""
        import pandas as pd

        columns = {"unique": self.unique, "low": self.low, "high": self.high, "share": self.share}
        return pd.DataFrame(columns, index=pd.RangeIndex(1, len(self.unique) + 1, name="epoch"))


def coverage(strata: Groups, law: Law, num_epochs: int, num_draws: int, level: float) -> Coverage:
    """Return the coverage of a law; see `SamplingPlan.coverage`."""
    num_epochs = checked_count("num_epochs", num_epochs)
    epochs = np.arange(1, num_epochs + 1)
    unseen = law.unseen(epochs)
    fewest, most = band(unseen.mean, unseen.variance, level, float(law.num_drawable))
    fewest, most = np.maximum(fewest, unseen.fewest), np.minimum(most, unseen.most)
    return Coverage(
        unique=law.num_drawable - unseen.mean,
        low=law.num_drawable - most,
        high=law.num_drawable - fewest,
        num_rows=strata.num_rows,
        num_drawable=law.num_drawable,
        num_draws=num_draws,
        level=level,
        _law=law,
        _strata=strata,
    )
