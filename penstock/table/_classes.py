"""What the classes of a label tensor are called, their colors, and how many labels each has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penstock.table._table import Table
from penstock.table.drafts._class_keys import class_colors, class_keys
from penstock.table.drafts._overlay import OverlayTable

__all__ = ["class_colors_of", "class_names_of", "class_totals"]


def class_names_of(table: Table, tensor: str) -> tuple[str, ...]:
    """Return the names of a label tensor's classes; where they have none, their numbers as text."""
    names = table.tensors[tensor].class_names
    if names:
        return names
    return tuple(map(str, range(int(table.column(tensor).values.max(initial=-1)) + 1)))


def class_totals(table: Table, tensor: str) -> NDArray[np.int64]:
    """Return the number of labels of each class in the whole table, int64 of shape (num_classes,).

    Labels that are not the index of a class are left out.
    """
    values, num_classes = table.column(tensor).values, len(class_names_of(table, tensor))
    if len(values) and (values.min() < 0 or values.max() >= num_classes):
        values = values[(values >= 0) & (values < num_classes)]
    return np.bincount(values, minlength=num_classes)


def class_colors_of(table: Table, tensor: str) -> dict[str, str]:
    """Return the color of each class that has one of its own, ``#rrggbb`` by name."""
    stored = table.origin
    if not isinstance(stored, OverlayTable):
        return {}
    meta = stored.stored.snapshot.meta
    colors = class_colors(meta, tensor)
    keys = class_keys(meta, tensor)
    return {
        name: colors[key] for key, name in zip(keys, table.tensors[tensor].class_names, strict=False) if key in colors
    }
