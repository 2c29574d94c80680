"""Ways to group a pool: by clauses, by label sets, by weight; and groups made out of other groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import SamplingError
from penstock.sampling.pool._grouping import compact
from penstock.sampling.pool._groups import Groups
from penstock.sampling.pool._labels import ClassCounts
from penstock.sampling.pool._masking import group_masks
from penstock.sampling.pool._sorting import Digits, equal_rows
from penstock.sampling.random._philox import words

__all__ = [
    "Grouping",
    "Masks",
    "by_classes",
    "by_label_sets",
    "by_masks",
    "by_weights",
    "check_lengths",
    "checked_weights",
    "concatenated",
    "first_positions",
    "joined",
    "named_masks",
    "pool_size",
    "regrouped",
    "rows_of",
]

Masks = Mapping[str, ArrayLike] | Sequence[ArrayLike] | NDArray[np.bool_]

_CLASS_CODES: Final = 7

_G = TypeVar("_G", bound=Groups)


class Grouping(NamedTuple):
    """Rows in groups.

    Parameters
    ----------
    ids : ndarray of unsigned int, shape (num_rows,)
        Group of each row.
    sizes : ndarray of int64, shape (num_groups,)
        Rows of each group.
    matches : ndarray of bool, shape (num_clauses, num_groups)
        Which clauses match the rows of a group.
    """

    ids: NDArray[np.unsignedinteger]
    sizes: NDArray[np.int64]
    matches: NDArray[np.bool_]


def named_masks(
    masks: Masks, expressions: Sequence[str] | None
) -> tuple[list[NDArray[np.bool_]], tuple[str, ...] | None]:
    """Return the masks as arrays, and the source of each where it is known."""
    names = tuple(masks) if isinstance(masks, Mapping) else None if expressions is None else tuple(expressions)
    arrays = [np.asarray(mask) for mask in (masks.values() if isinstance(masks, Mapping) else masks)]
    if names is not None and len(names) != len(arrays):
        raise SamplingError(f"{len(names)} expressions for {len(arrays)} masks. Expected one expression for each mask")
    return arrays, names


def pool_size(masks: Sequence[NDArray[np.bool_]], labels: ClassCounts | None, num_rows: int | None) -> int:
    """Return the number of rows of a pool by whatever says it."""
    if num_rows is not None:
        return num_rows
    if masks:
        return len(masks[0]) if masks[0].ndim else 0
    if labels is not None:
        return labels.num_rows
    raise SamplingError("no masks, no labels and no num_rows. Expected at least one of them", hint="pass num_rows=")


def by_masks(masks: Sequence[NDArray[np.bool_]], names: tuple[str, ...] | None, num_rows: int) -> Grouping:
    """Group rows by the masks that hold; see `Strata.from_masks`."""
    for number, mask in enumerate(masks):
        name = repr(names[number]) if names else f"mask {number}"
        if mask.dtype != np.bool_ or mask.shape != (num_rows,):
            raise SamplingError(f"{name} is {mask.dtype} of shape {mask.shape}. Expected bool of shape ({num_rows},)")
    ids, sizes, first = group_masks(masks, num_rows)
    return Grouping(ids, sizes, _masks_at(masks, first))


def _masks_at(masks: Sequence[NDArray[np.bool_]], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.array([mask[rows] for mask in masks], bool).reshape(len(masks), len(rows))


def by_label_sets(labels: ClassCounts) -> tuple[Grouping, NDArray[np.int64]]:
    """Group rows by the set of their classes; return the groups, and the class of each clause."""
    rows, classes, _ = labels.entries
    used = np.flatnonzero(labels.samples)
    # A set of classes as one number: the sum of a random 64-bit word for each class. Two of a million sets are equal
    # by chance once in 4e7.
    codes = words(0, (_CLASS_CODES, 0, 0), 0, labels.num_classes)
    hashed = np.zeros(labels.num_rows, np.uint64)
    first_entry = np.flatnonzero(np.diff(rows, prepend=-1))
    if len(first_entry):
        hashed[rows[first_entry]] = np.add.reduceat(codes[classes], first_entry)
    by_set, starts = equal_rows([Digits(hashed, 64)], labels.num_rows)
    count = len(starts)
    found = np.empty(labels.num_rows, np.int64)
    found[by_set] = np.repeat(np.arange(count), np.diff(starts, append=labels.num_rows))
    matches = np.zeros((labels.num_classes, count), bool)
    owner = np.full(labels.num_rows, -1)
    owner[by_set[starts]] = np.arange(count)
    shown = owner[rows] >= 0  # the entries of one row of each set say which classes the set has
    matches[classes[shown], owner[rows[shown]]] = True
    matches = matches[used]
    order = _bit_string_order(matches)
    ids = np.argsort(order)[found]  # argsort of a permutation is its inverse: old number to new number
    sizes = np.bincount(ids, minlength=count)
    return Grouping(compact(ids, count), sizes, np.ascontiguousarray(matches[:, order])), used


def by_classes(labels: ClassCounts, classes: Sequence[int | None]) -> Grouping:
    """Group rows as `by_masks` does by clauses that each ask for a class, None for every row; without masks of rows."""
    sets, used = by_label_sets(labels)
    places = {int(number): place for place, number in enumerate(used)}
    every, none = np.ones(len(sets.sizes), bool), np.zeros(len(sets.sizes), bool)
    masks = [every if one is None else sets.matches[places[one]] if one in places else none for one in classes]
    joint, _, first = group_masks(masks, len(sets.sizes))
    sizes = np.bincount(joint, sets.sizes, len(first)).astype(np.int64)
    return Grouping(compact(joint[sets.ids], len(first)), sizes, _masks_at(masks, first))


def _bit_string_order(matches: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the order of the columns read as bit strings, the first row foremost."""
    packed = np.ascontiguousarray(np.packbits(matches.T, axis=1))
    if packed.shape[1] == 0:
        return np.arange(matches.shape[1])
    # rows of bytes seen as byte strings, which numpy compares as a whole
    return np.argsort(packed.view(f"S{packed.shape[1]}")[:, 0], kind="stable")


