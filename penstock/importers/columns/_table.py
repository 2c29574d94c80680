"""A table of multi-label cells to columns of class labels and numbers."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock._wording import nearest
from penstock.dataset import Dataset
from penstock.errors import ImporterError
from penstock.importers.boxes._boxes import BoxReader, Coords, image_size
from penstock.importers.building._build import Column, build
from penstock.importers.building._report import IssueLog, OnError
from penstock.importers.building._sources import path_of, plain_errors
from penstock.importers.columns._cells import class_name, is_missing, read_cells
from penstock.importers.columns._csv import read_csv, typed
from penstock.importers.columns._labels import parse_labels, table_labels
from penstock.importers.files._named_images import NamedImages
from penstock.tensors import HTYPES, MAX_IMAGE_BYTES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["from_table", "parse_labels", "read_table", "table_column"]

_NIH: Mapping[str, str] = {"findings": "Finding Labels"}

Wanted = str | tuple[str, str]


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
    coords: Coords = "xywh",
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
    max_image_bytes: int | None = MAX_IMAGE_BYTES,
) -> Dataset:
    """Make a dataset of a table whose cells hold several labels.

    Parameters
    ----------
    table : DataFrame, str or path
        The table, or a CSV file, plain or compressed. Text of a CSV stays as it is
        written: ``NA`` and ``None`` are names, ``00012`` keeps its zeros; only empty
        cells are missing, and in columns of numbers what says so, such as ``NA``.
    dest : str or path
        Where the dataset is made; must not exist.
    tensors : mapping of str to str or (str, str)
        Tensor name to column, or to column and kind. Without a kind, numbers become
        ``generic``, times ``text`` in ISO 8601, durations seconds, dictionaries ``json``
        and text ``class_label``, its cells split at `separator`; cells may also be lists
        of names. Rows with the same labels are equal however the cells list them. By
        default ``{"findings": "Finding Labels"}``, as the NIH chest X-rays' table has it.
    images : str, optional
        Column of image file names, with or without their ending; makes the tensor ``images``.
    image_root : str or path, optional
        Folder of the images; its subfolders are searched as well.
    separator : str, optional
        What stands between labels; None takes a cell as one label.
    rename : mapping of str to str, optional
        Class names to replace, old to new.
    class_names : sequence of str, or mapping of tensor name to sequence, optional
        Classes by index; by default in order of first appearance. Numbers that are
        none of the names are indices, and -1 is a sample without label.
    coords : {"xywh", "xyxy"}
        Form of the boxes of columns of kind ``bbox``, pixels.
    num_workers : int
        Threads that read and check images.
    on_error : {"raise", "skip"}
        What becomes of rows that cannot be read.
    progress : bool
        Whether to show a progress bar.
    max_image_bytes : int, optional
        Most bytes a decoded image may have; None allows any size.

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
    log = IssueLog(on_error)
    with plain_errors("the table"):
        frame = read_table(table)
        source = "table" if frame is table else Path(str(table)).name
        if image_root is not None and images is None:
            raise ImporterError(f"image_root is {str(image_root)!r} without images; expected the column of file names")
        pictures = None if images is None else _image_column(frame, images, image_root)
        reader = _Reader(
            frame=frame,
            is_text=frame is not table,
            separator=_checked_separator(separator),
            rename=_checked_rename(rename),
            pictures=pictures,
            coords=coords,
            log=log,
        )
        columns = reader.columns(_checked_tensors(tensors, frame, has_images=images is not None), class_names)
        columns = columns if pictures is None else [pictures, *columns]
        return build(
            dest,
            columns,
            len(frame),
            source=source,
            log=log,
            num_workers=num_workers,
            progress=progress,
            max_image_bytes=max_image_bytes,
        )


