"""Ways to group a pool: by clauses, by label sets, by weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import SamplingError
from penstock.sampling.pool._class_sums import GroupedRows
from penstock.sampling.pool._grouping import compact
from penstock.sampling.pool._labels import ClassCounts
from penstock.sampling.pool._masking import group_masks
from penstock.sampling.random._philox import words

__all__ = ["Masks", "by_label_sets", "by_masks", "by_weights", "concatenated", "first_positions", "regrouped"]

Masks = Mapping[str, ArrayLike] | Sequence[ArrayLike] | NDArray[np.bool_]

_CLASS_CODES: Final = 7


def by_masks(
    masks: Masks,
    *,
    labels: ClassCounts | None = None,
    num_rows: int | None = None,
    expressions: Sequence[str] | None = None,
    rows: NDArray[np.int64] | None = None,
) -> GroupedRows:
    """Group rows by the clauses that match; see `Strata.from_masks`."""
    names = tuple(masks) if isinstance(masks, Mapping) else None if expressions is None else tuple(expressions)
    arrays = [np.asarray(mask) for mask in (masks.values() if isinstance(masks, Mapping) else masks)]
    pool = _pool_size(arrays, labels, num_rows)
    _check_masks(arrays, names, pool)
    rows = _told(rows, labels)
    check_lengths(labels, rows, pool)
    ids, sizes, first = group_masks(arrays, pool)
    return GroupedRows(
        ids=ids,
        sizes=sizes,
        matches=np.array([mask[first] for mask in arrays], bool).reshape(len(arrays), len(first)),
        expressions=names,
        labels=labels,
        row_numbers=rows,
    )


def by_label_sets(labels: ClassCounts, row_numbers: NDArray[np.int64] | None = None) -> GroupedRows:
    """Group rows by the set of their classes; one clause for each class that occurs."""
    row_numbers = _told(row_numbers, labels)
    check_lengths(labels, row_numbers, labels.num_rows)
    rows, classes, _ = labels.entries
    used = np.flatnonzero(labels.samples)
    codes = words(0, (_CLASS_CODES, 0, 0), 0, labels.num_classes)
    hashed = np.zeros(labels.num_rows, np.uint64)
    first_entry = np.flatnonzero(np.diff(rows, prepend=-1))
    if len(first_entry):
        hashed[rows[first_entry]] = np.add.reduceat(codes[classes], first_entry)
    distinct, first, found = np.unique(hashed, return_index=True, return_inverse=True)
    matches = np.zeros((labels.num_classes, len(distinct)), bool)
    owner = np.full(labels.num_rows, -1)
    owner[first] = np.arange(len(distinct))
    shown = owner[rows] >= 0
    matches[classes[shown], owner[rows[shown]]] = True
    matches = matches[used]
    order = bit_string_order(matches)
    ids = np.argsort(order)[found]
    return GroupedRows(
        ids=compact(ids, len(distinct)),
        sizes=np.bincount(ids, minlength=len(distinct)),
        matches=np.ascontiguousarray(matches[:, order]),
        expressions=tuple(labels.condition(int(number)) for number in used),
        labels=labels,
        level="label_sets",
        row_numbers=row_numbers,
    )


def bit_string_order(matches: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the order of the columns read as bit strings, the first row foremost."""
    packed = np.ascontiguousarray(np.packbits(matches.T, axis=1))
    if packed.shape[1] == 0:
        return np.arange(matches.shape[1])
    return np.argsort(packed.view(f"S{packed.shape[1]}")[:, 0], kind="stable")


def regrouped(strata: GroupedRows, expressions: tuple[str, ...]) -> GroupedRows | None:
    """Group label sets by fewer clauses, or None if a clause is neither "has the class" nor True."""
    known = {name: number for number, name in enumerate(strata.expressions or ())}
    if strata.level != "label_sets" or strata.labels is None:
        return None
    every = np.ones(strata.num_strata, bool)
    known_masks = {
        "True": every,
        strata.labels.condition(None): ~strata.matches.any(axis=0),
        **{name: strata.matches[number] for name, number in known.items()},
    }
    if not all(name in known_masks for name in expressions):
        return None
    masks = [known_masks[name] for name in expressions]
    groups, _, first = group_masks(masks, strata.num_strata)
    return GroupedRows(
        ids=groups[strata.ids],
        sizes=np.bincount(groups, strata.sizes, len(first)).astype(np.int64),
        matches=np.array([mask[first] for mask in masks], bool).reshape(len(masks), len(first)),
        expressions=expressions,
        labels=strata.labels,
        row_numbers=strata.row_numbers,
    )


def by_weights(
    weights: ArrayLike, *, labels: ClassCounts | None = None, rows: NDArray[np.int64] | None = None
) -> GroupedRows:
    """Group rows by their weight; see `Strata.from_weights`."""
    array = check_weights(weights, labels)
    rows = _told(rows, labels)
    check_lengths(labels, rows, len(array))
    distinct, ids = np.unique(array, return_inverse=True)
    return GroupedRows(
        ids=compact(ids, len(distinct)),
        sizes=np.bincount(ids, minlength=len(distinct)),
        matches=np.zeros((0, len(distinct)), bool),
        expressions=(),
        labels=labels,
        level="bins",
        row_weights=distinct,
        row_numbers=rows,
    )


