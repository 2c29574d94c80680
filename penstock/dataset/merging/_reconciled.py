"""Specs of two branches as one: the types and groups that a merge ends with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.writing._groups import aligned
from penstock.errors import ConflictError, SampleError
from penstock.table import Difference, OverlayTable
from penstock.tensors import Cell, TensorSpec, object_groups, recast, with_type_of

__all__ = ["recast_cells", "reconciled", "with_new_values"]

_CHUNK = 256

_Specs = Mapping[str, TensorSpec]


def reconciled(base: _Specs, ours: _Specs, theirs: _Specs) -> dict[str, TensorSpec]:
    """Return our specs with what theirs add: tensors, types that are still open here, object groups.

    Parameters
    ----------
    base, ours, theirs : mapping of str to TensorSpec
        The tensors of the common commit and of the two branches. Class names are not looked at.

    Returns
    -------
    dict of str to TensorSpec
        Our tensors, then theirs.

    Raises
    ------
    ConflictError
        If both branches made a tensor of one name and another kind.
    """
    found = dict(ours)
    for name, spec in theirs.items():
        if name not in found:
            found[name] = replace(spec, aligned_with=None)
            continue
        _check_kind(found[name], spec)
        found[name] = with_type_of(found[name], spec)
    for names in object_groups(theirs).values():
        if object_groups(base).get(names[0]) != names:
            found = aligned(found, names)
    return found


def _check_kind(ours: TensorSpec, theirs: TensorSpec) -> None:
    mine, other = _kind(ours), _kind(theirs)
    if mine != other:
        raise ConflictError(
            f"the tensor {ours.name!r} is {mine} here and {other} on the other branch. Expected the same kind"
        )


def _kind(spec: TensorSpec) -> str:
    return f"{spec.shown_htype} of {spec.coords} boxes" if spec.htype == "bbox" else spec.shown_htype


def recast_cells(cells: Sequence[Cell], theirs: TensorSpec, into: TensorSpec, uids: Sequence[int]) -> list[Cell]:
    """Return their cells as our type takes them.

    Raises
    ------
    ConflictError
        If the branches fixed different types of the tensor, and a sample does not fit.
    """
    found = []
    for cell, uid in zip(cells, uids, strict=True):
        try:
            found.append(recast(cell, theirs, into))
        except SampleError as error:
            raise ConflictError(
                f"{into.name!r} has different types on the two branches, and the sample with uid {uid} does "
                "not fit here: "
                f"{error.message}"
            ) from error
    return found


def with_new_values(changed: Difference, table: OverlayTable, names: Iterable[str]) -> Difference:
    """Return what a branch changed; values of tensors that both branches created count as edits of None."""
    found = {name: _rows_with_values(table, name) for name in names}
    added = tuple(name for name in changed.tensors_added if name not in found)
    return replace(changed, edited={**changed.edited, **found}, tensors_added=added)


def _rows_with_values(table: OverlayTable, name: str) -> NDArray[np.int64]:
    every = np.arange(table.num_rows, dtype=np.int64)
    spec = table.stored.specs[name]
    if not spec.is_encoded:
        column = table.column(name)
        return every[column.lengths > 0 if column.valid is None else column.valid]
    chunks = (every[start : start + _CHUNK] for start in range(0, len(every), _CHUNK))
    kept = [
        row
        for rows in chunks
        for row, cell in zip(rows, table.cells(rows, [name])[name], strict=True)
        if cell.value is not None
    ]
    return np.array(kept, np.int64)
