"""A Deep Lake dataset: its columns to tensors."""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from penstock.dataset import Dataset
from penstock.errors import ImporterError, MissingDependencyError
from penstock.importers.boxes._boxes import BoxReader, Coords, image_size
from penstock.importers.building._build import Column, build
from penstock.importers.building._report import IssueLog, OnError
from penstock.importers.building._sources import plain_errors
from penstock.importers.columns._cells import plain_json
from penstock.importers.columns._features import LabelReader
from penstock.importers.columns._tensor_names import tensor_names
from penstock.tensors import MAX_IMAGE_BYTES

__all__ = ["from_deeplake"]

_KINDS = {
    "BoundingBox": "bbox",
    "ClassLabel": "class_label",
    "Embedding": "embedding",
    "Image": "image",
    "SegmentMask": "segment_mask",
    "BinaryMask": "binary_mask",
    "Text": "text",
    "Dict": "json",
    "Polygon": "json",
}
_UNHELD = ("Audio", "Video", "Mesh", "Medical")
_NUM_KEPT = 256  # values in memory: as many as are written at a time
_NUMBERS = re.compile(r"(?<![a-z])(u?int(?:8|16|32|64)|float(?:16|32|64)|bool)(?!\d)")


def from_deeplake(
    path: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    *,
    token: str | None = None,
    coords: Coords = "xywh",
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
    max_image_bytes: int | None = MAX_IMAGE_BYTES,
) -> Dataset:
    """Copy a Deep Lake dataset (format 4).

    Each column becomes the tensor of that name. Images keep their encoded bytes, and
    class labels their ``class_names``; -1 is a sample without labels. Dictionaries,
    structs and polygons become ``json``, and bytes become text in Base64. Boxes are clipped,
    widened or rejected like those of annotation files, together with their labels. What no
    tensor can store, such as video, is left out and reported.

    Parameters
    ----------
    path : str or path
        Local path or URL, also ``al://``; opened with the package ``deeplake``.
    dest : str or path
        Where to create the dataset; must not exist.
    token : str, optional
        Passed to ``deeplake`` for its own storage; not saved.
    coords : {"xywh", "xyxy"}
        Format of the boxes, in pixels; the columns do not specify it.
    num_workers : int
        Threads that read and check images.
    on_error : {"raise", "skip"}
        Whether to raise an error for samples and boxes that cannot be read, or to leave them out.
    progress : bool
        Whether to show a progress bar.
    max_image_bytes : int, optional
        Maximum size of a decoded image in bytes; None allows any size.

    Returns
    -------
    Dataset
        The dataset, committed.

    Raises
    ------
    MissingDependencyError
        If ``deeplake`` is not installed.
    ImporterError
        If the dataset does not exist, an image is broken, or TensorFlow is imported already, beside which
        ``deeplake`` would abort the process; nothing is left at `dest`.
    DatasetExistsError
        If `dest` already exists.
    """
    log = IssueLog(on_error)
    with plain_errors("the Deep Lake dataset"):
        opened = _open(os.fspath(path) if isinstance(path, os.PathLike) else path, token)
        reader = _Reader(opened=opened, entries={entry.name: entry for entry in opened.schema.columns}, coords=coords)
        source = str(path).rstrip("/").rsplit("/", 1)[-1]
        columns = reader.columns(log)
        return build(
            dest,
            columns,
            len(opened),
            source=source,
            log=log,
            num_workers=num_workers,
            progress=progress,
            max_image_bytes=max_image_bytes,
        )


