"""A table of multi-label cells to columns of class labels and numbers."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock._wording import nearest
from penstock.dataset import Dataset
from penstock.engines import EngineOption
from penstock.errors import ImporterError
from penstock.importers.boxes._boxes import BoxReader, Coords, image_size
from penstock.importers.building._build import Column, build
from penstock.importers.building._report import IssueLog, OnError
from penstock.importers.building._sources import path_of, plain_errors
from penstock.importers.columns._cells import class_name, is_missing, read_cells
from penstock.importers.columns._csv import csv_form, read_csv, typed
from penstock.importers.columns._kept import keep_columns, written_cells
from penstock.importers.columns._labels import parse_labels, table_labels
from penstock.importers.columns._tensor_names import free_name
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
    keep: bool = True,
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
    max_image_bytes: int | None = MAX_IMAGE_BYTES,
    engine: EngineOption = None,
) -> Dataset:
    """Create a dataset from a table whose cells can contain several labels.

    Columns that `tensors` does not name become tensors too, under their own names: numbers or text, and ``file`` for
    that of the images. `to_csv` writes all columns again, with each cell as it was unless it was edited.

    Parameters
    ----------
    table : DataFrame, str or path
        The table, or a CSV file, plain or compressed. CSV cells are read literally:
        ``NA`` and ``None`` are names, and ``00012`` keeps its zeros. Only empty cells are
        missing, and in columns of numbers also values such as ``NA``.
    dest : str or path
        Where to create the dataset; must not exist.
    tensors : mapping of str to str or (str, str)
        Tensor name to column, or to column and htype. Without an htype, numbers become
        ``generic``, times ``text`` in ISO 8601, durations seconds, dictionaries ``json``,
        and text ``class_label``, with cells split at `separator`. Cells can also be lists
        of names. Rows with the same labels are equal in whatever order they are listed.
        By default ``{"findings": "Finding Labels"}``, as in the NIH chest X-ray table.
    images : str, optional
        Column of image file names, with or without extension; creates the tensor ``images``.
    image_root : str or path, optional
        Folder of the images; subfolders are searched too.
    separator : str, optional
        Separator between labels; None treats a cell as one label.
    rename : mapping of str to str, optional
        Class names to replace, old to new.
    class_names : sequence of str, or mapping of tensor name to sequence, optional
        Classes by index; by default in order of first appearance. Numbers that are
        not names are indices, and -1 is a sample without labels.
    coords : {"xywh", "xyxy"}
        Format of the boxes of ``bbox`` columns, in pixels.
    keep : bool
        Whether columns that `tensors` does not name are imported too.
    num_workers : int
        Threads that read and check images; of an engine, parts at the same time, where 0 means all it can.
    on_error : {"raise", "skip"}
        Whether to raise an error for rows that cannot be read, or to leave them out.
    progress : bool
        Whether to show a progress bar.
    max_image_bytes : int, optional
        Maximum size of a decoded image in bytes; None allows any size.
    engine : {"threads", "processes", "ray"} or RayEngine, optional
        Where the images are read and checked and the samples are written, part by part; by default here. The dataset
        is the same.

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
        If `dest` already exists.
    EngineError
        If the engine is unknown, cannot be reached or loses its workers; nothing is left at `dest`.

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
            raise ImporterError(
                f"image_root={str(image_root)!r} was given without images. Expected the column of file names"
            )
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
        wanted = _checked_tensors(tensors, frame, has_images=images is not None)
        columns = reader.columns(wanted, class_names)
        columns = columns if pictures is None else [pictures, *columns]
        info = None
        if keep:
            used = {column: name for name, (column, _) in reversed(wanted.items())}
            columns, info = _kept(frame, columns, used, reader, images)
            info |= csv_form(Path(str(table))) if reader.is_text else {}
        return build(
            dest,
            columns,
            len(frame),
            source=source,
            log=log,
            num_workers=num_workers,
            progress=progress,
            max_image_bytes=max_image_bytes,
            info=info,
            engine=engine,
        )


def _kept(
    frame: pd.DataFrame, columns: Sequence[Column], used: Mapping[Hashable, str], reader: _Reader, images: str | None
) -> tuple[list[Column], dict[str, Any]]:
    """Return the tensors with those of all other columns, and what is noted of the table."""
    taken = [column.name for column in columns]
    kept, names = keep_columns(frame, used, taken, reader.log, is_text=reader.is_text, file=images)
    found = [*columns, *kept]
    note: dict[str, Any] = {"format": "table", "separator": reader.separator}
    note["columns"] = [[str(name), tensor] for name, tensor in zip(frame.columns, names, strict=True) if tensor]
    note["others"] = [name for name in taken if name not in {*names, "images"}]  # a second tensor of a column
    if reader.is_text:
        odd = written_cells(frame, names, found, reader.separator)
        if odd is not None:
            note["as_written"] = free_name("cells_as_written", [column.name for column in found])
            found.append(Column(name=str(note["as_written"]), htype="json", sample=odd))
    return found, note


