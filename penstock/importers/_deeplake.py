"""A Deep Lake dataset: its columns to tensors."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from penstock.dataset import Dataset
from penstock.errors import ImporterError, MissingDependencyError
from penstock.importers._build import Column, build
from penstock.importers._report import IssueLog, OnError

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
}


def from_deeplake(
    path: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    *,
    token: str | None = None,
    coords: Literal["xywh", "xyxy"] = "xywh",
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
) -> Dataset:
    """Copy a Deep Lake dataset (format 4).

    Each column becomes the tensor of its name and kind; images keep their
    encoded bytes, class labels their ``class_names``.

    Parameters
    ----------
    path : str or path
        Local path or URL, also ``al://``; opened with the package ``deeplake``.
    dest : str or path
        Where the dataset is made; must not exist.
    token : str, optional
        Passed to ``deeplake`` for its own storage; kept nowhere.
    coords : {"xywh", "xyxy"}
        Form of the boxes, pixels; the columns do not tell.
    num_workers : int
        Threads that read and check images.
    on_error : {"raise", "skip"}
        What becomes of samples whose image cannot be read.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    Dataset
        The dataset, committed.

    Raises
    ------
    MissingDependencyError
        If ``deeplake`` is not installed.
    ImporterError
        If there is no such dataset, or an image is broken; nothing is left at `dest`.
    DatasetExistsError
        If there is something at `dest`.
    """
    opened = _open(os.fspath(path), token)
    columns = [_column(opened[entry.name], entry, coords) for entry in opened.schema.columns]
    source = os.fspath(path).rstrip("/").rsplit("/", 1)[-1]
    log = IssueLog(on_error)
    return build(dest, columns, len(opened), source=source, log=log, num_workers=num_workers, progress=progress)


def _open(path: str, token: str | None) -> Any:  # noqa: ANN401  deeplake's own class
    try:
        import deeplake
    except ImportError as error:
        raise MissingDependencyError("the package deeplake is not installed", hint="pip install deeplake") from error
    options: dict[str, Any] = {"token": token} if token else {}
    try:
        return deeplake.open_read_only(path, **options)
    except Exception as error:
        raise ImporterError(f"no Deep Lake dataset can be opened at {path!r}: {error}") from error


def _column(values: Any, entry: Any, coords: str) -> Column:  # noqa: ANN401  deeplake's own classes
    htype = _KINDS.get(str(entry.dtype.kind).removeprefix("TypeKind."), "generic")
    options: dict[str, Any] = {}
    if htype == "class_label":
        names = list(dict(values.metadata).get("class_names", []))
        options = {"class_names": names} if names else {}
    elif htype == "bbox":
        options = {"coords": coords}
    return Column(name=entry.name, htype=htype, sample=_sampler(values, htype), options=options)


def _sampler(values: Any, htype: str) -> Callable[[int], Any]:  # noqa: ANN401  deeplake's own class
    if htype == "image":
        return lambda row: bytes(values.get_bytes(row))
    if htype in ("text", "json"):
        return lambda row: values[row]
    return lambda row: np.asarray(values[row])
