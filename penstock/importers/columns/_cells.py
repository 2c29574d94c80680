"""Columns of cells: which kind of tensor each is, and its samples."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImporterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Cells", "class_name", "is_missing", "plain_json", "read_cells"]

Cell = Any  # any value in a table

_KIND_OF = {
    "boolean": "boolean",
    "integer": "integer",
    "floating": "floating",
    "mixed-integer-float": "floating",
    "decimal": "decimal",
    "string": "string",
    "empty": "string",
    "categorical": "string",
    "datetime": "time",
    "datetime64": "time",
    "date": "time",
    "time": "time",
    "period": "time",
    "interval": "time",
    "timedelta": "duration",
    "timedelta64": "duration",
    "complex": "complex",
    "bytes": "bytes",
}
_INT64, _UINT64 = np.iinfo(np.int64), np.iinfo(np.uint64)
_MISSING_TYPES = ("NAType", "NaTType")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """The tensor that a column of cells becomes.

    Parameters
    ----------
    htype : str
        Kind of tensor.
    samples : sequence
        One value a row, None where the cell is missing.
    options : dict
        Further options of `Dataset.create_tensor`.
    """

    htype: str
    samples: Sequence[Any] | NDArray[Any]
    options: dict[str, Any] = field(default_factory=dict)


class _Each(Sequence[Any]):
    """Cells, each converted when it is read, so that an invalid one is rejected alone."""

    def __init__(self, cells: Sequence[Cell], turn: Callable[[Cell], Any]) -> None:
        self._cells = cells
        self._turn = turn

    def __len__(self) -> int:
        return len(self._cells)

    def __getitem__(self, row: Any) -> Any:
        return self._turn(self._cells[row])


def is_missing(cell: Cell) -> bool:
    """Return whether a cell is empty: None, NaN, NaT or pandas' NA."""
    if type(cell) is str:
        return False
    if cell is None or (isinstance(cell, float | np.floating) and math.isnan(cell)):
        return True
    return type(cell).__name__ in _MISSING_TYPES or cell is np.ma.masked


def class_name(cell: Cell) -> str:
    """Return the name of a class; an integer that pandas stores as a float is shown without a point."""
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell).strip()


def read_cells(cells: pd.Series[Any], name: str, htype: str | None, *, words: str) -> Cells:
    """Turn a column into samples.

    Parameters
    ----------
    cells : Series
        Of any type of pandas, numpy or Python.
    name : str
        The column's, for messages.
    htype : str, optional
        The kind that is asked for; by default what the cells are.
    words : str
        The kind that text without a kind becomes.

    Returns
    -------
    Cells
        Numbers as ``generic`` of their type, integers with missing ones too;
        times as text in ISO 8601, durations as seconds, decimals as numbers where
        these are exact, dictionaries as ``json``, lists of numbers as ``generic``.
        Of text alone the kind is told, and no samples are made.

    Raises
    ------
    ImporterError
        If the cells are of a type that no tensor holds, or not of the kind that is asked for.
    """
    cells = _dense(cells)
    if htype == "text":
        listed = cells.tolist()
        plain = _plain_texts(listed)
        return Cells(htype=htype, samples=_Each(listed, lambda cell: _text(cell, name)) if plain is None else plain)
    if htype == "json":
        return Cells(htype=htype, samples=_Each(cells.tolist(), plain_json))
    if htype not in (None, "generic"):
        return Cells(htype=str(htype), samples=[None if is_missing(cell) else cell for cell in cells.tolist()])
    kind = _kind(cells)
    if kind in _READERS:
        return _READERS[kind](cells)
    if htype == "generic" or kind not in ("string", "names"):
        shown = next((repr(cell) for cell in cells.tolist() if not is_missing(cell)), "no values")
        expected = "numbers" if htype else "numbers, text, lists or times"
        raise ImporterError(
            f"column {name!r} has {shown[:60]}, {kind}. Expected {expected}",
            hint=f"for text, use ({name!r}, 'text')" if kind in ("string", "mixed values") else None,
        )
    return Cells(htype="class_label" if kind == "names" else words, samples=())


