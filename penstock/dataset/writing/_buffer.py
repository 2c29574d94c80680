"""Rows that are checked but not written yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConflictError
from penstock.table import new_index
from penstock.tensors import Cell, PackedCells, TensorSpec, with_type_of

__all__ = ["Buffer"]

_MAX_BYTES = 64 * 2**20
_MAX_ROWS = 100_000


@dataclass(slots=True)
class Buffer:
    """Cells of appended rows, and the specs as these rows leave them.

    Parameters
    ----------
    specs : dict of str to TensorSpec
        Every tensor; class names may be longer than what is stored.
    stored : dict of str to TensorSpec
        The specs when the buffer was last empty.
    keys : dict of str to tuple of str
        The keys of the classes those specs name.
    """

    specs: dict[str, TensorSpec]
    stored: dict[str, TensorSpec]
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    cells: dict[str, Sequence[Cell]] = field(default_factory=dict)
    link_roots: set[str] = field(default_factory=set)
    num_rows: int = 0
    num_bytes: int = 0

    @classmethod
    def over(cls, specs: Mapping[str, TensorSpec], keys: Mapping[str, tuple[str, ...]]) -> Buffer:
        """Return an empty buffer for stored specs and the keys of their classes."""
        return cls(specs=dict(specs), stored=dict(specs), keys=dict(keys))

    @property
    def is_full(self) -> bool:
        """Return whether it is time to write."""
        return self.num_rows >= _MAX_ROWS or self.num_bytes >= _MAX_BYTES

    def add(self, specs: Mapping[str, TensorSpec], columns: Mapping[str, Sequence[Cell]], num_rows: int) -> None:
        """Take checked rows."""
        self.specs.update(specs)
        for name, cells in columns.items():
            self._hold(name, cells)
            self.specs[name] = _widened(self.specs[name], cells)
        self.num_rows += num_rows

    def _hold(self, name: str, cells: Sequence[Cell]) -> None:
        held = self.cells.get(name)
        if isinstance(cells, PackedCells):
            self.num_bytes += cells.num_bytes
            if not held:
                self.cells[name] = cells
                return
        else:
            self.num_bytes += sum(cell.num_bytes for cell in cells)
        listed = self.cells[name] = held if isinstance(held, list) else list(held or ())
        listed.extend(cells)

    def merged(self, head: Mapping[str, TensorSpec]) -> dict[str, TensorSpec]:
        """Return specs for the head: what another writer added to it stays, in front of ours."""
        merged = {}
        for name, theirs in head.items():
            ours = self.specs.get(name, theirs)
            added = (entry for entry in self._new_names(name) if entry not in theirs.class_names)
            typed = with_type_of(theirs, ours)
            merged[name] = replace(typed, class_names=theirs.class_names + tuple(added))
            if theirs.htype == "class_label":
                merged[name] = replace(
                    merged[name],
                    length_min=_least(theirs.length_min, ours.length_min),
                    length_max=_greatest(theirs.length_max, ours.length_max),
                )
        return merged

    def _new_names(self, name: str) -> tuple[str, ...]:
        """Return the classes that these rows name first."""
        if name not in self.specs or name not in self.stored:
            return ()
        return self.specs[name].class_names[len(self.stored[name].class_names) :]

    def renumbered(
        self,
        merged: Mapping[str, TensorSpec],
        keys: Mapping[str, tuple[str, ...]],
        gone: Mapping[str, Mapping[str, str]],
    ) -> dict[TensorSpec, Sequence[Cell]]:
        """Return the cells by merged spec, labels as its classes count: by key, and by name where we name first."""
        columns: dict[TensorSpec, Sequence[Cell]] = {}
        for name, cells in self.cells.items():
            if name not in merged:
                continue
            index = self._index(name, merged[name], keys.get(name, ()), gone.get(name, {}))
            if index is not None:
                cells = [  # noqa: PLW2901  the same cells, renumbered
                    cell if cell.value is None else Cell(value=index[np.asarray(cell.value, np.int64)])
                    for cell in cells
                ]
            columns[merged[name]] = cells
        return columns

    def _index(
        self, name: str, merged: TensorSpec, keys: tuple[str, ...], gone: Mapping[str, str]
    ) -> NDArray[np.int64] | None:
        """Return the merged index of each of our classes; None if none has changed."""
        known, new = self.keys.get(name, ()), self._new_names(name)
        if not known and not new:
            return None
        moved = new_index(known, keys, gone)
        first = np.arange(len(known)) if moved is None else moved
        if (first < 0).any():
            lost = self.stored[name].class_names[int(np.flatnonzero(first < 0)[0])]
            raise ConflictError(f"the class {lost!r} was removed while samples with this class were being appended")
        index = np.array([*first.tolist(), *(merged.class_names.index(entry) for entry in new)], np.int64)
        return None if (index == np.arange(len(index))).all() else index


def _widened(spec: TensorSpec, cells: Sequence[Cell]) -> TensorSpec:
    if spec.htype not in {"class_label", "embedding"} or not cells:
        return spec
    bounds = cells.lengths if isinstance(cells, PackedCells) else _bounds(cells)
    if bounds is None:
        return spec
    return replace(
        spec, length_min=_least(spec.length_min, bounds[0]), length_max=_greatest(spec.length_max, bounds[1])
    )


def _bounds(cells: Sequence[Cell]) -> tuple[int, int] | None:
    lengths = [len(cell.value) for cell in cells if cell.value is not None]
    return (min(lengths), max(lengths)) if lengths else None


def _least(first: int | None, second: int | None) -> int | None:
    known = [value for value in (first, second) if value is not None]
    return min(known) if known else None


def _greatest(first: int | None, second: int | None) -> int | None:
    known = [value for value in (first, second) if value is not None]
    return max(known) if known else None
