"""The arrays that travel to the browser."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._grouping import compact, dense_codes
from penstock.sampling.pool._groups import Groups

__all__ = ["MAX_BINS", "bin_error", "binned", "statistics"]

MAX_BINS: Final = 4096

_G = TypeVar("_G", bound=Groups)


def statistics(strata: Groups) -> dict[str, NDArray[Any]]:
    """Return the arrays of strata; see `SamplingPlan.statistics`."""
    if strata.row_weights is None:
        arrays, groups = _by_stratum(strata), np.arange(strata.num_strata)
    else:
        arrays, groups = _binned(strata), bins_of(strata)[1]
    return {**arrays, **_values(strata, arrays, groups), **_unlabeled(strata)}


def _values(strata: Groups, arrays: dict[str, NDArray[Any]], groups: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return the rows of each entry by number of instances; nothing where all its rows have equally many."""
    values = strata.class_values
    if not len(values.rows):
        return {}
    num_classes = len(values.offsets) - 1
    owners = np.repeat(np.arange(len(arrays["sizes"])), np.diff(arrays["class_offsets"]))
    entries = owners * np.int64(num_classes) + arrays["class_ids"]
    classes = np.repeat(np.arange(num_classes), np.diff(values.offsets))
    entry = np.searchsorted(entries, groups[values.strata] * np.int64(num_classes) + classes)
    highest = int(values.counts.max()) + 1
    # bins join strata: the same (entry, count) may come from several, and their rows are added up
    joint, place = np.unique(entry * highest + values.counts, return_inverse=True)
    entry, counts = np.divmod(joint, highest)
    several = np.bincount(entry, minlength=len(entries)) > 1
    kept = several[entry]
    rows = np.bincount(place, values.rows, len(joint))
    return {
        "value_offsets": np.searchsorted(entry[kept], np.arange(len(entries) + 1)).astype(np.int32),
        "value_counts": counts[kept].astype(np.int32),
        "value_rows": rows[kept],
    }


def _unlabeled(strata: Groups) -> dict[str, NDArray[Any]]:
    """Return the rows of each stratum without a label; nothing where every row has one."""
    labels = strata.labels
    if labels is None or not labels.num_unlabeled:
        return {}
    bare = np.flatnonzero(labels.offsets[1:] == labels.offsets[:-1])
    ids = strata.ids[bare] if strata.row_weights is None else bins_of(strata)[1][strata.ids[bare]]
    count = strata.num_strata if strata.row_weights is None else len(bins_of(strata)[0])
    return {"unlabeled": np.bincount(ids, minlength=count).astype(np.float64)}


def _by_stratum(strata: Groups) -> dict[str, NDArray[Any]]:
    owners, clauses = np.nonzero(strata.matches.T)
    sums = strata.class_sums
    return {
        "sizes": strata.sizes.astype(np.float64),
        "clause_offsets": np.searchsorted(owners, np.arange(strata.num_strata + 1)).astype(np.int32),
        "clause_ids": clauses.astype(np.int32),
        "class_offsets": sums.offsets,
        "class_ids": sums.classes,
        "rows_with_class": sums.rows_with_class,
        "instances": sums.instances,
        "instances_squared": sums.instances_squared,
    }


def _binned(strata: Groups) -> dict[str, NDArray[Any]]:
    weights, bins = bins_of(strata)
    sizes = np.bincount(bins, strata.sizes, len(weights))
    sums = strata.class_sums
    num_classes = strata.labels.num_classes if strata.labels else 0
    # bin and class as one number; entries of strata in one bin are added up
    joint = bins[sums.strata] * np.int64(num_classes) + sums.classes
    codes, distinct = dense_codes(joint, len(weights) * num_classes)
    owners, classes = np.divmod(distinct, max(num_classes, 1))
    return {
        "sizes": sizes,
        "clause_offsets": np.zeros(len(weights) + 1, np.int32),
        "clause_ids": np.zeros(0, np.int32),
        "class_offsets": np.searchsorted(owners, np.arange(len(weights) + 1)).astype(np.int32),
        "class_ids": classes.astype(np.int32),
        "rows_with_class": np.bincount(codes, sums.rows_with_class, len(distinct)),
        "instances": np.bincount(codes, sums.instances, len(distinct)),
        "instances_squared": np.bincount(codes, sums.instances_squared, len(distinct)),
        "weights": weights,
    }


def binned(strata: _G) -> _G:
    """Return strata of one weight each, joined where there are more than 4,096 of them; others as they are."""
    if strata.row_weights is None or strata.num_strata <= MAX_BINS:
        return strata
    weights, bins = bins_of(strata)
    return replace(
        strata,
        ids=compact(bins[strata.ids], len(weights)),
        sizes=np.bincount(bins, strata.sizes, len(weights)).astype(np.int64),
        matches=np.zeros((0, len(weights)), bool),
        row_weights=weights,
    )


def bins_of(strata: Groups) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the weight of each bin and the bin of each stratum, which has one weight.

    Up to 4,096 weights are bins of their own. Above, positive weights fall into 4,095 bins of equal ratio between
    the smallest and the largest; a bin weighs the mean of its rows, so that sums of weights stay.
    """
    weights = strata.row_weights if strata.row_weights is not None else np.zeros(0)
    if len(weights) <= MAX_BINS:
        return weights, np.arange(len(weights))
    logs = np.log(np.where(weights > 0, weights, weights[weights > 0].min()))
    spread = max(float(logs.max() - logs.min()), 1e-300)
    places = np.minimum(((logs - logs.min()) / spread * (MAX_BINS - 1)).astype(np.int64), MAX_BINS - 2) + 1
    used, bins = np.unique(np.where(weights > 0, places, 0), return_inverse=True)
    sizes = np.bincount(bins, strata.sizes, len(used))
    return np.bincount(bins, strata.sizes * weights, len(used)) / sizes, bins


def bin_error(strata: Groups) -> float:
    """Return the largest relative error of a row's weight in `statistics`; 0 where bins are exact."""
    if strata.row_weights is None or strata.num_strata <= MAX_BINS:
        return 0.0
    weights, bins = bins_of(strata)
    live = strata.row_weights > 0
    return float(np.abs(weights[bins][live] / strata.row_weights[live] - 1).max())