def _dense(cells: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    if isinstance(cells.dtype, pd.SparseDtype):
        return pd.Series(np.asarray(cells.array), name=cells.name)
    if isinstance(cells.dtype, pd.CategoricalDtype | pd.PeriodDtype | pd.IntervalDtype):
        return cells
    if type(cells.dtype).__name__ == "ArrowDtype" and cells.dtype.kind not in "biufMm":
        return cells.astype(object)
    return cells


def _kind(cells: pd.Series[Any]) -> str:
    """Return what kind of values the cells are, by their type or else by checking all of them."""
    import pandas as pd

    if isinstance(cells.dtype, pd.CategoricalDtype):
        return "names"
    told = {
        "b": "boolean",
        "i": "integer",
        "u": "integer",
        "f": "floating",
        "M": "time",
        "m": "duration",
        "c": "complex",
    }
    if cells.dtype.kind in told:
        return told[cells.dtype.kind]
    if pd.api.types.infer_dtype(cells, skipna=True) in ("string", "empty"):
        return "string"
    present = [cell for cell in cells.tolist() if not is_missing(cell)]
    found = _KIND_OF.get(pd.api.types.infer_dtype(present, skipna=True))
    if found == "integer" and any(not _INT64.min <= cell <= _UINT64.max for cell in present):
        return "string"  # an identifier: numbers of this size are held by no type
    return found or _kind_of_objects(present)


def _kind_of_objects(present: Sequence[Cell]) -> str:
    if all(isinstance(cell, Mapping) for cell in present):
        return "dictionaries"
    if all(isinstance(cell, list | tuple | set | frozenset | np.ndarray) for cell in present):
        return _kind_of_lists(present)
    if all(isinstance(cell, str | bool | int | float | np.generic) for cell in present):
        return "string"
    return "mixed values"


def _kind_of_lists(present: Sequence[Cell]) -> str:
    flat = [entry for cell in present for entry in (cell.ravel().tolist() if isinstance(cell, np.ndarray) else cell)]
    if all(isinstance(entry, str) or entry is None for entry in flat):
        return "names"
    if all(isinstance(entry, bool | int | float | np.bool_ | np.number) for entry in flat):
        return "numbers"
    try:
        shapes = [np.asarray(cell, np.float64).ndim for cell in present]
    except (TypeError, ValueError):
        return "dictionaries"
    return "numbers" if len(set(shapes)) == 1 else "dictionaries"


def _numbers(cells: pd.Series[Any], dtype: str) -> Cells:
    if cells.dtype.name == dtype:
        return Cells(htype="generic", samples=cells.to_numpy(), options={"dtype": dtype})
    samples = [None if is_missing(cell) else cell for cell in cells.tolist()]
    return Cells(htype="generic", samples=samples, options={"dtype": dtype})


def _booleans(cells: pd.Series[Any]) -> Cells:
    return _numbers(cells, "bool")


def _integers(cells: pd.Series[Any]) -> Cells:
    if cells.dtype.kind in "iu":
        return _numbers(cells, str(getattr(cells.dtype, "numpy_dtype", cells.dtype)))
    greatest = max((int(cell) for cell in cells.tolist() if not is_missing(cell)), default=0)
    return _numbers(cells, "uint64" if greatest > _INT64.max else "int64")


def _floats(cells: pd.Series[Any]) -> Cells:
    if cells.dtype.kind == "f":
        return _numbers(cells, str(getattr(cells.dtype, "numpy_dtype", cells.dtype)))
    return _numbers(cells, "float64")


def _decimals(cells: pd.Series[Any]) -> Cells:
    """Floats if each represents the decimal exactly, otherwise text."""
    present = [cell for cell in cells.tolist() if not is_missing(cell)]
    if all(cell.is_finite() and decimal.Decimal(repr(float(cell))) == cell for cell in present):
        samples = [None if is_missing(cell) else float(cell) for cell in cells.tolist()]
        return Cells(htype="generic", samples=samples, options={"dtype": "float64"})
    return Cells(htype="text", samples=[None if is_missing(cell) else str(cell) for cell in cells.tolist()])


def _times(cells: pd.Series[Any]) -> Cells:
    return Cells(htype="text", samples=[None if is_missing(cell) else _iso(cell) for cell in cells.tolist()])


def _durations(cells: pd.Series[Any]) -> Cells:
    samples = [None if is_missing(cell) else _seconds(cell) for cell in cells.tolist()]
    return Cells(htype="generic", samples=samples, options={"dtype": "float64"})


def _seconds(cell: Cell) -> float:
    return float(cell / np.timedelta64(1, "s")) if isinstance(cell, np.timedelta64) else float(cell.total_seconds())


def _dictionaries(cells: pd.Series[Any]) -> Cells:
    return Cells(htype="json", samples=_Each(cells.tolist(), plain_json))


def _lists(cells: pd.Series[Any]) -> Cells:
    arrays = [
        None if is_missing(cell) else np.asarray(sorted(cell) if isinstance(cell, set | frozenset) else cell)
        for cell in cells.tolist()
    ]
    dtypes = {array.dtype for array in arrays if array is not None and array.size}
    dtype = np.result_type(*dtypes).name if dtypes else "float64"
    samples = [None if array is None else array.astype(dtype) for array in arrays]
    return Cells(htype="generic", samples=samples, options={"dtype": dtype})


_READERS: dict[str, Callable[[Any], Cells]] = {
    "boolean": _booleans,
    "integer": _integers,
    "floating": _floats,
    "decimal": _decimals,
    "time": _times,
    "duration": _durations,
    "dictionaries": _dictionaries,
    "numbers": _lists,
}


def _iso(cell: Cell) -> str:
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)