def _checked_tensors(tensors: Any, frame: pd.DataFrame, *, has_images: bool) -> dict[str, tuple[Hashable, str | None]]:
    """Return tensor name to column and kind."""
    shown = ", ".join(map(str, frame.columns)) or "no columns"
    if tensors is None or (not tensors and isinstance(tensors, Mapping) and not has_images):
        if not {*_NIH.values()} <= {*frame.columns}:
            last = str(frame.columns[-1]) if len(frame.columns) else "column"
            raise ImporterError(
                f"tensors was not given. Expected a mapping of tensor names to columns. The columns are {shown}",
                hint=f"for example tensors={{'labels': {last!r}}}",
            )
        tensors = _NIH
    if not isinstance(tensors, Mapping) or not all(isinstance(name, str) for name in tensors):
        raise ImporterError(
            f"tensors={tensors!r} is not valid. Expected a mapping of tensor names to columns. The columns are {shown}"
        )
    return {name: _column_and_kind(name, wanted, frame) for name, wanted in tensors.items()}


def _column_and_kind(name: str, wanted: Any, frame: pd.DataFrame) -> tuple[Hashable, str | None]:
    if not isinstance(wanted, Hashable):
        raise ImporterError(f"tensors[{name!r}] is {wanted!r}. Expected a column, or a column and an htype")
    if wanted in frame.columns or not isinstance(wanted, tuple):
        return wanted, None
    if len(wanted) != 2 or not isinstance(wanted[1], str):  # a column and a kind
        raise ImporterError(f"tensors[{name!r}] is {wanted!r}. Expected a column, or a column and an htype")
    if wanted[1] not in HTYPES:
        like = nearest(wanted[1], HTYPES)
        raise ImporterError(
            f"tensors[{name!r}] has htype {wanted[1]!r}. Expected one of: {', '.join(HTYPES)}",
            hint=f"did you mean {like!r}?" if like else None,
        )
    return wanted[0], wanted[1]


def _checked_separator(separator: Any) -> str | None:
    if separator is not None and not isinstance(separator, str):
        raise ImporterError(f"separator={separator!r} is not valid. Expected text, or None for one label per cell")
    return separator or None


def _checked_rename(rename: Any) -> dict[str, str]:
    if rename is None:
        return {}
    if not isinstance(rename, Mapping) or not all(isinstance(name, str) for pair in rename.items() for name in pair):
        raise ImporterError(f"rename={rename!r} is not valid. Expected a mapping of old to new class names")
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
                self.log.note("rename", f"no cell has the class {old!r}, so nothing was renamed to {new!r}")
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
                raise ImporterError(
                    f"class_names contains {unknown!r}, which is not a tensor. Expected one of: {', '.join(wanted)}"
                )
            return dict(class_names)
        if len(wanted) == 1:
            return dict.fromkeys(wanted, class_names)
        kinds = {name: kind or self._told(column) for name, (column, kind) in wanted.items()}
        named = [name for name, kind in kinds.items() if kind == "class_label"]
        if not named:
            raise ImporterError(
                f"class_names was given, but none of {', '.join(wanted)} is a class label. "
                "Expected a tensor to use them for",
                hint=f"use class_names={{{next(iter(wanted), 'labels')!r}: [...]}} to say which",
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
        return Column(
            name=name,
            htype=found.htype,
            sample=found.samples.__getitem__,
            options=found.options,
            whole=found.samples,
        )

    def _labels(self, name: str, cells: pd.Series[Any], class_names: Sequence[str] | None) -> Column:
        found = table_labels(cells, separator=self.separator, rename=self.rename, class_names=class_names)
        for note in found.notes:
            self.log.note(name, note)
        return Column(
            name=name,
            htype="class_label",
            sample=found.sample,
            options={"class_names": found.labels.class_names},
            whole=found.labels,
            wrong=found.problems,
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
            raise ImporterError(f"column {column!r} has no image name. Expected a file below {str(files.root)!r}")
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
            f"table is a {type(table).__name__}. Expected a pandas DataFrame or the path of a CSV file", hint=hint
        )
    return read_csv(path_of(table, "a CSV file"))


def table_column(table: pd.DataFrame, column: Hashable) -> pd.Series[Any]:
    """Return a column; an unknown name gets the nearest right one."""
    if column not in table.columns:
        names = [str(name) if str(name).isprintable() else repr(name) for name in table.columns]
        like = nearest(str(column), names)
        raise ImporterError(
            f"{column!r} is not a column of the table. Expected one of: {', '.join(names)}",
            hint=f"did you mean {like!r}?" if like else None,
        )
    found: pd.Series[Any] = table[column]
    if found.ndim > 1:
        raise ImporterError(f"the table has {found.shape[1]} columns named {column!r}. Expected one")
    return found
