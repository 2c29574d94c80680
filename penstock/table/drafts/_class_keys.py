"""Lasting identity of classes: what a label means after classes were renamed, merged or renumbered.

A label is stored as an index into the names of its tensor. Beside the names the dataset records a key for
each class, which never changes, and for each class that was merged away the key of the one it went into.
Labels written down under one list of keys are read under another by following the keys.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "class_aliases",
    "class_colors",
    "class_keys",
    "merged_into",
    "new_index",
    "resolved",
    "with_class_color",
    "with_class_keys",
    "with_classes",
]

_CLASSES = "classes"  # of the dataset's description
_Meta = Mapping[str, Any]


def _names(meta: _Meta) -> dict[str, list[str]]:
    return {entry["name"]: list(entry.get("class_names") or ()) for entry in meta.get("tensors", [])}


def class_keys(meta: _Meta, tensor: str) -> tuple[str, ...]:
    """Return the key of each class of a tensor, in the order of its names.

    Classes of a dataset that recorded no keys have their names for keys.
    """
    names = _names(meta).get(tensor, [])
    known = meta.get(_CLASSES, {}).get(tensor, {}).get("keys", [])[: len(names)]
    return (*known, *names[len(known) :])


def merged_into(meta: _Meta, tensor: str) -> dict[str, str]:
    """Return, for each class that was merged away, the key of the class it went into; aliases lead there too."""
    entry = meta.get(_CLASSES, {}).get(tensor, {})
    return {**entry.get("aliases", {}), **entry.get("merged", {})}


def class_aliases(meta: _Meta, tensor: str) -> dict[str, str]:
    """Return, for each key that another branch gave a class of ours, our own: one class, that was never merged."""
    return dict(meta.get(_CLASSES, {}).get(tensor, {}).get("aliases", {}))


def with_classes(
    meta: _Meta,
    tensor: str,
    keys: Sequence[str],
    merged: Mapping[str, str],
    aliases: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return a description that records these keys; `aliases` stay as they are unless they are passed."""
    entry = {
        **meta.get(_CLASSES, {}).get(tensor, {}),
        "keys": list(keys),
        "merged": dict(merged),
        "aliases": class_aliases(meta, tensor) if aliases is None else dict(aliases),
    }
    return {**meta, _CLASSES: {**meta.get(_CLASSES, {}), tensor: entry}}


def class_colors(meta: _Meta, tensor: str) -> dict[str, str]:
    """Return the color of each class that has one of its own, ``#rrggbb`` by key; of classes that are gone too."""
    return dict(meta.get(_CLASSES, {}).get(tensor, {}).get("colors", {}))


def with_class_color(meta: _Meta, tensor: str, key: str, color: str | None) -> dict[str, Any]:
    """Return a description in which a class has a color of its own, or none."""
    colors = {other: known for other, known in class_colors(meta, tensor).items() if other != key}
    entry = {**meta.get(_CLASSES, {}).get(tensor, {}), "colors": colors if color is None else {**colors, key: color}}
    return {**meta, _CLASSES: {**meta.get(_CLASSES, {}), tensor: entry}}


def with_class_keys(before: _Meta, after: _Meta) -> dict[str, Any]:
    """Return `after` with a key for every class: those of `before` stay, new classes get random ones."""
    found = dict(after)
    for tensor, names in _names(after).items():
        recorded = after.get(_CLASSES, {}).get(tensor, {}).get("keys", [])
        if len(recorded) < len(names):
            known = [*recorded, *class_keys(before, tensor)[len(recorded) :]][: len(names)]
            fresh = [secrets.token_hex(4) for _ in names[len(known) :]]
            merged = after.get(_CLASSES, {}).get(tensor, {}).get("merged", {})
            found = with_classes(found, tensor, [*known, *fresh], merged)
    return found


def resolved(key: str, keys: Mapping[str, int], merged: Mapping[str, str]) -> int | None:
    """Return the current index of the class with a key; None if there is none."""
    seen = set()
    while key not in keys and key in merged and key not in seen:
        seen.add(key)
        key = merged[key]
    return keys.get(key)


def new_index(
    then: Sequence[str], now: Sequence[str], merged: Mapping[str, str], *, follow: bool = True
) -> NDArray[np.int64] | None:
    """Return the current index of each earlier class, int64 of shape (num_classes,); -1 if it is gone.

    None where no index moved. Without `follow` a class that was merged away counts as gone.
    """
    if tuple(now[: len(then)]) == tuple(then):
        return None
    places = {key: index for index, key in enumerate(now)}
    found = [resolved(key, places, merged if follow else {}) for key in then]
    return np.array([-1 if index is None else index for index in found], np.int64)
