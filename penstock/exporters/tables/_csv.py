"""Datasets and views to CSV files."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from penstock.dataset import Dataset, View
from penstock.errors import ExportError
from penstock.exporters._edited_note import explains_edited_notes
from penstock.exporters._place import checked_place, written_beside
from penstock.exporters._report import ExportReport
from penstock.exporters._rows import ExportedRows
from penstock.formats._cells import cell_text, labels_text
from penstock.tensors import TensorSpec, boxes_xywh, decimals

__all__ = ["to_csv"]

_NOT_CELLS = frozenset(("image", "binary_mask", "segment_mask"))
_SIDES = ("left", "top", "width", "height")


@explains_edited_notes
def to_csv(
    source: Dataset | View, path: str | os.PathLike[str], *, overwrite: bool = False, progress: bool = True
) -> ExportReport:
    """Write labels, numbers and texts as a CSV file.

    The file has one row for each sample; or one for each object, with its class and its box in pixels (left, top,
    width, height), if the dataset has boxes: samples without objects have a row with empty cells for these. A
    dataset that was imported from a CSV file gives the same columns and cells again; only what was edited differs.

    Parameters
    ----------
    source : Dataset or View
        What is exported, with edits that are not committed yet.
    path : str or path
        The file: ``.csv``, or ``.tsv`` for tabs.
    overwrite : bool
        Whether a file at `path` may be replaced.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    ExportReport
        What was written; its issues name tensors that a CSV file cannot hold, such as images.

    Raises
    ------
    ExportError
        If there is something at `path`, it cannot be written there, samples come more than once, or there is
        nothing to write.

    Examples
    --------
    >>> import penstock
    >>> ds = penstock.demo()
    >>> print(penstock.to_csv(ds[:20], "shapes.csv"))  # doctest: +SKIP
    20 images, 27 objects in shapes.csv
    """
    place = checked_place(path, overwrite=overwrite, suffixes=(".csv", ".tsv"), folder=False)
    rows = ExportedRows(source, progress=progress)
    table = _Table(rows)
    if not table.header:
        raise ExportError("the dataset has no labels, numbers or texts. Expected at least one tensor of these")
    note = table.note
    with written_beside(place, rows, overwrite=overwrite) as part:
        encoding = "utf-8-sig" if note.get("has_mark") else "utf-8"
        with part.open("w", encoding=encoding, newline="") as stream:
            tab = place.suffix.lower() == ".tsv"
            writer = csv.writer(stream, delimiter="\t" if tab else ",", lineterminator=note.get("newline", "\n"))
            writer.writerow(table.header)
            writer.writerows(table.rows())
    return ExportReport(
        path=Path(path), num_samples=len(rows), num_objects=table.num_objects, issues=tuple(table.issues())
    )


class _Table:
    """The header and the rows of a file."""

    def __init__(self, rows: ExportedRows) -> None:
        self._rows = rows
        self.note: Mapping[str, Any] = rows.source if rows.source.get("format") == "table" else {}
        self.num_objects = 0
        self._names = {
            name: rows.names_of(name) for name, spec in rows.table.tensors.items() if spec.htype == "class_label"
        }
        self._objects = self._object_specs()
        specs = self._sample_specs()
        self._columns = [name for _, name in specs]
        self.header = [shown for shown, _ in specs]
        for spec in self._objects:
            self.header += _SIDES if spec.htype == "bbox" else [spec.name]

    def _object_specs(self) -> list[TensorSpec]:
        """Return the tensors that have an entry for each object; classes and boxes come first."""
        rows = self._rows
        boxes = rows.boxes
        if boxes is None or self.note:
            return []
        group = [spec for spec in rows.table.tensors.values() if boxes in (spec.name, spec.aligned_with)]
        return sorted(group, key=lambda spec: (spec.name != rows.labels, spec.name != boxes))

    def _sample_specs(self) -> list[tuple[str, str]]:
        """Return header and tensor of each column with a value for each sample."""
        specs = self._rows.table.tensors
        pairs = [(str(shown), str(name)) for shown, name in self.note.get("columns", ()) if name in specs]
        header = self.note.get("header", ())
        if len(pairs) == len(header):
            pairs = [(str(shown), name) for shown, (_, name) in zip(header, pairs, strict=True)]
        used = {name for _, name in pairs} | {spec.name for spec in self._objects} | {self.note.get("as_written")}
        used |= {*self.note.get("others", ())}
        first = ["file"] if "file" in specs and "file" not in used else []
        others = [name for name, spec in specs.items() if name not in used and spec.htype not in _NOT_CELLS]
        return [*pairs, *((name, name) for name in dict.fromkeys([*first, *others]))]

    def rows(self) -> Iterator[list[str]]:
        """Yield the rows."""
        odd = str(self.note.get("as_written", ""))
        names = [*dict.fromkeys([*self._columns, *(spec.name for spec in self._objects), odd])]
        for start, samples in self._rows.chunks(names, np.arange(len(self._rows))):
            for at in range(len(next(iter(samples.values())))):
                sample = {name: values[at] for name, values in samples.items()}
                yield from self._of_sample(start + at, sample, sample.get(odd) or {})

    def _of_sample(self, position: int, sample: Mapping[str, Any], odd: Mapping[str, Any]) -> Iterator[list[str]]:
        cells = [self._cell(name, sample[name], odd.get(name)) for name in self._columns]
        if not self._objects:
            yield cells
            return
        listed = [self._listed(position, spec, sample) for spec in self._objects]
        for values in zip(*listed, strict=True):
            self.num_objects += 1
            yield [*cells, *(cell for value in values for cell in value)]
        if not listed[0]:
            yield [*cells, *([""] * (len(self.header) - len(cells)))]

    def _cell(self, name: str, value: Any, written: Any) -> str:
        spec = self._rows.table.tensors[name]
        if spec.htype == "class_label":
            text = labels_text(value.tolist(), self._names[name], self.note.get("separator", "|"))
        else:
            text = cell_text(value)
        return str(written[0]) if isinstance(written, list) and written[1] == text else text

    def _listed(self, position: int, spec: TensorSpec, sample: Mapping[str, Any]) -> list[list[str]]:
        """Return the cells of each object in the columns of a tensor."""
        value = sample[spec.name]
        boxes = sample[str(self._rows.boxes)]
        self._rows.check_count(position, len(boxes), spec.name, value)
        if value is None:
            return [[""] for _ in boxes]
        if spec.htype == "bbox":
            return [[_number(side) for side in box] for box in decimals(boxes_xywh(value, spec.coords)).tolist()]
        if spec.htype == "class_label":
            return [[labels_text([label], self._names[spec.name], None)] for label in value.tolist()]
        return [[cell_text(one)] for one in value]

    def issues(self) -> list[str]:
        """Return what the file cannot hold."""
        return [
            f"the tensor {name!r} is not part of a CSV file"
            for name, spec in self._rows.table.tensors.items()
            if spec.htype in _NOT_CELLS or name in self.note.get("others", ())
        ]


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
