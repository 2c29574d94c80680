"""Edits that are not committed: cells by tensor and identity."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from penstock.tensors import Cell

__all__ = ["Draft", "Edits", "cell_mark"]

Edits = Mapping[int, Cell]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draft:
    """Edits on top of one head; immutable, so a new edit makes a new draft.

    Parameters
    ----------
    edits : mapping of str to mapping of int to Cell
        For each tensor, the new sample of each edited uid.
    marks : mapping of str to int
        For each tensor, the exclusive or of its edits' hashes: as many operations as a
        new edit has samples, the same for the same edits in any order.
    """

    edits: Mapping[str, Edits] = field(default_factory=dict)
    marks: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether there are any edits."""
        return any(self.edits.values())

    def __len__(self) -> int:
        """Return the number of edited samples, counted once for each tensor."""
        return sum(len(edits) for edits in self.edits.values())

    def with_edits(self, tensor: str, cells: Edits) -> Draft:
        """Return this draft with more edits of one tensor; later ones win."""
        before = self.edits.get(tensor, {})
        mark = self.marks.get(tensor, 0)
        for uid, cell in cells.items():
            if uid in before:
                mark ^= cell_mark(uid, before[uid])
            mark ^= cell_mark(uid, cell)
        return Draft(edits={**self.edits, tensor: {**before, **cells}}, marks={**self.marks, tensor: mark})

    def without(self, uids: set[int] | None, tensor: str | None = None) -> Draft:
        """Return this draft without the edits of some samples (None: all), of one tensor or of all."""
        left = Draft()
        for name, edits in self.edits.items():
            touched = tensor in {None, name}
            gone = edits.keys() if uids is None else uids
            kept = {uid: cell for uid, cell in edits.items() if uid not in gone} if touched else edits
            if kept:
                left = left.with_edits(name, kept)
        return left

    def only(self, uids: set[int]) -> Draft:
        """Return the edits of some samples alone."""
        found = Draft()
        for name, edits in self.edits.items():
            kept = {uid: cell for uid, cell in edits.items() if uid in uids}
            found = found.with_edits(name, kept) if kept else found
        return found

    def digest(self, tensor: str | None = None) -> str:
        """Return a hash of the edits of a tensor, or of all; empty if there are none."""
        if tensor is not None:
            return f"{self.marks.get(tensor, 0):016x}" if self.edits.get(tensor) else ""
        if not self:
            return ""
        marks = sorted((name, mark) for name, mark in self.marks.items() if self.edits.get(name))
        return hashlib.blake2b(repr(marks).encode(), digest_size=8).hexdigest()


def cell_mark(uid: int, cell: Cell) -> int:
    """Return a hash of an edit: of the sample and its new value, 64 bits."""
    value = cell.value if cell.value is None or isinstance(cell.value, (bytes, str)) else cell.value.tobytes()
    told = repr((uid, value, cell.shape, cell.creds_key)).encode()
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "big")
