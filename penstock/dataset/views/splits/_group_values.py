"""The group of each sample: one value of a tensor, or of a TQL expression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples._content import Content
from penstock.errors import DatasetError
from penstock.sampling.pool._sorting import Digits, digits_of_numbers, grouped_rows
from penstock.tql import run
from penstock.tql.values._operations import class_text
from penstock.tql.values._values import Value, from_ragged, scalar
from penstock.tql.values.keys._digits import equal_digits

__all__ = ["group_values", "units_of_groups"]

Ints = NDArray[np.int64]


def group_values(content: Content, group: str) -> Value:
    """Return one value for each sample; class labels as names, NULL where there is none."""
    if not isinstance(group, str) or not group.strip():
        raise DatasetError(f"group={group!r} is not valid. Expected the name of a tensor, or a TQL expression")
    table, rows = content.state()
    if group in content.names() or group.isidentifier():
        spec = content.spec(group)
        if spec.is_encoded:
            raise DatasetError(f"group={group!r} has htype {spec.shown_htype}. Expected one number or text per sample")
        column = table.column(group)
        column = column if content.is_whole else column.take(rows)
    else:
        result = run(f"select {group} as value", table, rows=None if content.is_whole else rows)
        column = (result.columns or {})["value"]
    lengths = column.lengths
    if len(lengths) and int(lengths.max()) > 1:
        row = int(lengths.argmax())
        raise DatasetError(
            f"sample {row} has {int(lengths[row])} values of {group!r}. Expected one value per sample as its group",
            hint=f"take one of them: group={group + '[0]'!r}",
        )
    value = scalar(from_ragged(column))
    return value if column.class_names is None else class_text(column.class_names)(value)


def units_of_groups(value: Value | None, rows: Ints) -> tuple[Ints, int, int]:
    """Return the number of each sample's group by first appearance, how many there are, and how many have no value.

    Samples without a value, and all where `value` is None, are a group for each row: repeats of one stay together.
    """
    missing = None
    keys: list[Digits] = []
    if value is not None:
        keys, missing = equal_digits(value, len(rows))
    if value is None or missing is not None:
        own = rows if missing is None else np.where(missing, rows, 0)
        keys = [*keys, digits_of_numbers(own)]
    order, offsets = grouped_rows(keys, len(rows))
    number = np.empty(len(rows), np.int64)
    number[order] = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return number, len(offsets) - 1, 0 if missing is None else int(np.count_nonzero(missing))