def _checked_tensors(tensors: Any, frame: pd.DataFrame, *, has_images: bool) -> dict[str, tuple[Hashable, str | None]]:
    """Return tensor name to column and kind."""
    shown = ", ".join(map(str, frame.columns)) or "no columns"
    if tensors is None or (not tensors and isinstance(tensors, Mapping) and not has_images):
        if not {*_NIH.values()} <= {*frame.columns}:
            last = str(frame.columns[-1]) if len(frame.columns) else "column"
            raise ImporterError(
                f"tensors is not given; expected which column becomes which, of {shown}",
                hint=f"tensors={{'labels': {last!r}}}",
            )
        tensors = _NIH
    if not isinstance(tensors, Mapping) or not all(isinstance(name, str) for name in tensors):
        raise ImporterError(f"tensors is {tensors!r}; expected a mapping of tensor names to columns, of {shown}")
    return {name: _column_and_kind(name, wanted, frame) for name, wanted in tensors.items()}


def _column_and_kind(name: str, wanted: Any, frame: pd.DataFrame) -> tuple[Hashable, str | None]:
    if not isinstance(wanted, Hashable):
        raise ImporterError(f"tensors[{name!r}] is {wanted!r}; expected a column, or a column and a kind")
    if wanted in frame.columns or not isinstance(wanted, tuple):
        return wanted, None
    if len(wanted) != 2 or not isinstance(wanted[1], str):  # a column and a kind
        raise ImporterError(f"tensors[{name!r}] is {wanted!r}; expected a column, or a column and a kind")
    if wanted[1] not in HTYPES:
        like = nearest(wanted[1], HTYPES)
        raise ImporterError(
            f"tensors[{name!r}] has kind {wanted[1]!r}; expected one of {', '.join(HTYPES)}",
            hint=f"did you mean {like!r}?" if like else None,
        )
    return wanted[0], wanted[1]


def _checked_separator(separator: Any) -> str | None:
    if separator is not None and not isinstance(separator, str):
        raise ImporterError(f"separator is {separator!r}; expected text, or None for one label a cell")
    return separator or None


def _checked_rename(rename: Any) -> dict[str, str]:
    if rename is None:
        return {}
    if not isinstance(rename, Mapping) or not all(isinstance(name, str) for pair in rename.items() for name in pair):
        raise ImporterError(f"rename is {rename!r}; expected a mapping of old to new class names")
    return dict(rename)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reader:
    """A table and how its columns are read."""

    frame: pd.DataFrame
    is_text: bool
    separator: str | None
    rename: dict[str, str]
    pictures: Column | None
    coords: Coords
    log: IssueLog

    def columns(
        self,
        wanted: Mapping[str, tuple[Hashable, str | None]],
        class_names: Sequence[str] | Mapping[str, Sequence[str]] | None,
    ) -> list[Column]:
        """Return the columns that are wanted."""
        named = self._named(wanted, class_names)
        columns = [self._column(name, column, kind, named.get(name)) for name, (column, kind) in wanted.items()]
        labels = [column for column in columns if column.htype == "class_label"]
        met = {entry for column in labels for entry in column.options["class_names"]}
        for old, new in self.rename.items():
            if new not in met:
                self.log.note("rename", f"no cell has the class {old!r}, nothing was renamed to {new!r}")
        return columns

    def _named(
        self,
        wanted: Mapping[str, tuple[Hashable, str | None]],
        class_names: Sequence[str] | Mapping[str, Sequence[str]] | None,
    ) -> dict[str, Sequence[str]]:
        """Return the class names by tensor."""
        if class_names is None:
            return {}
        if isinstance(class_names, Mapping):
            unknown = next((name for name in class_names if name not in wanted), None)
            if unknown is not None:
                raise ImporterError(f"class_names names {unknown!r}; expected one of {', '.join(wanted)}")
            return dict(class_names)
        if len(wanted) == 1:
            return dict.fromkeys(wanted, class_names)
        kinds = {name: kind or self._told(column) for name, (column, kind) in wanted.items()}
        named = [name for name, kind in kinds.items() if kind == "class_label"]
        if not named:
            raise ImporterError(
                f"class_names are given, and none of {', '.join(wanted)} is a class label; expected a tensor they name",
                hint=f"class_names={{{next(iter(wanted), 'labels')!r}: [...]}} says which",
            )
        return dict.fromkeys(named, class_names)

    def _told(self, column: Hashable) -> str:
        return read_cells(self._cells(column, None), str(column), None, words="class_label").htype

    def _cells(self, column: Hashable, kind: str | None) -> pd.Series[Any]:
        cells = table_column(self.frame, column)
        return typed(cells) if self.is_text and kind in (None, "generic") else cells

    def _column(self, name: str, column: Hashable, kind: str | None, class_names: Sequence[str] | None) -> Column:
        if kind is None and class_names is not None:
            kind = "class_label"
        cells = self._cells(column, kind)
        if kind == "class_label":
            return self._labels(name, cells, class_names)
        if kind == "bbox":
            return self._boxes(name, cells)
        found = read_cells(cells, str(column), kind, words="class_label")
        if found.htype == "class_label":
            return self._labels(name, cells, class_names)
        return Column(name=name, htype=found.htype, sample=found.samples.__getitem__, options=found.options)

    def _labels(self, name: str, cells: pd.Series[Any], class_names: Sequence[str] | None) -> Column:
        found = table_labels(cells, separator=self.separator, rename=self.rename, class_names=class_names)
        for note in found.notes:
            self.log.note(name, note)
        return Column(
            name=name, htype="class_label", sample=found.sample, options={"class_names": found.labels.class_names}
        )

    def _boxes(self, name: str, cells: pd.Series[Any]) -> Column:
        given = read_cells(cells, name, "bbox", words="text").samples

        def size_of(row: int) -> tuple[int, int] | None:
            try:
                return None if self.pictures is None else image_size(self.pictures.sample(row))
            except ImporterError:
                return None  # the image is refused by itself

        boxes = BoxReader(name, given.__getitem__, size_of, coords=self.coords)
        return Column(
            name=name,
            htype="bbox",
            sample=lambda row: boxes.read(row).boxes,
            options={"coords": self.coords},
            issues=lambda row: boxes.read(row).issues,
        )


