"""The features of a Hugging Face dataset: those that were imported, and those of other tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.exporters._rows import ExportedRows
from penstock.tensors import TensorSpec

__all__ = ["Wanted", "wanted_features"]

_OBJECTS = "objects"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A feature and the tensors that it is made of.

    Parameters
    ----------
    feature : object
        Of the package datasets.
    tensor : str
        The tensor; empty for objects.
    fields : mapping of str to str
        Tensor of each field of objects.
    was_imported : bool
        Whether the feature is one that was imported.
    """

    feature: Any
    tensor: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    was_imported: bool = False


def wanted_features(rows: ExportedRows) -> dict[str, Wanted]:
    """Return the features to write, by name: those of the import in their order, then one for each new tensor."""
    note = rows.source if rows.source.get("format") == "huggingface" else {}
    found = _imported(rows, note) if note else {}
    used = {name for one in found.values() for name in (one.tensor, *one.fields.values())}
    used |= {str(note.get("as_written", "")), *map(str, note.get("paths", {}).values()), *_as_written_of(rows, note)}
    left = [spec for name, spec in rows.table.tensors.items() if name not in used]
    if not note and rows.boxes is not None:
        group = [spec for spec in left if rows.boxes in (spec.name, spec.aligned_with)]
        left = [spec for spec in left if spec not in group]
        names = {_field_name(rows, spec): spec for spec in group}
        place = _OBJECTS if _OBJECTS not in rows.table.tensors else f"{_OBJECTS}_2"
        found[place] = Wanted(
            feature={name: _of_object(rows, spec) for name, spec in names.items()},
            fields={name: spec.name for name, spec in names.items()},
        )
    for spec in left:
        if note or spec.name != "subset":
            found[spec.name] = Wanted(feature=_of_tensor(rows, spec), tensor=spec.name)
    first = rows.images if not note and rows.images in found else None
    return found if first is None else {first: found.pop(first), **found}


def _field_name(rows: ExportedRows, spec: TensorSpec) -> str:
    return {rows.boxes: "bbox", rows.labels: "category"}.get(spec.name, spec.name)


def _as_written_of(rows: ExportedRows, note: Mapping[str, Any]) -> list[str]:
    """Return the tensors of what boxes were before they were repaired."""
    if not note:
        return []
    return [name for name, spec in rows.table.tensors.items() if spec.aligned_with and name.endswith("as_written")]


def _imported(rows: ExportedRows, note: Mapping[str, Any]) -> dict[str, Wanted]:
    from datasets import Features

    found = {}
    for name, feature in Features.from_dict(dict(note["features"])).items():
        tensor, fields = note["tensors"].get(name, ""), note["objects"].get(name, {})
        known = {key: one for key, one in fields.items() if rows.spec(one) is not None}
        if known:
            found[name] = Wanted(feature=_renamed_fields(rows, feature, known), fields=known, was_imported=True)
        elif rows.spec(tensor) is not None:
            found[name] = Wanted(feature=_renamed(rows, feature, tensor), tensor=tensor, was_imported=True)
    return found


def _renamed_fields(rows: ExportedRows, feature: Any, fields: Mapping[str, str]) -> Any:
    if isinstance(feature, Mapping):
        return {key: _renamed(rows, feature[key], one) for key, one in fields.items()}
    inner = feature[0] if isinstance(feature, list) else feature.feature
    named = {key: _renamed(rows, inner[key], one) for key, one in fields.items()}
    return [named] if isinstance(feature, list) else type(feature)(named)


def _renamed(rows: ExportedRows, feature: Any, tensor: str) -> Any:
    """Return a feature with the names that its classes have now."""
    from datasets import ClassLabel

    spec = rows.table.tensors[tensor]
    inner = getattr(feature, "feature", None)
    if inner is not None and isinstance(inner, ClassLabel):
        return type(feature)(_renamed(rows, inner, tensor), length=feature.length)
    if not isinstance(feature, ClassLabel) or spec.htype != "class_label" or not spec.class_names:
        return feature
    names = rows.names_of(tensor)
    return feature if list(names) == list(feature.names or ()) else ClassLabel(names=list(names))


def _of_tensor(rows: ExportedRows, spec: TensorSpec) -> Any:
    """Return the feature of a tensor that was not imported."""
    from datasets import Image, List, Value

    if spec.htype in ("image", "segment_mask", "binary_mask"):
        return Image()
    if spec.htype == "class_label":
        return _label(rows, spec) if rows.is_single(spec.name) else List(_label(rows, spec))
    if spec.htype in ("text", "json"):
        return Value("string")
    inner: Any = Value(spec.dtype)
    if spec.htype == "bbox":
        return List(List(inner, length=4))
    for _ in range(1 if spec.htype == "embedding" else spec.ndim or 0):
        inner = List(inner)
    return inner


def _of_object(rows: ExportedRows, spec: TensorSpec) -> Any:
    """Return the feature of a tensor with an entry for each object."""
    from datasets import List, Value

    if spec.htype == "class_label":
        return List(_label(rows, spec))
    if spec.htype == "json":
        return List(Value("string"))
    return _of_tensor(rows, spec)


def _label(rows: ExportedRows, spec: TensorSpec) -> Any:
    from datasets import ClassLabel, Value

    names = list(rows.names_of(spec.name))
    return ClassLabel(names=names) if names else Value("int64")
