"""Plain arrays: which kind of tensor each is, and its samples."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock._wording import nearest
from penstock.dataset import Dataset
from penstock.errors import ImporterError
from penstock.importers.boxes._boxes import BoxReader, Coords, image_size
from penstock.importers.building._build import Column, build
from penstock.importers.building._report import IssueLog, OnError
from penstock.importers.building._sources import plain_errors
from penstock.importers.columns._array_labels import array_labels
from penstock.importers.columns._cells import is_missing, read_cells
from penstock.importers.columns._labels import LabelColumn
from penstock.importers.columns._series import Values, as_arrays, as_values, categories_of
from penstock.tensors import HTYPES, MAX_IMAGE_BYTES, is_pillow, pillow_pixels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ArrayColumn", "from_arrays", "parse_arrays"]

_CHANNELS = (1, 3, 4)
_IMAGE_NAMES = ("image", "images")
_LABEL_NAMES = ("label", "labels", "class", "classes", "category", "categories", "target", "targets")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrayColumn:
    """One array and the tensor it becomes.

    Parameters
    ----------
    name : str
        The tensor's name.
    htype : str
        Kind of tensor.
    samples : sequence
        One value per sample, as the tensor stores it; reading an invalid one raises.
    options : dict
        Further options of `Dataset.create_tensor`.
    notes : tuple of str
        How the array was interpreted, if that is ambiguous.
    """

    name: str
    htype: str
    samples: Sequence[Any] | NDArray[Any]
    options: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def from_arrays(
    arrays: Mapping[str, NDArray[Any] | Sequence[Any]] | pd.DataFrame,
    dest: str | os.PathLike[str],
    *,
    class_names: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    htypes: Mapping[str, str] | None = None,
    coords: Coords = "xywh",
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
    max_image_bytes: int | None = MAX_IMAGE_BYTES,
) -> Dataset:
    """Create a dataset from plain arrays.

    ``images`` becomes an image tensor, ``labels`` (also ``targets`` and the like)
    a class label; text, vectors of floats, numbers, times and dictionaries are recognized.

    Parameters
    ----------
    arrays : mapping of str to array or sequence
        Tensor name to one value per sample. Images are uint8, (height, width) or
        (height, width, channels), of one size or a list of several sizes; a list can also
        contain Pillow images, paths and encoded bytes. Labels are class indices,
        names, lists of them, or a matrix of shape (num_samples, num_classes): bool,
        or numbers 0 and 1 if `class_names` says how many classes there are. None
        and -1 are samples without labels.
    dest : str or path
        Where to create the dataset; must not exist.
    class_names : sequence of str, or mapping of tensor name to sequence, optional
        Names of the classes by index; by default the names in order of first
        appearance, or the indices as text. A tensor named here is a class label.
    htypes : mapping of str to str, optional
        The htypes of tensors, where name and type do not decide it.
    coords : {"xywh", "xyxy"}
        Format of the boxes of ``bbox`` tensors, in pixels. They are clipped, widened or
        rejected like those of annotation files.
    num_workers : int
        Threads that read and check images.
    on_error : {"raise", "skip"}
        Whether to raise an error for samples that do not fit a tensor, or to leave them out.
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
    ImporterError
        If lengths differ or an array does not fit its htype; nothing is left at `dest`.
    DatasetExistsError
        If `dest` already exists.
    """
    log = IssueLog(on_error)
    with plain_errors("the arrays"):
        found = parse_arrays(arrays, class_names=class_names, htypes=htypes)
        for one in found:
            for note in one.notes:
                log.note(one.name, note)
        images = next((one.samples for one in found if one.htype == "image"), None)
        columns = [_written(one, images, coords) for one in found]
        num_rows = len(found[0].samples)
        return build(
            dest,
            columns,
            num_rows,
            source="arrays",
            log=log,
            num_workers=num_workers,
            progress=progress,
            max_image_bytes=max_image_bytes,
        )


def _written(found: ArrayColumn, images: Sequence[Any] | NDArray[Any] | None, coords: Coords) -> Column:
    if found.htype != "bbox":
        labels = found.samples.found if isinstance(found.samples, _Labels) else None
        return Column(
            name=found.name,
            htype=found.htype,
            sample=found.samples.__getitem__,
            options=found.options,
            whole=found.samples if labels is None else labels.labels,
            wrong=() if labels is None else labels.problems,
        )

    def size_of(row: int) -> tuple[int, int] | None:
        try:
            return None if images is None else image_size(images[row])
        except ImporterError:
            return None  # the image is refused by itself

    boxes = BoxReader(found.name, found.samples.__getitem__, size_of, coords=coords)
    return Column(
        name=found.name,
        htype="bbox",
        sample=lambda row: boxes.read(row).boxes,
        options={"coords": coords},
        issues=lambda row: boxes.read(row).issues,
    )


def parse_arrays(
    arrays: Mapping[str, NDArray[Any] | Sequence[Any]] | pd.DataFrame,
    *,
    class_names: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    htypes: Mapping[str, str] | None = None,
) -> list[ArrayColumn]:
    """Return the columns of arrays of equal length, each checked against its htype.

    Parameters
    ----------
    arrays : mapping of str to array or sequence
        Tensor name to one value per sample.
    class_names : sequence of str, or mapping of tensor name to sequence, optional
        Names of the classes by index.
    htypes : mapping of str to str, optional
        The htypes, where the array and its name do not decide it.

    Raises
    ------
    ImporterError
        If lengths differ, an array does not fit its htype, or a name is not an array.
    """
    given_arrays = as_arrays(arrays)
    values = {name: as_values(name, given) for name, given in given_arrays.items()}
    lengths = {name: len(given) for name, given in values.items()}
    if not lengths or len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        what = f"the arrays have unequal lengths: {shown}" if shown else "no arrays were given"
        raise ImporterError(f"{what}. Expected one value per sample in each")
    kinds_given = _by_name(htypes, values, "htypes")
    named = dict(_by_name(class_names, values, "class_names")) if isinstance(class_names, Mapping) else {}
    categorical = {name: categories_of(given) for name, given in given_arrays.items() if name not in kinds_given}
    named = {name: names for name, names in categorical.items() if names is not None} | named
    kinds = {name: _htype(name, given, kinds_given, named) for name, given in values.items()}
    labels = [name for name, kind in kinds.items() if kind == "class_label"]
    if class_names is not None and not isinstance(class_names, Mapping):
        if not labels:
            raise ImporterError(
                f"class_names was given, but none of {', '.join(values)} is a class label. "
                "Expected a tensor to use them for",
                hint=f"use class_names={{{next(iter(values))!r}: [...]}} to say which",
            )
        named |= dict.fromkeys(labels, class_names)
    return [_column(name, kinds[name], given, named.get(name)) for name, given in values.items()]


def _by_name(given: Mapping[str, Any] | None, values: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ImporterError(f"{what}={given!r} is not valid. Expected a mapping of array names")
    wrong = next((name for name in given if name not in values), None)
    if wrong is not None:
        like = nearest(str(wrong), values)
        raise ImporterError(
            f"{what} contains {wrong!r}, which is not an array. Expected one of: {', '.join(values)}",
            hint=f"did you mean {like!r}?" if like else None,
        )
    return given


def _htype(name: str, values: Values, htypes: Mapping[str, str], named: Mapping[str, Any]) -> str | None:
    """Return the htype that is requested or follows from name and type, None if the cells decide."""
    if name in htypes:
        if htypes[name] not in HTYPES:
            raise ImporterError(f"{htypes[name]!r} is not an htype for {name!r}. Expected one of: {', '.join(HTYPES)}")
        if name in named and htypes[name] != "class_label":
            raise ImporterError(
                f"class_names was given for {name!r}, which has htype {htypes[name]!r}. Expected htype 'class_label'"
            )
        return htypes[name]
    if name in named or name in _LABEL_NAMES:
        return "class_label"
    if name in _IMAGE_NAMES or is_pillow(next((value for value in values if not is_missing(value)), None)):
        return "image"
    if isinstance(values, np.ndarray) and values.ndim > 1 and values.dtype.kind in "biuf":
        return "embedding" if values.dtype.kind == "f" and values.ndim == 2 and values.shape[1] else "generic"
    return None


def _column(name: str, htype: str | None, values: Values, class_names: Sequence[str] | None) -> ArrayColumn:
    if htype == "image":
        return ArrayColumn(name=name, htype=htype, samples=_images(name, values))
    if htype == "class_label":
        return _label_column(name, values, class_names)
    if htype is not None and (htype not in ("generic", "text", "json") or _is_matrix(values)):
        options = {"dtype": values.dtype.name} if htype == "generic" and isinstance(values, np.ndarray) else {}
        return ArrayColumn(name=name, htype=htype, samples=values, options=options)
    import pandas as pd

    with plain_errors(f"{name!r}"):
        series = pd.Series(values, dtype=None if isinstance(values, np.ndarray) else object, name=name)
        cells = read_cells(series, name, htype, words="text")
    if cells.htype == "class_label":
        return _label_column(name, values, class_names)
    if cells.htype == "text" and not len(cells.samples):
        cells = read_cells(series, name, "text", words="text")
    return ArrayColumn(name=name, htype=cells.htype, samples=cells.samples, options=cells.options)


def _is_matrix(values: Values) -> bool:
    return isinstance(values, np.ndarray) and values.ndim > 1


def _label_column(name: str, values: Values, class_names: Sequence[str] | None) -> ArrayColumn:
    found = array_labels(name, values, class_names)
    return ArrayColumn(
        name=name,
        htype="class_label",
        samples=_Labels(found),
        options={"class_names": found.labels.class_names},
        notes=found.notes,
    )


class _Labels(Sequence[Any]):
    """Labels by sample; asking for those of a wrong one raises."""

    def __init__(self, found: LabelColumn) -> None:
        self.found = found

    def __len__(self) -> int:
        return len(self.found.labels)

    def __getitem__(self, row: Any) -> Any:
        if not 0 <= row < len(self):
            raise IndexError(row)
        return self.found.sample(row)


class _Images(Sequence[Any]):
    """Images of a list, each checked when it is read, so that an invalid one is rejected alone."""

    def __init__(self, name: str, values: Sequence[Any]) -> None:
        self._name = name
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, row: Any) -> Any:
        return _image(f"{self._name}[{row}]", self._values[row])


def _images(name: str, values: Values) -> Sequence[Any] | NDArray[Any]:
    if isinstance(values, np.ndarray) and values.dtype != np.dtype(object):
        if len(values):
            _check_image(f"{name}[0]", values[0])
        return values
    return _Images(name, list(values))


def _image(name: str, value: Any) -> Any:
    if is_missing(value):
        return None
    if is_pillow(value):
        return pillow_pixels(value)
    if isinstance(value, str | os.PathLike):
        return Path(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    try:
        pixels = np.asarray(value)
    except Exception as error:
        raise ImporterError(
            f"{name} is a {type(value).__name__}, not an array ({' '.join(str(error).split())[:100]}). Expected "
            "uint8 of shape (height, width) or (height, width, channels)"
        ) from error
    _check_image(name, pixels)
    return pixels


def _check_image(name: str, image: Any) -> None:
    image = np.asarray(image)
    if image.dtype != np.uint8:
        unit = image.dtype.kind == "b" or (image.dtype.kind == "f" and bool((np.nan_to_num(image) <= 1).all()))
        raise ImporterError(
            f"{name} has dtype {image.dtype}. Expected uint8, 0 to 255",
            hint="multiply by 255 and round, then .astype('uint8')" if unit else "scale, then .astype('uint8')",
        )
    if image.ndim == 3 and image.shape[2] not in _CHANNELS and image.shape[0] in _CHANNELS:
        raise ImporterError(
            f"{name} has shape {image.shape}. Expected (height, width, channels)",
            hint="move the channels to the end: images.transpose(0, 2, 3, 1)",
        )
    flat = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in _CHANNELS)
    if not flat or 0 in image.shape:
        raise ImporterError(f"{name} has shape {image.shape}. Expected (height, width) or (height, width, 1, 3 or 4)")
