"""Class labels of every row, and how tables give them: names, several in a cell, lists, numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock._wording import nearest
from penstock.errors import ImporterError
from penstock.importers.columns._cells import class_name, is_missing
from penstock.table import Ragged

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MISSING_LABEL",
    "MOST_CLASSES",
    "LabelColumn",
    "check_number",
    "checked_names",
    "missing_note",
    "parse_labels",
    "table_labels",
]

MISSING_LABEL = -1
MOST_CLASSES = 10_000
_NUMBER = re.compile(r"-?\d+(\.0*)?")  # a column of integers with gaps is written with points


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelColumn:
    """Class labels of every row, those that cannot be read apart.

    Parameters
    ----------
    labels : Ragged
        int64 class indices, with the class names.
    problems : mapping of int to ImporterError
        Row to what is wrong with it.
    notes : tuple of str
        How the column was understood, where it could have been otherwise.
    """

    labels: Ragged
    problems: Mapping[int, ImporterError] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def sample(self, row: int) -> NDArray[np.int64]:
        """Return the labels of a row, or raise an error about it."""
        if row in self.problems:
            raise self.problems[row]
        return self.labels.row(row)


def checked_names(class_names: Sequence[str] | None, name: str) -> tuple[str, ...] | None:
    """Return class names a user gave, checked: different, not empty, text.

    Raises
    ------
    ImporterError
        If they are anything else.
    """
    if class_names is None:
        return None
    is_list = not isinstance(class_names, str | bytes | Mapping) and hasattr(class_names, "__iter__")
    given = list(class_names) if is_list else None
    if given is None or not all(isinstance(entry, str) and entry for entry in given):
        raise ImporterError(f"the class_names of {name!r} are {class_names!r}. Expected a list of names, as text")
    doubled = next((entry for position, entry in enumerate(given) if entry in given[:position]), None)
    if doubled is not None:
        raise ImporterError(f"the class_names of {name!r} contain {doubled!r} twice. Expected every name once")
    return tuple(str(entry) for entry in given)


def missing_note(num_rows: int) -> tuple[str, ...]:
    """Return a note about the samples in which -1 was treated as no label."""
    return (f"-1 in {num_rows:,} sample{'' if num_rows == 1 else 's'}, treated as no label",) if num_rows else ()


def check_number(known: Sequence[str], column: str) -> None:
    """Raise if there are too many names for a class label tensor."""
    if len(known) > MOST_CLASSES:
        raise ImporterError(
            f"column {column!r} has {len(known):,} different names. Expected class labels, at most {MOST_CLASSES:,}",
            hint=f"for text, use ({column!r}, 'text')",
        )


def parse_labels(
    cells: pd.Series[Any],
    *,
    separator: str | None = "|",
    rename: Mapping[str, str] | None = None,
    class_names: Sequence[str] | None = None,
) -> Ragged:
    """Return the labels of a column of a table, as `table_labels` does.

    Raises
    ------
    ImporterError
        If a cell cannot be read, a name is not among `class_names`, or there are
        more than 10,000 names.
    """
    found = table_labels(cells, separator=separator, rename=rename, class_names=class_names)
    for row in sorted(found.problems):
        raise found.problems[row]
    return found.labels


def table_labels(
    cells: pd.Series[Any],
    *,
    separator: str | None = "|",
    rename: Mapping[str, str] | None = None,
    class_names: Sequence[str] | None = None,
) -> LabelColumn:
    """Split cells of class names; each distinct cell is parsed once.

    Parameters
    ----------
    cells : Series
        Text such as ``"Mass|Hernia"``, lists of names, numbers; empty and missing
        cells are samples without label.
    separator : str, optional
        What stands between names in text; None takes a cell as one name.
    rename : mapping of str to str, optional
        Names to replace, old to new.
    class_names : sequence of str, optional
        The classes by index; else the names in order of first appearance, or a
        categorical column's categories. Numbers that are none of the names are
        indices then, and -1 is a sample without label.

    Returns
    -------
    LabelColumn
        Indices ascending and without repeats in each row, so that rows with the
        same labels are equal however the cell lists them.

    Raises
    ------
    ImporterError
        If there are more than 10,000 names, or lists are 0 and 1 for each class.
    """
    import pandas as pd

    column, fixed = str(cells.name), checked_names(class_names, str(cells.name))
    codes, distinct = pd.factorize(_hashable(cells))
    parsed = [_names(cell, separator, rename or {}, column) for cell in distinct]
    names_of: list[list[str]] = [[] if isinstance(found, ImporterError) else found for found in parsed]
    known = list(fixed) if fixed is not None else _categories(cells, names_of)
    check_number(known, column)
    _refuse_flags(names_of, len(known), column)
    ids = _ids(names_of, known, indices=fixed is not None)
    wrong = {code: found for code, found in enumerate(parsed) if isinstance(found, ImporterError)}
    if fixed is not None or isinstance(cells.dtype, pd.CategoricalDtype):
        unknown = {code: [name for name in names if name not in ids] for code, names in enumerate(names_of)}
        wrong |= {code: _unknown(names[0], known, column) for code, names in unknown.items() if names}
    rows = [np.unique([ids[name] for name in names if name in ids]).astype(np.int64) for names in names_of]
    gone = {code for code, row in enumerate(rows) if MISSING_LABEL in row}
    rows = [row[row != MISSING_LABEL] for row in rows] + [np.empty(0, np.int64)]  # the last: the cell is missing
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    by_cell = Ragged(values=np.concatenate(rows), offsets=offsets, class_names=tuple(known))
    places = np.where(codes < 0, len(rows) - 1, codes).astype(np.int64)
    return LabelColumn(
        labels=by_cell.take(places),
        problems={row: wrong[code] for row, code in enumerate(codes.tolist()) if code in wrong} if wrong else {},
        notes=missing_note(int(np.isin(codes, list(gone)).sum())),
    )


def _hashable(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return the column with lists as tuples; what is no label at all stays, as text that says so."""
    import pandas as pd

    if cells.dtype.kind != "O" or isinstance(cells.dtype, pd.StringDtype):
        return cells
    if pd.api.types.infer_dtype(cells, skipna=True) == "string":
        return cells
    keys = np.empty(len(cells), object)
    keys[:] = [_key(cell) for cell in cells.tolist()]
    return pd.Series(keys, name=cells.name)


