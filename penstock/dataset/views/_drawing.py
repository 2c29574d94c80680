"""Queries, weights, plans and loaders of datasets and views."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import EllipsisType
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from penstock.errors import escaped
from penstock.loader import HasSampleWeights, Loader, Weights, exact_plan, make_plan, one_call, spec_for
from penstock.sampling import SamplingPlan, SamplingSpec, fresh_seed
from penstock.table import RowsTable, Selection, Table
from penstock.tql import Explanation, QueryResult, explain, run

__all__ = ["Drawing", "Resolve"]

Resolve = Callable[[str, str | None], Table]
Mode = Literal["iid", "deck", "once"]
Seed = int | None | EllipsisType
_V = TypeVar("_V")


class Drawing(ABC, Generic[_V]):
    """Methods that select and draw samples; `_V` is the resulting view."""

    @property
    @abstractmethod
    def table(self) -> Table:
        """The whole table of the version."""

    @property
    @abstractmethod
    def indices(self) -> NDArray[np.int64]:
        """Row of each sample in the table."""

    @abstractmethod
    def state(self) -> tuple[Table, NDArray[np.int64]]:
        """Return table and rows of one moment, whoever writes meanwhile."""

    @abstractmethod
    def tensor_names(self) -> list[str]:
        """Return the tensors shown."""

    @abstractmethod
    def _chosen(self, positions: NDArray[np.int64], **provenance: Any) -> _V:
        """Return a view of some positions."""

    @abstractmethod
    def _result(self, result: QueryResult, *, query_string: str, seed: int) -> _V:
        """Return the result of a query as a view."""

    def _own_seed(self) -> int:
        return 0

    def _query_text(self) -> str | None:
        return None

    def resolver(self) -> Resolve | None:
        """Return how the names in a query become tables."""
        return None

    def _visible(self) -> Table:
        """Return the samples as a table of their own."""
        table, rows = self.state()
        whole = len(rows) == table.num_rows and bool((rows == np.arange(len(rows))).all())
        return table if whole else RowsTable(table, rows)

    # ---- choosing ------------------------------------------------------------------------

    def query(self, query_string: str, *, seed: Seed = ..., params: Mapping[str, Any] | None = None) -> _V:
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

        Returns
        -------
        View
            A snapshot. Where the query samples, the rows of the stream's epoch 0.

        Raises
        ------
        QuerySyntaxError, QueryBindError, QueryEvaluationError
            If the text is not valid TQL, names something that does not exist, or fails on these rows.
        """
        drawn = self._seed(seed)
        table, rows = self.state()
        result = run(query_string, table, seed=drawn, rows=rows, resolve=self.resolver(), params=params)
        for warning in result.warnings:
            warnings.warn(escaped(warning), UserWarning, stacklevel=2)
        return self._result(result, seed=drawn, query_string=query_string)

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
        return explain(query_string, self._visible())

    def sample_by(
        self,
        weights: str | SamplingSpec | SamplingPlan | HasSampleWeights | Sequence[float] | NDArray[Any],
        replace: bool = True,
        size: int | None = None,
        *,
        seed: Seed = ...,
        mode: Mode | None = None,
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

        Returns
        -------
        View
            The rows of the stream's epoch 0; they stay.

        Raises
        ------
        SamplingError
            If the weights are not one finite number of at least 0 for each sample.
        """
        spec = self._spec_for(weights, seed, mode, size, with_replacement=replace)
        table, rows = self.state()
        plan = make_plan(table, rows, weights, spec, labels=None)
        text = f"select * sample by {weights}" if isinstance(weights, str) else None
        positions = plan.stream().epoch(0)
        return self._chosen(
            positions, query_string=text, seed=spec.seed, plan=plan, pool=rows, by_array=text is None, table=table
        )

    def plan(
        self,
        spec_or_weights: Weights | None = None,
        *,
        labels: str | None = None,
        seed: Seed = ...,
        mode: Mode | None = None,
        size: int | None = None,
    ) -> SamplingPlan:
        """Return what drawing by some weights does, before a single draw.

        Parameters
        ----------
        spec_or_weights : str, SamplingSpec, SamplingPlan, sampler, source, list, tuple or ndarray, optional
            What `sample_by` takes. By default every sample once an
            epoch, which is what a loader of a plain dataset or a frozen view delivers.
        labels : str, optional
            The class label tensor that charts count; by default the first one in
            the clauses, else the first of the dataset.
        seed : int or None, optional
            As in `sample_by`; with a spec, used in place of the spec's seed.
        mode : {"iid", "deck", "once"}, optional
            As in `sample_by`, "iid" by default; with a spec, used in place of the spec's mode.
        size : int, optional
            As in `sample_by`; with a spec, used in place of the spec's size.

        Returns
        -------
        SamplingPlan
            Histogram, coverage, targets and the stream.
        """
        table, rows = self.state()
        if spec_or_weights is None:
            return exact_plan(table, rows, labels=labels, seed=self._seed(seed))
        spec = self._spec_for(spec_or_weights, seed, mode, size)
        return make_plan(table, rows, spec_or_weights, spec, labels=labels)

    def _spec_for(
        self, weights: Weights, seed: Seed, mode: Mode | None, size: int | None, *, with_replacement: bool = True
    ) -> SamplingSpec:
        chosen = None if isinstance(seed, EllipsisType) else self._seed(seed)
        return spec_for(
            weights,
            own_seed=self._own_seed(),
            seed=chosen,
            mode=mode,
            size=size,
            with_replacement=with_replacement,
        )

    def _seed(self, seed: Seed) -> int:
        if isinstance(seed, EllipsisType):
            return self._own_seed()
        return fresh_seed() if seed is None else seed

    # ---- loaders -------------------------------------------------------------------------

    def dataloader(self, *, seed: Seed = ...) -> Loader:
        """Return a loader of these samples, to be configured by a chain of calls.

        Parameters
        ----------
        seed : int or None, optional
            Of draws, order and transforms; None takes fresh entropy. By default a
            view's own, 0 for a dataset.

        Returns
        -------
        Loader
            ``.transform(…).batch(64).shuffle().pytorch()`` and iterate.
        """
        table, rows = self.state()
        selection = Selection(rows=rows, version=table.version, query_string=self._query_text(), seed=self._own_seed())
        return Loader(table, selection, seed=self._seed(seed), resolve=self.resolver(), tensors=self._shown())

    def pytorch(  # noqa: PLR0917  the playbook's signature
        self,
        num_workers: int = 0,
        shuffle: bool = False,
        transform: Any = None,
        tensors: list[str] | None = None,
        batch_size: int | None = 1,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        *,
        seed: Seed = ...,
        **options: Any,
    ) -> Loader:
        """Return a loader of torch tensors in one call.

        Parameters
        ----------
        num_workers : int
            Processes for the transform.
        shuffle : bool
            Whether each epoch comes in another order.
        transform : callable or dict of str to callable, optional
            Applied to each sample.
        tensors : list of str, optional
            Tensors to read; by default all.
        batch_size : int or None
            Samples per batch; None yields single samples.
        collate_fn : callable, optional
            Function that makes a batch from a list of samples.
        seed : int or None, optional
            As in `dataloader`.
        **options
            ``drop_last``, ``buffer_size``, ``offset``, ``transform_kwargs``, and any
            other parameter of the loader's ``.pytorch()``.

        Returns
        -------
        Loader
        """
        loader: Loader = one_call(
            self.dataloader(seed=seed), "pytorch", num_workers, shuffle, transform, tensors, batch_size, collate_fn,
            **options,
        )  # fmt: skip
        return loader

    def tensorflow(  # noqa: PLR0917  the playbook's signature
        self,
        num_workers: int = 0,
        shuffle: bool = False,
        transform: Any = None,
        tensors: list[str] | None = None,
        batch_size: int | None = 1,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        *,
        seed: Seed = ...,
        **options: Any,
    ) -> Any:
        """Return a loader of TensorFlow tensors in one call; parameters as in `pytorch`."""
        return one_call(
            self.dataloader(seed=seed), "tensorflow", num_workers, shuffle, transform, tensors, batch_size, collate_fn,
            **options,
        )  # fmt: skip

    def _shown(self) -> list[str] | None:
        names = self.tensor_names()
        return None if len(names) == len(self.table.tensors) else names
