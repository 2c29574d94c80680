"""The changes between two versions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penstock._wording import escaped
from penstock.dataset.shown._show import html_table, text_table
from penstock.table import OverlayTable, compare

__all__ = ["Diff"]

_HEADS = ("change", "samples", "rows")
_SHOWN = 8


class Diff:
    """Samples added, removed and edited between two versions.

    Parameters
    ----------
    before, after : OverlayTable
        The earlier and the later state.
    """

    def __init__(self, before: OverlayTable, after: OverlayTable) -> None:
        self._found = compare(before, after)
        self.before = before.version
        self.after = after.version

    @property
    def added(self) -> NDArray[np.int64]:
        """Rows of the later version that the earlier has not, int64."""
        return self._found.added

    @property
    def removed(self) -> NDArray[np.int64]:
        """Rows of the earlier version that the later has not, int64."""
        return self._found.removed

    @property
    def edited(self) -> dict[str, NDArray[np.int64]]:
        """For each tensor, rows of the later version whose sample was edited, int64."""
        return {name: rows for name, rows in self._found.edited.items() if len(rows)}

    @property
    def tensors_added(self) -> tuple[str, ...]:
        """Tensors that only the later version has."""
        return self._found.tensors_added

    @property
    def tensors_removed(self) -> tuple[str, ...]:
        """Tensors that only the earlier version has."""
        return self._found.tensors_removed

    @property
    def class_names(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """Class names before and after, of the tensors where they differ."""
        return self._found.class_names

    @property
    def aligned(self) -> dict[str, tuple[str | None, str | None]]:
        """First tensor of the object group before and after, of the tensors where it differs."""
        return self._found.aligned

    def __bool__(self) -> bool:
        """Return whether anything differs."""
        return bool(self._found)

    def _rows(self) -> list[tuple[str, str, str]]:
        rows = [_line("added", self.added), _line("removed", self.removed)]
        rows += [_line(f"edited: {name}", found) for name, found in self.edited.items()]
        rows += [(f"new tensor: {name}", "", "") for name in self.tensors_added]
        rows += [(f"tensor removed: {name}", "", "") for name in self.tensors_removed]
        rows += [(f"aligned: {name}", "", f"with {after or 'nothing'}") for name, (_, after) in self.aligned.items()]
        for name, (before, after) in self.class_names.items():
            new = [entry for entry in after if entry not in before]
            gone = [entry for entry in before if entry not in after]
            rows.append(
                (f"classes: {name}", "", " ".join([*(f"+{entry}" for entry in new), *(f"-{entry}" for entry in gone)]))
            )
        return [row for row in rows if row[1] != "0"]

    def __repr__(self) -> str:
        head = escaped(f"{self.before} → {self.after}")
        return f"{head}\n{text_table(_HEADS, self._rows())}" if self else f"{head}: no difference"

    def _repr_html_(self) -> str:
        import html

        head = f"<div>{html.escape(self.before)} → {html.escape(self.after)}</div>"
        return head + (html_table(_HEADS, self._rows()) if self else "<div>no difference</div>")


def _line(change: str, rows: NDArray[np.int64]) -> tuple[str, str, str]:
    shown = ", ".join(map(str, rows[:_SHOWN].tolist())) + (", …" if len(rows) > _SHOWN else "")
    return change, f"{len(rows):,}", shown