def by_weights(weights: NDArray[np.float64]) -> tuple[Grouping, NDArray[np.float64]]:
    """Group rows by their weight; return the groups, without clauses, and the weight of each."""
    distinct, ids = np.unique(weights, return_inverse=True)
    sizes = np.bincount(ids, minlength=len(distinct))
    return Grouping(compact(ids, len(distinct)), sizes, np.zeros((0, len(distinct)), bool)), distinct


def regrouped(groups: _G, expressions: tuple[str, ...]) -> _G | None:
    """Group label sets by fewer clauses, or None if a clause is neither "has the class" nor True."""
    if groups.level != "label_sets" or groups.labels is None:
        return None
    known = {
        "True": np.ones(groups.num_strata, bool),
        groups.labels.condition(None): ~groups.matches.any(axis=0),
        **dict(zip(groups.expressions or (), groups.matches, strict=False)),
    }
    return (
        joined(groups, [known[name] for name in expressions], expressions) if set(expressions) <= set(known) else None
    )


def joined(groups: _G, masks: Sequence[NDArray[np.bool_]], expressions: tuple[str, ...]) -> _G:
    """Join groups that some masks of groups do not tell apart: the groups of clauses that match by these."""
    joint, _, first = group_masks(masks, groups.num_strata)
    return replace(
        groups,
        ids=joint[groups.ids],
        sizes=np.bincount(joint, groups.sizes, len(first)).astype(np.int64),
        matches=_masks_at(masks, first),
        expressions=expressions,
        level="clauses",
    )


