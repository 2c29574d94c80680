"""One annotation file of Pascal VOC."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, tostring

from penstock.errors import ExportError
from penstock.exporters._rows import ExportedRows
from penstock.formats._voc import (
    NEW_OBJECT,
    USUAL_OBJECT,
    VocObject,
    annotation_tree,
    corner_texts,
    object_tree,
    objects_in,
    patch_annotation,
    patch_object,
)
from penstock.formats._xml import Style, is_xml_name, parse_xml, rendered, to_elements

__all__ = ["AnnotationWriter"]

_ENCODING = re.compile(r"""\A<\?xml[^>]*encoding=["']([\w.-]+)["']""")
_USUAL_KEYS: Sequence[str] = ("name", "pose", "truncated", "difficult", "bndbox")


class AnnotationWriter:
    """Writes samples as annotation files, those that come from VOC as they were.

    Parameters
    ----------
    rows : ExportedRows
        Samples of a dataset or view.
    """

    def __init__(self, rows: ExportedRows) -> None:
        source = rows.source if rows.source.get("format") == "voc" else {}
        self._rows = rows
        self._is_voc = bool(source)
        self.one_based = bool(source.get("one_based", True))
        self._whole = not source.get("has_fractions", False)
        self._object_keys: Sequence[Sequence[str]] = source.get("object_keys", ())
        self._image_keys: Sequence[Sequence[str]] = source.get("image_keys", ())
        self._styles = [Style(**style) for style in source.get("styles", ())] or [Style()]
        self.num_objects = 0
        self.num_rounded = 0
        self.left_out: Counter[str] = Counter()

    def write(
        self,
        values: Mapping[str, Any] | None,
        objects: Sequence[VocObject],
        notes: Sequence[Any],
        image: Mapping[str, Any],
    ) -> bytes:
        """Return the file of a sample.

        Parameters
        ----------
        values : mapping or None
            What is known of its image; None for a new one.
        objects : sequence of VocObject
            Its objects.
        notes : sequence
            What the source writes otherwise, one for each object.
        image : mapping
            What a new annotation says of its image.

        Raises
        ------
        ExportError
            If XML cannot hold a text.
        """
        self.num_objects += len(objects)
        try:
            if values is not None and isinstance(values.get("_xml"), str):
                return self._patched(values, objects, notes)
            return self._written(values, objects, notes, image)
        except ValueError as error:
            raise ExportError(f"{image['filename']!r} cannot be written as VOC: {error}") from None

    def _patched(self, values: Mapping[str, Any], objects: Sequence[VocObject], notes: Sequence[Any]) -> bytes:
        """Return a file that only its own text holds, with what was edited."""
        text = str(values["_xml"])
        root = parse_xml(text.encode(_encoding(text)))
        known, before = objects_in(root), tostring(root)
        elements: list[Element] = []
        for one, note in zip(objects, notes, strict=True):
            place = (note or {}).get("place")
            if isinstance(place, int) and place < len(known) and known[place] not in elements:
                patch_object(known[place], one)
                elements.append(known[place])
            else:
                elements.append(object_tree(one, self._keys(self._object_keys, 0) or USUAL_OBJECT))
        patch_annotation(root, values, elements)
        after = tostring(root)
        if before == after:
            return text.encode(_encoding(text))
        declared = re.match(r"\A(.*?)<(?=[A-Za-z_])", text, re.DOTALL)
        return ((declared[1] if declared else "") + tostring(root, encoding="unicode") + "\n").encode(
            _encoding(text), "xmlcharrefreplace"
        )

    def _written(
        self,
        values: Mapping[str, Any] | None,
        objects: Sequence[VocObject],
        notes: Sequence[Any],
        image: Mapping[str, Any],
    ) -> bytes:
        layout = self._keys(self._image_keys, (values or {}).get("_keys", 0))
        elements = [
            object_tree(one, self._keys(self._object_keys, (note or {}).get("keys", 0)) or USUAL_OBJECT)
            for one, note in zip(objects, notes, strict=True)
        ]
        stated = image if values is None else self._fitting(values)
        root = annotation_tree(stated, elements, layout) if layout else annotation_tree(stated, elements)
        style = self._styles[_place((values or {}).get("_style"), len(self._styles))]
        return rendered(root, style).encode(style.encoding, "xmlcharrefreplace")

    def _keys(self, layouts: Sequence[Sequence[str]], note: Any) -> Sequence[str]:
        return layouts[_place(note, len(layouts))] if layouts else ()

    def object_of(self, name: str, box: Sequence[float], attributes: Any, note: Any) -> VocObject:
        """Return an object of a sample.

        Parameters
        ----------
        name : str
            Its class.
        box : sequence of float
            Left, top, width, height.
        attributes : object
            Everything else that is known of it; None if it is new.
        note : object
            What the source writes otherwise.
        """
        written = note.get("bndbox") if isinstance(note, Mapping) else None
        if isinstance(written, list) and len(written) == 2 and written[1] == list(box):
            corners = None if written[0] is None else tuple(map(str, written[0]))
        else:
            corners = corner_texts(box, one_based=self.one_based, whole=self._whole)
            exact = corner_texts(box, one_based=self.one_based, whole=False)
            self.num_rounded += corners != exact
        return VocObject(name=name, corners=corners, attributes=self._attributes(attributes), layout=())  # type: ignore[arg-type]  # four texts

    def _attributes(self, attributes: Any) -> dict[str, Any]:
        keys = self._object_keys[0] if self._object_keys else _USUAL_KEYS
        usual = {name: value for name, value in NEW_OBJECT.items() if name in keys}
        if not isinstance(attributes, Mapping):
            return dict(usual)
        return {**({} if self._is_voc else usual), **self._fitting(attributes)}

    def _fitting(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values that XML can hold; the others are counted."""
        found = {}
        for name, value in values.items():
            if _fits(name, value):
                found[name] = value
            else:
                self.left_out[name] += 1
        return found


def _fits(name: str, value: Any) -> bool:
    if name in ("name", "bndbox", "object"):
        return False
    try:
        if name.startswith(("@", "#")):
            return name == "#text" or (is_xml_name(name[1:]) and not isinstance(value, list | Mapping))
        to_elements(name, value)
    except (ValueError, RecursionError):
        return False
    return not isinstance(value, list) or bool(value)


def _place(note: Any, count: int) -> int:
    return note if type(note) is int and 0 <= note < count else 0


def _encoding(text: str) -> str:
    declared = _ENCODING.match(text.lstrip("\ufeff"))
    return str(declared[1]) if declared else "utf-8"
