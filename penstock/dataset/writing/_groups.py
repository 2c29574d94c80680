"""Object groups: tensors of a sample that describe the same objects have equal lengths."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import AlignmentError, DatasetError, SampleError, TensorNotFoundError
from penstock.table import OverlayTable
from penstock.tensors import GROUPED_HTYPES, Cell, JsonText, TensorSpec, object_groups, with_type

__all__ = [
    "aligned",
    "check_cells",
    "check_groups",
    "check_lists",
    "checked_member",
    "first_of_group",
    "object_counts",
    "unequal_cells",
]

_NO_LIST = -1


def first_of_group(specs: Mapping[str, TensorSpec], name: str) -> str:
    """Return the first tensor of the group of `name`, or of its new group; raise if it cannot be in one."""
    if name not in specs:
        raise TensorNotFoundError(name, specs)
    return checked_member(specs[name]).aligned_with or name


def checked_member(spec: TensorSpec) -> TensorSpec:
    """Return a tensor that can have one entry per object; raise an error with the reason otherwise."""
    if spec.htype not in GROUPED_HTYPES:
        hint = "a json tensor can hold a list with one text per object" if spec.htype == "text" else None
        raise DatasetError(
            f"{spec.name!r} ({spec.shown_htype}) cannot be in an object group. "
            f"Expected one of: {', '.join(GROUPED_HTYPES)}",
            hint=hint,
        )
    if spec.htype == "generic" and spec.ndim == 0:
        raise DatasetError(
            f"{spec.name!r} (generic, one number per sample) cannot be in an object group. "
            "Expected samples with an entry "
            "for each object"
        )
    return spec


def aligned(specs: Mapping[str, TensorSpec], names: Sequence[str]) -> dict[str, TensorSpec]:
    """Return the specs with some tensors and their groups merged into one group."""
    firsts = dict.fromkeys(first_of_group(specs, name) for name in names)
    first = next(iter(firsts))
    members = {name for name, spec in specs.items() if (spec.aligned_with or name) in firsts}
    return {
        name: replace(spec, aligned_with=None if name == first else first) if name in members else spec
        for name, spec in specs.items()
    }


def check_groups(
    table: OverlayTable,
    specs: Mapping[str, TensorSpec],
    before: Callable[[], Mapping[str, TensorSpec]] | None,
) -> None:
    """Refuse samples whose tensors of one group differ in length.

    Parameters
    ----------
    table : OverlayTable
        The samples as they are to be committed.
    specs : mapping of str to TensorSpec
        Its tensors, with the groups to check.
    before : callable or None
        Gives the tensors of the commit before. JSON is read only where it is edited: lists that are stored
        were checked when they were appended. None if the groups are new to samples that are stored: all is read.

    Raises
    ------
    AlignmentError
        Naming rows, tensors and lengths.
    """
    every = np.arange(table.num_rows, dtype=np.int64)
    for first, names in object_groups(specs).items():
        unread = [name for name in names if specs[name].htype == "json"]
        read = [name for name in names if name not in unread]
        _check(table, read, every)
        if unread and (before is None or not read):
            _check(table, names, every)
        elif unread and before is not None:
            edited = np.unique(np.concatenate([table.edited_rows(name) for name in names])).astype(np.int64)
            if object_groups(before()).get(first) != names:
                _check_filled(table, read[0], unread, np.setdiff1d(every, edited))
            _check(table, names, edited)


def _check_filled(table: OverlayTable, counted: str, unread: Sequence[str], rows: NDArray[np.int64]) -> None:
    """Refuse stored samples that have objects, but no list for them: the tensor is newer than they are."""
    counts = object_counts(table, counted, rows)
    lists = [np.where(table.stored.missing(name)[rows], 0, counts) for name in unread]
    _refuse_unequal([counted, *unread], np.stack([counts, *lists]), rows)


def _check(table: OverlayTable, names: Sequence[str], rows: NDArray[np.int64]) -> None:
    if len(names) > 1 and len(rows):
        counts = np.stack([object_counts(table, name, rows) for name in names])
        _refuse_unequal(names, counts, rows)


def object_counts(table: OverlayTable, name: str, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of objects each of some samples has in a tensor; -1 where JSON is not a list."""
    spec, column = table.stored.specs[name], table.column(name)
    if spec.htype == "json":
        return np.array([_listed(json.loads(text) if text else None) for text in column.values[rows]], np.int64)
    if column.shapes is None or column.shapes.shape[1] == 0:
        return column.lengths[rows]
    counts: NDArray[np.int64] = column.shapes[rows, 0]
    return counts


def _listed(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, JsonText):
        return value.num_entries
    return len(value) if isinstance(value, (list, tuple, np.ndarray)) else _NO_LIST


def check_lists(spec: TensorSpec, values: Sequence[Any]) -> None:
    """Raise for values without an entry per object: JSON that is not a list, a single number."""
    if spec.htype == "generic" and with_type(spec, values).ndim == 0:
        wrong = next(value for value in values if value is not None)
    else:
        wrong = next((value for value in values if spec.htype == "json" and _listed(value) == _NO_LIST), None)
    if wrong is not None:
        raise SampleError(
            f"a {type(wrong).__name__} is not a valid value of {spec.name!r} ({spec.htype}), which is in an "
            "object group. "
            "Expected a list with an entry for each object"
        )


def check_cells(specs: Mapping[str, TensorSpec], cells: Mapping[str, Sequence[Cell]]) -> None:
    """Refuse rows that are appended with tensors of one group of unequal lengths."""
    for names in object_groups(specs).values():
        counts = [[_count(specs[name], cell) for cell in cells[name]] for name in names]
        if _NO_LIST in counts[0] or any(other != counts[0] for other in counts[1:]):
            _refuse_unequal(names, np.array(counts, np.int64), np.arange(len(counts[0]), dtype=np.int64))


def unequal_cells(specs: Mapping[str, TensorSpec], cells: Mapping[str, Sequence[Cell]]) -> dict[int, str]:
    """Return the rows whose tensors of one group differ in length, and how."""
    found = {}
    for names in object_groups(specs).values():
        counts = _cell_counts(specs, cells, names)
        for row in _unequal(counts).tolist():
            found[row] = AlignmentError({row: dict(zip(names, counts[:, row].tolist(), strict=True))}).message
    return found


def _cell_counts(
    specs: Mapping[str, TensorSpec], cells: Mapping[str, Sequence[Cell]], names: Sequence[str]
) -> NDArray[np.int64]:
    return np.array([[_count(specs[name], cell) for cell in cells[name]] for name in names], np.int64)


def _count(spec: TensorSpec, cell: Cell) -> int:
    if cell.value is None:
        return 0
    if spec.htype == "json":
        return _listed(json.loads(str(cell.value))) if cell.num_entries is None else cell.num_entries
    if cell.shape is None:
        return len(cell.value)
    return cell.shape[0] if cell.shape else _NO_LIST


def _unequal(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    places: NDArray[np.int64] = np.flatnonzero((counts != counts[0]).any(axis=0) | (counts < 0).any(axis=0))
    return places


def _refuse_unequal(names: Sequence[str], counts: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
    unequal = _unequal(counts).tolist()
    if unequal:
        raise AlignmentError(
            {int(rows[place]): dict(zip(names, counts[:, place].tolist(), strict=True)) for place in unequal}
        )
