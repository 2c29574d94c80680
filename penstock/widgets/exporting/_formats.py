"""Formats that annotations can be exported to: what each writes, its options, and why it cannot be used."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal

from penstock import exporters
from penstock.exporters import ExportReport
from penstock.tensors import TensorSpec, first_tensor, label_tensors

__all__ = ["ExportFormat", "export_formats", "format_named"]

_GENERAL = {"images", "overwrite", "progress"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFormat:
    """A format of annotations.

    Parameters
    ----------
    name : str
        Of the function, after ``to_``.
    title : str
        As people call it.
    suffix : str, optional
        What the name of its single file ends with; None where it is always a folder.
    folder : bool
        Whether it can be a folder, which images can be written to.
    needs : tuple of {"boxes", "labels", "images"}
        What a dataset must have.
    takes_boxes : bool
        Whether a dataset with boxes can be written.
    """

    name: str
    title: str
    suffix: str | None = None
    folder: bool = True
    needs: tuple[str, ...] = ("labels",)
    takes_boxes: bool = True

    @property
    def function(self) -> Callable[..., ExportReport]:
        """What writes it."""
        found: Callable[..., ExportReport] = getattr(exporters, f"to_{self.name}")
        return found

    @property
    def options(self) -> dict[str, list[str | None]]:
        """Its own options with their choices, the default first."""
        hints = typing.get_type_hints(self.function)
        found = {}
        for name, parameter in inspect.signature(self.function).parameters.items():
            choices = _choices(hints.get(name))
            if name not in _GENERAL and parameter.kind is parameter.KEYWORD_ONLY and choices:
                first = parameter.default
                found[name] = [first, *(one for one in choices if one != first)] if first in choices else choices
        return found

    def images(self, tensors: Mapping[str, TensorSpec]) -> list[str]:
        """Return how images can be written beside the annotations."""
        image = first_tensor(tensors, "image")
        if image is None or not self.folder or "images" not in inspect.signature(self.function).parameters:
            return []
        return ["copy", "link"] if tensors[image].link else ["copy"]

    @property
    def needs_images(self) -> bool:
        """Whether images are always written."""
        hint = typing.get_type_hints(self.function).get("images")
        return hint is not None and None not in _choices(hint)

    def why_not(self, tensors: Mapping[str, TensorSpec]) -> str | None:
        """Return why a dataset cannot be exported to it; None where it can, as far as its tensors tell."""
        has = {
            "boxes": first_tensor(tensors, "bbox") is not None,
            "labels": any(name != "subset" for name in label_tensors(tensors)),
            "images": first_tensor(tensors, "image") is not None,
        }
        words = {"boxes": "boxes", "labels": "class labels", "images": "images"}
        if has["boxes"] and not self.takes_boxes:
            return "it cannot hold boxes, which this dataset has"
        lacking = [words[name] for name in self.needs if not has[name]]
        return f"{self.title} needs {' and '.join(lacking)}, which this dataset does not have" if lacking else None


_FORMATS = (
    ExportFormat(name="coco", title="COCO", suffix=".json"),
    ExportFormat(name="yolo", title="YOLO"),
    ExportFormat(name="voc", title="Pascal VOC", needs=("boxes", "labels")),
    ExportFormat(name="folder", title="Folder for each class", needs=("images", "labels"), takes_boxes=False),
    ExportFormat(name="csv", title="CSV", suffix=".csv", folder=False, needs=()),
)


def export_formats() -> list[ExportFormat]:
    """Return the formats that this version writes."""
    return list(_FORMATS)


def format_named(name: str) -> ExportFormat | None:
    """Return a format; None if there is none of this name."""
    return next((known for known in _FORMATS if known.name == name), None)


def _choices(hint: Any) -> list[str | None]:
    """Return the words a parameter takes, None among them where it may be left out; nothing for other types."""
    parts = typing.get_args(hint) if isinstance(hint, UnionType) or typing.get_origin(hint) is typing.Union else (hint,)
    found: list[str | None] = []
    for part in parts:
        if typing.get_origin(part) is Literal:
            found += [one for one in typing.get_args(part) if isinstance(one, str)]
        elif part is type(None):
            found.append(None)
        else:
            return []
    return found if any(found) else []
