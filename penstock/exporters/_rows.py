"""Rows that are exported, read a chunk at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset, View
from penstock.dataset.samples import Content, content_of
from penstock.dataset.samples._content import HasContent
from penstock.errors import ExportError
from penstock.table import OverlayTable, Table, class_keys, class_names_of
from penstock.tensors import TensorSpec, first_tensor, group_of, image_format, label_tensors

__all__ = ["ExportedRows"]

_CHUNK = 512


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
        noted = _home(source).info.get("source")
        self.source: Mapping[str, Any] = noted if isinstance(noted, Mapping) else {}
        self._progress = progress is True
        self._reached = progress if callable(progress) else _ignore

    def __len__(self) -> int:
        return len(self.rows)

    def spec(self, name: str) -> TensorSpec | None:
        """Return a tensor; None if it does not exist."""
        return self.table.tensors.get(name)

    @property
    def images(self) -> str | None:
        """The tensor of images."""
        return first_tensor(self.table.tensors, "image")

    @property
    def boxes(self) -> str | None:
        """The tensor of boxes."""
        return first_tensor(self.table.tensors, "bbox")

    @property
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

    def class_origins(self) -> list[str | None]:
        """Return the name that each class had when it was imported; None for a class that is new."""
        then: Mapping[str, str] = self.source.get("class_keys", {})
        stored = self.table.origin  # a view's classes are those of its own version
        keys = class_keys(stored.stored.snapshot.meta, self.labels or "") if isinstance(stored, OverlayTable) else ()
        known = [then.get(key) for key in keys]
        return known if len(known) == len(self.class_names) else [None] * len(self.class_names)

    def subsets(self) -> list[str]:
        """Return the split of each sample; empty if it has none."""
        spec = self.spec("subset")
        if spec is None or spec.htype != "class_label":
            return [""] * len(self)
        column = self.table.column("subset")
        names = (column.row(row) for row in self.rows.tolist())
        return [spec.class_names[int(labels[0])] if len(labels) else "" for labels in names]

    def chunks(
        self, names: Sequence[str], chosen: NDArray[np.int64]
    ) -> Iterator[tuple[int, Mapping[str, Sequence[Any]]]]:
        """Yield chunks of some samples: where each begins, and the values of some tensors; None where one is empty."""
        from tqdm.auto import tqdm

        known = [name for name in names if name in self.table.tensors]
        rows = self.rows[chosen]
        with tqdm(total=len(rows), desc="export", unit=" samples", disable=not self._progress) as bar:
            for start in range(0, len(rows), _CHUNK):
                self._reached(start, len(rows))
                part = rows[start : start + _CHUNK]
                yield start, self.table.take(part, known)
                bar.update(len(part))


def _ignore(_done: int, _total: int) -> None:
    """Report to nobody."""


def _home(source: Dataset | View) -> Dataset:
    home = source if isinstance(source, Dataset) else content_of(source).dataset
    if not isinstance(home, Dataset):
        raise ExportError("the samples of this view are not in a dataset. Expected a view of a dataset")
    return home
