"""Samplers that draw samples by weight, each draw independent of the others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.batchup._numbers import (
    as_array,
    check_within,
    checked_batch_size,
    checked_count,
    checked_index,
    checked_indices,
)
from penstock.batchup.samplers._balancing import balancing_weights, labels_in
from penstock.batchup.samplers._cumulative import Cumulative
from penstock.batchup.samplers._orders import chosen_order, cut_stream, rng_of, seed_of
from penstock.batchup.samplers._samplers import AbstractSampler, bound_of_indices
from penstock.errors import DataSourceError, DataSourceTypeError, NotSupportedError, SamplingError
from penstock.sampling import SamplingPlan, SamplingSpec, Strata

__all__ = ["WeightedSampler", "WeightedSubsetSampler"]


class _WeightedSampler(AbstractSampler):
    """Draws by weight, without end or `num_samples` of them."""

    def __init__(
        self, name: str, weights: NDArray[Any], num_samples: int | None, indices: NDArray[np.int64] | None
    ) -> None:
        _check_weights(name, weights)
        self.length = len(weights)
        self.num_samples = None if num_samples is None else checked_count("num_samples", num_samples, 1)
        self._probabilities: NDArray[Any] = weights / weights.sum()
        self._probabilities.setflags(write=False)
        self._chosen = indices
        self.bound = self.length if indices is None else bound_of_indices(indices)

    def num_indices_generated(self) -> float:
        """Return the number of indices of an iteration: `num_samples`, or inf where it is None."""
        return np.inf if self.num_samples is None else self.num_samples

    def in_order_indices_batch_iterator(self, batch_size: int) -> NoReturn:
        """Refuse: draws by weight have no order.

        Raises
        ------
        NotSupportedError
            Always.
        """
        raise NotSupportedError(
            f"{type(self).__name__} has no order. Expected random batches (of {batch_size})",
            hint="pass shuffle=True, a RandomState, a Generator or a seed",
        )

    def shuffled_indices_batch_iterator(
        self,
        batch_size: int,
        shuffle_rng: Any,
    ) -> Iterator[NDArray[np.int64]]:
        """Return an iterator of the indices of each batch.

        Parameters
        ----------
        batch_size : int
            Samples per batch; with `num_samples` the last batch can be smaller.
        shuffle_rng : RandomState, Generator or int
            A `RandomState` draws what its ``choice(length, p=weights)`` would. A `Generator` or a seed names the
            stream of a `penstock.sampling.SamplingPlan` of these weights.

        Returns
        -------
        iterator of ndarray of int64, shape (batch_size,)
        """
        size, rng = checked_batch_size(batch_size), rng_of(shuffle_rng)
        if rng is None:
            self.in_order_indices_batch_iterator(size)
        return self._streamed(rng, size) if isinstance(rng, np.random.Generator) else self._drawn(rng, size)

    def _drawn(self, rng: Any, batch_size: int) -> Iterator[NDArray[np.int64]]:
        left = self.num_samples
        while left is None or left > 0:
            count = batch_size if left is None else min(batch_size, left)
            yield chosen_order(self._cumulative.draw(rng, count), self._chosen)
            left = None if left is None else left - count

    def _streamed(self, rng: np.random.Generator, batch_size: int) -> Iterator[NDArray[np.int64]]:
        stream = self.plan(seed=seed_of(rng)).stream()
        yield from cut_stream(stream, self.num_samples, batch_size, self._chosen)

    @cached_property
    def _cumulative(self) -> Cumulative:
        return Cumulative(self._probabilities)

    @cached_property
    def _strata(self) -> Strata:
        return Strata.from_weights(self._probabilities)

    def plan(self, *, labels: Any = None, seed: int = 0, size: int | None = None) -> SamplingPlan:
        """Return what the draws do, before a single one: histogram, coverage and the stream of a seed.

        Parameters
        ----------
        labels : ClassCounts, Tensor, View or array_like, optional
            Labels of the samples that are drawn from, for the histogram.
        seed : int
            Its stream is the one that ``shuffle=seed`` uses.
        size : int, optional
            Draws per epoch; by default `num_samples`, or else the number of samples.

        Returns
        -------
        penstock.sampling.SamplingPlan
        """
        strata = self._strata if labels is None else Strata.from_weights(self._probabilities, labels=labels)
        return strata.with_spec(SamplingSpec(seed=seed, size=self.num_samples if size is None else size))

    def __sample_weights__(self, num_samples: int) -> NDArray[np.float64]:
        """Return the weight of each sample of a data set: datasets take a sampler where they take weights."""
        rows = np.arange(self.length) if self._chosen is None else self._chosen
        check_within(rows, num_samples, f"what the {type(self).__name__} draws from")
        weights = self._probabilities.astype(np.float64)
        return np.bincount(rows % num_samples, weights, minlength=num_samples).astype(np.float64)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is computed on demand."""
        return {name: value for name, value in vars(self).items() if name not in {"_cumulative", "_strata"}}


