"""A Hugging Face dataset: its features to tensors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from penstock.dataset import Dataset
from penstock.errors import ImporterError
from penstock.importers.boxes._boxes import Coords, image_size
from penstock.importers.building._build import Column, build
from penstock.importers.building._report import IssueLog, OnError
from penstock.importers.building._sources import plain_errors
from penstock.importers.building._text import printable
from penstock.importers.columns._cells import plain_json
from penstock.importers.columns._features import Feature, LabelReader, feature_kind, is_unheld, label_names, told
from penstock.importers.columns._labels import MISSING_LABEL
from penstock.importers.columns._object_features import (
    BOX_NAMES,
    CATEGORY_NAMES,
    ObjectFeature,
    object_columns,
    object_feature,
)
from penstock.importers.columns._tensor_names import free_name, tensor_names
from penstock.tensors import MAX_IMAGE_BYTES

__all__ = ["from_huggingface"]

_NUM_KEPT = 1024  # rows in memory: more than are written at a time

Row = Mapping[str, Any]


def from_huggingface(
    dataset: Any,
    dest: str | os.PathLike[str],
    *,
    coords: Coords = "xywh",
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
    max_image_bytes: int | None = MAX_IMAGE_BYTES,
) -> Dataset:
    """Create a dataset from a Hugging Face dataset.

    Each feature becomes the tensor of that name. ``Image`` becomes an image, with its
    file unchanged; ``ClassLabel``, or a list of them, a class label; times become text in
    ISO 8601, durations seconds, binary data text in Base64. Text, numbers and lists of
    numbers stay as they are, and everything else becomes ``json``. None and -1 are samples
    without labels. A feature of objects with ``bbox`` becomes ``boxes``, ``categories`` and
    a tensor for each other field; boxes are clipped, widened or rejected like those of
    annotation files. What no tensor can store, such as audio, is left out and reported.

    Parameters
    ----------
    dataset : datasets.Dataset
        One split.
    dest : str or path
        Where to create the dataset; must not exist.
    coords : {"xywh", "xyxy"}
        Format of the boxes, in pixels; the features do not specify it.
    num_workers : int
        Threads that check images.
    on_error : {"raise", "skip"}
        Whether to raise an error for samples and objects that cannot be read, or to leave them out.
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
        If `dataset` is not one split of a Hugging Face dataset, or an image is
        broken; nothing is left at `dest`.
    DatasetExistsError
        If `dest` already exists.
    """
    log = IssueLog(on_error)
    with plain_errors("the Hugging Face dataset"):
        features = _features(dataset)
        for name in [name for name, feature in features.items() if is_unheld(feature)]:
            log.ignore(name, f"a feature of type {feature_kind(features.pop(name))}, which no tensor can store")
        reader = _Reader(
            features=features,
            row_of=_row_reader(dataset, features),
            label_of=_row_reader(dataset, _without_images(features)),
            paths_of=_path_reader(dataset, features),
            num_rows=len(dataset),
            coords=coords,
        )
        columns = reader.columns()
        source_note = {
            **reader.notes,
            "format": "huggingface",
            "coords": coords,
            "features": _as_json(features, dataset),
        }
        source = str(getattr(getattr(dataset, "info", None), "dataset_name", None) or "Hugging Face dataset")
        return build(
            dest,
            columns,
            len(dataset),
            source=source,
            log=log,
            num_workers=num_workers,
            progress=progress,
            max_image_bytes=max_image_bytes,
            info=source_note,
        )


def _as_json(features: Mapping[str, Feature], dataset: Any) -> dict[str, Any]:
    """Return features as JSON; nothing where the package does not say how."""
    written: Mapping[str, Any] = getattr(dataset.features, "to_dict", dict)()
    return {name: plain_json(value) for name, value in written.items() if name in features}


def _features(dataset: Any) -> dict[str, Feature]:
    if isinstance(dataset, Mapping):
        raise ImporterError(
            f"the dataset is a dictionary of splits ({', '.join(map(str, dataset))}). Expected one split",
            hint=f"pass dataset[{next(iter(dataset), 'train')!r}]",
        )
    features = getattr(dataset, "features", None)
    if not features or not hasattr(dataset, "__len__") or not hasattr(dataset, "cast_column"):
        raise ImporterError(
            f"the dataset is a {type(dataset).__name__}. Expected a datasets.Dataset that is not streamed"
        )
    return dict(features)


def _row_reader(dataset: Any, features: Mapping[str, Feature]) -> Callable[[int], Row]:
    """Return row to values, images as the bytes of their files."""
    if not features:
        return lambda _: {}
    dataset = dataset.with_format(None).select_columns(list(features))
    for name, feature in features.items():
        if feature_kind(feature) == "Image":
            dataset = dataset.cast_column(name, type(feature)(decode=False))
    return lru_cache(_NUM_KEPT)(lambda row: dict(dataset[row]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reader:
    """The features of a dataset, and its rows."""

    features: Mapping[str, Feature]
    row_of: Callable[[int], Row]
    label_of: Callable[[int], Row]
    paths_of: Callable[[str], Sequence[str | None]]
    num_rows: int
    coords: Coords
    notes: dict[str, Any] = field(default_factory=dict)

    def columns(self) -> list[Column]:
        """Return the tensors of all features."""
        together = self._flat_objects()
        objects = {name: found for name, feature in self.features.items() if (found := object_feature(name, feature))}
        plain = [name for name in self.features if name not in objects and name not in together]
        names = tensor_names([*plain, *together])
        columns = [self._column(name, names[name]) for name in plain]
        self.notes["tensors"] = names
        self.notes["objects"] = {}
        if together:
            flat = ObjectFeature.of_columns(together, self.features)
            columns += object_columns(flat, self._values, self._size, _known(names), self.coords, self.num_rows)
        for found in objects.values():
            taken, fields = [column.name for column in columns], dict[str, str]()
            namer = _namer(found.name, taken, fields)
            columns += object_columns(found, self._values, self._size, namer, self.coords, self.num_rows)
            own = {found.boxes: fields.pop("boxes")}
            own |= {} if found.categories is None else {found.categories: fields.pop("categories")}
            self.notes["objects"][found.name] = own | {name: fields[name] for name in found.fields if name in fields}
        columns += self._path_columns(plain, names, [column.name for column in columns])
        return [*columns, *self._as_written(plain, list(objects), [column.name for column in columns])]

    def _path_columns(self, plain: Sequence[str], names: Mapping[str, str], taken: list[str]) -> list[Column]:
        """Return a tensor of the paths of each feature of images that has some."""
        found, self.notes["paths"] = list[Column](), {}
        for name in (name for name in plain if feature_kind(self.features[name]) == "Image"):
            paths = self.paths_of(name)
            if any(paths):
                wanted = "file" if not found else f"{names[name]}_file"
                tensor = free_name(wanted, [*taken, *(column.name for column in found)])
                self.notes["paths"][name] = tensor
                found.append(Column(name=tensor, htype="text", sample=paths.__getitem__))
        return found

    def _as_written(self, plain: Sequence[str], objects: Iterable[str], taken: Sequence[str]) -> list[Column]:
        """Return a tensor of the labels and objects that their tensors do not hold exactly, if there are any."""
        single = {name for name in plain if feature_kind(self.features[name]) == "ClassLabel"}
        lists = {name for name in plain if name not in single and label_names(self.features[name]) is not None}
        rows = range(self.num_rows if single or lists or objects else 0)
        if not any(self._odd(row, single, lists, objects) for row in rows):
            return []
        tensor = free_name("features_as_written", taken)
        self.notes["as_written"] = tensor
        return [Column(name=tensor, htype="json", sample=lambda row: self._odd(row, single, lists, objects) or None)]

    def _odd(self, row: int, single: set[str], lists: set[str], objects: Iterable[str]) -> dict[str, Any]:
        """Return what an export could not tell from the tensors: -1, None in a list, None in place of a list."""
        values = self.label_of(row)
        found = {name: values[name] for name in single if values[name] == MISSING_LABEL}
        for name in lists:
            value = values[name]
            if value is None or None in value or MISSING_LABEL in value:
                found[name] = value
        found |= {name: None for name in objects if values[name] is None}
        return found

    def _flat_objects(self) -> list[str]:
        """Return the names of boxes and their categories that are features of their own, not inside of another."""
        boxes = next((name for name in BOX_NAMES if name in self.features and _is_boxes(self.features[name])), None)
        if boxes is None:
            return []
        labels = (name for name in CATEGORY_NAMES if name in self.features)
        lists = [name for name in labels if feature_kind(self.features[name]) in ("List", "Sequence", "LargeList")]
        return [boxes, *lists[:1]]

    def _column(self, name: str, tensor: str) -> Column:
        feature = self.features[name]
        if feature_kind(feature) == "Image":
            return Column(name=tensor, htype="image", sample=lambda row: _image_bytes(self.row_of(row)[name]))
        names = label_names(feature)
        if names is not None:
            labels = LabelReader()
            return Column(
                name=tensor,
                htype="class_label",
                sample=lambda row: labels.read(row, self.row_of(row)[name]),
                options={"class_names": names} if names else {},
                notes=labels.notes,
            )
        known = told(feature)
        return Column(
            name=tensor,
            htype=known.htype,
            sample=lambda row: known.turn(self.row_of(row)[name]),
            options=known.options,
        )

    def _values(self, name: str | None, row: int) -> Any:
        return self.row_of(row) if name is None else self.row_of(row)[name]

    def _size(self, row: int) -> tuple[int, int] | None:
        """Return the size of the row's image, None if there is none or several."""
        images = [name for name, feature in self.features.items() if feature_kind(feature) == "Image"]
        chosen = next((name for name in ("image", "images") if name in images), images[0] if len(images) == 1 else None)
        try:
            return None if chosen is None else image_size(_image_bytes(self.row_of(row)[chosen]))
        except ImporterError:
            return None  # the image is refused by itself