@dataclass(frozen=True, slots=True)
class _Odd:
    """A value that is not a class label."""

    shown: str


def _key(cell: object) -> object:
    """Return a cell as what can be compared; a date and the like by its text."""
    if isinstance(cell, set | frozenset):
        cell = sorted(cell, key=str)
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if isinstance(cell, list | tuple):
        return tuple(_Odd(repr(entry)) if _is_odd(entry) else entry for entry in cell)
    if is_missing(cell) or isinstance(cell, str | bool | int | float | np.generic):
        return cell
    return _Odd(repr(cell)) if isinstance(cell, Mapping | bytes | complex) else str(cell)


def _is_odd(entry: object) -> bool:
    """Return whether an entry of a list is no class; a bool there would be one of a number for each class."""
    return isinstance(entry, bool | np.bool_) or not (isinstance(entry, str | int | float | np.number) or entry is None)


def _names(cell: object, separator: str | None, rename: Mapping[str, str], column: str) -> list[str] | ImporterError:
    entries: Sequence[object] = cell if isinstance(cell, tuple) else (cell,)
    if isinstance(cell, str) and separator:
        entries = cell.split(separator)
    odd = next((entry for entry in entries if isinstance(entry, _Odd)), None)
    if odd is not None:
        return ImporterError(f"column {column!r} has {odd.shown[:60]}. Expected class names or lists of them")
    names = (class_name(entry) for entry in entries if not is_missing(entry))
    return [rename.get(name, name) for name in names if name]


def _categories(cells: pd.Series[Any], names_of: Sequence[Sequence[str]]) -> list[str]:
    import pandas as pd

    if isinstance(cells.dtype, pd.CategoricalDtype):
        return list(dict.fromkeys(class_name(name) for name in cells.cat.categories))
    return list(dict.fromkeys(name for names in names_of for name in names))


def _ids(names_of: Sequence[Sequence[str]], known: Sequence[str], *, indices: bool) -> dict[str, int]:
    """Return the index of each name; numbers that are not names are indices."""
    ids = {name: index for index, name in enumerate(known)}
    met = {name for names in names_of for name in names}
    if indices and met and all(_NUMBER.fullmatch(name) and name not in ids for name in met):
        return {name: int(float(name)) for name in met if MISSING_LABEL <= float(name) < len(known)}
    if indices and str(MISSING_LABEL) not in ids:
        ids[str(MISSING_LABEL)] = MISSING_LABEL
    return ids


def _unknown(name: str, known: Sequence[str], column: str) -> ImporterError:
    like = nearest(name, known)
    return ImporterError(
        f"column {column!r} has {name!r}, which is not a class name. Expected one of: {', '.join(known[:8])}",
        hint=f"did you mean {like!r}?" if like else None,
    )


def _refuse_flags(names_of: Sequence[Sequence[str]], num_classes: int, column: str) -> None:
    """Refuse lists that are 0 and 1 for each class: taken as indices they would be wrong without a word."""
    lists = [names for names in names_of if len(names) > 1]
    if lists and num_classes > 1 and all(len(names) == num_classes and set(names) <= {"0", "1"} for names in names_of):
        raise ImporterError(
            f"column {column!r} has lists of 0 and 1, one number for each of {num_classes} classes. "
            "Expected lists of names",
            hint="use from_arrays for a matrix of bool",
        )