class WeightedSampler(_WeightedSampler):
    """Samples of a data set, drawn by weight.

    Parameters
    ----------
    weights : array_like of float, shape (num_samples,)
        Weight of each sample, finite and at least 0; they need not sum to 1.
    num_samples : int, optional
        Draws of an iteration; by default it has no end.

    Attributes
    ----------
    weights : ndarray of float64, shape (num_samples,)
        The weights, divided by their sum.
    length : int
        Number of samples drawn from.

    Raises
    ------
    SamplingError
        If a weight is no weight, or all are 0.

    Examples
    --------
    >>> sampler = WeightedSampler(weights=[1, 0, 3], num_samples=5)
    >>> rng = np.random.RandomState(12345)
    >>> [batch.tolist() for batch in sampler.shuffled_indices_batch_iterator(3, rng)]
    [[2, 2, 0], [0, 2]]
    """

    def __init__(self, weights: ArrayLike, num_samples: int | None = None) -> None:
        super().__init__("weights", _array("weights", weights).astype(np.float64), num_samples, None)

    @property
    def weights(self) -> NDArray[np.float64]:
        """The weights, divided by their sum."""
        return self._probabilities

    @staticmethod
    def class_balancing_sample_weights(y: Any, n_classes: int | None = None) -> NDArray[np.float64]:
        """Return a weight for each sample so that classes are drawn equally often.

        Parameters
        ----------
        y : array_like of int, shape (num_samples,)
            Class of each sample; for several classes, a matrix of shape (num_samples, num_classes) of bool or
            of 0 and 1, or a list of lists; then the rarest class of a sample decides.
        n_classes : int, optional
            Number of classes.

        Returns
        -------
        ndarray of float64, shape (num_samples,)
            One over the class size and the number of classes that occur; the sum is 1 with one class per sample.

        Raises
        ------
        SamplingError
            If `y` are no classes, none occurs, or one is not below `n_classes`.

        Warns
        -----
        UserWarning
            If some of `n_classes` classes have no samples: those that have are balanced.

        Examples
        --------
        >>> WeightedSampler.class_balancing_sample_weights([0, 0, 0, 1]).round(3).tolist()
        [0.167, 0.167, 0.167, 0.5]
        """
        return balancing_weights(y, n_classes)

    @staticmethod
    def class_balancing_sampler(
        y: Any,
        n_classes: int | None = None,
        num_samples: int | None = None,
    ) -> WeightedSampler:
        """Return a sampler that draws classes equally often.

        Parameters
        ----------
        y : array_like of int, shape (num_samples,)
            Class of each sample, or several; see `class_balancing_sample_weights`.
        n_classes : int, optional
            Number of classes.
        num_samples : int, optional
            Draws of an iteration; by default it has no end.

        Returns
        -------
        WeightedSampler
        """
        return WeightedSampler(balancing_weights(y, n_classes), num_samples)