def _image_column(frame: pd.DataFrame, column: str, image_root: str | os.PathLike[str] | None) -> Column:
    files = NamedImages(image_root if image_root is not None else ".")
    cells = table_column(frame, column).tolist()

    def sample(row: int) -> Any:
        cell = cells[row]
        if isinstance(cell, Mapping):  # as Hugging Face writes images into Parquet
            cell = cell.get("bytes") or cell.get("path")
        if isinstance(cell, bytes):
            return cell
        if is_missing(cell) or not class_name(cell):
            raise ImporterError(f"column {column!r} names no image; expected a file below {str(files.root)!r}")
        return files.find(class_name(cell))

    return Column(name="images", htype="image", sample=sample)


def read_table(table: pd.DataFrame | str | os.PathLike[str]) -> pd.DataFrame:
    """Return a DataFrame as it is, or read a CSV file, plain or compressed, every cell as it is written."""
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    if not isinstance(table, str) and not hasattr(table, "__fspath__"):
        hint = "table.to_pandas()" if hasattr(table, "to_pandas") else None
        raise ImporterError(
            f"table is a {type(table).__name__}; expected a pandas DataFrame or the path of a CSV file", hint=hint
        )
    return read_csv(path_of(table, "a CSV file"))


def table_column(table: pd.DataFrame, column: Hashable) -> pd.Series[Any]:
    """Return a column; an unknown name gets the nearest right one."""
    if column not in table.columns:
        names = [str(name) if str(name).isprintable() else repr(name) for name in table.columns]
        like = nearest(str(column), names)
        raise ImporterError(
            f"the table has no column {column!r}; its columns are {', '.join(names)}",
            hint=f"did you mean {like!r}?" if like else None,
        )
    found: pd.Series[Any] = table[column]
    if found.ndim > 1:
        raise ImporterError(f"the table has {found.shape[1]} columns named {column!r}; expected one")
    return found
