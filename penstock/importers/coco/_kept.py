"""The text of annotations as JSON tensors keep it, taken from the file where it can be."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from penstock.importers.building._text import printable
from penstock.importers.coco._nesting import without_deep
from penstock.importers.coco._spans import Entries
from penstock.tensors import JsonText

__all__ = ["KNOWN", "KeptAnnotations", "json_text", "storable"]

KNOWN = frozenset(
    {"id", "image_id", "category_id", "bbox", "iscrowd", "area", "segmentation", "keypoints", "num_keypoints"}
)
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


class KeptAnnotations:
    """Some annotations of a file, each parsed if its text is not enough.

    Parameters
    ----------
    annotations : sequence
        All annotations of the file.
    places : sequence of int
        Which of them.
    keys : sequence of tuple of str
        The keys of each.
    """

    def __init__(self, annotations: Sequence[Any], places: Sequence[int], keys: Sequence[tuple[str, ...]]) -> None:
        self._annotations = annotations
        self._texts: list[bytes] | None = None
        if isinstance(annotations, Entries):
            self._texts = [annotations.text(at) for at in places]
            annotations.check_unchanged()
        self._parsed: dict[int, dict[str, Any]] = {}
        self.places = places
        self.keys = keys

    def __len__(self) -> int:
        return len(self.places)

    def parsed(self, number: int) -> dict[str, Any]:
        """Return one of the annotations."""
        if number not in self._parsed:
            text = None if self._texts is None else self._texts[number]
            entry = self._annotations[self.places[number]] if text is None else Entries.parse(text)
            self._parsed[number] = without_deep(entry)
        return self._parsed[number]

    def texts(self, name: str) -> JsonText:
        """Return the list of a field of each annotation; null where it has none."""
        found = [self._text(number, name) if name in keys else "null" for number, keys in enumerate(self.keys)]
        return JsonText(f"[{','.join(found)}]", len(found))

    def attributes(self) -> JsonText:
        """Return the list of all other fields of each annotation: those that are not COCO's own."""
        found = [{} if KNOWN.issuperset(keys) else self._other_fields(number) for number, keys in enumerate(self.keys)]
        return json_text(found, len(found))

    def _other_fields(self, number: int) -> dict[str, Any]:
        return {name: value for name, value in self.parsed(number).items() if name not in KNOWN}

    def _text(self, number: int, name: str) -> str:
        written = None if self._texts is None else Entries.numbers(self._texts[number], name)
        return json_text(self.parsed(number)[name], 0) if written is None else written


def json_text(value: Any, num_entries: int) -> JsonText:
    """Return the JSON of a value, without what JSON tensors refuse."""
    try:
        text = _encode(value)
        if not text.isascii():
            text.encode()
    except ValueError:  # a number that is not finite, or half of a character
        text = _encode(storable(value))
    return JsonText(text, num_entries)


def storable(value: Any) -> Any:
    """Return a JSON value without what JSON tensors refuse: numbers that are not finite, halves of characters."""
    if isinstance(value, dict):  # map, as a comprehension takes twice the stack
        return dict(zip(map(storable, value), map(storable, value.values()), strict=True))
    if isinstance(value, list):
        return list(map(storable, value))
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return printable(value) if isinstance(value, str) and not _is_whole_text(value) else value


def _is_whole_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
