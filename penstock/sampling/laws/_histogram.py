"""How often each class occurs in an epoch, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from penstock._wording import escaped
from penstock.errors import SamplingError
from penstock.sampling.laws._bands import band
from penstock.sampling.laws._epochs import Counts
from penstock.sampling.laws._moments import ClassMoments
from penstock.sampling.laws._sum_law import interval
from penstock.sampling.pool._groups import Groups
from penstock.sampling.pool._labels import ClassCounts

__all__ = ["Histogram", "Unit", "class_sums_of", "histogram", "labels_of"]

Unit = Literal["instances", "samples"]
_UNITS = get_args(Unit)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histogram:
    """Counts per class: in the pool, and expected in one epoch.

    Parameters
    ----------
    class_names : tuple of str
        The classes.
    raw : ndarray of int64, shape (num_classes,)
        Counts in the pool.
    expected : ndarray of float64, shape (num_classes,)
        Mean count in one epoch of draws.
    low, high : ndarray of float64, shape (num_classes,)
        Pointwise band at `level`.
    variance : ndarray of float64, shape (num_classes,)
        Variance of the count.
    unit : {"instances", "samples"}
        What is counted.
    num_draws : int
        Draws of the epoch.
    level : float
        Probability of the band, each class by itself.
    """

    class_names: tuple[str, ...]
    raw: NDArray[np.int64]
    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    variance: NDArray[np.float64]
    unit: Unit
    num_draws: int
    level: float

    @property
    def share(self) -> NDArray[np.float64]:
        """Expected count per draw; for samples the probability that a draw has the class."""
        return self.expected / max(self.num_draws, 1)

    @property
    def by_change(self) -> NDArray[np.int64]:
        """Classes of the pool, int64; first those whose expected count differs from raw by the largest factor."""
        there = np.flatnonzero(self.raw > 0)
        factor = np.abs(np.log(np.maximum(self.expected[there], 0.5) / self.raw[there]))
        order: NDArray[np.int64] = there[np.argsort(-factor.round(9), kind="stable")]
        return order

    def summary(self, most: int) -> str:
        """Return raw and expected counts in words, the `most` classes that change most.

        Examples
        --------
        >>> from penstock.sampling import ClassCounts, Clause, SamplingSpec, Strata
        >>> labels = ClassCounts.from_labels([0, 0, 0, 1], class_names=("dog", "cat"))
        >>> strata = Strata.from_masks({"cat": labels.values == 1, "True": [True] * 4}, labels=labels)
        >>> plan = strata.with_spec(SamplingSpec(clauses=(Clause("cat", 3), Clause("True", 1))))
        >>> plan.histogram().summary(1), plan.histogram().summary(2)
        ('cat 1 → 2 and 1 more class', 'cat 1 → 2, dog 3 → 2')
        """
        order = self.by_change
        named = [f"{escaped(self.class_names[i])} {self.raw[i]:,} → {self.expected[i]:,.0f}" for i in order[:most]]
        more = len(order) - len(named)
        return ", ".join(named) + (f" and {more:,} more {'class' if more == 1 else 'classes'}" if more else "")

    def to_pandas(self) -> Any:
        """Return a DataFrame with one row per class."""
        import pandas as pd

        columns = {"raw": self.raw, "expected": self.expected, "low": self.low, "high": self.high}
        return pd.DataFrame(columns, index=pd.Index(self.class_names, name="class"))


def labels_of(strata: Groups) -> ClassCounts:
    """Return the labels, or say that there are none."""
    if strata.labels is None:
        raise SamplingError(
            "these strata have no labels to count", hint="pass labels=ClassCounts(...) when making them"
        )
    return strata.labels


def class_sums_of(strata: Groups, unit: Unit) -> ClassMoments:
    """Return the first and second sums of the unit; the same array twice where a draw has at most one."""
    if unit not in _UNITS:
        raise SamplingError(f"unit is {unit!r}. Expected 'instances' or 'samples'")
    sums = strata.class_sums
    if unit == "samples":
        return sums.rows_with_class, sums.rows_with_class
    return sums.instances, sums.instances_squared


def histogram(labels: ClassCounts, counts: Counts, num_draws: int, *, unit: Unit, level: float) -> Histogram:
    """Return the histogram of some draws; see `SamplingPlan.histogram`."""
    mean, variance = counts.moments()
    often = counts.often
    low, high = band(mean, variance, level, float(num_draws) if often is None else math.inf)
    for number in often or ():
        if variance[number] > 0:
            fixed, parts = counts.split(number)
            moments, ends = (float(mean[number]), float(variance[number])), (float(low[number]), float(high[number]))
            low[number], high[number] = interval(fixed, parts, moments, ends, level)
    return Histogram(
        class_names=labels.class_names,
        raw=labels.instances if unit == "instances" else labels.samples,
        expected=mean,
        low=low,
        high=high,
        variance=variance,
        unit=unit,
        num_draws=num_draws,
        level=level,
    )