def concatenated(parts: Sequence[_G]) -> _G:
    """Join the groups of consecutive pieces of a pool; see `Strata.concatenate`."""
    if not parts:
        raise SamplingError("there are no parts. Expected the strata of at least one piece of a pool")
    head = parts[0]
    for part in parts[1:]:
        if (part.level, part.expressions, len(part.matches)) != (head.level, head.expressions, len(head.matches)):
            raise SamplingError(
                f"the parts have different clauses, {head.expressions} and {part.expressions}. "
                "Expected the same clauses in every part"
            )
    every = np.concatenate([part.matches for part in parts], axis=1)
    weights = None
    if head.row_weights is not None:
        weights = np.concatenate([part.row_weights for part in parts if part.row_weights is not None])
    codes, first = _joint_codes(every, weights)
    begins = np.cumsum([0, *(part.num_strata for part in parts)])
    ids = [codes[begin : begin + part.num_strata][part.ids] for begin, part in zip(begins, parts, strict=False)]
    sizes = np.bincount(codes, np.concatenate([part.sizes for part in parts]), len(first))
    return replace(
        head,
        ids=compact(np.concatenate(ids), len(first)),
        sizes=sizes.astype(np.int64),
        matches=np.ascontiguousarray(every[:, first]),
        labels=_joined_labels([part.labels for part in parts]),
        row_weights=None if weights is None else weights[first],
        row_numbers=_joined_row_numbers(parts),
    )


def _joined_row_numbers(parts: Sequence[Groups]) -> NDArray[np.int64] | None:
    """Return the row at each position; a row may be in two parts."""
    known = [part.row_numbers for part in parts if part.row_numbers is not None]
    if 0 < len(known) < len(parts):
        raise SamplingError(
            f"{len(known)} of {len(parts)} parts have row numbers. Expected row numbers in all of them or in none",
            hint="pass rows= for every part",
        )
    return np.concatenate(known) if known else None


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
        raise SamplingError("the parts have different class names. Expected the same class names in every part")
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


def checked_weights(weights: ArrayLike, labels: ClassCounts | None = None) -> NDArray[np.float64]:
    """Return the weights as an array of finite numbers of at least 0, or name the first that is not one."""
    try:
        plain = weights.detach().cpu() if hasattr(weights, "detach") else weights  # a torch tensor with a gradient
        array = np.asarray(plain, np.float64)
    except Exception as error:
        raise SamplingError(
            f"the weights are not numbers: {error}", hint="pass one number of at least 0 for each sample"
        ) from error
    if array.ndim != 1:
        raise SamplingError(f"the weights have shape {array.shape}. Expected one weight for each sample")
    if labels is not None and len(array) != labels.num_rows:
        per_class = len(array) == labels.num_classes
        raise SamplingError(
            f"{len(array)} weights for {labels.num_rows} samples. Expected one weight for each sample",
            hint="these look like class weights: weights[labels] gives sample weights" if per_class else None,
        )
    wrong = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if len(wrong):
        raise SamplingError(
            f"weight {float(array[wrong[0]])!r} of sample {int(wrong[0])} is not valid. Expected a finite number of at "
            "least 0" + (f" ({len(wrong)} weights are not)" if len(wrong) > 1 else ""),
            hint="weight 0 leaves a sample out",
        )
    return array


def rows_of(rows: NDArray[np.int64] | None, labels: ClassCounts | None) -> NDArray[np.int64] | None:
    """Return the row of the dataset at each position: the ones passed, else as the labels know them."""
    if rows is not None:
        return np.asarray(rows)
    return None if labels is None else labels.row_numbers


def check_lengths(labels: ClassCounts | None, rows: NDArray[np.int64] | None, num_rows: int) -> None:
    """Raise if there are more or fewer labels or row numbers than rows in the pool."""
    if labels is not None and labels.num_rows != num_rows:
        raise SamplingError(
            f"labels of {labels.num_rows} samples for a pool of {num_rows}. Expected labels of every sample"
        )
    if rows is not None and len(rows) != num_rows:
        raise SamplingError(f"{len(rows)} row numbers for a pool of {num_rows}. Expected one for every sample")


def first_positions(identity: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first position of each distinct row."""
    return np.unique(identity, return_index=True)[1]
