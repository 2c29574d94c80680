"""What is drawn from and how: rows, a plan where the draws are live, and what led there."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import LoaderError, SamplingError
from penstock.sampling import (
    ClassCounts,
    IndexStream,
    SamplingPlan,
    SamplingSpec,
    SequentialStream,
    ShuffledStream,
    Strata,
)
from penstock.table import RowsTable, Table

__all__ = ["Pool"]

Resolve = Callable[[str], Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """Rows of a table that a loader draws from.

    Parameters
    ----------
    table : Table
        The dataset's version.
    rows : ndarray of int64, shape (num_samples,)
        Rows in it; order counts, repeats are allowed.
    plan : SamplingPlan, optional
        Weights over the rows when draws are live; without one each epoch visits every row once.
    history : tuple of str
        Queries and samplings that led here.
    resolve : callable, optional
        How a query's names become tables.
    """

    table: Table
    rows: NDArray[np.int64]
    plan: SamplingPlan | None = None
    history: tuple[str, ...] = ()
    resolve: Resolve | None = None

    @property
    def continuing(self) -> bool:
        """Whether the stream goes on beyond an epoch; else each epoch is one of its own."""
        return self.plan is not None and self.plan.spec.mode != "once"

    def stream(self, *, shuffle: bool, seed: int) -> IndexStream:
        """Return the stream of positions in `rows`."""
        if self.plan is not None:
            return self.plan.stream()
        return ShuffledStream(len(self.rows), seed) if shuffle else SequentialStream(len(self.rows))

    def digest(self) -> str:
        """Return a hash of the rows."""
        return hashlib.sha256(np.ascontiguousarray(self.rows, "<i8").data).hexdigest()[:32]

    def frozen(self) -> Pool:
        """Return the pool of exactly the rows of epoch 0; itself where nothing is drawn."""
        if self.plan is None:
            return self
        drawn = self.plan.stream().epoch(0)
        return replace(self, rows=self.rows[drawn], plan=None)

    def visible(self) -> Table:
        """Return the rows as a table of their own."""
        rows = self.rows
        whole = len(rows) == self.table.num_rows and bool((rows == np.arange(len(rows))).all())
        return self.table if whole else RowsTable(self.table, rows)

    def queried(self, query_string: str, seed: int) -> Pool:
        """Return the rows a query chooses out of these; live where its outermost clause samples."""
        tql: Any = importlib.import_module("penstock.tql")

        before = self.frozen()
        result = tql.run(query_string, before.visible(), seed=seed, resolve=self.resolve)
        if not result.is_rows:
            raise LoaderError(
                "the query groups, joins or concatenates: its result has no rows of the dataset to load",
                hint="load from a query that selects rows",
            )
        history = (*self.history, query_string)
        if result.plan is None:
            return replace(before, rows=before.rows[result.selection.rows], history=history)
        return replace(before, rows=before.rows[result.pool], plan=result.plan, history=history)

    def sampled(self, weights: Any, spec: SamplingSpec) -> Pool:  # noqa: ANN401  text, tensor name or array of weights
        """Return these rows with live draws by weights; `spec` says everything but the clauses."""
        before = self.frozen()
        plan, told = before.weighed(weights, spec)
        return replace(before, plan=plan, history=(*self.history, f"sample by {told}"))

    def weighed(self, weights: Any, spec: SamplingSpec) -> tuple[SamplingPlan, str]:  # noqa: ANN401  text, tensor name or array of weights
        if not isinstance(weights, str):
            array = _checked_weights(weights, len(self.rows))
            return self._from_array(array, spec), hashlib.sha256(array.data).hexdigest()[:16]
        if weights in self.table.tensors:
            column = self.table.column(weights)
            if not (column.lengths == 1).all():
                raise SamplingError(f"tensor {weights!r} has not one number for each sample; it cannot be the weights")
            return self._from_array(_checked_weights(column.values[self.rows], len(self.rows)), spec), weights
        tql: Any = importlib.import_module("penstock.tql")

        written = tql.parse_sampling(weights, seed=spec.seed, mode=spec.mode, size=spec.size)
        if not spec.replace and written.mode != "once":
            written = written.with_options(replace=False)
        strata = tql.bind_sampling(written, self.table, self.rows)
        plan: SamplingPlan = strata.with_spec(written)
        return plan, written.to_tql()

    def _from_array(self, weights: NDArray[np.float64], spec: SamplingSpec) -> SamplingPlan:
        grouping: Any = Strata
        plan: SamplingPlan = grouping.from_weights(weights, labels=self.labels()).with_spec(spec)
        return plan

    def labels(self) -> ClassCounts | None:
        """Return the labels of the rows by the first class label tensor; None where there is none."""
        for name, tensor in self.table.tensors.items():
            if tensor.htype == "class_label":
                column = self.table.column(name).take(self.rows)
                return ClassCounts(
                    values=column.values, offsets=column.offsets, class_names=tensor.class_names, tensor=name
                )
        return None


def _checked_weights(weights: Any, count: int) -> NDArray[np.float64]:  # noqa: ANN401  list, tuple or array
    try:
        array = np.ascontiguousarray(weights, np.float64)
    except (TypeError, ValueError) as error:
        raise SamplingError(
            f"weights are {type(weights).__name__}; expected a weight expression, a tensor's name or a number a sample"
        ) from error
    if array.shape != (count,):
        raise SamplingError(
            f"weights of shape {array.shape} for {count} samples; expected one weight for each sample",
            hint="a weight per class goes into a query: max_weight(contains(labels, 'bus'): 20, True: 1)"
            if array.ndim == 1 and len(array) < count
            else None,
        )
    return array
