"""A table of multi-label cells to columns of class labels and numbers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock.errors import ImporterError, nearest
from penstock.table import Ragged

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["parse_labels", "read_table", "table_column"]

_MOST_CLASSES = 10_000


def read_table(table: pd.DataFrame | str | os.PathLike[str]) -> pd.DataFrame:
    """Return a DataFrame as it is, or read a CSV file, plain or compressed."""
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    if not isinstance(table, str | os.PathLike):
        raise ImporterError(f"table is a {type(table).__name__}; expected a pandas DataFrame or the path of a CSV file")
    try:
        return pd.read_csv(Path(table), index_col=False, low_memory=False)
    except FileNotFoundError:
        raise ImporterError(f"no table {str(table)!r}; expected a CSV file") from None
    except (ValueError, OSError, EOFError) as error:
        raise ImporterError(f"{table} cannot be read as CSV: {' '.join(str(error).split())}") from None


def table_column(table: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return a column; an unknown name gets the nearest right one."""
    if column not in table.columns:
        names = [str(name) for name in table.columns]
        like = nearest(column, names)
        raise ImporterError(
            f"the table has no column {column!r}; its columns are {', '.join(names)}",
            hint=f"did you mean {like!r}?" if like else None,
        )
    found = table[column]
    if found.ndim > 1:
        raise ImporterError(f"the table has {found.shape[1]} columns named {column!r}; expected one")
    return found


def parse_labels(
    cells: pd.Series[Any],
    *,
    separator: str | None = "|",
    rename: Mapping[str, str] | None = None,
    class_names: Sequence[str] | None = None,
) -> Ragged:
    """Split cells of class names; each distinct cell is parsed once.

    Parameters
    ----------
    cells : Series
        Text such as ``"Mass|Hernia"``; empty and missing cells are samples without label.
    separator : str, optional
        What stands between names; None takes a cell as one name.
    rename : mapping of str to str, optional
        Names to replace, old to new.
    class_names : sequence of str, optional
        The classes by index; else the names in order of first appearance, or a
        categorical column's categories.

    Returns
    -------
    Ragged
        int64 class indices, ascending and without repeats in each row, so that
        rows with the same labels are equal however the cell lists them.

    Raises
    ------
    ImporterError
        If a name is not among `class_names`, or there are more than 10,000 names.
    """
    import pandas as pd

    codes, distinct = pd.factorize(cells)
    names_of = [_names(cell, separator, rename or {}) for cell in distinct]
    fixed = class_names is not None or isinstance(cells.dtype, pd.CategoricalDtype)
    known = [*(class_names if class_names is not None else _categories(cells, names_of))]
    classes = _index(names_of, known, fixed=fixed, column=str(cells.name))
    rows = [np.unique([classes[name] for name in names]).astype(np.int64) for names in names_of]
    rows.append(np.empty(0, np.int64))  # code -1: the cell is missing
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    by_cell = Ragged(values=np.concatenate(rows), offsets=offsets, class_names=tuple(classes))
    return by_cell.take(np.where(codes < 0, len(rows) - 1, codes).astype(np.int64))


def _names(cell: object, separator: str | None, rename: Mapping[str, str]) -> list[str]:
    parts = str(cell).split(separator) if separator else [str(cell)]
    names = (part.strip() for part in parts)
    return [rename.get(name, name) for name in names if name]


def _categories(cells: pd.Series[Any], names_of: list[list[str]]) -> list[str]:
    import pandas as pd

    if isinstance(cells.dtype, pd.CategoricalDtype):
        return [str(name) for name in cells.cat.categories]
    return list(dict.fromkeys(name for names in names_of for name in names))


def _index(names_of: list[list[str]], known: list[str], *, fixed: bool, column: str) -> dict[str, int]:
    if len(known) > _MOST_CLASSES:
        raise ImporterError(
            f"column {column!r} has {len(known):,} different names; expected class labels, at most {_MOST_CLASSES:,}",
            hint=f"for text, give ({column!r}, 'text')",
        )
    classes = {name: index for index, name in enumerate(known)}
    if fixed:
        unknown = next((name for names in names_of for name in names if name not in classes), None)
        if unknown is not None:
            like = nearest(unknown, known)
            raise ImporterError(
                f"column {column!r} has {unknown!r}, which is not among the class names {', '.join(known[:8])}",
                hint=f"did you mean {like!r}?" if like else None,
            )
    return classes
