"""A Hugging Face dataset: its features to tensors."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from penstock.dataset import Dataset
from penstock.errors import ImporterError
from penstock.importers._build import Column, build
from penstock.importers._report import IssueLog, OnError

__all__ = ["from_huggingface"]

_NUM_KEPT = 1024  # rows in memory: more than are written at a time
_BOX_NAMES = ("bbox", "bboxes", "boxes")
_CATEGORY_NAMES = ("category", "categories", "label", "labels", "category_id")

Row = Mapping[str, Any]


def from_huggingface(
    dataset: Any,  # noqa: ANN401  datasets.Dataset; that package is not needed until one is handed in
    dest: str | os.PathLike[str],
    *,
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
) -> Dataset:
    """Make a dataset of a Hugging Face dataset.

    Each feature becomes the tensor of its name: ``Image`` an image, its file kept
    as it is; ``ClassLabel``, alone or in a list, a class label; text, numbers and
    lists of numbers what they are; everything else ``json``. A feature of objects
    with ``bbox`` and ``category`` becomes ``boxes`` and ``categories``.

    Parameters
    ----------
    dataset : datasets.Dataset
        One split.
    dest : str or path
        Where the dataset is made; must not exist.
    num_workers : int
        Threads that check images.
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
    ImporterError
        If `dataset` is not one split of a Hugging Face dataset, or an image is
        broken; nothing is left at `dest`.
    DatasetExistsError
        If there is something at `dest`.
    """
    features = _features(dataset)
    columns: list[Column] = []
    for name, feature in features.items():
        columns += _columns(name, feature, _reader(dataset, features))
    source = str(getattr(getattr(dataset, "info", None), "dataset_name", None) or "Hugging Face dataset")
    log = IssueLog(on_error)
    return build(dest, columns, len(dataset), source=source, log=log, num_workers=num_workers, progress=progress)


def _features(dataset: Any) -> dict[str, Any]:  # noqa: ANN401  see from_huggingface
    if isinstance(dataset, Mapping):
        raise ImporterError(
            f"a dictionary of splits ({', '.join(map(str, dataset))}); expected one split",
            hint=f"dataset[{next(iter(dataset), 'train')!r}]",
        )
    features = getattr(dataset, "features", None)
    if not features or not hasattr(dataset, "__len__") or not hasattr(dataset, "cast_column"):
        raise ImporterError(f"a {type(dataset).__name__}; expected a datasets.Dataset that is not streamed")
    return dict(features)


def _reader(dataset: Any, features: Mapping[str, Any]) -> Callable[[int], Row]:  # noqa: ANN401  see from_huggingface
    """Return row to values, images as the bytes of their files."""
    for name, feature in features.items():
        if _kind(feature) == "Image":
            dataset = dataset.cast_column(name, type(feature)(decode=False))
    plain = dataset.with_format(None)
    return lru_cache(_NUM_KEPT)(lambda row: dict(plain[row]))


def _kind(feature: object) -> str:
    return type(feature).__name__


def _columns(name: str, feature: Any, row_of: Callable[[int], Row]) -> list[Column]:  # noqa: ANN401  a datasets feature
    tensor = re.sub(r"\W+", "_", name).strip("_") or "column"
    if _kind(feature) == "Image":
        return [Column(name=tensor, htype="image", sample=lambda row: _image_bytes(row_of(row)[name]))]
    objects = _objects(feature)
    if objects is not None:
        return _object_columns(name, *objects, row_of)
    htype, options = _told(feature)
    return [Column(name=tensor, htype=htype, sample=lambda row: row_of(row)[name], options=options)]


def _told(feature: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401  a datasets feature
    """Return kind and options of the tensor of a feature."""
    inner = getattr(feature, "feature", feature)
    if _kind(inner) == "ClassLabel":
        return "class_label", {"class_names": list(inner.names)}
    dtype = str(getattr(inner, "dtype", None))
    if _kind(feature) == "Value" and dtype in ("string", "large_string"):
        return "text", {}
    numeric = _kind(inner) == "Value" and re.fullmatch(r"u?int\d+|float\d+|bool", dtype)
    return ("generic", {"dtype": dtype}) if numeric else ("json", {})


def _image_bytes(value: Any) -> bytes | None:  # noqa: ANN401  what a datasets image holds undecoded
    if value is None:
        return None
    if value.get("bytes"):
        return bytes(value["bytes"])
    try:
        with open(value["path"], "rb") as file:  # noqa: PTH123  may be None or a remote path: one error for all
            return file.read()
    except (OSError, TypeError) as error:
        raise ImporterError(f"image {value.get('path')!r} cannot be read: {error}") from None


def _objects(feature: Any) -> tuple[str, str, Any] | None:  # noqa: ANN401  a datasets feature
    """Return the names of boxes and categories in a feature of objects, and the categories' feature."""
    fields = getattr(feature, "feature", feature)
    if not isinstance(fields, Mapping):
        return None
    boxes = next((name for name in _BOX_NAMES if name in fields), None)
    categories = next((name for name in _CATEGORY_NAMES if name in fields), None)
    if boxes is None or categories is None:
        return None
    return boxes, categories, getattr(fields[categories], "feature", fields[categories])


def _object_columns(
    name: str,
    boxes: str,
    categories: str,
    feature: Any,  # noqa: ANN401  a datasets feature
    row_of: Callable[[int], Row],
) -> list[Column]:
    def values(row: int, key: str) -> list[Any]:
        objects = row_of(row)[name]
        return [one[key] for one in objects] if isinstance(objects, list) else list(objects[key])

    names: dict[str, Any] = {"class_names": list(feature.names)} if _kind(feature) == "ClassLabel" else {}
    options = {**names, "aligned_with": "boxes"}
    return [
        Column(name="boxes", htype="bbox", sample=lambda row: np.array(values(row, boxes), np.float32).reshape(-1, 4)),
        Column(name="categories", htype="class_label", sample=lambda row: values(row, categories), options=options),
    ]
