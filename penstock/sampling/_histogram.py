"""How often each class comes in an epoch, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError
from penstock.sampling._bands import band
from penstock.sampling._grouped import GroupedRows

__all__ = ["Histogram", "Unit", "histogram"]

Unit = Literal["instances", "samples"]


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

    def to_pandas(self) -> Any:  # noqa: ANN401  pandas is not imported here
        """Return a DataFrame with one row per class."""
        import pandas as pd

        columns = {"raw": self.raw, "expected": self.expected, "low": self.low, "high": self.high}
        return pd.DataFrame(columns, index=pd.Index(self.class_names, name="class"))


def histogram(
    strata: GroupedRows, probabilities: NDArray[np.float64], draws: int, unit: Unit, level: float
) -> Histogram:
    """Return the histogram of a plan; see `SamplingPlan.histogram`."""
    if unit not in get_args(Unit):
        raise SamplingError(f"unit is {unit!r}; expected 'instances' or 'samples'")
    labels = strata.labels
    if labels is None:
        raise SamplingError(
            "these strata have no labels to count", hint="pass labels=ClassCounts(...) when making them"
        )
    mean, variance, single = _moments(strata, probabilities, draws, unit)
    low, high = band(mean, variance, level, float(draws) if single else math.inf)
    raw = labels.instances if unit == "instances" else labels.samples
    return Histogram(
        class_names=labels.class_names, raw=raw, expected=mean, low=low, high=high, variance=variance,
        unit=unit, num_draws=draws, level=level,
    )  # fmt: skip


def _moments(
    strata: GroupedRows, probabilities: NDArray[np.float64], draws: int, unit: Unit
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """Return mean and variance of each class's count, and whether a draw brings at most one."""
    sums = strata.class_sums
    first = sums.instances if unit == "instances" else sums.rows_with_class
    second = sums.instances_squared if unit == "instances" else sums.rows_with_class
    num_classes = strata.labels.num_classes if strata.labels else 0
    single = unit == "samples" or sums.instances_squared is sums.rows_with_class
    probability = probabilities[sums.strata]
    share = per_class(sums.classes, probability * first, num_classes)
    square = share if single else per_class(sums.classes, probability * second, num_classes)
    return draws * share, np.maximum(draws * (square - share**2), 0.0), single


def per_class(classes: NDArray[np.int32], values: NDArray[np.float64], num_classes: int) -> NDArray[np.float64]:
    """Return the sum of the values of each class, in the order of the entries."""
    return np.bincount(classes, values, num_classes).astype(np.float64, copy=False)
