"""The content of one sample at a commit, or as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.storage import SampleStates, Snapshot, column_names, column_of
from penstock.table import OverlayTable, cells_of_columns
from penstock.tensors import Cell, TensorSpec

__all__ = ["SampleState", "state_at", "state_now"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampleState:
    """The cells of a sample, and how to read them.

    Parameters
    ----------
    meta : mapping
        The dataset's description.
    specs : mapping of str to TensorSpec
        Its tensors.
    cells : mapping of str to Cell
        The sample; of an image with a recorded digest without its bytes.
    """

    meta: Mapping[str, Any]
    specs: Mapping[str, TensorSpec]
    cells: Mapping[str, Cell]


def state_at(states: SampleStates, snapshot: Snapshot, row_id: int) -> SampleState:
    """Return the sample at a version, by the number of its row."""
    specs = {entry["name"]: TensorSpec.from_json(entry) for entry in snapshot.meta.get("tensors", [])}
    known = [name for spec in specs.values() for name in column_names(spec) if name in snapshot.columns]
    heavy = {column_of(spec.name) for spec in specs.values() if _is_heavy(spec)}
    table = states.row(snapshot, row_id, [name for name in known if name not in heavy])
    columns = {name: table[name] for name in table.column_names}
    undigested = [name for name in heavy if name in snapshot.columns and _digest_in(columns, name) is None]
    if undigested:
        table = states.row(snapshot, row_id, undigested)
        columns.update({name: table[name] for name in table.column_names})
    return SampleState(
        meta=snapshot.meta, specs=specs, cells={name: _cell(spec, columns) for name, spec in specs.items()}
    )


def _is_heavy(spec: TensorSpec) -> bool:
    return spec.htype == "image" and not spec.link


def _digest_in(columns: Mapping[str, Any], name: str) -> int | None:
    found = columns.get(f"_digest_{name}")
    return None if found is None else found[0].as_py()


def _cell(spec: TensorSpec, columns: Mapping[str, Any]) -> Cell:
    name = column_of(spec.name)
    if name in columns or not _is_heavy(spec):
        return cells_of_columns(spec, columns, 1)[0]
    shape = columns[f"_shape_{name}"][0].as_py() if f"_shape_{name}" in columns else None
    return Cell(value=None, shape=None if shape is None else tuple(shape), digest=_digest_in(columns, name))


def state_now(table: OverlayTable, row: int) -> SampleState:
    """Return the sample as it is now, edits included."""
    rows = np.array([row], np.int64)
    specs = table.stored.specs
    cells = table.cells(rows, list(specs))
    return SampleState(meta=table.stored.snapshot.meta, specs=specs, cells={name: cells[name][0] for name in specs})