def _open(path: str, token: str | None) -> Any:
    if not isinstance(path, str) or not path:
        raise ImporterError(f"{path!r} is of type {type(path).__name__}. Expected the path of a Deep Lake dataset")
    if "tensorflow" in sys.modules and "deeplake" not in sys.modules:  # its OpenSSL finds TensorFlow's, and aborts
        raise ImporterError(
            "Deep Lake cannot be loaded beside TensorFlow: it would end this Python process",
            hint="import the dataset in a new process, before tensorflow is imported",
        )
    try:
        import deeplake
    except ImportError as error:
        raise MissingDependencyError("the package deeplake is not installed", hint="pip install deeplake") from error
    options: dict[str, Any] = {"token": token} if token else {}
    try:
        return deeplake.open_read_only(path, **options)
    except Exception as error:
        raise ImporterError(f"the Deep Lake dataset at {path!r} cannot be opened: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reader:
    """An open dataset, its columns by name, and the form of its boxes."""

    opened: Any
    entries: Mapping[str, Any]
    coords: Coords

    def columns(self, log: IssueLog) -> list[Column]:
        """Return the tensors of all columns that a tensor can store."""
        kinds = {name: _htype(entry) for name, entry in self.entries.items()}
        for name in [name for name, kind in kinds.items() if kind is None]:
            log.ignore(name, f"a column of type {self.entries[name].dtype}, which no tensor can store")
        held = {name: kind for name, kind in kinds.items() if kind is not None}
        images = [name for name, kind in held.items() if kind == "image"]
        boxes = {name: self._boxes(name, images) for name, kind in held.items() if kind == "bbox"}
        names = tensor_names(held)
        return [self._column(name, names[name], kind, boxes) for name, kind in held.items()]

    def _boxes(self, name: str, images: Sequence[str]) -> BoxReader:
        chosen = next((one for one in ("image", "images") if one in images), images[0] if len(images) == 1 else None)
        encoded = None if chosen is None else _encoded(self.opened[chosen])
        values = self.opened[name]

        def size_of(row: int) -> tuple[int, int] | None:
            return None if encoded is None else image_size(encoded(row))

        return BoxReader(name, lambda row: np.asarray(values[row]), size_of, coords=self.coords)

    def _column(self, name: str, tensor: str, htype: str, boxes: Mapping[str, BoxReader]) -> Column:
        values, entry = self.opened[name], self.entries[name]
        if htype == "bbox":
            return Column(
                name=tensor,
                htype=htype,
                sample=lambda row: boxes[name].read(row).boxes,
                options={"coords": self.coords},
                issues=lambda row: boxes[name].read(row).issues,
            )
        together = next(iter(boxes.values())) if len(boxes) == 1 and _is_list(entry) else None
        if htype != "class_label":
            options = {"dtype": _dtype(entry)} if htype == "generic" else {}
            return Column(
                name=tensor, htype=htype, sample=_in_step(_sampler(values, htype, entry), together), options=options
            )
        names = list(dict(values.metadata).get("class_names", []))
        labels = LabelReader()
        given = _in_step(lambda row: np.atleast_1d(np.asarray(values[row])), together)
        return Column(
            name=tensor,
            htype=htype,
            sample=lambda row: labels.read(row, given(row)),
            options={"class_names": names} if names else {},
            notes=labels.notes,
        )


def _htype(entry: Any) -> str | None:
    """Return the htype that can store a column, None if there is none."""
    kind, inner = str(entry.dtype.kind).removeprefix("TypeKind."), str(entry.dtype)
    if kind in _UNHELD or (kind == "Sequence" and ("kind=image" in inner or "kind=link" in inner)):
        return None
    if kind == "Link":
        return "image" if entry.dtype.is_image else None
    if kind == "Sequence" and "class_label" in inner:
        return "class_label"
    return _KINDS.get(kind) or _htype_of_plain(entry, inner)


def _htype_of_plain(entry: Any, inner: str) -> str:
    if "bytes" in inner:
        return "text"
    if _dtype(entry):
        return "generic"
    return "text" if "text" in inner and not entry.dtype.is_sequence and "???" not in str(entry.dtype.kind) else "json"


def _dtype(entry: Any) -> str | None:
    found = _NUMBERS.search(str(entry.dtype.data_type))
    several = str(entry.dtype.kind).endswith("???")  # a struct
    return None if found is None or several else found[1]


def _is_list(entry: Any) -> bool:
    """Return whether a sample of a column has one value per object."""
    kind = str(entry.dtype.kind).removeprefix("TypeKind.")
    return bool(entry.dtype.is_sequence) or (kind == "ClassLabel" and str(entry.dtype.data_type).startswith("array"))


def _in_step(sample: Callable[[int], Any], boxes: BoxReader | None) -> Callable[[int], Any]:
    """Leave out the values of rejected boxes, if a sample has as many values as boxes."""
    if boxes is None:
        return sample

    def kept(row: int) -> Any:
        values, chosen = sample(row), boxes.read(row).kept
        if len(values) != len(chosen):
            return values
        return values[chosen] if isinstance(values, np.ndarray) else [values[at] for at in np.flatnonzero(chosen)]

    return kept


def _encoded(values: Any) -> Callable[[int], bytes]:
    return lru_cache(_NUM_KEPT)(lambda row: bytes(values.get_bytes(row)))


def _sampler(values: Any, htype: str, entry: Any) -> Callable[[int], Any]:
    if htype == "image":
        return _encoded(values)
    if htype == "text":
        return lambda row: _text(values[row])
    if htype == "json":
        return lambda row: plain_json(_plain(values[row]))
    if htype == "generic":
        return lambda row: None if (value := values[row]) is None else np.asarray(value).astype(_dtype(entry))
    return lambda row: np.asarray(values[row])


def _text(value: Any) -> str | None:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return {key: _plain(entry) for key, entry in value.to_dict().items()}
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value
