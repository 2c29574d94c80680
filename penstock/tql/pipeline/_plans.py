"""Weights over rows of a table as sampling plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError
from penstock.sampling import ClassCounts, SamplingPlan, SamplingSchedule, SamplingSpec, SchedulePlan, Strata
from penstock.sampling.samplers._reweigh import reweighed
from penstock.sampling.schedules._grouped import array_of_entry
from penstock.sampling.spec._spec import Mode
from penstock.table import Table, class_names_of
from penstock.tensors import label_tensor
from penstock.tql.pipeline._over_parts import PartwiseMasks, partwise_strata
from penstock.tql.pipeline._run import bind_sampling, parse_sampling, with_class_tables

__all__ = [
    "HasSampleWeights",
    "Weights",
    "exact_plan",
    "labels_of_rows",
    "make_plan",
    "new_plan",
    "partwise_plan",
    "schedule_plan",
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
    """Return mode, size and seed of a draw as a spec.

    Parameters
    ----------
    weights : str, SamplingSpec, SamplingPlan, sampler, list, tuple or ndarray
        The weights; a spec or a plan brings a mode, a size and a seed, which the arguments replace.
    own_seed : int
        The seed where there is no other.
    seed, mode, size
        As in `Loader.sample_by`; None leaves them.
    with_replacement : bool
        False is the same as ``mode="once"``.

    Returns
    -------
    SamplingSpec
    """
    if mode is None and not with_replacement:
        mode = "once"
    if isinstance(weights, SamplingSpec | SamplingPlan):
        spec = weights.spec if isinstance(weights, SamplingPlan) else weights
        changes = {"mode": mode, "size": size, "seed": seed, "replace": None if with_replacement else False}
        return spec.with_options(**{name: value for name, value in changes.items() if value is not None})
    return SamplingSpec(
        replace=with_replacement, size=size, seed=own_seed if seed is None else seed, mode=mode or "iid"
    )


def make_plan(
    table: Table,
    rows: NDArray[np.int64],
    weights: Weights,
    spec: SamplingSpec,
    *,
    labels: str | None,
    params: Mapping[str, Any] | None = None,
    masks: PartwiseMasks | None = None,
) -> SamplingPlan:
    """Return the plan of some weights over rows of a table.

    Parameters
    ----------
    table : Table
        Where clauses are evaluated and weights and labels are read.
    rows : ndarray of int64, shape (num_rows,)
        The pool; rows may repeat.
    weights : str, SamplingSpec, SamplingPlan, sampler, list, tuple or ndarray
        A weight expression, the name of a tensor that holds the weights, one weight for each row, or a spec or a plan
        of the same rows.
    spec : SamplingSpec
        Mode, size and seed, from `spec_for`.
    labels : str, optional
        The class label tensor that charts count; default the first one.
    params : mapping, optional
        Weights of each ``$name`` in ``classes(tensor, $name)``.
    masks : PartwiseMasks, optional
        Where conditions are evaluated; by default here.

    Returns
    -------
    SamplingPlan

    Raises
    ------
    SamplingError
        If the weights are not one finite number of at least 0 for each row.

    Examples
    --------
    >>> from penstock.table import ArrayTable
    >>> table = ArrayTable({"label": [0, 1, 0]}, class_names={"label": ["car", "dog"]})
    >>> weights = "max_weight(label = 'dog': 2, True: 1)"
    >>> make_plan(table, np.arange(3), weights, spec_for(weights, own_seed=0), labels=None).probabilities.tolist()
    [0.25, 0.5]
    """
    if isinstance(weights, SamplingPlan):
        same = exact_plan(table, rows, labels=labels, seed=spec.seed)
        return replace(reweighed(same, weights), spec=spec)
    if isinstance(weights, SamplingSpec):
        if spec.clauses or spec.expression is not None:
            return _bound(table, rows, spec, labels, masks)
        return _ungrouped(table, rows, labels).with_spec(spec)
    if not isinstance(weights, str):
        return _weighed(table, rows, _array(weights, len(rows)), spec, labels)
    if weights in table.tensors:
        return _weighed(table, rows, _tensor_weights(table, rows, weights), spec, labels)
    written = parse_sampling(weights, seed=spec.seed, mode=spec.mode, size=spec.size)
    if params or "$" in (written.expression or ""):
        written = with_class_tables(written, table, params or {})
    if not spec.replace:
        written = written.with_options(replace=False)
    return _bound(table, rows, written, labels, masks)


def schedule_plan(
    table: Table,
    rows: NDArray[np.int64],
    schedule: SamplingSchedule,
    *,
    labels: str | None,
    arrays: Mapping[str, Any] | None = None,
    masks: PartwiseMasks | None = None,
) -> SchedulePlan:
    """Return the plan of a schedule over rows of a table: each entry over its own clauses or its array of weights.

    Parameters
    ----------
    table : Table
        Where clauses are evaluated and labels are read.
    rows : ndarray of int64, shape (num_rows,)
        The pool; rows may repeat.
    schedule : SamplingSchedule
        The entries.
    labels : str, optional
        The class label tensor that charts count; default the first one in the clauses, else the first.
    arrays : mapping of str to array_like of shape (num_rows,), optional
        The arrays of weights that entries name, by their SHA-256.
    masks : PartwiseMasks, optional
        Where conditions are evaluated; by default here.

    Returns
    -------
    SchedulePlan

    Raises
    ------
    SamplingError
        If an array is missing, or an entry's weights are not valid for these rows.

    Examples
    --------
    >>> from penstock.table import ArrayTable
    >>> table = ArrayTable({"label": [0, 1, 0]}, class_names={"label": ["car", "dog"]})
    >>> dogs = parse_sampling("max_weight(label = 'dog': 2, True: 1)", seed=0, mode="iid", size=None)
    >>> schedule = SamplingSchedule([(0, dogs), (30, dogs.replace_weights({"True": 0}))])
    >>> schedule_plan(table, np.arange(3), schedule, labels=None).stream().slice(30, 33).tolist()
    [1, 1, 1]
    """
    known: dict[object, SamplingPlan] = {}
    plans = []
    for entry in schedule.entries:
        spec = entry.spec
        clauses = tuple(clause.expression for clause in spec.clauses)
        key = (entry.weights_sha256, clauses, spec.expression, spec.tables)
        if key in known:  # the same rows in the same groups: only weights differ
            plans.append(known[key].strata.with_spec(spec))
            continue
        if entry.weights_sha256 is not None:
            known[key] = _weighed(table, rows, array_of_entry(entry, arrays or {}, len(rows)), spec, labels)
        else:
            known[key] = make_plan(table, rows, spec, spec, labels=labels, masks=masks)
        plans.append(known[key])
    return SchedulePlan(schedule=schedule, plans=plans)


def _bound(
    table: Table, rows: NDArray[np.int64], spec: SamplingSpec, labels: str | None, masks: PartwiseMasks | None
) -> SamplingPlan:
    everything = masks is not None and len(rows) == table.num_rows and bool((np.diff(rows) == 1).all())
    return bind_sampling(spec, table, None if everything else rows, labels=labels, masks=masks).with_spec(spec)


def _weighed(
    table: Table, rows: NDArray[np.int64], weights: NDArray[np.float64], spec: SamplingSpec, labels: str | None
) -> SamplingPlan:
    return Strata.from_weights(weights, labels=labels_of_rows(table, rows, labels), rows=rows).with_spec(spec)


def _ungrouped(table: Table, rows: NDArray[np.int64], labels: str | None) -> Strata:
    return Strata.from_masks([], labels=labels_of_rows(table, rows, labels), num_rows=len(rows), rows=rows)


def new_plan(table: Table, rows: NDArray[np.int64], plan: SamplingPlan, weights: Weights) -> SamplingPlan:
    """Return the plan of other weights for the rows a plan draws from; the seed stays, mode and size unless given."""
    spec = plan.spec.with_options(clauses=(), combine="max", cap=None, expression=None, tables=())
    labels = None if plan.strata.labels is None else plan.strata.labels.tensor
    if isinstance(weights, str):
        other = make_plan(table, rows, weights, spec, labels=labels)
        return reweighed(plan, replace(other, spec=other.spec.with_options(interleave=spec.interleave)))
    if isinstance(weights, SamplingSpec) and _asks_else(weights, plan.spec):
        return reweighed(plan, make_plan(table, rows, weights, weights, labels=labels))
    if isinstance(weights, SamplingPlan | SamplingSpec):
        return reweighed(plan, weights)
    return reweighed(plan, make_plan(table, rows, weights, spec, labels=labels))


def _asks_else(spec: SamplingSpec, now: SamplingSpec) -> bool:
    """Return whether a spec has other conditions than the one drawn by now, so that rows are grouped anew."""
    mine, theirs = ([clause.expression for clause in each.clauses] for each in (spec, now))
    same = mine == theirs and (spec.expression, spec.tables) == (now.expression, now.tables)
    return not same and bool(mine or spec.expression is not None)


def partwise_plan(table: Table, *, labels: str | None, seed: int, masks: PartwiseMasks) -> SamplingPlan | None:
    """Return `exact_plan` of every row of a stored table, counted part by part; None where it cannot be."""
    strata = partwise_strata([], table, label_tensor(table.tensors, labels), masks.engine, masks.num_workers)
    return None if strata is None else strata.with_spec(SamplingSpec(mode="once", seed=seed, combine="product"))


def exact_plan(table: Table, rows: NDArray[np.int64], *, labels: str | None, seed: int) -> SamplingPlan:
    """Return the plan that brings each of `rows` once an epoch, repeats as they repeat; its counts are exact."""
    return _ungrouped(table, rows, labels).every_row(seed)


def labels_of_rows(table: Table, rows: NDArray[np.int64], name: str | None) -> ClassCounts | None:
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
            f"weights of type {type(weights).__name__}. Expected an expression, the name of a tensor or numbers"
        ) from error
    if weights is None or array.dtype == object:
        raise SamplingError(f"weights are {weights!r}. Expected an expression, the name of a tensor or numbers")
    if array.shape != (count,):
        raise SamplingError(
            f"weights of shape {array.shape} for {count} samples. Expected one weight for each sample",
            hint="a weight for each class is written max_weight(contains(labels, 'bus'): 20, True: 1)",
        )
    return array


def _tensor_weights(table: Table, rows: NDArray[np.int64], name: str) -> NDArray[np.float64]:
    if table.tensors[name].is_encoded:
        raise SamplingError(
            f"the tensor {name!r} ({table.tensors[name].shown_htype}) cannot be weights. Expected one number for each "
            "sample"
        )
    column = table.column(name).take(rows)
    if not (column.lengths == 1).all():
        raise SamplingError(
            f"some samples of {name!r} do not have exactly one number. Expected one weight for each sample"
        )
    return _array(column.values, len(rows))
