"""Entries of a long JSON list, each parsed on demand."""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, overload

from penstock.importers.coco._nesting import MOST_NESTED

__all__ = ["Entries", "read_members"]

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
_MAY_GO_ON = ("", ".", "e", "E")  # after a number, if the text is cut
_WINDOW = 2**20  # bytes that are decoded at a time
_NUMBERS = b"0123456789.,-[]"
_BLANKS = b" \t\r\n"
_CONTINUED = range(0x80, 0xC0)  # bytes inside a character


class Entries(Sequence[Any]):
    """Entries of a JSON list that stay text; 16 bytes each in addition to the text.

    Parameters
    ----------
    content : bytes
        The document, UTF-8.
    starts, ends : array of int64
        Where the text of each entry begins and ends.
    """

    def __init__(self, content: bytes, starts: array[int], ends: array[int]) -> None:
        self._content = content
        self._starts = starts
        self._ends = ends

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Entries: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return Entries(self._content, self._starts[index], self._ends[index])
        return _DECODER.raw_decode(_decoded(self._content[self._starts[index] : self._ends[index]]))[0]

    def __iter__(self) -> Iterator[Any]:
        return map(self.__getitem__, range(len(self)))

    def may_be_deep(self, index: int) -> bool:
        """Return whether an entry may be nested deeper than a JSON tensor allows."""
        start, end = self._starts[index], self._ends[index]
        return self._content.count(b"[", start, end) + self._content.count(b"{", start, end) > MOST_NESTED

    def numbers(self, index: int, name: str) -> bytes | None:
        """Return the text of a list of numbers, or of lists of them, of an entry that has it; without blanks.

        None if it is something else, or the text alone does not tell where it is.

        Examples
        --------
        >>> found = read_members(b'{"a": [{"outline": [[1, 2.50]], "id": 4}]}', "a")["a"]
        >>> found.numbers(0, "outline"), found.numbers(0, "id")
        (b'[[1,2.50]]', None)
        """
        content, start, end = self._content, self._starts[index], self._ends[index]
        key = b'"%s"' % name.encode()
        at = content.find(key, start, end)
        if at < 0 or content.find(b"\\", start, end) >= 0 or content.find(key, at + 1, end) >= 0:
            return None  # the key may be another's, or part of a text
        begins = at + len(key)
        following = content.find(b'"', begins, end)
        text = content[begins : end if following < 0 else following].translate(None, _BLANKS)
        value = text[1:-1]  # without the colon, and the comma or brace that follows
        return value if value[:1] == b"[" and not value.translate(None, _NUMBERS) else None


def read_members(content: bytes, lazy: str) -> dict[str, Any]:
    """Return the members of a JSON object; the list named `lazy` as `Entries`.

    Parameters
    ----------
    content : bytes
        A JSON document in UTF-8.
    lazy : str
        Name of the long list.

    Returns
    -------
    dict of str to object
        As `json.loads` returns it, apart from `lazy`.

    Raises
    ------
    ValueError
        If the content is not an object in JSON. `json.loads` says what is wrong with it.
    """
    text = _Windows(content)
    text.pass_over("{")
    members: dict[str, Any] = {}
    if text.next() == "}":
        return _complete(members, text)
    while True:
        if text.next() != '"':
            raise ValueError("a member without a name")
        name = text.value()
        text.pass_over(":")
        members[name] = _entries(text) if name == lazy and text.next() == "[" else text.value()
        if text.next() == "}":
            return _complete(members, text)
        text.pass_over(",")


class _Windows:
    """A document that is decoded and parsed a part at a time.

    Parameters
    ----------
    content : bytes
        The document, UTF-8.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._text = ""
        self._at = 0  # in the text
        self._ends = 0  # the text, in the content
        self._known = (0, 0)  # a place in the text, and where it is in the content
        self._is_ascii = True

    @property
    def position(self) -> int:
        """Where the next character is in the content."""
        at, place = self._known
        if self._is_ascii:
            return place + self._at - at
        place += len(self._text[at : self._at].encode("utf-8", "surrogatepass"))
        self._known = (self._at, place)
        return place

    def next(self) -> str:
        """Return the next character that is not blank; empty at the end."""
        self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # matches the empty text too
        while self._at == len(self._text) and self._ends < len(self.content):
            self._look(self._ends, _WINDOW)
            self._at = _SPACE.match(self._text, 0).end()  # type: ignore[union-attr]
        return self._text[self._at : self._at + 1]

    def pass_over(self, mark: str) -> None:
        """Go on after a character."""
        if self.next() != mark:
            raise ValueError(f"no {mark} at byte {self.position}")
        self._at += 1

    def value(self) -> Any:
        """Return the value that comes next, and go on after it."""
        self.next()
        size = _WINDOW
        while True:
            try:
                found, end = _DECODER.raw_decode(self._text, self._at)
            except ValueError:
                if self._ends == len(self.content):
                    raise
            else:
                if self._text[end : end + 1] not in _MAY_GO_ON or self._ends == len(self.content):
                    self._at = end
                    return found
            size *= 2
            self._look(self.position, size)  # what was cut may be whole in a longer text

    def _look(self, begins: int, size: int) -> None:
        ends = min(begins + size, len(self.content))
        while ends < len(self.content) and self.content[ends] in _CONTINUED:
            ends += 1
        self._text = _decoded(self.content[begins:ends])
        self._is_ascii = len(self._text) == ends - begins
        self._at, self._known, self._ends = 0, (0, begins), ends


def _decoded(content: bytes) -> str:
    return content.decode("utf-8", "surrogatepass")


def _entries(text: _Windows) -> Entries:
    """Return the entries of the list that begins here."""
    starts, ends = array("q"), array("q")
    text.pass_over("[")
    found = Entries(text.content, starts, ends)
    if text.next() == "]":
        text.pass_over("]")
        return found
    while True:
        text.next()
        starts.append(text.position)
        text.value()
        ends.append(text.position)
        if text.next() == "]":
            text.pass_over("]")
            return found
        text.pass_over(",")


def _complete(members: dict[str, Any], text: _Windows) -> dict[str, Any]:
    text.pass_over("}")
    if text.next():
        raise ValueError("there is more text after the object")
    return members