def concatenated(parts: Sequence[GroupedRows]) -> GroupedRows:
    """Join the strata of consecutive pieces of a pool; see `Strata.concatenate`."""
    if not parts:
        raise SamplingError("no parts; expected the strata of at least one piece of a pool")
    head = parts[0]
    for part in parts[1:]:
        if (part.level, part.expressions, part.num_clauses) != (head.level, head.expressions, head.num_clauses):
            raise SamplingError(
                f"parts have the clauses {part.expressions} and {head.expressions}; expected the same ones",
            )
    every = np.concatenate([part.matches for part in parts], axis=1)
    weights = None
    if head.row_weights is not None:
        weights = np.concatenate([part.row_weights for part in parts if part.row_weights is not None])
    codes, first = _joint_codes(every, weights)
    begins = np.cumsum([0, *(part.num_strata for part in parts)])
    ids = [codes[begin : begin + part.num_strata][part.ids] for begin, part in zip(begins, parts, strict=False)]
    sizes = np.bincount(codes, np.concatenate([part.sizes for part in parts]), len(first))
    return GroupedRows(
        ids=compact(np.concatenate(ids), len(first)),
        sizes=sizes.astype(np.int64),
        matches=np.ascontiguousarray(every[:, first]),
        expressions=head.expressions,
        labels=_joined_labels([part.labels for part in parts]),
        level=head.level,
        row_weights=None if weights is None else weights[first],
        row_numbers=_joined_row_numbers(parts),
    )


def _joined_row_numbers(parts: Sequence[GroupedRows]) -> NDArray[np.int64] | None:
    """Return the row at each position; a row may be in two parts."""
    told = [part.row_numbers for part in parts if part.row_numbers is not None]
    if 0 < len(told) < len(parts):
        raise SamplingError(
            f"{len(told)} of {len(parts)} parts say which rows they hold; expected all of them or none",
            hint="pass rows= for every part",
        )
    return np.concatenate(told) if told else None


def _joint_codes(
    matches: NDArray[np.bool_], weights: NDArray[np.float64] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the joint stratum of each part's strata, and the first of each joint one."""
    if weights is None:
        codes, _, first = group_masks(list(matches), matches.shape[1])
        return codes.astype(np.int64), first
    _, first, found = np.unique(weights, return_index=True, return_inverse=True)
    return found, first


def _joined_labels(labels: Sequence[ClassCounts | None]) -> ClassCounts | None:
    known = [one for one in labels if one is not None]
    if len(known) < len(labels):
        return None
    if len({one.class_names for one in known}) > 1:
        raise SamplingError("parts have different class names; expected the same ones")
    ends = np.concatenate([np.zeros(1, np.int64), *(np.diff(one.offsets) for one in known)])
    values = np.concatenate([one.values for one in known])
    rows = [one.row_numbers for one in known if one.row_numbers is not None]
    return ClassCounts(
        values=values,
        offsets=np.cumsum(ends),
        class_names=known[0].class_names,
        tensor=known[0].tensor,
        row_numbers=np.concatenate(rows) if len(rows) == len(known) else None,
    )


def check_weights(weights: ArrayLike, labels: ClassCounts | None = None) -> NDArray[np.float64]:
    """Return the weights as an array of finite numbers >= 0, or name the first that is none."""
    try:
        plain = weights.detach().cpu() if hasattr(weights, "detach") else weights  # a torch tensor with a gradient
        array = np.asarray(plain, np.float64)
    except Exception as error:
        raise SamplingError(f"weights are no numbers: {error}", hint="pass one number >= 0 per sample") from error
    if array.ndim != 1:
        raise SamplingError(f"weights have shape {array.shape}; expected one weight per sample")
    if labels is not None and len(array) != labels.num_rows:
        per_class = len(array) == labels.num_classes
        raise SamplingError(
            f"{len(array)} weights for {labels.num_rows} samples; expected one weight per sample",
            hint="these look like class weights: weights[labels] makes sample weights" if per_class else None,
        )
    wrong = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if len(wrong):
        raise SamplingError(
            f"weight {float(array[wrong[0]])!r} of sample {int(wrong[0])} is no weight; expected finite numbers >= 0"
            + (f" ({len(wrong)} such weights)" if len(wrong) > 1 else ""),
            hint="weight 0 leaves a sample out",
        )
    return array


def _told(rows: NDArray[np.int64] | None, labels: ClassCounts | None) -> NDArray[np.int64] | None:
    """Return the row of the dataset at each position, as told, else as the labels know it."""
    if rows is not None:
        return np.asarray(rows)
    return None if labels is None else labels.row_numbers


def check_lengths(labels: ClassCounts | None, rows: NDArray[np.int64] | None, pool: int) -> None:
    """Raise if labels or rows are not of the pool."""
    if labels is not None and labels.num_rows != pool:
        raise SamplingError(
            f"labels of {labels.num_rows} samples for a pool of {pool}; expected one row of labels each"
        )
    if rows is not None and len(rows) != pool:
        raise SamplingError(f"{len(rows)} row numbers for a pool of {pool}; expected one each")


def first_positions(identity: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first position of each distinct row."""
    return np.unique(identity, return_index=True)[1]


def _pool_size(arrays: list[NDArray[np.bool_]], labels: ClassCounts | None, num_rows: int | None) -> int:
    if num_rows is not None:
        return num_rows
    if arrays:
        return len(arrays[0]) if arrays[0].ndim else 0
    if labels is not None:
        return labels.num_rows
    raise SamplingError("no masks, no labels and no num_rows; expected at least one of them", hint="pass num_rows=")


def _check_masks(arrays: list[NDArray[np.bool_]], names: tuple[str, ...] | None, pool: int) -> None:
    if names is not None and len(names) != len(arrays):
        raise SamplingError(f"{len(names)} expressions for {len(arrays)} masks; expected one each")
    for number, mask in enumerate(arrays):
        name = repr(names[number]) if names else f"mask {number}"
        if mask.dtype != np.bool_ or mask.shape != (pool,):
            raise SamplingError(f"{name} is {mask.dtype} of shape {mask.shape}; expected bool of shape ({pool},)")
