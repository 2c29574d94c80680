"""How long a weighted sampler takes to show everything: an imbalance study in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError
from penstock.sampling.plan._plan import SamplingPlan
from penstock.sampling.plan._strata import Strata
from penstock.sampling.pool._labels import ClassCounts
from penstock.sampling.spec._count import checked_count
from penstock.sampling.spec._presets import inverse_frequency
from penstock.sampling.spec._spec import Mode

__all__ = [
    "CoverageByDraws",
    "EpochsByImbalance",
    "EpochsToCover",
    "coverage_by_num_draws",
    "epochs_by_imbalance",
    "epochs_to_cover",
]

_TAIL = 1e-4
_MAX_EPOCHS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EpochsToCover:
    """Law of the epoch by whose end a share of the samples was seen.

    Parameters
    ----------
    epochs : ndarray of int64, shape (num_epochs,)
        1, 2, ... up to where less than 1e-4 is left.
    probability : ndarray of float64, shape (num_epochs,)
        Probability that it is this epoch.
    share : float
        Share of the drawable samples to be seen.
    quantiles : dict of float to float
        Epochs by which the share is covered with the given probabilities.
    certificate : int, optional
        Epochs that are always enough, where there are such.
    """

    epochs: NDArray[np.int64]
    probability: NDArray[np.float64]
    share: float
    quantiles: dict[float, float]
    certificate: int | None

    @property
    def mean(self) -> float:
        """Mean epoch."""
        return float(self.epochs @ self.probability / self.probability.sum())

    @property
    def mode(self) -> int:
        """Most likely epoch: the peak of the density, which about half of the runs exceed."""
        return int(self.epochs[np.argmax(self.probability)])

    def to_pandas(self) -> Any:
        """Return a DataFrame with one row per epoch: probability and cumulative."""
        import pandas as pd

        columns = {"probability": self.probability, "cumulative": np.cumsum(self.probability)}
        return pd.DataFrame(columns, index=pd.Index(self.epochs, name="epoch"))


def epochs_to_cover(
    plan: SamplingPlan, share: float = 1.0, quantiles: Sequence[float] = (0.05, 0.5, 0.95, 0.99)
) -> EpochsToCover:
    """Return the law of the epochs it takes to see a share of the drawable samples.

    Parameters
    ----------
    plan : SamplingPlan
        What is drawn.
    share : float
        In (0, 1].
    quantiles : sequence of float
        Probabilities in (0, 1).

    Returns
    -------
    EpochsToCover

    Examples
    --------
    >>> from penstock.sampling import Strata, inverse_frequency
    >>> labels = ClassCounts.from_labels([0] * 165 + [1] * 10)
    >>> plan = Strata.from_labels(labels).with_spec(inverse_frequency(labels))
    >>> law = epochs_to_cover(plan)
    >>> law.mode, law.quantiles[0.95]
    (10, 16.0)
    """
    coverage = plan.coverage(1)
    cumulative: list[float] = []
    while not cumulative or (cumulative[-1] < 1 - _TAIL and len(cumulative) < _MAX_EPOCHS):
        cumulative.append(coverage.probability_covered(share, len(cumulative) + 1, of="drawable"))
    epochs = coverage.epochs_to_cover(share, quantiles, of="drawable")
    return EpochsToCover(
        epochs=np.arange(1, len(cumulative) + 1),
        probability=np.diff(cumulative, prepend=0.0),
        share=share,
        quantiles=dict(zip(quantiles, epochs.tolist(), strict=True)),
        certificate=coverage.certificate,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EpochsByImbalance:
    """Epochs until all samples of a balanced pair of classes were seen, by how unequal the classes are.

    Parameters
    ----------
    ratios : ndarray of float64, shape (num_ratios,)
        Minority samples over majority samples.
    num_minority : ndarray of int64, shape (num_ratios,)
        Minority samples.
    quantiles : tuple of float
        Probabilities.
    epochs : ndarray of float64, shape (num_ratios, num_quantiles)
        Epochs by which all were seen with these probabilities.
    """

    ratios: NDArray[np.float64]
    num_minority: NDArray[np.int64]
    quantiles: tuple[float, ...]
    epochs: NDArray[np.float64]

    def to_pandas(self) -> Any:
        """Return a DataFrame with one row per ratio and one column per quantile."""
        import pandas as pd

        columns = pd.Index(self.quantiles, name="quantile")
        return pd.DataFrame(self.epochs, index=pd.Index(self.ratios, name="ratio"), columns=columns)


def epochs_by_imbalance(
    num_majority: int = 165,
    ratios: Sequence[float] = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0),
    quantiles: Sequence[float] = (0.05, 0.5, 0.95),
    *,
    mode: Mode = "iid",
) -> EpochsByImbalance:
    """Return how many epochs balancing takes to show everything, for several degrees of imbalance.

    Parameters
    ----------
    num_majority : int
        Samples of the larger class.
    ratios : sequence of float
        Minority over majority samples, in (0, 1].
    quantiles : sequence of float
        Probabilities in (0, 1).
    mode : {"iid", "deck", "once"}
        How draws are made.

    Returns
    -------
    EpochsByImbalance

    Examples
    --------
    >>> epochs_by_imbalance(165, (1.0,), (0.5,)).epochs.tolist()
    [[7.0]]
    """
    num_majority = checked_count("num_majority", num_majority)
    try:
        minority = np.array([round(num_majority * ratio) for ratio in ratios], np.int64)
    except (TypeError, ValueError, OverflowError):
        minority = np.zeros(0, np.int64)
    if len(minority) == 0 or minority.min() < 1:
        raise SamplingError(f"ratios are {list(ratios)!r}. Expected numbers that leave at least one minority sample")
    epochs = []
    for count in minority.tolist():
        labels = ClassCounts.from_labels([0] * num_majority + [1] * count)
        plan = Strata.from_labels(labels).with_spec(inverse_frequency(labels, mode=mode))
        epochs.append(plan.coverage(1).epochs_to_cover(1.0, quantiles))
    return EpochsByImbalance(
        ratios=np.asarray(ratios, np.float64),
        num_minority=minority,
        quantiles=tuple(quantiles),
        epochs=np.array(epochs),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoverageByDraws:
    """Share of the samples seen in one epoch, by how many draws the epoch has.

    Parameters
    ----------
    num_draws : ndarray of int64, shape (num_sizes,)
        Draws per epoch.
    share, low, high : ndarray of float64, shape (num_sizes,)
        Mean share of the pool seen, and its pointwise 95 % band.
    """

    num_draws: NDArray[np.int64]
    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def to_pandas(self) -> Any:
        """Return a DataFrame with one row per number of draws."""
        import pandas as pd

        columns = {"share": self.share, "low": self.low, "high": self.high}
        return pd.DataFrame(columns, index=pd.Index(self.num_draws, name="num_draws"))


def coverage_by_num_draws(plan: SamplingPlan, num_draws: Sequence[int]) -> CoverageByDraws:
    """Return the coverage of one epoch for several numbers of draws.

    Parameters
    ----------
    plan : SamplingPlan
        What is drawn; its size is replaced.
    num_draws : sequence of int
        Draws per epoch.

    Returns
    -------
    CoverageByDraws

    Examples
    --------
    >>> from penstock.sampling import Strata, inverse_frequency
    >>> labels = ClassCounts.from_labels([0] * 165 + [1] * 10)
    >>> plan = Strata.from_labels(labels).with_spec(inverse_frequency(labels))
    >>> (175 * coverage_by_num_draws(plan, (175, 350)).share).round(2).tolist()
    [77.99, 117.96]
    """
    curves = [plan.strata.with_spec(plan.spec.with_options(size=draws)).coverage(1) for draws in num_draws]
    rows = curves[0].num_rows if curves else 1
    return CoverageByDraws(
        num_draws=np.asarray(num_draws, np.int64),
        share=np.array([curve.share[0] for curve in curves]),
        low=np.array([curve.low[0] for curve in curves]) / rows,
        high=np.array([curve.high[0] for curve in curves]) / rows,
    )
