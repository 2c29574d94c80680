"""Texts that are written in another order than they come in."""

from __future__ import annotations

from array import array
from typing import BinaryIO

import numpy as np

__all__ = ["Spool"]

_MANY = 4096


class Spool:
    """Texts and where they go, one after the other in memory: 24 bytes for each in addition to the text."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._ends = array("q", [0])
        self._places = array("d")
        self._ranks = array("q")

    def __len__(self) -> int:
        return len(self._places)

    def add(self, text: str, place: float, rank: int) -> None:
        """Take a text in ASCII; those of equal places are ordered by rank, and then as they came."""
        self._text += text.encode("ascii")
        self._ends.append(len(self._text))
        self._places.append(place)
        self._ranks.append(rank)

    def write(self, stream: BinaryIO) -> None:
        """Write the texts in their order, separated by commas."""
        order = np.lexsort((self._ranks, self._places)).tolist()
        ends = self._ends
        with memoryview(self._text) as text:
            for start in range(0, len(order), _MANY):
                part = order[start : start + _MANY]
                stream.write((b", " if start else b"") + b", ".join([text[ends[at] : ends[at + 1]] for at in part]))
