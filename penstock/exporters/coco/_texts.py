"""JSON text of entries, into which text that is JSON already goes as it is."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

__all__ = ["Written", "entries_of_list", "entry_text"]

_FEW = 4  # numbers, as of a box: longer lists are faster encoded at once
_NUMBERS = frozenset({int, float})
_encode = json.JSONEncoder(separators=(", ", ": "), allow_nan=False).encode


class Written(str):
    """JSON text."""

    __slots__ = ()


def entry_text(entry: Mapping[str, Any]) -> str:
    """Return an entry as JSON in ASCII; a number that is not finite is null.

    Examples
    --------
    >>> entry_text({"id": 3, "segmentation": Written("[[1,2.50]]"), "area": float("nan")})
    '{"id": 3, "segmentation": [[1,2.50]], "area": null}'
    """
    return "{" + ", ".join([f"{_name(name)}: {_text(value)}" for name, value in entry.items()]) + "}"


@lru_cache(maxsize=1024)
def _name(name: str) -> str:
    return _encode(name)


def _text(value: Any) -> str:
    kind = type(value)
    if kind is Written:
        text: str = value
        return text
    if kind is int:
        return str(value)
    if kind is float:
        return repr(value) if math.isfinite(value) else "null"
    if kind is list and len(value) <= _FEW:
        texts = [_text(one) for one in value if type(one) in _NUMBERS]
        if len(texts) == len(value):
            return f"[{', '.join(texts)}]"
    return _encode(value)


def entries_of_list(text: str | None, count: int) -> Sequence[Any]:
    """Return the entries of a JSON list as text; None where one is null.

    Parameters
    ----------
    text : str or None
        The list; None if there is none.
    count : int
        How many entries it should have: polygons of so many are told apart without parsing them.

    Examples
    --------
    >>> entries_of_list("[[[1,2],[3]],[[4]]]", 2), entries_of_list("[null, [4]]", 2)
    (['[[1,2],[3]]', '[[4]]'], [None, '[4]'])
    """
    if text is None:
        return [None] * count
    inner = text[1:-1]
    if count and '"' not in inner and "[[[" not in inner and "]]]" not in inner and inner[:2] == "[[":
        parts = inner[2:-2].split("]],[[")  # where both sides are lists of lists, and none is deeper
        if len(parts) == count and inner[-2:] == "]]":
            return [Written(f"[[{part}]]") for part in parts]
    return [None if one is None else Written(_text(one)) for one in json.loads(text)]
