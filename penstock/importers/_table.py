"""A table of multi-label cells to columns of class labels and numbers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock.dataset import Dataset
from penstock.errors import ImporterError, nearest
from penstock.importers._build import Column, build
from penstock.importers._files import ImageIndex
from penstock.importers._report import IssueLog, OnError
from penstock.table import Ragged

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["from_table", "parse_labels", "read_table", "table_column"]

_MOST_CLASSES = 10_000
_NIH: Mapping[str, str] = {"findings": "Finding Labels"}


def from_table(
    table: pd.DataFrame | str | os.PathLike[str],
    dest: str | os.PathLike[str],
    *,
    tensors: Mapping[str, str | tuple[str, str]] | None = None,
    images: str | None = None,
    image_root: str | os.PathLike[str] | None = None,
    separator: str | None = "|",
    rename: Mapping[str, str] | None = None,
    class_names: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
) -> Dataset:
    """Make a dataset of a table whose cells hold several labels.

    Parameters
    ----------
    table : DataFrame, str or path
        The table, or a CSV file, plain or compressed.
    dest : str or path
        Where the dataset is made; must not exist.
    tensors : mapping of str to str or (str, str)
        Tensor name to column, or to column and kind. Without a kind, numbers become
        ``generic`` and text ``class_label``, its cells split at `separator`; rows with
        the same labels are equal however the cells list them. By default
        ``{"findings": "Finding Labels"}``, as the NIH chest X-rays' table has it.
    images : str, optional
        Column of image file names; makes the tensor ``images``.
    image_root : str or path, optional
        Folder of the images; its subfolders are searched as well.
    separator : str, optional
        What stands between labels; None takes a cell as one label.
    rename : mapping of str to str, optional
        Class names to replace, old to new.
    class_names : sequence of str, or mapping of tensor name to sequence, optional
        Classes by index; by default in order of first appearance.
    num_workers : int
        Threads that read and check images.
    on_error : {"raise", "skip"}
        What becomes of images and annotations that cannot be read.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    Dataset
        The dataset, committed.

    Raises
    ------
    ImporterError
        If a column is missing, a class is not among `class_names`, or an image is
        missing or broken; nothing is left at `dest`.
    DatasetExistsError
        If there is something at `dest`.

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> table = pd.DataFrame({"Finding Labels": ["Mass|Hernia", "Hernia|Mass", "Edema"]})
    >>> dest = tempfile.mkdtemp() + "/chest"
    >>> ds = from_table(table, dest, tensors={"findings": "Finding Labels"}, progress=False)
    >>> ds.findings.info.class_names, ds.findings[1].numpy().tolist()
    (['Mass', 'Hernia', 'Edema'], [0, 1])
    """
    frame = read_table(table)
    source = "table" if frame is table else Path(str(table)).name
    log = IssueLog(on_error)
    wanted = _NIH if tensors is None else tensors
    if tensors is None and not {*_NIH.values()} <= {*frame.columns}:
        raise ImporterError(
            f"tensors is not given; expected which column becomes which, of {', '.join(map(str, frame.columns))}",
            hint=f"tensors={{'labels': {str(frame.columns[-1])!r}}}",
        )
    names_of = class_names if isinstance(class_names, Mapping) else dict.fromkeys(wanted, class_names)
    columns = [
        _column(frame, name, column, separator=separator, rename=rename, class_names=names_of.get(name))
        for name, column in wanted.items()
    ]
    if images is not None:
        columns.insert(0, _image_column(table_column(frame, images), image_root))
    return build(dest, columns, len(frame), source=source, log=log, num_workers=num_workers, progress=progress)


def _column(
    frame: pd.DataFrame,
    name: str,
    wanted: str | tuple[str, str],
    *,
    separator: str | None,
    rename: Mapping[str, str] | None,
    class_names: Sequence[str] | None,
) -> Column:
    column, htype = (wanted, None) if isinstance(wanted, str) else wanted
    cells = table_column(frame, column)
    numbers = cells.dtype.kind in "biuf"
    if htype is None:
        htype = "generic" if numbers and class_names is None else "class_label"
    if htype == "class_label":
        labels = parse_labels(cells, separator=separator, rename=rename, class_names=class_names)
        return Column(name=name, htype=htype, sample=labels.row, options={"class_names": labels.class_names})
    if numbers:
        return Column(name=name, htype=htype, sample=cells.to_numpy().__getitem__, options={"dtype": cells.dtype.name})
    values = cells.astype(object).where(cells.notna(), None).tolist()
    return Column(name=name, htype=htype, sample=values.__getitem__)


def _image_column(names: pd.Series[Any], image_root: str | os.PathLike[str] | None) -> Column:
    index = ImageIndex(image_root if image_root is not None else ".")
    files = [str(name) for name in names]
    return Column(name="images", htype="image", sample=lambda row: index.find(files[row]))


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
