"""Annotation files of Pascal VOC, taken apart into values and put together again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from penstock.formats._xml import elements_of, is_same_tree, shown_scalar, to_element, to_elements, to_value

__all__ = [
    "NEW_OBJECT",
    "SIDES",
    "USUAL_OBJECT",
    "VocObject",
    "annotation_tree",
    "corner_texts",
    "image_values",
    "is_plain",
    "object_tree",
    "objects_in",
    "patch_annotation",
    "patch_object",
    "take_object",
]

SIDES = ("xmin", "ymin", "xmax", "ymax")
_BOX = "bndbox"
_OWN = ("name", _BOX)
NEW_OBJECT: Mapping[str, Any] = {"pose": "Unspecified", "truncated": 0, "difficult": 0}
USUAL_OBJECT = ("name", "pose", "truncated", "difficult", "bndbox/xmin/ymin/xmax/ymax")
_USUAL_IMAGE = ("folder", "filename", "path", "source", "owner", "size", "segmented", "object")

Corners = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class VocObject:
    """What an ``<object>`` says.

    Parameters
    ----------
    name : str
        Its class.
    corners : tuple of str, optional
        Texts of xmin, ymin, xmax and ymax; None where it has no box.
    attributes : dict
        Everything else.
    layout : tuple of str
        Its elements in order; that of the box names its own.
    """

    name: str
    corners: Corners | None
    attributes: dict[str, Any]
    layout: tuple[str, ...]


def objects_in(root: Element) -> list[Element]:
    """Return the objects of an annotation."""
    return root.findall("object")


def take_object(element: Element) -> VocObject:
    """Return what an object says."""
    values = to_value(element)
    values = values if isinstance(values, dict) else {}
    box = element.find(_BOX)
    corners = None if box is None else tuple(box.findtext(side) or "" for side in SIDES)
    layout = dict.fromkeys(_tag_of(child) for child in elements_of(element))
    return VocObject(
        name=(element.findtext("name") or "").strip(),
        corners=corners,  # type: ignore[arg-type]  # four sides
        attributes={name: value for name, value in values.items() if name not in _OWN},
        layout=tuple(layout),
    )


def _tag_of(child: Element) -> str:
    return "/".join([_BOX, *(side.tag for side in elements_of(child))]) if child.tag == _BOX else child.tag


def image_values(root: Element) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return what an annotation says of its image, and its elements in order."""
    values = to_value(root)
    layout = tuple(dict.fromkeys(child.tag for child in elements_of(root)))
    return {name: value for name, value in values.items() if name != "object"} if values else {}, layout


def corner_texts(box_xywh: Sequence[float], *, one_based: bool, whole: bool) -> Corners:
    """Return the corners of a box as VOC writes them.

    Parameters
    ----------
    box_xywh : sequence of float
        Left, top, width, height in pixels.
    one_based : bool
        Whether the first pixel is 1 and both corners belong to the box.
    whole : bool
        Whether to round to whole pixels; the box keeps at least one.

    Examples
    --------
    >>> corner_texts([259.0, 176.0, 232.0, 200.0], one_based=True, whole=True)
    ('260', '177', '491', '376')
    >>> corner_texts([0.5, 1.0, 3.25, 3.0], one_based=False, whole=False)
    ('0.5', '1', '3.75', '4')
    """
    x, y, width, height = (Decimal(repr(float(side))) for side in box_xywh)
    first = Decimal(int(one_based))
    low, high = [x + first, y + first], [x + width, y + height]
    if whole:
        low, high = ([side.to_integral_value(ROUND_HALF_UP) for side in corner] for corner in (low, high))
        high = [max(one, other + 1 - first) for one, other in zip(high, low, strict=True)]
    left, top, right, bottom = (_plain(side) for side in (*low, *high))
    return left, top, right, bottom


def _plain(number: Decimal) -> str:
    return str(int(number)) if number == int(number) else format(number.normalize(), "f")


