"""What a split divides: samples or groups of them, with the labels that have to be spread evenly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples._content import Content
from penstock.dataset.views.splits._label_sets import row_labels
from penstock.errors import DatasetError
from penstock.sampling.pool.dividing._units import Units
from penstock.table import Ragged

__all__ = ["label_column", "label_names", "pairs_of_labels", "units_with"]

Ints = NDArray[np.int64]

_MOST_PAIRS = 200_000_000


def label_column(content: Content, tensors: Sequence[str]) -> Ragged:
    """Return the labels of all tensors in one column; each tensor's are numbered behind those of the one before."""
    table, rows = content.state()
    columns = []
    for name in tensors:
        spec = content.spec(name)
        if spec.htype != "class_label":
            raise DatasetError(f"stratify={name!r} has htype {spec.shown_htype}. Expected a class_label tensor")
        column = table.column(name)
        columns.append(column if content.is_whole else column.take(rows))
    if len(columns) == 1:
        return columns[0]
    counts = [num_classes(column) for column in columns]
    owners = np.concatenate([np.repeat(np.arange(len(column)), column.lengths) for column in columns])
    labels = [column.values.astype(np.int64) + sum(counts[:at]) for at, column in enumerate(columns)]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sum(column.lengths for column in columns))])
    return Ragged(values=np.concatenate(labels)[np.argsort(owners, kind="stable")], offsets=offsets)


def num_classes(column: Ragged) -> int:
    """Return how many classes a label tensor has, those without a name included."""
    return max(len(column.class_names or ()), int(column.values.max(initial=-1)) + 1)


def label_names(content: Content, tensors: Sequence[str]) -> tuple[str, ...]:
    """Return the name of each label of `label_column`."""
    names: list[str] = []
    table, _ = content.state()
    for tensor in tensors:
        column = table.column(tensor)
        known = [*content.spec(tensor).class_names]
        known += [f"class {number}" for number in range(len(known), num_classes(column))]
        names += [name if len(tensors) == 1 else f"{tensor}: {name}" for name in known]
    return tuple(names)


def units_with(column: Ragged | None, number: Ints | None, num_units: int, *, pairs: bool = False) -> Units:
    """Return the units of samples: `number` of each sample's unit, by default each sample its own."""
    sizes = np.ones(num_units, np.int64) if number is None else np.bincount(number, minlength=num_units)
    if column is None:
        empty = np.zeros(0, np.int64)
        return Units(sizes=sizes, offsets=np.zeros(num_units + 1, np.int64), labels=empty, counts=empty, num_labels=0)
    rows, labels = row_labels(column)
    num_labels = max(num_classes(column), 1)
    if pairs:
        rows, labels = pairs_of_labels(rows, labels, num_labels)
        distinct, labels = np.unique(labels, return_inverse=True)
        num_labels = max(len(distinct), 1)
    if number is None:
        return Units(
            sizes=sizes,
            offsets=_ends_of(rows, num_units),
            labels=labels,
            counts=np.ones(len(labels), np.int64),
            num_labels=num_labels,
        )
    bits = max(num_labels - 1, 1).bit_length()
    entries = np.sort((number[rows] << bits) | labels)
    starts = np.flatnonzero(np.diff(entries, prepend=-1))
    return Units(
        sizes=sizes,
        offsets=_ends_of(entries[starts] >> bits, num_units),
        labels=entries[starts] & ((1 << bits) - 1),
        counts=np.diff(starts, append=len(entries)),
        num_labels=num_labels,
    )


def _ends_of(owners: Ints, num_units: int) -> Ints:
    """Return where the entries of each unit begin and the last one's end, by the units of the entries."""
    offsets = np.zeros(num_units + 1, np.int64)
    np.cumsum(np.bincount(owners, minlength=num_units), out=offsets[1:])
    return offsets


def pairs_of_labels(rows: Ints, labels: Ints, num_labels: int) -> tuple[Ints, Ints]:
    """Return the pairs of labels of each row, each label with itself too, as one number for a pair."""
    lengths = np.bincount(rows) if len(rows) else np.zeros(0, np.int64)
    ends = np.repeat(np.cumsum(lengths), lengths)
    partners = ends - np.arange(len(rows))  # a label, and those of its row behind it
    total = int(partners.sum())
    if total > _MOST_PAIRS:
        raise DatasetError(
            f"the samples have {total:,} pairs of labels. Expected at most {_MOST_PAIRS:,}",
            hint="use method='iterative'",
        )
    first = np.repeat(np.arange(len(rows)), partners)
    second = first + np.arange(total) - np.repeat(np.cumsum(partners) - partners, partners)
    return rows[first], labels[first] * num_labels + labels[second]
