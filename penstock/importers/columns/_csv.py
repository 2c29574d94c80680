"""Read a CSV file as a table of text, and convert columns of text to numbers."""

from __future__ import annotations

import bz2
import csv
import gzip
import lzma
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from penstock.errors import ImporterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["csv_form", "read_csv", "typed"]

_NOT_CSV = {".parquet": "read_parquet", ".xlsx": "read_excel", ".xls": "read_excel", ".feather": "read_feather"}
_NOT_CSV |= {".json": "read_json", ".jsonl": "read_json", ".pkl": "read_pickle", ".h5": "read_hdf"}
_TABBED = (".tsv", ".tab")
_MISSING = frozenset(
    {"", "na", "n/a", "nan", "-nan", "null", "none", "<na>", "#n/a", "#na", "#n/a n/a", "1.#ind", "-1.#ind", "1.#qnan"}
)
_WHOLE = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf(?:inity)?", re.IGNORECASE)
_LEADING_ZERO = re.compile(r"[+-]?0\d.*")
_FEW = 100
_TRUTH = {"true": True, "false": False}
_OPENERS: dict[str, Callable[..., IO[Any]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_INT64, _UINT64 = np.iinfo(np.int64), np.iinfo(np.uint64)


def read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV file, plain or compressed; every cell is text as it is written, an empty one is missing.

    Raises
    ------
    ImporterError
        If there is no such file, or it is no CSV.
    """
    import pandas as pd

    suffix = path.suffix.lower()
    if suffix in _NOT_CSV and path.is_file():
        raise ImporterError(
            f"{str(path)!r} is not a CSV file. Expected comma-separated text",
            hint=f"read it with pandas.{_NOT_CSV[suffix]}(...) and pass the DataFrame",
        )
    tabbed = any(ending.lower() in _TABBED for ending in path.suffixes)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                path,
                index_col=False,
                dtype=str,
                keep_default_na=False,
                na_values=[""],
                encoding="utf-8-sig",
                sep="\t" if tabbed else ",",
            )
    except FileNotFoundError:
        raise ImporterError(f"the table {str(path)!r} does not exist. Expected a CSV file") from None
    except UnicodeDecodeError as error:
        raise ImporterError(
            f"{str(path)!r} is not UTF-8 (byte {error.object[error.start]:#x}). Expected a CSV file in UTF-8",
            hint="for another encoding, use pandas.read_csv(path, encoding='latin-1')",
        ) from None
    except pd.errors.ParserWarning:
        raise ImporterError(f"{str(path)!r} has rows with more cells than the header") from None
    except (ValueError, OSError, EOFError, csv.Error) as error:
        raise ImporterError(f"{str(path)!r} cannot be read as CSV: {' '.join(str(error).split())}") from None


def csv_form(path: Path) -> dict[str, Any]:
    """Return how a CSV file is written: its header, what separates cells and what ends lines, and its mark.

    Parameters
    ----------
    path : Path
        A file that `read_csv` has read.
    """
    import pandas as pd

    tabbed = any(ending.lower() in _TABBED for ending in path.suffixes)
    delimiter = "\t" if tabbed else ","
    options: dict[str, Any] = {"dtype": str, "keep_default_na": False, "sep": delimiter, "encoding": "utf-8"}
    head = pd.read_csv(path, header=None, nrows=1, index_col=False, **options)
    cells = [str(cell) for cell in head.iloc[0].tolist()]
    text = _first_line(path)
    return {
        "header": [cells[0].removeprefix("\ufeff"), *cells[1:]],
        "delimiter": delimiter,
        "newline": "\r\n" if text.endswith("\r\n") else "\n",
        "has_mark": text.startswith("\ufeff"),
    }


def _first_line(path: Path) -> str:
    """Return the first line with its end; empty for a file of a compression that the standard library does not read."""
    suffix = path.suffix.lower()
    if suffix in (".zip", ".tar", ".zst", ".tgz"):
        return ""
    with _OPENERS.get(suffix, open)(path, "rb") as file:
        return bytes(file.readline()).decode("utf-8", "replace")


def typed(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of text as numbers or booleans if all cells are such, otherwise unchanged.

    Cells such as ``NA`` are missing in a column of numbers alone; numbers with
    leading zeros, or of more digits than a number holds, are text.
    """
    import pandas as pd

    if _has_words(cells.iloc[:_FEW]):
        return cells
    plain = cells.fillna("").astype(str).str.strip()
    missing = plain.str.lower().isin(_MISSING)
    present = plain[~missing].tolist()
    if not present:
        return cells
    if present[0].lower() in _TRUTH and {text.lower() for text in present} <= _TRUTH.keys():
        truth = plain.str.lower().map(_TRUTH)
        return truth.astype("boolean" if missing.any() else bool)
    if any(map(_LEADING_ZERO.fullmatch, present)) or not all(map(_NUMBER.fullmatch, present)):
        return cells
    if all(map(_WHOLE.fullmatch, present)):
        return _whole(cells, plain, missing)
    numbers = [np.nan if gone else float(text) for text, gone in zip(plain.tolist(), missing.tolist(), strict=True)]
    return pd.Series(numbers, dtype=np.float64, name=cells.name, index=cells.index)


def _has_words(cells: pd.Series[Any]) -> bool:
    """Return whether one of some cells is neither a number, true, false nor missing."""
    texts = (str(cell).strip() for cell in cells.dropna().tolist())
    return not all(text.lower() in _MISSING or text.lower() in _TRUTH or _NUMBER.fullmatch(text) for text in texts)


def _whole(cells: pd.Series[Any], plain: pd.Series[Any], missing: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    numbers = [None if gone else int(text) for text, gone in zip(plain.tolist(), missing.tolist(), strict=True)]
    present = [number for number in numbers if number is not None]
    if min(present) >= _INT64.min and max(present) <= _INT64.max:
        dtype = "int64" if len(present) == len(numbers) else "Int64"
    elif min(present) >= 0 and max(present) <= _UINT64.max:
        dtype = "uint64" if len(present) == len(numbers) else "UInt64"
    else:
        return cells
    return pd.Series(numbers, dtype=dtype, name=cells.name, index=cells.index)
