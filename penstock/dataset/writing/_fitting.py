"""Appended rows as another writer's types and groups take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock.dataset.writing._groups import unequal_cells
from penstock.errors import ConflictError, SampleError
from penstock.tensors import Cell, TensorSpec, object_groups, recast, same_type

__all__ = ["Fitted", "fitted"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """Appended rows as they are written.

    Parameters
    ----------
    columns : dict of TensorSpec to sequence of Cell
        The samples.
    num_rows : int
        Number of them.
    refused : dict of int to str
        Appended rows that cannot be written, and why.
    gone : tuple of str
        Tensors that rows were appended to and that are no more.
    """

    columns: dict[TensorSpec, Sequence[Cell]]
    num_rows: int
    refused: dict[int, str]
    gone: tuple[str, ...]

    def error(self) -> ConflictError | None:
        """Return what to say of values that another writer's change kept out, None where all are written."""
        if self.gone:
            return ConflictError(
                f"the tensor {', '.join(map(repr, self.gone))} no longer exists because another process removed it. "
                f"The {self.num_rows} appended samples were stored without it"
            )
        if not self.refused:
            return None
        row, reason = min(self.refused.items())
        return ConflictError(
            f"{len(self.refused)} of {self.num_rows + len(self.refused)} appended samples do not fit what another "
            f"process has stored in the meantime (sample {row} of them: {reason}). "
            f"The other {self.num_rows} were stored",
            hint="append these samples again in the current form of the tensor",
        )


def fitted(columns: Mapping[TensorSpec, Sequence[Cell]], ours: Mapping[str, TensorSpec], num_rows: int) -> Fitted:
    """Leave out the rows that do not fit what another writer fixed first.

    Parameters
    ----------
    columns : mapping of TensorSpec to sequence of Cell
        The rows, by the specs the head will have.
    ours : mapping of str to TensorSpec
        The specs the rows were checked against.
    num_rows : int
        Number of rows.

    Returns
    -------
    Fitted
        What can be written, and what cannot.
    """
    refused: dict[int, str] = {}
    found = {spec: _recast(cells, ours[spec.name], spec, refused) for spec, cells in columns.items()}
    known = {spec.name: spec for spec in found}
    if object_groups(known) != object_groups(ours):
        refused.update(unequal_cells(known, {spec.name: cells for spec, cells in found.items()}))
    if refused:
        found = {spec: [cell for row, cell in enumerate(cells) if row not in refused] for spec, cells in found.items()}
    gone = tuple(name for name in ours if name not in known)
    return Fitted(columns=found, num_rows=num_rows - len(refused), refused=refused, gone=gone)


def _recast(cells: Sequence[Cell], ours: TensorSpec, theirs: TensorSpec, refused: dict[int, str]) -> Sequence[Cell]:
    """Return cells as the type another writer fixed takes them; the rows it cannot take go to `refused`."""
    if same_type(ours, theirs) or not theirs.is_typed:
        return cells
    found = list(cells)
    for row, cell in enumerate(cells):
        try:
            found[row] = recast(cell, ours, theirs)
        except SampleError as error:
            refused.setdefault(row, error.message)
    return found
