"""One Pascal VOC annotation file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, tostring

import numpy as np

from penstock.formats._voc import VocObject, image_values, is_plain, take_object
from penstock.formats._xml import Style, parse_xml, style_of
from penstock.importers.building._report import IssueLog
from penstock.importers.building._text import number, shown

__all__ = ["VocFile", "is_voc_root", "read_voc_file", "root_tag"]

_HEAD = 4096
_TAG = re.compile(rb"<([A-Za-z_][\w:.-]*)")
_ENCODING = re.compile(rb"""encoding=["']([\w.-]+)["']""")
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_LARGEST_SIDE = 1e9

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class VocFile:
    """The content of an annotation file.

    Parameters
    ----------
    filename : str
        The image's name; empty where it does not say.
    size : tuple of float
        Width and height that it states; NaN where it does not.
    names : tuple of str
        Class of each object.
    boxes_xywh : tuple of tuple of float
        Left, top, width, height of each object, pixels, the first of which is 0.
    objects : tuple of VocObject
        Everything that each object says.
    places : tuple of int
        The place of each object among those of the file.
    values : dict
        Everything that the file says of the image.
    layout : tuple of str
        Its elements in order.
    style : Style, optional
        How the file is written, where that can be told.
    text : str, optional
        The file itself, if it cannot be put together from the above.
    """

    filename: str
    size: tuple[float, float]
    names: tuple[str, ...]
    boxes_xywh: tuple[Box, ...]
    objects: tuple[VocObject, ...] = ()
    places: tuple[int, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    layout: tuple[str, ...] = ()
    style: Style | None = None
    text: str | None = None


def root_tag(path: Path) -> str | None:
    """Return the name of an XML file's first element; None if it has no element."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return None
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        head = head.decode("utf-16", "ignore").encode()
    head = re.sub(rb"<!--.*?-->", b"", head, flags=re.DOTALL)
    found = _TAG.search(head)
    return found[1].decode() if found else None


def is_voc_root(tag: str | None) -> bool:
    """Return whether an XML file whose first element has this name may be a VOC annotation; one cut short may."""
    return tag is None or tag == "annotation"


def read_voc_file(file: Path, log: IssueLog, *, one_based: bool) -> VocFile | None:
    """Return what a file says, without the objects that are malformed; None where it is not a VOC annotation.

    Parameters
    ----------
    file : Path
        The XML file.
    log : IssueLog
        Takes the file, or its objects, where they cannot be read.
    one_based : bool
        Whether the first pixel is 1 and both corners belong to a box, as in Pascal VOC.
    """
    content, root = _root(file, log)
    if root is None:
        return None
    elements = root.findall("object")
    entries = [
        (at, *entry) for at, one in enumerate(elements) if (entry := _object(one, at, file, log, one_based)) is not None
    ]
    objects = [take_object(one) for one in elements]
    values, layout = image_values(root)
    plain = is_plain(root, values, objects, layout)
    return VocFile(
        filename=_filename(root),
        size=_size(root, file, log),
        names=tuple(name for _, name, _ in entries),
        boxes_xywh=tuple(box for _, _, box in entries),
        objects=tuple(objects[at] for at, _, _ in entries),
        places=tuple(at for at, _, _ in entries),
        values=values,
        layout=layout,
        style=style_of(content, root) if plain else None,
        text=None if plain else _text(content, root),
    )


def _text(content: bytes, root: Element) -> str:
    """Return a file as text."""
    declared = _ENCODING.search(content[:_HEAD])
    try:
        return content.decode(declared[1].decode() if declared else "utf-8")
    except (LookupError, UnicodeDecodeError):
        return tostring(root, encoding="unicode")


def _root(file: Path, log: IssueLog) -> tuple[bytes, Element | None]:
    from defusedxml import DefusedXmlException

    content = b""
    try:
        content = file.read_bytes()
        root = parse_xml(content)
    except (ParseError, DefusedXmlException, OSError, LookupError, ValueError, RecursionError) as error:
        log.refuse(file.name, f"cannot be read as XML: {_why(error)}")
        return content, None
    if root.tag != "annotation":
        log.refuse(file.name, f"is not a VOC annotation: its root is <{root.tag[:40]}>. Expected <annotation>")
        return content, None
    return content, root


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or "it cannot be opened"
    return " ".join(str(error).split())[:200]


def _filename(root: Element) -> str:
    """Return the image's file name; some tools write its path."""
    named = (root.findtext("filename") or "").strip() or (root.findtext("path") or "").strip()
    return named.replace("\\", "/").rsplit("/", 1)[-1]


def _size(root: Element, file: Path, log: IssueLog) -> tuple[float, float]:
    """Return width and height; files of some tools say 0 where they do not know."""
    texts = [(root.findtext(f"size/{side}") or "").strip() for side in ("width", "height")]
    try:
        width, height = (number(text or "0") for text in texts)
    except ValueError:
        log.note(file.name, f"its size is {shown(texts[0])} × {shown(texts[1])}. Expected pixels")
        return np.nan, np.nan
    known = 0 < width < _LARGEST_SIDE and 0 < height < _LARGEST_SIDE
    return (width, height) if known else (np.nan, np.nan)


def _object(entry: Element, at: int, file: Path, log: IssueLog, one_based: bool) -> tuple[str, Box] | None:
    name = (entry.findtext("name") or "").strip()
    if not name:
        log.refuse(f"{file.name}, object {at}", "the <object> has no name")
        return None
    try:
        return name, _box(entry, one_based)
    except ValueError as error:
        log.refuse(f"{file.name}, {name} {at}", str(error))
    return None


def _box(entry: Element, one_based: bool) -> Box:
    bndbox = entry.find("bndbox")
    if bndbox is not None:
        left, top, right, bottom = (_coordinate(bndbox, side) for side in _SIDES)
    elif (polygon := entry.find("polygon")) is not None:
        left, top, right, bottom = _around(polygon)
    elif entry.find("robndbox") is not None:
        raise ValueError("the <object> has a rotated box (<robndbox>). Expected <bndbox>")
    else:
        raise ValueError("the <object> has no bndbox")
    width, height = right - left, bottom - top
    if not one_based:
        return left, top, width, height
    return left - 1, top - 1, width + (width >= 0), height + (height >= 0)


def _coordinate(bndbox: Element, side: str) -> float:
    text = (bndbox.findtext(side) or "").strip()
    if not text:
        raise ValueError(f"the <object> has no bndbox/{side}")
    try:
        return number(text)
    except ValueError as error:
        raise ValueError(f"bndbox/{side}: {error}") from None


def _around(polygon: Element) -> Box:
    """Return left, top, right, bottom of a polygon: elements x1, y1, x2, y2, ... or points with x and y."""
    leaves = [(element.tag, (element.text or "").strip()) for element in polygon.iter() if not len(element)]
    xs = [number(text) for tag, text in leaves if re.fullmatch(r"x\d*", tag)]
    ys = [number(text) for tag, text in leaves if re.fullmatch(r"y\d*", tag)]
    if not xs or len(xs) != len(ys):
        raise ValueError(f"a polygon has {len(xs)} x and {len(ys)} y coordinates. Expected equal numbers")
    return min(xs), min(ys), max(xs), max(ys)
