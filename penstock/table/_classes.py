"""What the classes of a label tensor are called, and how many labels each has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penstock.table._table import Table

__all__ = ["class_names_of", "class_totals"]


def class_names_of(table: Table, tensor: str) -> tuple[str, ...]:
    """Return the names of a label tensor's classes; where they have none, their numbers as text."""
    names = table.tensors[tensor].class_names
    if names:
        return names
    return tuple(map(str, range(int(table.column(tensor).values.max(initial=-1)) + 1)))


def class_totals(table: Table, tensor: str) -> NDArray[np.int64]:
    """Return the number of labels of each class in the whole table, int64 of shape (num_classes,).

    Labels that are no index of a class are left out.
    """
    values, num_classes = table.column(tensor).values, len(class_names_of(table, tensor))
    if len(values) and (values.min() < 0 or values.max() >= num_classes):
        values = values[(values >= 0) & (values < num_classes)]
    return np.bincount(values, minlength=num_classes)
