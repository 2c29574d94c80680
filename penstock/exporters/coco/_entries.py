"""Entries of a COCO file, with the keys in the order that the source has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["annotation_entry", "image_entry"]

_IMAGE_KEYS = ("id", "file_name", "width", "height")
_KEYS = "_keys"
_NEW: Mapping[str, Any] = {"segmentation": []}  # what COCO's tools expect where there is none
_DERIVED = "num_keypoints"
_SILENT: Mapping[str, Any] = {"iscrowd": 0}  # said by leaving the key out

Layouts = Sequence[Sequence[str]]


def image_entry(
    layouts: Layouts, image_id: Any, file_name: str | None, size: tuple[int, int], attributes: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the entry of an image.

    Parameters
    ----------
    layouts : sequence of sequence of str
        Orders of keys in the source.
    image_id : object
        Its id.
    file_name : str or None
        The name of its file; None where the source has none.
    size : tuple of int
        Width and height in pixels, for an image of which the source states none; -1 where they are not known.
    attributes : mapping or None
        Everything else that the source says of it; None for an image that is new.
    """
    values: dict[str, Any] = {"id": image_id}
    if file_name is not None:
        values["file_name"] = file_name
    if attributes is None or not layouts:
        values |= {name: side for name, side in zip(("width", "height"), size, strict=True) if side >= 0}
    values |= attributes or {}
    note = values.pop(_KEYS, 0)
    if isinstance(note, dict):  # the image has a key of this name too
        values[_KEYS] = note.get("value")
        note = note.get("keys", 0)
    layout = _layout(layouts, note) or _IMAGE_KEYS
    return {name: values[name] for name in layout if name in values} | values


def annotation_entry(
    layouts: Layouts,
    values: Mapping[str, Any],
    attributes: Mapping[str, Any],
    as_written: Mapping[str, Any],
    *,
    is_new: bool,
) -> dict[str, Any]:
    """Return the entry of an annotation.

    Parameters
    ----------
    layouts : sequence of sequence of str
        Orders of keys in the source.
    values : mapping
        Its fields, by COCO's names; None where it has no such field.
    attributes : mapping
        Everything else that the source says of it.
    as_written : mapping
        Fields that the source writes otherwise, as what it has and the value that stands for it.
    is_new : bool
        Whether the source does not have it.
    """
    layout = _layout(layouts, as_written.get("keys", 0))
    found: dict[str, Any] = {}
    for name, value in values.items():
        pair = as_written.get(name)
        if isinstance(pair, list) and len(pair) == 2 and value == pair[1]:
            if name in layout:
                found[name] = pair[0]
        elif value is None and is_new:
            found |= {name: _NEW[name]} if name in layout and name in _NEW else {}
        elif name in layout or _says_more(name, value, layout):
            found[name] = value
    found |= attributes
    return {name: found[name] for name in layout if name in found} | found


def _says_more(name: str, value: Any, layout: Sequence[str]) -> bool:
    """Return whether a field says more than leaving it out, as the source does."""
    if value is None or not layout:
        return value is not None
    return name != _DERIVED and value != _SILENT.get(name)


def _layout(layouts: Layouts, note: int | Sequence[str]) -> Sequence[str]:
    if not isinstance(note, int):
        return note if isinstance(note, list) and all(isinstance(name, str) for name in note) else ()
    return layouts[note] if 0 <= note < len(layouts) else ()