def _is_boxes(feature: Feature) -> bool:
    inner = getattr(feature, "feature", None)
    return feature_kind(feature).startswith("Array2D") or getattr(inner, "feature", None) is not None


def _path_reader(dataset: Any, features: Mapping[str, Feature]) -> Callable[[str], list[str | None]]:
    """Return what reads the paths of a feature of images, without reading the images."""

    def paths(name: str) -> list[str | None]:
        undecoded = (
            dataset.with_format(None).select_columns([name]).cast_column(name, type(features[name])(decode=False))
        )
        found: list[str | None] = []
        for part in undecoded.with_format("arrow").iter(_NUM_KEPT):
            struct = part.column(0)
            valid, paths_in = (
                struct.is_valid().to_pylist(),
                [path for chunk in struct.chunks for path in chunk.field("path").to_pylist()],
            )
            found += [path if is_valid else None for path, is_valid in zip(paths_in, valid, strict=True)]
        return [None if path is None else printable(path) for path in found]

    return paths


def _without_images(features: Mapping[str, Feature]) -> dict[str, Feature]:
    return {name: feature for name, feature in features.items() if feature_kind(feature) != "Image"}


def _known(names: Mapping[str, str]) -> Callable[[str], str]:
    """Return feature to tensor name; a further tensor has a name of its own."""
    return lambda name: names.get(name) or free_name(name, names.values())


def _namer(prefix: str, taken: Sequence[str], named: dict[str, str]) -> Callable[[str], str]:
    """Return field to tensor name; where the name is taken, with the feature's name before it; each is put down."""
    given = list(taken)

    def name(field: str) -> str:
        found = free_name(field if field not in given else f"{prefix}_{field}", given)
        given.append(found)
        named[field] = found
        return found

    return name


def _image_bytes(value: Any) -> bytes | None:
    if value is None:
        return None
    if value.get("bytes"):
        return bytes(value["bytes"])
    try:
        with open(value["path"], "rb") as file:  # noqa: PTH123  may be None or a remote path: one error for all
            return file.read()
    except (OSError, TypeError, ValueError) as error:
        raise ImporterError(f"image {value.get('path')!r} cannot be read: {error}") from None
