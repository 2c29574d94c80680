"""Plans of the entries of a schedule over a pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.loader.sources._planned import Armed, alike, array_sha256
from penstock.sampling import SamplingPlan, SamplingSpec, ScheduleEntry
from penstock.table import Table
from penstock.tql import make_plan

__all__ = ["KeptWeights", "Plans"]

KeptWeights = Callable[[str], NDArray[np.float64] | None]
"""Returns an array of weights by its SHA-256, where it was kept."""


class Plans:
    """Plans over a pool, made of what is known already where that is possible.

    Parameters
    ----------
    table : Table
        Where conditions are evaluated.
    rows : ndarray of int64, shape (num_samples,)
        The pool.
    known : iterable of SamplingPlan
        Plans over them.
    kept : callable, optional
        Returns arrays of weights by their SHA-256.
    """

    def __init__(
        self,
        table: Table,
        rows: NDArray[np.int64],
        known: Iterable[SamplingPlan] = (),
        kept: KeptWeights | None = None,
    ) -> None:
        self._table = table
        self._rows = rows
        self._known = list(known)
        self._kept = kept
        self._arrays: dict[str, SamplingPlan] = {}

    def of(self, entry: ScheduleEntry) -> SamplingPlan | None:
        """Return the plan of an entry; None where its array of weights is not at hand."""
        if entry.weights_sha256 is not None:
            return self._of_array(entry.weights_sha256, entry.spec)
        spec = entry.spec
        if not spec.clauses and spec.expression is None:
            return self._uniform(spec)
        return self._of_known(spec) or self._made(spec, spec)

    def _of_known(self, spec: SamplingSpec) -> SamplingPlan | None:
        asked = tuple(clause.expression for clause in spec.clauses)
        for plan in self._known:
            if spec.expression is None and asked and plan.strata.expressions == asked:
                return plan.strata.with_spec(spec)
            if spec.expression is not None and (plan.spec.expression, plan.spec.tables) == (
                spec.expression,
                spec.tables,
            ):
                return plan.strata.with_spec(spec)
        return None

    def _uniform(self, spec: SamplingSpec) -> SamplingPlan:
        for plan in self._known:
            if alike(plan, spec).spec == spec and plan.strata.row_weights is None:
                return plan
        return self._made(spec, spec)

    def _of_array(self, sha256: str, spec: SamplingSpec) -> SamplingPlan | None:
        for plan in self._known:
            if plan.strata.row_weights is not None and alike(plan, spec).spec == spec and array_sha256(plan) == sha256:
                return alike(plan, spec)
        if sha256 not in self._arrays:
            array = None if self._kept is None else self._kept(sha256)
            if array is None:
                return None
            self._arrays[sha256] = self._made(array, spec)
        return self._arrays[sha256].strata.with_spec(spec)

    def _made(self, weights: Any, spec: SamplingSpec) -> SamplingPlan:
        labels = self._known[0].strata.labels if self._known else None
        plan = make_plan(self._table, self._rows, weights, spec, labels=None if labels is None else labels.tensor)
        self._known.append(plan)
        return plan

    def armed(self, entry: ScheduleEntry, fingerprint: str) -> Armed | None:
        """Return the weights of an entry if they draw what a fingerprint is of; None if they cannot be had."""
        plan = self.of(entry)
        found = None if plan is None else Armed.of(entry.start, plan, entry.weights_sha256)
        if found is None or found.stream.fingerprint == fingerprint:
            return found
        if entry.weights_sha256 is None:  # grouped in another way than what is known
            found = Armed.of(entry.start, self._made(entry.spec, entry.spec))
        return found if found.stream.fingerprint == fingerprint else None
