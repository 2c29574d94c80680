"""The base of datasets and views: samples of one version, to read, query, weigh and train on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.dataset.samples._content import HasContent, first_label_tensor
from penstock.dataset.samples._reserved import ELSEWHERE, is_attribute, kinds_with, reserved_names
from penstock.dataset.samples._rows import row_of, rows_of
from penstock.dataset.samples._sample import Sample
from penstock.dataset.samples._tensor import Tensor
from penstock.dataset.signals._signals import Signals, signals_of
from penstock.dataset.views import _drawing as drawing
from penstock.dataset.views._drawing import Mode, Seed
from penstock.dataset.views._fixed_content import FixedContent, Home
from penstock.dataset.views._loaded import LoadedSamples
from penstock.dataset.views.splits._divisible import Divisible
from penstock.engines import EngineOption
from penstock.errors import DatasetError, SamplingError, TensorNotFoundError
from penstock.sampling import SamplingPlan, SamplingSchedule, SchedulePlan
from penstock.tql import Weights

if TYPE_CHECKING:
    import pandas as pd

    from penstock.sampling import ClassCounts
    from penstock.tql import Explanation

__all__ = ["Samples"]

_V = TypeVar("_V")


class Samples(LoadedSamples, Divisible[_V], Generic[_V]):
    """A sequence of samples with named tensors; `_V` is the type of its views."""

    @abstractmethod
    def _origin(self) -> HasContent[Home] | None:
        """Return the dataset that views of these samples are of."""

    @abstractmethod
    def _view(self, content: FixedContent) -> _V:
        """Return some samples as a view."""

    # ---- samples and tensors -------------------------------------------------------------

    @property
    def indices(self) -> NDArray[np.int64]:
        """Row of each sample in `version`, int64 of shape (num_samples,)."""
        return self._content.rows

    @property
    def version(self) -> str:
        """Identity of what is read: the commit, and what is edited since."""
        return self._content.table.version

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by name, in order of creation."""
        return {name: Tensor(self._content, name) for name in self._content.names()}

    @property
    def num_samples(self) -> int:
        """Number of samples, as ``len``."""
        return len(self)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._content)

    def __iter__(self) -> Iterator[Sample]:
        """Go through the samples."""
        return (Sample(self._content, position) for position in range(len(self)))

    @overload
    def __getitem__(self, index: str) -> Tensor: ...
    @overload
    def __getitem__(self, index: int | np.integer[Any]) -> Sample: ...
    @overload
    def __getitem__(self, index: slice | Sequence[int] | NDArray[Any]) -> _V: ...
    def __getitem__(self, index: Any) -> Tensor | Sample | _V:
        content = self._content
        if isinstance(index, str):
            content.spec(index)
            return Tensor(content, index)
        num_samples = len(content)
        row = row_of(index, num_samples)
        return self._chosen(rows_of(index, num_samples)) if row is None else Sample(content, row)

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("_"):
            raise AttributeError(name)
        names = self._content.names()
        if name in names and name not in reserved_names():
            return Tensor(self._content, name)
        if name in names:
            raise TensorNotFoundError(name, names, hint=f"use ds[{name!r}] to get the tensor with this name")
        hint = f"use {ELSEWHERE[name]}" if name in ELSEWHERE else None
        if name in reserved_names():
            hint = f"{name} is a part of {kinds_with(name)}"
        raise TensorNotFoundError(name, names, hint=hint)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *filter(is_attribute, self._content.names())]

    def _chosen(self, positions: NDArray[np.int64]) -> _V:
        return self._view(drawing.chosen(self._content, self._origin(), positions))

    def signals(self, run: str | None = None) -> Signals:
        """Return the numbers per sample that a training loop recorded.

        Parameters
        ----------
        run : str, optional
            The run, by default the one that was started last.

        Returns
        -------
        Signals
            In the order of these samples, whatever was edited, deleted or appended since they were recorded.

        Raises
        ------
        RunNotFoundError
            If there is no such run.
        SignalError
            If there is none at all.
        """
        return signals_of(self._content, run)

    # ---- choosing ------------------------------------------------------------------------

    def filter(self, function: Callable[[Sample], bool] | str) -> _V:
        """Return the samples for which a function is true; TQL is much faster where it can say the same.

        Parameters
        ----------
        function : callable or str
            Takes a `Sample`; or a TQL condition, as after ``where``.

        Returns
        -------
        View
            The samples, in their order.
        """
        if isinstance(function, str):
            return self.query(f"select * where {function}")
        if not callable(function):
            raise DatasetError(
                f"filter({function!r}) is not valid. Expected a function of a sample, or a TQL condition"
            )
        return self._chosen(np.flatnonzero([bool(function(sample)) for sample in self]).astype(np.int64))

    def query(
        self,
        query_string: str,
        *,
        seed: Seed = ...,
        params: Mapping[str, Any] | None = None,
        engine: EngineOption = None,
        num_workers: int = 0,
    ) -> _V:
        """Return the samples a TQL query chooses.

        Parameters
        ----------
        query_string : str
            TQL, such as ``select * where contains(labels, 'bus') limit 100``.
        seed : int or None, optional
            Of ``sample by`` and random functions; None takes fresh entropy. By
            default a view's own, 0 for a dataset.
        params : mapping, optional
            Values of the query's parameters.
        engine : {"threads", "processes", "ray"} or RayEngine, optional
            Where the conditions are evaluated, part by part; by default here, at once. The samples are the same.
        num_workers : int
            Parts at the same time; 0 leaves it to the engine.

        Returns
        -------
        View
            A snapshot. Where the query samples, the rows of the stream's epoch 0.

        Raises
        ------
        QuerySyntaxError, QueryBindError, QueryEvaluationError
            If the text is not valid TQL, names something that does not exist, or fails on these rows.
        EngineError
            If the engine is unknown, cannot be reached or loses its workers.
        """
        found = drawing.queried(
            self._content, self._origin(), query_string, seed=seed, params=params, engine=engine,
            num_workers=num_workers,
        )  # fmt: skip
        return self._view(found)

    def explain(self, query_string: str) -> Explanation:
        """Return how a query is read and what each step leaves, without keeping its result.

        Parameters
        ----------
        query_string : str
            TQL.

        Returns
        -------
        Explanation
            Shows itself as text and HTML.
        """
        return drawing.explanation(self._content, query_string)

    # ---- weights -------------------------------------------------------------------------

    def sample_by(
        self,
        weights: Weights,
        replace: bool = True,
        size: int | None = None,
        *,
        seed: Seed = ...,
        mode: Mode | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> _V:
        """Return samples drawn by weight.

        Parameters
        ----------
        weights : str, SamplingSpec, SamplingPlan, sampler, source, list, tuple or ndarray
            A TQL weight expression such as ``max_weight(contains(labels, 'bus'): 20, True: 1)``,
            the name of a tensor with one number a sample, a sampler or source of `penstock.batchup`, or one weight for
            each sample. A spec or a plan of the same
            samples brings mode, size and seed; those given here replace its own.
        replace : bool
            Whether a sample can be drawn again.
        size : int, optional
            Number of draws; by default as many as there are samples.
        seed : int or None, optional
            None takes fresh entropy. By default a view's own, 0 for a dataset.
        mode : {"iid", "deck", "once"}, optional
            Independent draws, the default; each stratum dealt out before it repeats; without replacement.
        params : mapping of str to mapping of str to float, optional
            Weights by class name of each ``$name`` in ``max_weight(classes(labels, $name), True: 1)``; classes it
            does not name weigh 1.

        Returns
        -------
        View
            The rows of the stream's epoch 0; they stay.

        Raises
        ------
        SamplingError
            If the weights are not one finite number of at least 0 for each sample.
        """
        return self._view(
            drawing.drawn(
                self._content,
                self._origin(),
                weights,
                with_replacement=replace,
                size=size,
                seed=seed,
                mode=mode,
                params=params,
            )
        )

    @overload
    def plan(
        self,
        spec_or_weights: SamplingSchedule,
        *,
        labels: str | None = ...,
        seed: Seed = ...,
        mode: Mode | None = ...,
        size: int | None = ...,
        arrays: Mapping[str, ArrayLike] | None = ...,
        engine: EngineOption = ...,
        num_workers: int = ...,
    ) -> SchedulePlan: ...

    @overload
    def plan(
        self,
        spec_or_weights: Weights | None = ...,
        *,
        labels: str | None = ...,
        seed: Seed = ...,
        mode: Mode | None = ...,
        size: int | None = ...,
        engine: EngineOption = ...,
        num_workers: int = ...,
    ) -> SamplingPlan: ...

    def plan(
        self,
        spec_or_weights: Weights | SamplingSchedule | None = None,
        *,
        labels: str | None = None,
        seed: Seed = ...,
        mode: Mode | None = None,
        size: int | None = None,
        arrays: Mapping[str, ArrayLike] | None = None,
        engine: EngineOption = None,
        num_workers: int = 0,
    ) -> SamplingPlan | SchedulePlan:
        """Return what drawing by some weights does, before a single draw.

        Parameters
        ----------
        spec_or_weights : SamplingSchedule, or what `sample_by` takes, optional
            The weights, or how they change during training. By default every sample once an epoch, which is what a
            loader of a plain dataset or a frozen view delivers.
        labels : str, optional
            The class label tensor that charts count; by default the first one in
            the clauses, else the first of the dataset.
        seed : int or None, optional
            As in `sample_by`; with a spec, used in place of the spec's seed.
        mode : {"iid", "deck", "once"}, optional
            As in `sample_by`, "iid" by default; with a spec, used in place of the spec's mode.
        size : int, optional
            As in `sample_by`; with a spec, used in place of the spec's size.
        arrays : mapping of str to array_like of shape (num_samples,), optional
            The arrays of weights that entries of a schedule name, by their SHA-256.
        engine : {"threads", "processes", "ray"} or RayEngine, optional
            Where the samples are grouped and counted, part by part; by default here, at once. The plan is the same.
        num_workers : int
            Parts at the same time; 0 leaves it to the engine.

        Returns
        -------
        SamplingPlan or SchedulePlan
            Histogram, coverage, targets and the stream; of a schedule a `SchedulePlan`.
        """
        if isinstance(spec_or_weights, SamplingSchedule):
            return drawing.scheduled_plan_of(
                self._content, spec_or_weights, labels=labels, seed=seed, mode=mode, size=size, arrays=arrays,
                engine=engine, num_workers=num_workers,
            )  # fmt: skip
        return drawing.plan_of(
            self._content, spec_or_weights, labels=labels, seed=seed, mode=mode, size=size, engine=engine,
            num_workers=num_workers,
        )  # fmt: skip

    def __class_counts__(self) -> ClassCounts:
        """Return the samples' labels by the first class label tensor, for the helpers of `penstock.sampling`."""
        labels = first_label_tensor(self._content)
        if labels is None:
            raise SamplingError("there is no class_label tensor", hint="pass the labels as an array")
        return Tensor(self._content, labels).__class_counts__()

    # ---- to look at ----------------------------------------------------------------------

    def summary(self) -> None:
        """Print kind, shape and type of each tensor."""
        import sys

        from penstock.dataset.shown._show import summary_text

        sys.stdout.write(summary_text(type(self).__name__, self._content) + "\n")

    def pandas(self, tensors: Sequence[str] | None = None) -> pd.DataFrame:
        """Return samples as a table.

        Parameters
        ----------
        tensors : sequence of str, optional
            The columns; by default all tensors but images and masks.

        Returns
        -------
        DataFrame
            One row per sample, indexed by row of the version. Class labels are
            names (one, where every sample has one; else a list), boxes arrays,
            images encoded bytes, links URLs. A sample without a value is None; among
            numbers NaN, or ``pandas.NA`` where they are whole numbers or bool.
        """
        from penstock.dataset.shown._show import to_frame

        return to_frame(self._content, tensors)

    def __repr__(self) -> str:
        from penstock.dataset.shown._show import headline

        return headline(type(self).__name__, self._content)

    def _repr_html_(self) -> str:
        from penstock.dataset.shown._show import summary_html

        return summary_html(type(self).__name__, self._content)
