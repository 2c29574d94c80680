"""Categories of a COCO file for the current classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["Categories"]


class Categories:
    """The list of categories, and the id that is written for each class.

    Parameters
    ----------
    class_names : sequence of str
        The classes now, by index.
    origins : sequence of str or None
        The name that each class had in the source; None for a class that is new.
    entries : sequence of dict
        Categories of the source, in its order.
    ids : mapping of str to object
        Category id that the source's classes are written with, by name.

    Examples
    --------
    >>> entries = [{"id": 7, "name": "dog"}, {"id": 9, "name": "cat"}]
    >>> found = Categories(["hound", "cat", "fox"], ["dog", "cat", None], entries, {"dog": 7, "cat": 9})
    >>> found.ids, [entry["name"] for entry in found.entries]
    ([7, 9, 10], ['hound', 'cat', 'fox'])
    """

    def __init__(
        self,
        class_names: Sequence[str],
        origins: Sequence[str | None],
        entries: Sequence[Mapping[str, Any]],
        ids: Mapping[str, Any],
    ) -> None:
        now = {origin: name for name, origin in zip(class_names, origins, strict=True) if origin is not None}
        self.entries: list[dict[str, Any]] = [
            _renamed(entry, now[str(entry["name"])]) for entry in entries if str(entry["name"]) in now
        ]
        largest = max((entry["id"] for entry in entries if type(entry["id"]) is int), default=0)
        self.ids: list[Any] = []
        for name, origin in zip(class_names, origins, strict=True):
            if origin is not None and origin in ids:
                self.ids.append(ids[origin])
                continue
            largest += 1
            self.ids.append(largest)
            self.entries.append({"id": largest, "name": name})


def _renamed(entry: Mapping[str, Any], name: str) -> dict[str, Any]:
    return dict(entry) if str(entry["name"]) == name else {**entry, "name": name}
