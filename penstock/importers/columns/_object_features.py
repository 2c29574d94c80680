"""Objects of a Hugging Face dataset: their boxes, categories and other fields, kept in step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.errors import ImporterError
from penstock.importers.boxes._boxes import BoxReader, Coords
from penstock.importers.building._write import Column
from penstock.importers.columns._cells import plain_json
from penstock.importers.columns._features import Feature, feature_kind, inner_feature, label_names, told
from penstock.importers.columns._labels import MISSING_LABEL
from penstock.tensors import decimals

__all__ = ["BOX_NAMES", "CATEGORY_NAMES", "ObjectFeature", "object_columns", "object_feature"]

BOX_NAMES = ("bbox", "bboxes", "boxes")
CATEGORY_NAMES = ("category", "categories", "label", "labels", "category_id")

Values = Callable[[str | None, int], Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectFeature:
    """A feature of objects.

    Parameters
    ----------
    name : str
        The feature's; of features side by side, what they are called in messages.
    place : str, optional
        The feature that the fields are in, None where each is a feature.
    boxes, categories : str
        Names of the fields; there may be no categories.
    fields : mapping of str to Feature
        What each field holds for one object.
    """

    name: str
    place: str | None
    boxes: str
    categories: str | None
    fields: Mapping[str, Feature]

    @classmethod
    def of_columns(cls, names: Sequence[str], features: Mapping[str, Feature]) -> ObjectFeature:
        """Return the objects whose boxes, and categories if any, are separate features."""
        boxes, categories = names[0], names[1] if len(names) > 1 else None
        fields = {name: inner_feature(features[name]) for name in names}
        return cls(name=boxes, place=None, boxes=boxes, categories=categories, fields=fields)

    def values(self, objects: Any, key: str) -> list[Any]:
        """Return one field of all objects of a sample."""
        if objects is None:
            return []
        if isinstance(objects, list):
            return [None if one is None else one.get(key) for one in objects]
        return list(objects[key]) if objects.get(key) is not None else []


def object_feature(name: str, feature: Feature) -> ObjectFeature | None:
    """Return the fields of a feature of objects with boxes; None for any other feature."""
    fields = inner_feature(feature)
    if not isinstance(fields, Mapping):
        return None
    boxes = next((key for key in BOX_NAMES if key in fields), None)
    if boxes is None:
        return None
    categories = next((key for key in CATEGORY_NAMES if key in fields), None)
    lists = isinstance(feature, Mapping)
    return ObjectFeature(
        name=name,
        place=name,
        boxes=boxes,
        categories=categories,
        fields={key: inner_feature(value) if lists else value for key, value in fields.items()},
    )


def object_columns(
    found: ObjectFeature,
    values: Values,
    size_of: Callable[[int], tuple[int, int] | None],
    name_of: Callable[[str], str],
    coords: Coords,
    num_rows: int,
) -> list[Column]:
    """Return the tensors of a feature of objects; a box that is refused takes its object's other fields along.

    Boxes that are stored in another way than they were given are in ``as_written``, beside what is stored.

    Parameters
    ----------
    found : ObjectFeature
        The feature.
    values : callable
        Name of a feature, None for the whole row, and row to the objects.
    size_of : callable
        Row to width and height of its image.
    name_of : callable
        Field to name of its tensor.
    coords : {"xywh", "xyxy"}
        Form of the boxes.
    num_rows : int
        Number of samples.
    """

    def field(row: int, key: str) -> list[Any]:
        return found.values(values(found.place, row), key)

    categories = found.categories
    names = None if categories is None else label_names(found.fields[categories])
    reader = BoxReader(
        found.name,
        lambda row: field(row, found.boxes),
        size_of,
        coords=coords,
        flaws_of=None if categories is None else lambda row: [_flaw(one, names) for one in field(row, categories)],
    )

    def kept(row: int, key: str) -> list[Any]:
        chosen, given = reader.read(row).kept.tolist(), field(row, key)
        if len(given) != len(chosen):
            raise ImporterError(
                f"{found.name!r} has {len(chosen)} boxes and {len(given)} values of {key!r}. Expected equal numbers"
            )
        return [one for one, is_kept in zip(given, chosen, strict=True) if is_kept]

    boxes_name, categories_name = ("boxes", "categories") if found.place is not None else (found.boxes, categories)
    tensor = name_of(boxes_name)
    columns = [
        Column(
            name=tensor,
            htype="bbox",
            sample=lambda row: reader.read(row).boxes,
            options={"coords": coords},
            issues=lambda row: reader.read(row).issues,
        )
    ]
    if categories is not None:
        options: dict[str, Any] = {"aligned_with": tensor} | ({"class_names": names} if names else {})
        columns.append(
            Column(
                name=name_of(str(categories_name)),
                htype="class_label",
                sample=lambda row: kept(row, categories),
                options=options,
            )
        )
    others = [key for key in found.fields if key not in (found.boxes, categories)]
    columns += [_other(key, found.fields[key], kept, name_of, tensor) for key in others]

    def as_written(row: int) -> list[Any]:
        stored, given = decimals(reader.read(row).boxes).tolist(), kept(row, found.boxes)
        pairs = zip(given, stored, strict=True)
        return [None if _same(one, other) else {found.boxes: [plain_json(one), other]} for one, other in pairs]

    if any(one is not None for row in range(num_rows) for one in _tried(as_written, row)):
        options = {"aligned_with": tensor}
        columns.append(Column(name=name_of("as_written"), htype="json", sample=as_written, options=options))
    return columns


def _other(
    key: str, feature: Feature, kept: Callable[[int, str], list[Any]], name_of: Callable[[str], str], boxes: str
) -> Column:
    """Return the tensor of another field: numbers if it has one per object, otherwise JSON."""
    known = told(feature) if feature_kind(feature) == "Value" else None
    if known is None or known.htype != "generic":
        options = {"aligned_with": boxes}
        return Column(name=name_of(key), htype="json", sample=lambda row: plain_json(kept(row, key)), options=options)

    def numbers(row: int) -> list[Any]:
        values = [known.turn(value) for value in kept(row, key)]
        if None in values and not known.options["dtype"].startswith("float"):
            raise ImporterError(f"an object has no value of {key!r}. Expected {known.options['dtype']}")
        return [float("nan") if value is None else value for value in values]

    return Column(name=name_of(key), htype="generic", sample=numbers, options={**known.options, "aligned_with": boxes})


def _same(given: Any, stored: list[float]) -> bool:
    return bool(np.array_equal(np.asarray(given, np.float64).reshape(-1), stored))


def _tried(read: Callable[[int], list[Any]], row: int) -> list[Any]:
    """Return what is read of a row; nothing of one that is refused when it is written."""
    try:
        return read(row)
    except (ImporterError, TypeError, ValueError):
        return []


def _flaw(category: Any, names: list[str] | None) -> str | None:
    """Return what is wrong with the category of an object."""
    if category is None or category == MISSING_LABEL:
        return "the object has no category"
    if isinstance(category, str) and names is None:
        return None if category else "the object has no category"
    if not isinstance(category, int) or isinstance(category, bool) or category < 0:
        return f"category {category!r} is not valid. Expected the index of a class"
    if names and category >= len(names):
        return f"category {category} is out of range. Expected 0 to {len(names) - 1}"
    return None
