"""What is known of a dataset and of a sample beside images, labels and boxes: as text, JSON taken apart by its keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from penstock.table import Table
from penstock.tql import quote_text
from penstock.widgets.operations._describe import cell_text

__all__ = ["info_rows", "sample_fields"]

_MAX_ROWS = 200
_MAX_DEPTH = 6
_MAX_KEYS = 12
_MAX_CHARACTERS = 1000
_FEW = 8


def info_rows(notes: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return notes as rows of name and value; what is long is counted.

    Examples
    --------
    >>> info_rows({"source": {"format": "coco", "licenses": [{"id": 1}, {"id": 2}]}})
    [{'name': 'source.format', 'value': 'coco'}, {'name': 'source.licenses', 'value': '2 entries'}]
    """
    rows = [{"name": name, "value": _short(value)} for name, value in _leaves("", notes, 0)]
    left = len(rows) - _MAX_ROWS
    return rows[:_MAX_ROWS] + ([{"name": "…", "value": f"{left:,} more"}] if left > 0 else [])


def _leaves(name: str, value: Any, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None:
        return
    if isinstance(value, Mapping) and 0 < len(value) <= _MAX_KEYS and depth < _MAX_DEPTH:
        for key, entry in value.items():
            yield from _leaves(f"{name}.{key}" if name else str(key), entry, depth + 1)
    else:
        yield name, _counted(value)


def _counted(value: Any) -> str:
    plain = (
        isinstance(value, list) and len(value) <= _FEW and not any(isinstance(one, (list, Mapping)) for one in value)
    )
    if isinstance(value, (list, Mapping)) and not plain:
        return f"{len(value):,} entries" if len(value) != 1 else "1 entry"
    return ", ".join(map(_word, value)) if isinstance(value, list) else _word(value)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS - 1]}…"


def sample_fields(table: Table, row: int, shown: Sequence[str | None]) -> list[dict[str, Any]]:
    """Return the sample's other tensors as text: name, kind, value; `each`: of every object, where it is a list.

    The keys of a JSON object are rows of their own; their kind is how TQL finds them: ``image_attributes['license']``.
    """
    fields: list[dict[str, Any]] = []
    for name, spec in table.tensors.items():
        if name in shown or spec.htype == "image":
            continue
        if spec.htype == "json":
            fields += _json_fields(name, table.take(np.array([row], np.int64), [name])[name][0])
            continue
        value = _shape(table, name, row) if spec.is_encoded else cell_text(table.column(name), row)
        fields.append({"name": name, "htype": spec.htype, "value": "NULL" if value is None else str(value)})
    return fields


def _json_fields(name: str, value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict) and value:
        pairs = ((str(key), _short(_plain(one))) for key, one in value.items())
        return [{"name": key, "htype": f"{name}[{quote_text(key)}]", "value": words} for key, words in pairs]
    field: dict[str, Any] = {"name": name, "htype": "json", "value": "NULL" if value is None else _short(_plain(value))}
    if isinstance(value, list) and value:
        field["each"] = [_short(_plain(one)) for one in value]
        said = [f"{number + 1}: {one}" for number, one in enumerate(field["each"]) if one != "–"]
        field["value"] = _short("; ".join(said)) or "–"
    return [field]


def _plain(value: Any) -> str:
    """Return a JSON value as people write it: ``pose Left, truncated true``."""
    if value is None or value in ({}, [], ""):
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(one)}" for key, one in value.items())
    return _counted(value)


def _shape(table: Table, name: str, row: int) -> str | None:
    sides = table.shapes(name)[row].tolist()
    return None if -1 in sides else " × ".join(map(str, sides))