class WeightedSubsetSampler(_WeightedSampler):
    """Some samples of a data set, drawn by weight.

    Parameters
    ----------
    sub_weights : array_like of float, shape (num_indices,)
        Weight of each sample of the subset, finite and at least 0.
    indices : array_like of int, shape (num_indices,)
        Which samples of the data set these are.
    num_samples : int, optional
        Draws of an iteration; by default it has no end.

    Attributes
    ----------
    sub_weights : ndarray of float, shape (num_indices,)
        The weights, divided by their sum.
    length : int
        Number of samples drawn from.

    Raises
    ------
    SamplingError
        If a weight is no weight, or all are 0.
    DataSourceError
        If there are not as many indices as weights.

    Examples
    --------
    >>> sampler = WeightedSubsetSampler(sub_weights=[1, 0, 3], indices=[4, 5, 6], num_samples=4)
    >>> rng = np.random.RandomState(12345)
    >>> [batch.tolist() for batch in sampler.shuffled_indices_batch_iterator(4, rng)]
    [[6, 6, 4, 4]]
    """

    def __init__(self, sub_weights: ArrayLike, indices: Any, num_samples: int | None = None) -> None:
        weights, self._indices = _array("sub_weights", sub_weights), checked_indices(indices)
        if len(weights) != len(self._indices):
            raise DataSourceError(
                f"there are {len(weights)} sub_weights for {len(self._indices)} indices. Expected equal numbers",
                hint="sub_weights=weights[indices]",
            )
        super().__init__("sub_weights", weights, num_samples, self._indices)

    @property
    def indices(self) -> NDArray[np.int64]:
        """The samples, read-only."""
        return self._indices

    @property
    def sub_weights(self) -> NDArray[Any]:
        """The weights, divided by their sum."""
        return self._probabilities

    def map_indices(self, indices: Any) -> Any:
        """Return the samples at some places of the subset.

        Parameters
        ----------
        indices : ndarray of int, shape (num_indices,)
            Places in the subset.

        Returns
        -------
        ndarray of int64, shape (num_indices,)
            Indices in the data set.
        """
        return self.indices[checked_index(indices, self.length)]

    @staticmethod
    def class_balancing_sampler(
        y: Any,
        indices: Any,
        n_classes: int | None = None,
        num_samples: int | None = None,
    ) -> WeightedSubsetSampler:
        """Return a sampler of a subset that draws its classes equally often.

        Parameters
        ----------
        y : array_like of int, shape (num_samples,)
            Class of each sample of the dataset, not only of the subset; or several, see
            `WeightedSampler.class_balancing_sample_weights`.
        indices : array_like of int, shape (num_indices,)
            The subset.
        n_classes : int, optional
            Number of classes.
        num_samples : int, optional
            Draws of an iteration; by default it has no end.

        Returns
        -------
        WeightedSubsetSampler
        """
        chosen = checked_indices(indices)
        return WeightedSubsetSampler(balancing_weights(labels_in(y, chosen), n_classes), chosen, num_samples)


def _array(name: str, weights: Any) -> NDArray[Any]:
    array = as_array(name, weights)
    if array.dtype.kind not in "biuf":
        raise DataSourceTypeError(f"{name} has dtype {array.dtype}. Expected numbers")
    if array.ndim != 1:
        raise SamplingError(f"{name} has shape {array.shape}. Expected one number per sample")
    return array.astype(np.float64) if array.dtype.kind == "b" else array


def _check_weights(name: str, weights: NDArray[Any]) -> None:
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        raise SamplingError(
            f"{name}[{wrong[0]}] is {weights[wrong[0]].item()!r}. Expected finite numbers of at least 0"
        )
    with np.errstate(over="ignore"):
        total = weights.sum()
    if total == 0:
        raise SamplingError(f"{name} sum to 0. Expected at least one greater than 0")
    if not np.isfinite(total):
        raise SamplingError(f"{name} sum to {total}. Expected a finite sum", hint="divide them by their maximum")
