"""What is drawn from and how: rows, a plan where the draws are live, and what led there."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock._wording import escaped
from penstock.errors import LoaderError, SamplingError
from penstock.loader.sources._evaluated import evaluated
from penstock.loader.sources._kept import kept_by_runs
from penstock.loader.sources._planned import PlannedStream, plans_of
from penstock.loader.sources._plans import KeptWeights
from penstock.loader.sources._sequential import BufferedStream, SequentialTable
from penstock.sampling import (
    ClassCounts,
    HardMining,
    SamplingPlan,
    SamplingSchedule,
    SamplingSpec,
    SchedulePlan,
    SequentialStream,
    ShuffledStream,
)
from penstock.table import Table
from penstock.tql import HasSampleWeights, Weights, make_plan, run, schedule_plan
from penstock.tql.pipeline._plans import labels_of_rows

__all__ = ["Pool"]

Resolve = Callable[..., Table]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """Rows of a table that a loader draws from.

    Parameters
    ----------
    table : Table
        The dataset's version.
    rows : ndarray of int64, shape (num_samples,)
        Rows in it; order counts, repeats are allowed.
    plan : SamplingPlan or SchedulePlan, optional
        Weights over the rows when draws are live; without one each epoch visits every row once.
    history : tuple of str
        Queries and samplings that led here.
    resolve : callable, optional
        How a query's names become tables.
    all_rows : ndarray of int64, shape (num_samples,), optional
        Rows of the samples of a source whose own draws `plan` is.
    mining : HardMining, optional
        What the weights of each epoch after the first follow.
    is_of_signals : bool
        Whether the weights were evaluated from signals, which are others at another time.
    """

    table: Table
    rows: NDArray[np.int64]
    plan: SamplingPlan | SchedulePlan | None = None
    history: tuple[str, ...] = ()
    resolve: Resolve | None = None
    all_rows: NDArray[np.int64] | None = None
    mining: HardMining | None = None
    is_of_signals: bool = False

    @property
    def at_first(self) -> Pool:
        """The pool with the weights of the first draw alone, where they change."""
        return replace(self, plan=self.plan.plans[0]) if isinstance(self.plan, SchedulePlan) else self

    def stream(self, *, shuffle: bool, seed: int, megabytes: int) -> PlannedStream:
        """Return the stream of positions in `rows`; `megabytes` bound the buffer of what is read in sequence."""
        if isinstance(self.table, SequentialTable):
            return PlannedStream(BufferedStream(self.table, seed, megabytes if shuffle else 0))
        if self.plan is not None:
            return PlannedStream.of(plans_of(self.plan))
        return PlannedStream(ShuffledStream(len(self.rows), seed) if shuffle else SequentialStream(len(self.rows)))

    def digest(self) -> str:
        """Return a hash of the rows."""
        return hashlib.sha256(np.ascontiguousarray(self.rows, "<i8").data).hexdigest()[:32]

    def frozen(self) -> Pool:
        """Return the pool of exactly the rows of epoch 0; itself where nothing is drawn."""
        if self.plan is None:
            return self
        drawn = self.plan.stream().epoch(0)
        return replace(self, rows=self.rows[drawn], plan=None, all_rows=None, mining=None, is_of_signals=False)

    def queried(self, query_string: str, seed: int) -> Pool:
        """Return the rows a query chooses out of these; live where its outermost clause samples."""
        if isinstance(self.table, SequentialTable):
            self.table.refuse("a query")
        before = self.frozen()
        result = run(query_string, self.table, rows=before.rows, seed=seed, resolve=self.resolve, draw=False)
        if not result.is_rows or result.table is not self.table:
            raise LoaderError(
                "the query groups, joins or reads another dataset: its result has no rows of this one to load",
                hint="load from a query that selects rows",
            )
        for warning in result.warnings:
            warnings.warn(escaped(warning), stacklevel=4)
        history = (*self.history, query_string)
        rows = result.selection.rows if result.plan is None else result.pool
        fixed = None if result.plan is None else evaluated(result.plan)
        return replace(before, rows=rows, plan=fixed, history=history, is_of_signals=fixed is not result.plan)

    def sampled(self, weights: Weights, spec: SamplingSpec, params: Mapping[str, Any] | None = None) -> Pool:
        """Return these rows with live draws by weights; `spec` says everything but the clauses.

        The weights of a sampler or source replace the draws that a source has of its own: they are of all its samples,
        not of those drawn.
        """
        if isinstance(self.table, SequentialTable):
            self.table.refuse("weights")
        before = self.frozen()
        if self.all_rows is not None and self.plan is not None and isinstance(weights, HasSampleWeights):
            before = replace(self, rows=self.all_rows, plan=None, all_rows=None)
            spec = spec if spec.size is not None else spec.with_options(size=self.plan.spec.size)
        mining = weights if isinstance(weights, HardMining) else None
        if mining is not None:
            weights = spec
        plan = make_plan(self.table, before.rows, weights, spec, labels=None, params=params)
        text = plan.spec.to_tql() or (weights if isinstance(weights, str) else plan.strata.fingerprint[:16])
        if mining is not None:
            text = f"hard mining {mining}"
        history = (*self.history, f"sample by {text}")
        fixed = evaluated(plan)
        return replace(before, plan=fixed, history=history, mining=mining, is_of_signals=fixed is not plan)

    def scheduled(self, weights: SamplingSchedule | SchedulePlan, options: Sequence[str] = ()) -> Pool:
        """Return these rows with live draws by weights that change; `options` were given, which a schedule brings."""
        if options:
            raise SamplingError(
                f"{options[0]}= with a schedule, which brings its own", hint="change the specs of its entries"
            )
        if isinstance(self.table, SequentialTable):
            self.table.refuse("weights")
        before = self.frozen()
        plan = self._plan_of(before, weights, kept_by_runs(self.table))
        return replace(before, plan=plan, history=(*self.history, f"sample by {plan.schedule.fingerprint[:16]}"))

    @staticmethod
    def _plan_of(before: Pool, weights: SamplingSchedule | SchedulePlan, kept: KeptWeights) -> SchedulePlan:
        if isinstance(weights, SchedulePlan):
            same = [make_plan(before.table, before.rows, each, each.spec, labels=None) for each in weights.plans]
            return SchedulePlan(schedule=weights.schedule, plans=same)
        named = {entry.weights_sha256 for entry in weights.entries if entry.weights_sha256 is not None}
        arrays = {sha256: array for sha256 in named if (array := kept(sha256)) is not None}
        return schedule_plan(before.table, before.rows, weights, labels=None, arrays=arrays)

    def uids(self, rows: NDArray[np.int64]) -> list[int]:
        """Return the lasting identities of some rows of the table."""
        uids: list[int] = np.asarray(self.table.uids(rows)).tolist()
        return uids

    def labels(self) -> ClassCounts | None:
        """Return the labels of the rows by the first class label tensor; None where there is none."""
        return labels_of_rows(self.table, self.rows, None)
