"""More of the samples that training finds hard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError
from penstock.sampling.pool._normalized import set_normalized
from penstock.sampling.spec._spec import is_number

__all__ = ["HardMining", "hard_mining"]


@dataclass(frozen=True, slots=True)
class HardMining:
    """Weights that follow a signal: the samples with its highest values are drawn more often.

    Made by `hard_mining`.

    Parameters
    ----------
    signal : str
        What training reports with ``loader.record``.
    quantile : float
        From this quantile of the last recorded values on, a sample is hard; in [0, 1).
    weight : float
        Of a hard sample; every other weighs 1.
    every : {"epoch"}
        When the weights are evaluated again.
    """

    signal: str
    quantile: float = 0.9
    weight: float = 3.0
    every: Literal["epoch"] = "epoch"

    def __post_init__(self) -> None:
        if not isinstance(self.signal, str) or not self.signal:
            raise SamplingError(f"signal is {self.signal!r}. Expected the name of a signal")
        if not (is_number(self.quantile) and 0 <= self.quantile < 1):
            raise SamplingError(f"quantile is {self.quantile!r}. Expected a number in [0, 1)")
        if not (is_number(self.weight) and 0 < self.weight < np.inf):
            raise SamplingError(f"weight is {self.weight!r}. Expected a finite number > 0")
        if self.every != "epoch":
            raise SamplingError(f"every is {self.every!r}. Expected 'epoch'")
        set_normalized(self, quantile=float(self.quantile), weight=float(self.weight))

    def weights(self, values: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return the weight of each sample.

        Parameters
        ----------
        values : ndarray of float64, shape (num_rows,)
            The signal, NaN where it was never recorded.

        Returns
        -------
        ndarray of float64, shape (num_rows,), or None
            None where nothing was recorded. A sample that never was weighs 1.

        Examples
        --------
        >>> hard_mining("loss", quantile=0.5, weight=4).weights(np.array([0.1, 2.0, np.nan, 0.3])).tolist()
        [1.0, 4.0, 1.0, 4.0]
        """
        recorded = ~np.isnan(values)
        if not recorded.any():
            return None
        # a value that was recorded, so that the quantile is the same in every arithmetic
        limit = np.quantile(values[recorded], self.quantile, method="higher")
        return np.where(recorded & (values >= limit), self.weight, 1.0)


def hard_mining(signal: str, quantile: float = 0.9, weight: float = 3.0, every: Any = "epoch") -> HardMining:
    """Draw the samples that training finds hard more often: online hard example mining, an epoch at a time.

    The first epoch draws every sample alike. At the end of each epoch the signal that the loop reported is read, and
    the next one draws the samples at or above the quantile `weight` times as often. The weights of each epoch are kept
    beside the run, so that ``sample_by(loader.schedule)`` draws the same without the signal.

    Parameters
    ----------
    signal : str
        What the loop reports: ``loader.record(batch, loss=loss)``.
    quantile : float
        From this quantile of the last recorded values on, a sample is hard; in [0, 1).
    weight : float
        Of a hard sample; every other, and one that was never recorded, weighs 1.
    every : {"epoch"}
        When the weights are evaluated again.

    Returns
    -------
    HardMining
        For `Loader.sample_by`.

    Raises
    ------
    SamplingError
        If a value is out of range.

    References
    ----------
    A. Shrivastava, A. Gupta, R. Girshick, Training region-based object detectors with online hard example mining, 2016.

    Examples
    --------
    >>> hard_mining("loss", quantile=0.9, weight=5)
    HardMining(signal='loss', quantile=0.9, weight=5.0, every='epoch')
    """
    return HardMining(signal, quantile, weight, every)
