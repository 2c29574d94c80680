"""Entries of a long JSON list, each parsed on demand."""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, overload

__all__ = ["Entries", "read_members"]

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
_ODD = ("NaN", "Infinity", "\\ud", "\\uD")


class Entries(Sequence[Any]):
    """Entries of a JSON list that stay text; 16 bytes each in addition to the text.

    Parameters
    ----------
    text : str
        The document.
    starts, ends : array of int64
        Where the text of each entry begins and ends.
    """

    def __init__(self, text: str, starts: array[int], ends: array[int]) -> None:
        self._text = text
        self._starts = starts
        self._ends = ends

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def may_be_odd(self) -> bool:
        """Return whether the document may contain what JSON tensors reject: non-finite numbers, lone surrogates."""
        return any(part in self._text for part in _ODD)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Entries: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return Entries(self._text, self._starts[index], self._ends[index])
        return _DECODER.raw_decode(self._text, self._starts[index])[0]

    def __iter__(self) -> Iterator[Any]:
        decode, text = _DECODER.raw_decode, self._text
        return (decode(text, start)[0] for start in self._starts)


def read_members(text: str, lazy: str) -> dict[str, Any]:
    """Return the members of a JSON object; the list named `lazy` as `Entries`.

    Parameters
    ----------
    text : str
        A JSON document.
    lazy : str
        Name of the long list.

    Returns
    -------
    dict of str to object
        As `json.loads` returns it, apart from `lazy`.

    Raises
    ------
    ValueError
        If the text is not an object in JSON. `json.loads` says what is wrong with it.
    """
    at = _after(text, "{", _SPACE.match(text, 0).end())  # type: ignore[union-attr]  # matches anywhere
    members: dict[str, Any] = {}
    if text[at : at + 1] == "}":
        return _complete(members, text, at + 1)
    while True:
        if text[at : at + 1] != '"':
            raise ValueError("a member without a name")
        name, at = _DECODER.raw_decode(text, at)
        at = _after(text, ":", _skip(text, at))
        if name == lazy and text[at : at + 1] == "[":
            members[name], at = _entries(text, at)
        else:
            members[name], at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            return _complete(members, text, at + 1)
        at = _after(text, ",", at)


def _entries(text: str, at: int) -> tuple[Entries, int]:
    """Return the entries of the list that begins here, and where it ends."""
    starts, ends = array("q"), array("q")
    at = _after(text, "[", at)
    if text[at : at + 1] == "]":
        return Entries(text, starts, ends), at + 1
    decode = _DECODER.raw_decode
    while True:
        starts.append(at)
        at = decode(text, at)[1]
        ends.append(at)
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            return Entries(text, starts, ends), at + 1
        at = _after(text, ",", at)


def _skip(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # matches the empty text too


def _after(text: str, mark: str, at: int) -> int:
    if text[at : at + 1] != mark:
        raise ValueError(f"no {mark} at character {at}")
    return _skip(text, at + 1)


def _complete(members: dict[str, Any], text: str, at: int) -> dict[str, Any]:
    if _skip(text, at) != len(text):
        raise ValueError("there is more text after the object")
    return members
