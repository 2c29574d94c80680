"""Edits that are not committed: cells by tensor and identity."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from penstock.tensors import Cell

__all__ = ["Draft"]

Edits = Mapping[int, Cell]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draft:
    """Edits over one head; immutable, a new edit makes a new draft.

    Parameters
    ----------
    edits : mapping of str to mapping of int to Cell
        For each tensor, the new sample of each edited uid.
    """

    edits: Mapping[str, Edits] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is any edit."""
        return any(self.edits.values())

    def __len__(self) -> int:
        """Return the number of edited samples, counted once for each tensor."""
        return sum(len(edits) for edits in self.edits.values())

    def with_edits(self, tensor: str, cells: Edits) -> Draft:
        """Return this draft with more edits of one tensor; later ones win."""
        merged = {**self.edits.get(tensor, {}), **cells}
        return Draft(edits={**self.edits, tensor: merged})

    def without(self, uids: set[int], tensor: str | None = None) -> Draft:
        """Return this draft without the edits of some samples, of one tensor or of all."""
        kept = {
            name: edits if tensor not in {None, name} else {uid: cell for uid, cell in edits.items() if uid not in uids}
            for name, edits in self.edits.items()
        }
        return Draft(edits={name: edits for name, edits in kept.items() if edits})

    def digest(self, tensor: str | None = None) -> str:
        """Return a hash of the edits of a tensor, or of all; empty where there are none."""
        names = sorted(self.edits) if tensor is None else [tensor]
        whole = hashlib.blake2b(digest_size=8)
        seen = False
        for name in names:
            for uid in sorted(self.edits.get(name, ())):
                seen = True
                cell = self.edits[name][uid]
                value = (
                    cell.value if cell.value is None or isinstance(cell.value, (bytes, str)) else cell.value.tobytes()
                )
                whole.update(repr((name, uid, value, cell.shape, cell.creds_key)).encode())
        return whole.hexdigest() if seen else ""
