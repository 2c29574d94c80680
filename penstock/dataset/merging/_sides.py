"""The three states of a merge, and samples of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.merging._classes_merged import MergedClasses
from penstock.table import Difference, OverlayTable
from penstock.tensors import Cell, TensorSpec

__all__ = ["Sides", "cells_of", "moved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The three states of a merge, what either side changed, and the classes and specs they end with."""

    base: OverlayTable
    ours: OverlayTable
    theirs: OverlayTable
    mine: Difference
    other: Difference
    classes: Mapping[str, MergedClasses]
    specs: Mapping[str, TensorSpec]


def cells_of(table: OverlayTable, tensor: str, uids: NDArray[np.int64]) -> list[Cell]:
    """Return the samples of some uids that exist, in their order."""
    if not len(uids):
        return []
    rows = table.positions(uids)
    ranks = np.argsort(rows)
    cells = table.cells(rows[ranks], [tensor])[tensor]
    return [cells[place] for place in np.argsort(ranks)]


def moved(cell: Cell, index: NDArray[np.int64] | None) -> Cell:
    """Return a label as the merged classes count."""
    if index is None or cell.value is None:
        return cell
    labels: NDArray[Any] = np.asarray(cell.value, np.int64)
    return Cell(value=index[labels])
