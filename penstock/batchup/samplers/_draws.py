"""The draws of a sampler, as plans and loaders use them: rows, and how often each is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from penstock.batchup.samplers._samplers import AbstractSampler, StandardSampler, SubsetSampler
from penstock.batchup.samplers._weighted import WeightedSampler, WeightedSubsetSampler
from penstock.errors import NotSupportedError, SamplingError
from penstock.sampling import ClassCounts, SamplingPlan, SamplingSpec, Strata

__all__ = ["Draws", "Mode"]

Mode = Literal["iid", "deck", "once"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Rows of a data set, and the weight of each.

    Parameters
    ----------
    rows : ndarray of int64, shape (num_rows,)
        The samples that are drawn from; one may be there twice.
    weights : ndarray of float, shape (num_rows,), optional
        How likely each is drawn; None where every row comes once a pass.
    repeats : int
        Passes of an iteration; 1 where it has no end.
    num_samples : int, optional
        Draws of an iteration by weight, where it has an end.
    """

    rows: NDArray[np.int64]
    weights: NDArray[Any] | None = None
    repeats: int = 1
    num_samples: int | None = None

    @classmethod
    def of(cls, sampler: AbstractSampler, length: int) -> Draws:
        """Return what a sampler draws out of a data set of some length.

        Raises
        ------
        NotSupportedError
            If it is a sampler of the user's own.
        """
        if type(sampler).__module__.startswith("penstock.batchup."):
            if isinstance(sampler, StandardSampler):
                return cls(rows=np.arange(sampler.length), repeats=max(sampler.repeats, 1))
            if isinstance(sampler, SubsetSampler):
                return cls(rows=_counted(sampler.indices, length), repeats=max(sampler.repeats, 1))
            if isinstance(sampler, WeightedSampler):
                rows = np.arange(sampler.length)
                return cls(rows=rows, weights=sampler.weights, num_samples=sampler.num_samples)
            if isinstance(sampler, WeightedSubsetSampler):
                rows = _counted(sampler.indices, length)
                return cls(rows=rows, weights=sampler.sub_weights, num_samples=sampler.num_samples)
        raise NotSupportedError(
            f"the draws of a {type(sampler).__name__} are not known in advance. "
            "Expected a sampler from penstock.batchup"
        )

    def per_sample(self, length: int) -> NDArray[np.float64]:
        """Return a weight for each sample of the data set, float64 of shape (length,)."""
        weights = np.ones(len(self.rows)) if self.weights is None else self.weights
        return np.bincount(self.rows, weights.astype(np.float64), minlength=length).astype(np.float64)

    def plan(
        self, labels: ClassCounts | None, *, seed: int, size: int | None = None, mode: Mode = "iid"
    ) -> SamplingPlan:
        """Return the plan of these draws; labels are those of the data set."""
        chosen = None if labels is None else labels.take(self.rows)
        if self.weights is None:
            if size is not None or not (isinstance(mode, str) and mode == "iid"):
                raise SamplingError(
                    "size and mode apply only to weighted sampling, but this source visits every sample once per pass"
                )
            return Strata.from_masks([], labels=chosen, num_rows=len(self.rows), rows=self.rows).every_row(seed)
        spec = SamplingSpec(
            seed=seed, size=self.num_samples if size is None else size, mode=mode, replace=not _is_once(mode)
        )
        return Strata.from_weights(self.weights, labels=chosen, rows=self.rows).with_spec(spec)


def _is_once(mode: Any) -> bool:
    return isinstance(mode, str) and mode == "once"


def _counted(indices: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Return indices counted from the beginning."""
    return np.where(indices < 0, indices + length, indices)
