"""Notes of the user about a dataset, stored and versioned with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from penstock.dataset.opened._opened import OpenDataset
from penstock.dataset.writing import _head as head
from penstock.errors import DatasetError

__all__ = ["Info"]


class Info(MutableMapping[str, Any]):
    """Notes about a dataset, saved immediately; values are JSON values.

    Parameters
    ----------
    opened : OpenDataset
        The dataset.
    """

    def __init__(self, opened: OpenDataset) -> None:
        self._opened = opened

    def _read(self) -> dict[str, Any]:
        return dict(self._opened.working.meta.get("info", {}))

    def _change(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Replace the notes by `change` of them."""
        with self._opened.lock:
            self._opened.check_writable()
            self._opened.settle()
            head.set_info(self._opened.working, change)

    def __getitem__(self, name: str) -> Any:
        return self._read()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def __delitem__(self, name: str) -> None:
        self._read()[name]
        self._change(lambda notes: {key: value for key, value in notes.items() if key != name})

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def update(self, *notes: Any, **more: Any) -> None:
        """Add or replace notes, all in one step."""
        given: dict[str, Any] = dict(*notes, **more)
        new = _checked(given)
        self._change(lambda known: {**known, **new})

    def clear(self) -> None:
        """Drop all notes."""
        self._change(lambda _: {})

    def __repr__(self) -> str:
        return f"Info({self._read()!r})"


def _checked(notes: Mapping[str, Any]) -> dict[str, Any]:
    for name in notes:
        if not isinstance(name, str):
            raise DatasetError(f"{name!r} is not a valid name of a note. Expected text")
    try:
        kept: dict[str, Any] = json.loads(json.dumps(notes, allow_nan=False))
        json.dumps(kept, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise DatasetError(
            f"the notes cannot be stored as JSON ({error}). Expected text, numbers, lists and dicts"
        ) from None
    return kept
