"""Plain arrays: which kind of tensor each is, and its samples."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset
from penstock.errors import ImporterError
from penstock.importers._build import Column, build
from penstock.importers._report import IssueLog, OnError
from penstock.table import Ragged
from penstock.tensors import HTYPES

__all__ = ["ArrayColumn", "from_arrays", "parse_arrays"]

_Values = NDArray[Any] | Sequence[Any]

_CHANNELS = (1, 3, 4)
_IMAGE_NAMES = ("image", "images")
_LABEL_NAMES = ("label", "labels", "class", "classes", "category", "categories", "target", "targets")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrayColumn:
    """One array and what it becomes.

    Parameters
    ----------
    name : str
        The tensor's name.
    htype : str
        Kind of tensor.
    samples : sequence
        One value a sample, as the tensor takes it.
    class_names : tuple of str, optional
        Of a class label.
    """

    name: str
    htype: str
    samples: Sequence[Any]
    class_names: tuple[str, ...] | None = None


def from_arrays(
    arrays: Mapping[str, NDArray[Any] | Sequence[Any]],
    dest: str | os.PathLike[str],
    *,
    class_names: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    htypes: Mapping[str, str] | None = None,
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
) -> Dataset:
    """Make a dataset of plain arrays.

    ``images`` becomes an image tensor, ``labels`` (also ``targets`` and the like)
    a class label; text, vectors of floats and numbers are recognised.

    Parameters
    ----------
    arrays : mapping of str to array or sequence
        Tensor name to one value a sample. Images are uint8, (height, width) or
        (height, width, channels), of one size or a list of many. Labels are class
        indices, names, lists of them, or a bool array of shape (num_samples, num_classes).
    dest : str or path
        Where the dataset is made; must not exist.
    class_names : sequence of str, or mapping of tensor name to sequence, optional
        Names of the classes by index; by default the names in order of first
        appearance, or the indices as text.
    htypes : mapping of str to str, optional
        Kinds of tensors whose name and type do not tell.
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
        If lengths differ or an array does not fit its kind; nothing is left at `dest`.
    DatasetExistsError
        If there is something at `dest`.
    """
    columns = [
        Column(
            name=found.name,
            htype=found.htype,
            sample=found.samples.__getitem__,
            options={} if found.class_names is None else {"class_names": found.class_names},
        )
        for found in parse_arrays(arrays, class_names=class_names, htypes=htypes)
    ]
    num_rows = len(next(iter(arrays.values())))
    log = IssueLog(on_error)
    return build(dest, columns, num_rows, source="arrays", log=log, num_workers=num_workers, progress=progress)


def parse_arrays(
    arrays: Mapping[str, NDArray[Any] | Sequence[Any]],
    *,
    class_names: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    htypes: Mapping[str, str] | None = None,
) -> list[ArrayColumn]:
    """Return the columns of arrays of equal length, each checked against its kind.

    Parameters
    ----------
    arrays : mapping of str to array or sequence
        Tensor name to one value a sample.
    class_names : sequence of str, or mapping of tensor name to sequence, optional
        Names of the classes by index.
    htypes : mapping of str to str, optional
        Kinds, where the array and its name do not tell.

    Raises
    ------
    ImporterError
        If lengths differ, or an array does not fit its kind.
    """
    lengths = {name: len(values) for name, values in arrays.items()}
    if not lengths or len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        raise ImporterError(f"arrays of unequal length: {shown or 'none given'}; expected one value a sample in each")
    kinds = {name: _htype(name, values, htypes or {}) for name, values in arrays.items()}
    labels = [name for name, kind in kinds.items() if kind == "class_label"]
    names_of = class_names if isinstance(class_names, Mapping) else dict.fromkeys(labels, class_names)
    return [_column(name, kinds[name], values, names_of.get(name)) for name, values in arrays.items()]


def _htype(name: str, values: _Values, htypes: Mapping[str, str]) -> str:
    if name in htypes:
        if htypes[name] not in HTYPES:
            raise ImporterError(f"htype {htypes[name]!r} for {name!r}; expected one of {', '.join(HTYPES)}")
        return htypes[name]
    if name in _IMAGE_NAMES:
        return "image"
    if name in _LABEL_NAMES:
        return "class_label"
    first = values[0] if len(values) else None
    if isinstance(first, str):
        return "text"
    return "embedding" if isinstance(values, np.ndarray) and values.dtype.kind == "f" and values.ndim > 1 else "generic"


def _column(name: str, htype: str, values: _Values, class_names: Sequence[str] | None) -> ArrayColumn:
    if htype == "image":
        return ArrayColumn(name=name, htype=htype, samples=_images(name, values))
    if htype == "class_label":
        labels = _labels(name, values, class_names)
        return ArrayColumn(
            name=name,
            htype=htype,
            samples=[labels.row(index) for index in range(len(labels))],
            class_names=labels.class_names,
        )
    return ArrayColumn(name=name, htype=htype, samples=list(values))


def _images(name: str, values: _Values) -> Sequence[NDArray[np.uint8]]:
    images = values if isinstance(values, np.ndarray) else [np.asarray(value) for value in values]
    for index, image in enumerate(images[:1] if isinstance(values, np.ndarray) else images):
        _check_image(f"{name}[{index}]", np.asarray(image))
    return list(images)


def _check_image(name: str, image: NDArray[Any]) -> None:
    if image.dtype != np.uint8:
        unit = image.dtype.kind == "f" and (image.size == 0 or float(np.nanmax(image)) <= 1)
        raise ImporterError(
            f"{name} is of type {image.dtype}; expected uint8, 0 to 255",
            hint="multiply by 255 and round, then .astype('uint8')" if unit else ".astype('uint8') after scaling",
        )
    if image.ndim == 3 and image.shape[2] not in _CHANNELS and image.shape[0] in _CHANNELS:  # noqa: PLR2004  three axes
        raise ImporterError(
            f"{name} has shape {image.shape}; expected (height, width, channels)",
            hint="channels come last: images.transpose(0, 2, 3, 1)",
        )
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in _CHANNELS):  # noqa: PLR2004  three axes
        raise ImporterError(f"{name} has shape {image.shape}; expected (height, width) or (height, width, 1, 3 or 4)")


def _labels(name: str, values: _Values, class_names: Sequence[str] | None) -> Ragged:
    rows = _label_rows(name, values, class_names)
    names = tuple(class_names) if class_names is not None else None
    if names is None:
        texts = list(dict.fromkeys(label for row in rows for label in row if isinstance(label, str)))
        names = tuple(texts) or None
    index = {label: position for position, label in enumerate(names or ())}
    flat: list[Any] = [index.get(label, label) if isinstance(label, str) else label for row in rows for label in row]
    wrong = next((label for label in flat if not _is_class(label, names)), None)
    if wrong is not None:
        classes = (
            f"0 to {len(names) - 1} or one of {', '.join(names[:8])}" if names else "whole numbers from 0, or names"
        )
        raise ImporterError(f"{name} has label {wrong!r}; expected {classes}")
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)]).astype(np.int64)
    if names is None:
        names = tuple(str(number) for number in range(max(flat, default=-1) + 1))
    return Ragged(values=np.array(flat, np.int64), offsets=offsets, class_names=names)


def _is_class(label: object, names: tuple[str, ...] | None) -> bool:
    if not isinstance(label, int | np.integer) or isinstance(label, bool):
        return False
    return int(label) >= 0 and (names is None or int(label) < len(names))


def _label_rows(name: str, values: _Values, class_names: Sequence[str] | None) -> list[Sequence[Any]]:
    if isinstance(values, np.ndarray) and values.dtype == np.bool_:
        if values.ndim != 2 or (class_names is not None and values.shape[1] != len(class_names)):  # noqa: PLR2004  rows by classes
            raise ImporterError(f"{name} is bool of shape {values.shape}; expected (num_samples, num_classes)")
        return [np.flatnonzero(row).tolist() for row in values]
    plain = values.tolist() if hasattr(values, "tolist") else list(values)
    return [row if isinstance(row, list | tuple) else _listed(row) for row in plain]


def _listed(row: object) -> list[Any]:
    if row is None:
        return []
    return list(row.tolist()) if isinstance(row, np.ndarray) and row.ndim else [row]
