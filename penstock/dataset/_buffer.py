"""Rows that are checked but not written yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from penstock.dataset._groups import unequal_cells
from penstock.errors import ConflictError, SampleError
from penstock.tensors import Cell, TensorSpec, object_groups, recast, same_type, with_type_of

__all__ = ["Buffer", "Fitted"]

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
    """

    specs: dict[str, TensorSpec]
    stored: dict[str, TensorSpec]
    cells: dict[str, list[Cell]] = field(default_factory=dict)
    link_roots: set[str] = field(default_factory=set)
    num_rows: int = 0
    num_bytes: int = 0

    @classmethod
    def over(cls, specs: Mapping[str, TensorSpec]) -> Buffer:
        """Return an empty buffer over stored specs."""
        return cls(specs=dict(specs), stored=dict(specs))

    @property
    def is_full(self) -> bool:
        """Whether it is time to write."""
        return self.num_rows >= _MAX_ROWS or self.num_bytes >= _MAX_BYTES

    def add(self, specs: Mapping[str, TensorSpec], columns: Mapping[str, Sequence[Cell]], num_rows: int) -> None:
        """Take checked rows."""
        self.specs.update(specs)
        for name, cells in columns.items():
            self.cells.setdefault(name, []).extend(cells)
            self.num_bytes += sum(cell.num_bytes for cell in cells)
            self.specs[name] = _widened(self.specs[name], cells)
        self.num_rows += num_rows

    def merged(self, head: Mapping[str, TensorSpec]) -> dict[str, TensorSpec]:
        """Return specs for the head: what another writer added to it stays, in front of ours."""
        merged = {}
        for name, theirs in head.items():
            ours = self.specs.get(name, theirs)
            known = self.stored[name].class_names if name in self.stored else ()
            added = (entry for entry in ours.class_names[len(known) :] if entry not in theirs.class_names)
            typed = with_type_of(theirs, ours)
            merged[name] = replace(typed, class_names=theirs.class_names + tuple(added))
            if theirs.htype == "class_label":
                merged[name] = replace(
                    merged[name],
                    length_min=_least(theirs.length_min, ours.length_min),
                    length_max=_greatest(theirs.length_max, ours.length_max),
                )
        return merged

    def fitted(self, merged: Mapping[str, TensorSpec]) -> Fitted:
        """Return the rows as the head's specs take them, without those that do not fit what another writer fixed."""
        refused: dict[int, str] = {}
        columns = {
            spec: _recast(cells, self.specs[spec.name], spec, refused)
            for spec, cells in self._renumbered(merged).items()
        }
        known = {spec.name: spec for spec in columns}
        if object_groups(known) != object_groups(self.specs):
            refused.update(unequal_cells(known, {spec.name: cells for spec, cells in columns.items()}))
        if refused:
            columns = {
                spec: [cell for row, cell in enumerate(cells) if row not in refused] for spec, cells in columns.items()
            }
        gone = tuple(name for name in self.cells if name not in merged)
        return Fitted(columns=columns, num_rows=self.num_rows - len(refused), refused=refused, gone=gone)

    def _renumbered(self, merged: Mapping[str, TensorSpec]) -> dict[TensorSpec, list[Cell]]:
        """Return the cells by merged spec; ids follow where another writer named classes first."""
        columns = {}
        for name, cells in self.cells.items():
            if name not in merged:
                continue
            ids = _new_ids(self.stored[name].class_names, self.specs[name].class_names, merged[name].class_names)
            if ids is not None:
                cells = [Cell(value=ids[np.asarray(cell.value, np.int64)]) for cell in cells]  # noqa: PLW2901  the same cells, renumbered
            columns[merged[name]] = cells
        return columns


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """Appended rows as they are written.

    Parameters
    ----------
    columns : dict of TensorSpec to list of Cell
        The samples.
    num_rows : int
        Number of them.
    refused : dict of int to str
        Appended rows that cannot be written, and why.
    gone : tuple of str
        Tensors that rows were appended to and that are no more.
    """

    columns: dict[TensorSpec, list[Cell]]
    num_rows: int
    refused: dict[int, str]
    gone: tuple[str, ...]

    def error(self) -> ConflictError | None:
        """Return what to tell of rows that another writer's change kept out, None where all are written."""
        if self.gone:
            return ConflictError(
                f"the tensor {', '.join(map(repr, self.gone))} is gone: another writer took it away; "
                f"the {self.num_rows} samples that were appended are stored without it"
            )
        if not self.refused:
            return None
        row, reason = next(iter(sorted(self.refused.items())))
        return ConflictError(
            f"{len(self.refused)} of {self.num_rows + len(self.refused)} appended samples do not fit what another "
            f"writer stored meanwhile (sample {row} of them: {reason}); the other {self.num_rows} are stored",
            hint="append those again in the form the tensor has now",
        )


def _recast(cells: Sequence[Cell], ours: TensorSpec, theirs: TensorSpec, refused: dict[int, str]) -> list[Cell]:
    """Return cells as the type another writer fixed takes them; the rows it cannot take go to `refused`."""
    if same_type(ours, theirs) or not theirs.is_typed:
        return list(cells)
    found = list(cells)
    for row, cell in enumerate(cells):
        try:
            found[row] = recast(cell, ours, theirs)
        except SampleError as error:
            refused.setdefault(row, error.message)
    return found


def _new_ids(known: tuple[str, ...], ours: tuple[str, ...], merged: tuple[str, ...]) -> NDArray[np.int64] | None:
    """Return the merged index of each of our classes, None where none has moved; a renamed class keeps its index."""
    if merged[: len(ours)] == ours:
        return None
    places = {entry: index for index, entry in enumerate(merged)}
    ids = []
    for index, entry in enumerate(ours):
        renamed = index < len(known) and index < len(merged) and merged[index] not in known
        if entry not in places and not renamed:
            raise ConflictError(f"the class {entry!r} was merged into another while samples of it were appended")
        ids.append(places.get(entry, index))
    return np.array(ids, np.int64)


def _widened(spec: TensorSpec, cells: Sequence[Cell]) -> TensorSpec:
    if spec.htype not in {"class_label", "embedding"} or not cells:
        return spec
    lengths = [len(cell.value) for cell in cells if cell.value is not None]
    if not lengths:
        return spec
    return replace(
        spec,
        length_min=_least(spec.length_min, min(lengths)),
        length_max=_greatest(spec.length_max, max(lengths)),
    )


def _least(first: int | None, second: int | None) -> int | None:
    known = [value for value in (first, second) if value is not None]
    return min(known) if known else None


def _greatest(first: int | None, second: int | None) -> int | None:
    known = [value for value in (first, second) if value is not None]
    return max(known) if known else None
