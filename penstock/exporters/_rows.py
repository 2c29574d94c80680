"""Rows that are exported, read a chunk at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset, View, load
from penstock.dataset.samples import Content, content_of
from penstock.dataset.samples._content import HasContent
from penstock.errors import ExportError
from penstock.table import OverlayTable, Table, class_keys, class_names_of
from penstock.tensors import TensorSpec, first_tensor, group_of, image_format, label_tensors, local_path

__all__ = ["ExportedRows"]

_CHUNK = 512
_NUMBERS_OF_OBJECTS = frozenset({"iscrowd", "area", "score", "annotation_id", "annotation_index"})
_JSON_OF_OBJECTS = frozenset({"segmentation", "keypoints", "attributes", "as_written"})
_OF_IMAGES: Mapping[str, Sequence[str]] = {
    "file": ("text",),
    "source_id": ("generic", "json", "text"),
    "image_index": ("generic",),
    "image_attributes": ("json",),
    "label_file": ("json",),
    "mask_forms": ("json",),
    "image_sets": ("class_label",),
    "subset": ("class_label",),
}


class ExportedRows:
    """Samples of a dataset or view, of one moment.

    Parameters
    ----------
    source : Dataset or View
        What is exported.
    progress : bool or callable
        Whether to show a progress bar; or what is called with the number of samples done and their total, between
        chunks. It stops the export by raising.

    Raises
    ------
    ExportError
        If a row comes twice, as in a sampled view.
    """

    def __init__(self, source: Dataset | View, *, progress: bool | Callable[[int, int], None] = False) -> None:
        if not isinstance(source, Dataset | View):
            raise ExportError(
                f"a {type(source).__name__} cannot be exported. Expected a Dataset or a View",
                hint="penstock.load(path) opens a dataset",
            )
        self.table: Table
        self.rows: NDArray[np.int64]
        samples: HasContent[Content] = source
        self.table, self.rows = content_of(samples).state()
        repeated = len(self.rows) - len(np.unique(self.rows))
        if repeated:
            raise ExportError(
                f"{repeated:,} of {len(self.rows):,} rows occur more than once. Expected each row once",
                hint="export the distinct rows of a sampled view: ds[np.unique(view.indices)]",
            )
        self._home = _home(source)
        noted = self._home.info.get("source")
        self.source: Mapping[str, Any] = noted if isinstance(noted, Mapping) else {}
        self._is_field: dict[str, bool] = {}
        self._progress = progress is True
        self._reached = progress if callable(progress) else _ignore

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def dataset(self) -> Dataset:
        """The dataset that the samples are of."""
        return self._home

    @property
    def home(self) -> Path | None:
        """The folder of the dataset; None if it is not on this machine."""
        path = self._home.path
        return None if "://" in path else Path(path).resolve()

    def linked_files(self) -> list[Path]:
        """Return the files on this machine that images of the dataset, also of samples not chosen, are linked to."""
        if self.images is None or not self.table.tensors[self.images].link:
            return []
        stored = self.table.origin
        if not isinstance(stored, OverlayTable):
            return []
        links = stored.links(np.arange(stored.num_rows), self.images)
        paths = (str(local_path(link.url) or link.url) for link in links if link is not None)
        return [Path(path).resolve() for path in paths if "://" not in path]

    def spec(self, name: str) -> TensorSpec | None:
        """Return a tensor; None if it does not exist."""
        return self.table.tensors.get(name)

    def check_boxes(self) -> None:
        """Raise ExportError if there are no boxes with classes."""
        if self.boxes is None or self.labels is None:
            lacking = "boxes" if self.boxes is None else "class labels"
            raise ExportError(f"the dataset has no {lacking}. Expected boxes and a class label for each")

    def is_field(self, name: str) -> bool:
        """Return whether a tensor of a name that importers use is what they use it for, and not another of that name.

        Tensors of other names are what they are.
        """
        if name not in self._is_field:
            spec = self.spec(name)
            self._is_field[name] = spec is not None and self._has_form(spec)
        return self._is_field[name]

    def fields(self, names: Sequence[str]) -> list[str]:
        """Return those of some names that are tensors, and what importers use the name for."""
        return [name for name in names if self.is_field(name)]

    def _has_form(self, spec: TensorSpec) -> bool:
        if spec.name in _OF_IMAGES:
            is_list = spec.htype == "generic" and bool(spec.ndim)
            return spec.htype in _OF_IMAGES[spec.name] and not is_list
        if spec.name not in _NUMBERS_OF_OBJECTS | _JSON_OF_OBJECTS:
            return True
        if spec.htype == "generic":
            return spec.name in _NUMBERS_OF_OBJECTS and spec.ndim in (None, 1)
        if spec.htype != "json":
            return False
        aligned = spec.aligned_with is not None and spec.aligned_with == self.boxes
        return aligned or all(text[:1] == "[" for text in self.table.column(spec.name).values if text)

    @cached_property
    def images(self) -> str | None:
        """The tensor of images."""
        return first_tensor(self.table.tensors, "image")

    @cached_property
    def boxes(self) -> str | None:
        """The tensor of boxes."""
        return first_tensor(self.table.tensors, "bbox")

    @cached_property
    def labels(self) -> str | None:
        """The tensor of classes: that of the boxes, if there are boxes."""
        of_boxes = [] if self.boxes is None else group_of(self.table.tensors, self.boxes)
        names = [name for name in label_tensors(self.table.tensors) if name != "subset"]
        return next((name for name in names if name in of_boxes), next(iter(names), None))

    @cached_property
    def _sizes(self) -> NDArray[np.int64]:
        return self.table.shapes(self.images)[self.rows][:, 1::-1] if self.images is not None else np.empty((0, 2), int)

    def size(self, position: int) -> tuple[int, int]:
        """Return width and height of an image; -1 where they are not known."""
        if self.images is None:
            return -1, -1
        width, height = self._sizes[position].tolist()
        return width, height

    def depth(self, position: int) -> int:
        """Return the number of channels of an image; -1 where it is not known."""
        if self.images is None:
            return -1
        shape = self.table.shapes(self.images)[self.rows[position]]
        return int(shape[2]) if len(shape) > 2 else 1

    def check_count(self, position: int, count: int, name: str | None, values: Sequence[Any] | None) -> None:
        """Raise if a sample does not have one value for each box, or one that its tensor is not for.

        Raises
        ------
        ExportError
            With the row of the sample.
        """
        if values is None:
            return
        if len(values) != count:
            raise ExportError(
                f"sample {int(self.rows[position])} has {count} boxes and {len(values)} values in {name!r}. "
                "Expected one for each box",
                hint="give each object an entry in every tensor that describes objects",
            )
        spec = self.spec(name or "")
        if spec is None or spec.htype != "json" or spec.name not in _ENTRIES:
            return
        expected, is_valid = _ENTRIES[spec.name]
        wrong = next((one for one in values if not is_valid(one)), None)
        if wrong is not None:
            raise ExportError(
                f"sample {int(self.rows[position])} has {str(wrong)[:60]!r} in {name!r}. Expected {expected} or None "
                "for each box"
            )

    def texts(self, name: str) -> list[str]:
        """Return a tensor of texts; empty where a sample has none, or the tensor is of another kind."""
        spec = self.spec(name)
        if spec is None or spec.htype not in ("text", "json"):
            return [""] * len(self)
        values = self.table.take(self.rows, [name])[name]
        return [one if isinstance(one, str) else "" for one in values]

    def suffix(self, position: int) -> str:
        """Return what the name of an image's file ends with, by the image as it is stored."""
        if self.images is None:
            return ".jpg"
        (image,) = self.table.take(self.rows[position : position + 1], [self.images])[self.images]
        found = image_format(image[:16]) if isinstance(image, bytes) else None
        return {None: ".jpg", "jpeg": ".jpg"}.get(found, f".{found}")

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, by index."""
        return () if self.labels is None else class_names_of(self.table, self.labels)

    def names_of(self, tensor: str) -> tuple[str, ...]:
        """Return the classes of a tensor, by index."""
        return class_names_of(self.table, tensor)

    def is_single(self, tensor: str) -> bool:
        """Return whether no sample has several labels, and some have one."""
        lengths = self.table.column(tensor).lengths[self.rows]
        return bool(lengths.max(initial=0) == 1)

    def class_origins(self) -> list[str | None]:
        """Return the name that each class had when it was imported; None for a class that is new."""
        then: Mapping[str, str] = self.source.get("class_keys", {})
        stored = self.table.origin  # a view's classes are those of its own version
        keys = class_keys(stored.stored.snapshot.meta, self.labels or "") if isinstance(stored, OverlayTable) else ()
        known = [then.get(key) for key in keys]
        return known if len(known) == len(self.class_names) else [None] * len(self.class_names)

    def imported(self) -> OverlayTable | None:
        """Return the table as it was imported; None if it is still that, or was not imported."""
        commits = list(self._home.log()) if self.source else []
        if not commits or commits[-1].id == self.table.origin.version:
            return None
        first: HasContent[Content] = load(self._home.path, version=commits[-1].id)
        table = content_of(first).table
        return table if isinstance(table, OverlayTable) else None

    def subsets(self) -> list[str]:
        """Return the split of each sample; empty if it has none."""
        spec = self.spec("subset")
        if spec is None or spec.htype != "class_label":
            return [""] * len(self)
        column = self.table.column("subset")
        names = (column.row(row) for row in self.rows.tolist())
        return [spec.class_names[int(labels[0])] if len(labels) else "" for labels in names]

    def chunks(
        self, names: Sequence[str], chosen: NDArray[np.int64], *, texts: Collection[str] = ()
    ) -> Iterator[tuple[int, Mapping[str, Sequence[Any]]]]:
        """Yield chunks of some samples: where each begins, and the values of some tensors; None where one is empty.

        Those of the JSON tensors in `texts` are JSON text, which is not parsed.
        """
        from tqdm.auto import tqdm

        known = [name for name in names if name in self.table.tensors]
        parsed, unread = ([name for name in known if (name in texts) is is_text] for is_text in (False, True))
        rows = self.rows[chosen]
        with tqdm(total=len(rows), desc="export", unit=" samples", disable=not self._progress) as bar:
            for start in range(0, len(rows), _CHUNK):
                self._reached(start, len(rows))
                part = rows[start : start + _CHUNK]
                yield start, {**self.table.take(part, parsed), **self._texts(part, unread)}
                bar.update(len(part))

    def _texts(self, rows: NDArray[np.int64], names: Sequence[str]) -> dict[str, list[str | None]]:
        """Return the JSON text of some tensors, read from the files a chunk at a time: it may be most of the data."""
        if not names:
            return {}
        if isinstance(self.table, OverlayTable):
            unique, places = np.unique(rows, return_inverse=True)
            cells = self.table.cells(unique, names)
            return {name: [cells[name][place].value for place in places.tolist()] for name in names}
        values = self.table.take(rows, names)
        return {name: [None if one is None else json.dumps(one) for one in values[name]] for name in names}


def _ignore(_done: int, _total: int) -> None:
    """Report to nobody."""


def _home(source: Dataset | View) -> Dataset:
    home = source if isinstance(source, Dataset) else content_of(source).dataset
    if not isinstance(home, Dataset):
        raise ExportError("the samples of this view are not in a dataset. Expected a view of a dataset")
    return home


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number | np.bool_ | None)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping | None)


def _is_points(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(map(_is_number, value)) and None not in value)


_ENTRIES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "iscrowd": ("0, 1", _is_number),
    "area": ("a number", _is_number),
    "score": ("a number", _is_number),
    "annotation_index": ("a number", _is_number),
    "keypoints": ("a list of numbers", _is_points),
    "attributes": ("a dict", _is_mapping),
    "as_written": ("a dict", _is_mapping),
}
