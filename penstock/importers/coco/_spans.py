"""Entries of a long JSON list, each parsed on demand."""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, overload

from penstock.importers.coco._content import Content, check_unchanged

__all__ = ["Entries", "read_members"]

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
_MAY_GO_ON = ("", ".", "e", "E")  # after a number, if the text is cut
_WINDOW = 2**20  # bytes that are decoded at a time
_NUMBERS = b"0123456789.,-[]"
_BLANKS = b" \t\r\n"
_CONTINUED = range(0x80, 0xC0)  # bytes inside a character
_LONGEST = 4  # bytes of a character


class Entries(Sequence[Any]):
    """Entries of a JSON list that stay text: 16 bytes each in memory if the text is in a file.

    Parameters
    ----------
    content : bytes or FileContent
        The document, UTF-8.
    starts, ends : array of int64
        Where the text of each entry begins and ends.
    """

    def __init__(self, content: Content, starts: array[int], ends: array[int]) -> None:
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
        return self.parse(self.text(index))

    def __iter__(self) -> Iterator[Any]:
        return map(self.parse, self.texts())

    def check_unchanged(self) -> None:
        """Raise if the file was changed since it was opened."""
        check_unchanged(self._content)

    def text(self, index: int) -> bytes:
        """Return the text of an entry."""
        return self._content[self._starts[index] : self._ends[index]]

    def texts(self) -> Iterator[bytes]:
        """Yield the text of each entry, read many at a time."""
        first = 0
        while first < len(self):
            begins = self._starts[first]
            end = max(bisect_right(self._ends, begins + _WINDOW), first + 1)
            part = self._content[begins : self._ends[end - 1]]
            yield from (part[self._starts[at] - begins : self._ends[at] - begins] for at in range(first, end))
            first = end

    @staticmethod
    def parse(text: bytes) -> Any:
        """Return an entry."""
        return _DECODER.raw_decode(_decoded(text))[0]

    @staticmethod
    def numbers(text: bytes, name: str) -> str | None:
        """Return the list of numbers, or of lists of them, that an entry has under a key, as text without blanks.

        None if it is something else, or the text alone does not tell where it is.

        Examples
        --------
        >>> text = b'{"outline": [[1, 2.50]], "id": 4}'
        >>> Entries.numbers(text, "outline"), Entries.numbers(text, "id")
        ('[[1,2.50]]', None)
        """
        key = b'"%s"' % name.encode()
        _, found, after = text.partition(key)
        if not found or b"\\" in text or key in after:
            return None  # the key may be another's, or part of a text
        value = after.partition(b'"')[0].translate(None, _BLANKS)[1:-1]  # after the colon, before a comma or brace
        return value.decode() if value[:1] == b"[" and not value.translate(None, _NUMBERS) else None


def read_members(content: Content, lazy: str) -> dict[str, Any]:
    """Return the members of a JSON object; the list named `lazy` as `Entries`.

    Parameters
    ----------
    content : bytes or FileContent
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
    content : bytes or FileContent
        The document, UTF-8.
    """

    def __init__(self, content: Content) -> None:
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
        self._at = _after_blanks(self._text, self._at)
        while self._at == len(self._text) and self._ends < len(self.content):
            self._look(self._ends, _WINDOW)
            self._at = _after_blanks(self._text, 0)
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
        found = self.content[begins : begins + size + _LONGEST]
        ends = min(size, len(found))
        while ends < len(found) and found[ends] in _CONTINUED:
            ends += 1
        self._text = _decoded(found[:ends])
        self._is_ascii = len(self._text) == ends
        self._at, self._known, self._ends = 0, (0, begins), begins + ends


def _after_blanks(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # matches the empty text too


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
