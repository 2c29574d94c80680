"""The columns of a table that no tensor was asked for, and the text of all its cells."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock.errors import ImporterError
from penstock.formats._cells import cell_text, labels_text
from penstock.importers.building._report import IssueLog
from penstock.importers.building._write import Column
from penstock.importers.columns._cells import Cells, read_cells
from penstock.importers.columns._csv import typed
from penstock.importers.columns._tensor_names import free_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["keep_columns", "written_cells"]

_FILE = "file"


def keep_columns(
    frame: pd.DataFrame,
    used: Mapping[Hashable, str],
    taken: Sequence[str],
    log: IssueLog,
    *,
    is_text: bool,
    file: str | None,
) -> tuple[list[Column], list[str]]:
    """Return a tensor for each column that has none, and the name of the tensor of every column.

    Parameters
    ----------
    frame : DataFrame
        The table.
    used : mapping
        Column to the tensor that was asked for.
    taken : sequence of str
        Names of these tensors, and of the images.
    log : IssueLog
        Takes columns that no tensor can hold.
    is_text : bool
        Whether the table is a CSV file, of which all cells are text.
    file : str, optional
        The column of image file names.
    """
    columns: list[Column] = []
    names: list[str] = []
    for place, name in enumerate(frame.columns):
        if name in used:
            names.append(used[name])
            continue
        wanted = _FILE if name == file else str(name)
        tensor = free_name(wanted, [*taken, *(column.name for column in columns)])
        try:
            found = _read(frame.iloc[:, place], str(name), is_text=is_text, is_file=name == file)
        except ImporterError as error:
            log.ignore(str(name), f"a column that no tensor can store: {error.message}")
            names.append("")
            continue
        cells = _Cells(found, is_file=name == file)
        columns.append(
            Column(
                name=tensor,
                htype=found.htype,
                sample=found.samples.__getitem__ if isinstance(found.samples, list | np.ndarray) else cells.read,
                options=found.options,
                notes=cells.notes,
                left_out=cells.left_out,
                whole=found.samples,
            )
        )
        names.append(tensor)
    return columns, names


def _read(cells: pd.Series[Any], name: str, *, is_text: bool, is_file: bool) -> Cells:
    if is_file:
        return read_cells(cells, name, "text", words="text")
    found = read_cells(typed(cells) if is_text else cells, name, None, words="text")
    return read_cells(cells, name, "text", words="text") if found.htype in ("text", "class_label") else found


class _Cells:
    """Cells of a column that nobody asked for: one that no tensor can hold is left empty and counted."""

    def __init__(self, found: Cells, *, is_file: bool) -> None:
        self._samples = found.samples
        self._is_file = is_file
        self.left_out: set[int] = set()

    def read(self, row: int) -> Any:
        """Return the value of a row."""
        try:
            return self._samples[row]
        except ImporterError:
            self.left_out.add(row)
            return None

    def notes(self) -> tuple[str, ...]:
        """Return how many cells were left out; the files of images are images, whatever their cells are."""
        count = len(self.left_out)
        return () if self._is_file or not count else (f"{count:,} cells have values that no tensor can store",)


def written_cells(
    frame: pd.DataFrame, names: Sequence[str], columns: Sequence[Column], separator: str | None
) -> Callable[[int], dict[str, list[str]] | None] | None:
    """Return what reads the cells of a row that an export would write in another way; None if there are none.

    Parameters
    ----------
    frame : DataFrame
        The table, of which all cells are text.
    names : sequence of str
        Tensor of each column; empty where it has none.
    columns : sequence of Column
        The tensors.
    separator : str, optional
        What stands between labels in a cell.
    """
    by_name = {column.name: column for column in columns}
    listed = {name: frame.iloc[:, place] for place, name in enumerate(names) if name in by_name}
    found = {name: _odd_texts(cells, by_name[name], separator) for name, cells in listed.items()}
    odd = {name: (listed[name].tolist(), texts) for name, texts in found.items() if texts}

    def of_row(row: int) -> dict[str, list[str]] | None:
        own = {name: (cells[row] if isinstance(cells[row], str) else "", texts) for name, (cells, texts) in odd.items()}
        return {name: [text, texts[text]] for name, (text, texts) in own.items() if text in texts} or None

    return of_row if odd else None


def _odd_texts(cells: pd.Series[Any], column: Column, separator: str | None) -> dict[str, str]:
    """Return the texts of a column that an export would write in another way, with what it would write."""
    if column.htype not in ("class_label", "generic"):
        return {}
    rows = np.flatnonzero(~cells.duplicated().to_numpy())
    texts = [text if isinstance(text, str) else "" for text in cells.iloc[rows].tolist()]
    found = {}
    for text, row in zip(texts, rows.tolist(), strict=True):
        try:
            value = column.sample(row)
        except ImporterError:
            continue  # the row is refused when it is written
        names = column.options.get("class_names", ())
        usual = labels_text(value, names, separator) if column.htype == "class_label" else cell_text(value)
        if text != usual:
            found[text] = usual
    return found