def _plain_texts(cells: Sequence[Cell]) -> list[str | None] | None:
    """Return the cells with None for missing ones; None where one is neither text nor missing."""
    types = {*map(type, cells)}
    if types <= {str, type(None)}:
        return list(cells)
    if not all(kind in (str, float, type(None)) or kind.__name__ in _MISSING_TYPES for kind in types):
        return None
    if any(cell == cell for cell in cells if type(cell) is float):  # noqa: PLR0124  a number: NaN equals nothing
        return None
    return [cell if type(cell) is str else None for cell in cells]


def _text(cell: Cell, name: str) -> str | None:
    """Return the text of a cell; an integer that pandas stores as a float is shown without a point."""
    if is_missing(cell):
        return None
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, float | np.floating) and float(cell).is_integer() and abs(float(cell)) < 2**53:
        return str(int(cell))
    if isinstance(cell, bool | int | np.generic | float | decimal.Decimal | dt.date | dt.time):
        return _iso(cell)
    if isinstance(cell, os.PathLike) or type(cell).__module__.startswith("pandas"):
        return str(cell)
    raise ImporterError(
        f"column {name!r} has a {type(cell).__name__} {repr(cell)[:60]}. Expected text",
        hint=f"for lists and dictionaries, use ({name!r}, 'json')",
    )


def plain_json(value: Cell) -> Any:
    """Return a value as JSON: times as ISO 8601, decimals and durations as numbers, sets as lists."""
    if isinstance(value, Mapping):
        return {str(key): plain_json(entry) for key, entry in value.items()}
    if isinstance(value, set | frozenset):
        return [plain_json(entry) for entry in sorted(value, key=str)]
    if isinstance(value, np.ndarray):
        return plain_json(value.tolist())
    if isinstance(value, list | tuple):
        return [plain_json(entry) for entry in value]
    if is_missing(value):
        return None
    return _plain_scalar(value)


def _plain_scalar(value: Cell) -> Any:
    if isinstance(value, dt.timedelta | np.timedelta64):
        return _seconds(value)
    if isinstance(value, np.datetime64 | dt.date | dt.time):
        return _iso(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, decimal.Decimal):
        exact = value.is_finite() and decimal.Decimal(repr(float(value))) == value
        return float(value) if exact else str(value)
    return str(value) if isinstance(value, os.PathLike) else value