def object_tree(one: VocObject, layout: Sequence[str] = USUAL_OBJECT) -> Element:
    """Return an object as XML, with its elements in the order of `layout`; further ones come at its end.

    Raises
    ------
    ValueError
        If XML cannot hold it.
    """
    parts: dict[str, list[Element]] = {"name": [to_element("name", None)]}
    parts["name"][0].text = shown_scalar(one.name)
    for name, value in one.attributes.items():
        if not name.startswith(("@", "#")) and name not in _OWN:
            parts[name] = to_elements(name, value)
    places = {tag.split("/")[0]: tag for tag in layout}
    if one.corners is not None:
        parts[_BOX] = [_box(one.corners, places.get(_BOX, USUAL_OBJECT[-1]))]
    return _put_together("object", one.attributes, parts, places)


def _box(corners: Corners, tag: str) -> Element:
    texts, box = dict(zip(SIDES, corners, strict=True)), Element(_BOX)
    for side in dict.fromkeys([*(one for one in tag.split("/")[1:] if one in texts), *SIDES]):
        SubElement(box, side).text = shown_scalar(texts[side])
    return box


def annotation_tree(
    values: Mapping[str, Any], objects: Sequence[Element], layout: Sequence[str] = _USUAL_IMAGE
) -> Element:
    """Return an annotation as XML, with its elements in the order of `layout`.

    Raises
    ------
    ValueError
        If XML cannot hold it.
    """
    shown = {name: value for name, value in _without_notes(values).items() if not name.startswith(("@", "#"))}
    parts = {name: to_elements(name, value) for name, value in shown.items()}
    return _put_together("annotation", values, {**parts, "object": list(objects)}, layout)


def _put_together(
    tag: str,
    values: Mapping[str, Any],
    parts: Mapping[str, Sequence[Element]],
    layout: Sequence[str] | Mapping[str, Any],
) -> Element:
    own = {name: value for name, value in values.items() if name.startswith(("@", "#"))}
    element = to_element(tag, own)
    for name in dict.fromkeys([*(name for name in layout if name in parts), *parts]):
        element.extend(parts[name])
    return element


def patch_object(element: Element, one: VocObject) -> None:
    """Change what differs in an object of a file, and nothing else."""
    before = take_object(element)
    if one.name != before.name:
        _text_of(element, "name").text = shown_scalar(one.name)
    if one.corners is not None and one.corners != before.corners:
        box = element.find(_BOX)
        box = SubElement(element, _BOX) if box is None else box
        for side, text in zip(SIDES, one.corners, strict=True):
            _text_of(box, side).text = text
    _patch_values(element, before.attributes, one.attributes)


def _text_of(element: Element, tag: str) -> Element:
    found = element.find(tag)
    return SubElement(element, tag) if found is None else found


def patch_annotation(root: Element, values: Mapping[str, Any], objects: Sequence[Element]) -> None:
    """Change what differs in an annotation of a file, and nothing else; objects that are not given are removed."""
    kept = {id(one) for one in objects}
    before = objects_in(root)
    for one in before:
        if id(one) not in kept:
            root.remove(one)
    known = {id(one) for one in before}
    last = max((at for at, one in enumerate(root) if id(one) in known), default=len(root) - 1)
    for at, one in enumerate((one for one in objects if id(one) not in known), last + 1):
        root.insert(at, one)
    _patch_values(root, _without_notes(image_values(root)[0]), _without_notes(values))


def _without_notes(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in values.items() if not name.startswith("_")}


def _patch_values(element: Element, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    for name in dict.fromkeys([*before, *now]):
        if name in before and name in now and _equal(before[name], now[name]):
            continue
        if name.startswith("@"):
            element.attrib.pop(name[1:], None)
            element.attrib.update(to_element("x", {name: now[name]}).attrib if name in now else {})
        elif not name.startswith("#"):
            _replace(element, name, to_elements(name, now[name]) if name in now else [])


def _replace(element: Element, tag: str, new: Sequence[Element]) -> None:
    at = next((at for at, child in enumerate(element) if child.tag == tag), len(element))
    for child in element.findall(tag):
        element.remove(child)
    for place, child in enumerate(new, at):
        element.insert(place, child)


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def is_plain(root: Element, values: Mapping[str, Any], objects: Sequence[VocObject], layout: Sequence[str]) -> bool:
    """Return whether an annotation is put together from its values as it was."""
    try:
        made = annotation_tree(values, [object_tree(one, one.layout) for one in objects], layout)
    except ValueError:
        return False
    return is_same_tree(made, root)
