"""Weights over rows of a table as sampling plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError
from penstock.sampling import ClassCounts, SamplingPlan, SamplingSpec, Strata
from penstock.sampling.samplers._reweigh import reweighed
from penstock.sampling.spec._spec import Mode
from penstock.table import Table, class_names_of
from penstock.tensors import label_tensor
from penstock.tql import bind_sampling, parse_sampling

__all__ = [
    "HasSampleWeights",
    "Weights",
    "class_counts",
    "exact_plan",
    "make_plan",
    "new_plan",
    "spec_for",
]


@runtime_checkable
class HasSampleWeights(Protocol):
    """What knows how likely each sample is drawn, as the samplers and sources of `penstock.batchup` do."""

    def __sample_weights__(self, num_samples: int) -> NDArray[np.float64]:
        """Return the weight of each of so many samples."""
        ...


Weights = str | SamplingSpec | SamplingPlan | HasSampleWeights | Sequence[float] | NDArray[Any]


def spec_for(
    weights: Weights,
    *,
    own_seed: int,
    seed: int | None = None,
    mode: Mode | None = None,
    size: int | None = None,
    with_replacement: bool = True,
) -> SamplingSpec:
    """Return what a draw is beside its weights; a spec or a plan brings its own, which what is given replaces."""
    if mode is None and not with_replacement:
        mode = "once"
    if isinstance(weights, SamplingSpec | SamplingPlan):
        spec = weights.spec if isinstance(weights, SamplingPlan) else weights
        given = {"mode": mode, "size": size, "seed": seed, "replace": None if with_replacement else False}
        return spec.with_options(**{name: value for name, value in given.items() if value is not None})
    return SamplingSpec(
        replace=with_replacement, size=size, seed=own_seed if seed is None else seed, mode=mode or "iid"
    )


def make_plan(
    table: Table, rows: NDArray[np.int64], weights: Weights, spec: SamplingSpec, *, labels: str | None
) -> SamplingPlan:
    """Return the plan of some weights over rows; `spec`, from `spec_for`, says everything but the clauses."""
    if isinstance(weights, SamplingPlan):
        same = exact_plan(table, rows, labels=labels, seed=spec.seed)
        return replace(reweighed(same, weights), spec=spec)
    if isinstance(weights, SamplingSpec):
        if spec.clauses or spec.expression is not None:
            return _bound(table, rows, spec, labels)
        return _ungrouped(table, rows, labels).with_spec(spec)
    if not isinstance(weights, str):
        return _weighed(table, rows, _array(weights, len(rows)), spec, labels)
    if weights in table.tensors:
        return _weighed(table, rows, _tensor_weights(table, rows, weights), spec, labels)
    written = parse_sampling(weights, seed=spec.seed, mode=spec.mode, size=spec.size)
    if not spec.replace:
        written = written.with_options(replace=False)
    return _bound(table, rows, written, labels)


def _bound(table: Table, rows: NDArray[np.int64], spec: SamplingSpec, labels: str | None) -> SamplingPlan:
    return bind_sampling(spec, table, rows, labels=labels).with_spec(spec)


def _weighed(
    table: Table, rows: NDArray[np.int64], weights: NDArray[np.float64], spec: SamplingSpec, labels: str | None
) -> SamplingPlan:
    return Strata.from_weights(weights, labels=class_counts(table, rows, labels), rows=rows).with_spec(spec)


def _ungrouped(table: Table, rows: NDArray[np.int64], labels: str | None) -> Strata:
    return Strata.from_masks([], labels=class_counts(table, rows, labels), num_rows=len(rows), rows=rows)


def new_plan(table: Table, rows: NDArray[np.int64], plan: SamplingPlan, weights: Weights) -> SamplingPlan:
    """Return the plan of other weights for the rows a plan draws from; the seed stays, mode and size unless told."""
    spec = plan.spec.with_options(clauses=(), combine="max", cap=None, expression=None, tables=())
    labels = None if plan.strata.labels is None else plan.strata.labels.tensor
    if isinstance(weights, str):
        made = make_plan(table, rows, weights, spec, labels=labels)
        return reweighed(plan, replace(made, spec=made.spec.with_options(interleave=spec.interleave)))
    if isinstance(weights, SamplingPlan | SamplingSpec):
        return reweighed(plan, weights)
    return reweighed(plan, make_plan(table, rows, weights, spec, labels=labels))


def exact_plan(table: Table, rows: NDArray[np.int64], *, labels: str | None, seed: int) -> SamplingPlan:
    """Return the plan that brings each of `rows` once an epoch, repeats as they repeat; its counts are exact."""
    return _ungrouped(table, rows, labels).every_row(seed)


def class_counts(table: Table, rows: NDArray[np.int64], name: str | None) -> ClassCounts | None:
    """Return the labels of some rows by a class label tensor, by default the first one."""
    chosen = label_tensor(table.tensors, name)
    if chosen is None:
        return None
    column, names = table.column(chosen).take(rows), class_names_of(table, chosen)
    return ClassCounts(values=column.values, offsets=column.offsets, class_names=names, tensor=chosen, row_numbers=rows)


def _array(weights: HasSampleWeights | Sequence[float] | NDArray[Any], count: int) -> NDArray[np.float64]:
    if isinstance(weights, HasSampleWeights):
        return weights.__sample_weights__(count)
    try:
        plain = weights.detach().cpu() if hasattr(weights, "detach") else weights  # a torch tensor with a gradient
        array = np.ascontiguousarray(plain, np.float64)
    except Exception as error:
        raise SamplingError(
            f"weights of type {type(weights).__name__}; expected an expression, a tensor's name or numbers"
        ) from error
    if weights is None or array.dtype == object:
        raise SamplingError(f"weights are {weights!r}; expected an expression, a tensor's name or numbers")
    if array.shape != (count,):
        raise SamplingError(
            f"weights of shape {array.shape} for {count} samples; expected one weight for each sample",
            hint="a weight a class is written max_weight(contains(labels, 'bus'): 20, True: 1)",
        )
    return array


def _tensor_weights(table: Table, rows: NDArray[np.int64], name: str) -> NDArray[np.float64]:
    if table.tensors[name].is_encoded:
        raise SamplingError(
            f"tensor {name!r} ({table.tensors[name].shown_htype}) as weights; expected a number a sample"
        )
    column = table.column(name).take(rows)
    if not (column.lengths == 1).all():
        raise SamplingError(f"tensor {name!r} has samples without exactly one number; expected one weight a sample")
    return _array(column.values, len(rows))
