"""Run-length encodings of masks, as COCO has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["mask_of_runs"]

_MOST_PIXELS = 2**28
_FIRST = 48  # the character that stands for 0
_BITS, _PAYLOAD, _MORE, _SIGN = 5, 0x1F, 0x20, 0x10
_LONGEST = 7  # characters of a number


def mask_of_runs(runs: Mapping[str, Any]) -> NDArray[np.uint8] | None:
    """Return the mask of a run-length encoding, compressed or not, of shape (height, width); None where it is broken.

    Examples
    --------
    >>> mask_of_runs({"size": [2, 3], "counts": [1, 2, 3]}).tolist()
    [[0, 1, 0], [1, 0, 0]]
    """
    size, counts = runs.get("size"), runs.get("counts")
    if not isinstance(size, list) or len(size) != 2 or not all(type(side) is int and side > 0 for side in size):
        return None
    height, width = size
    found = _lengths(counts) if isinstance(counts, str) else counts
    if not isinstance(found, list) or not all(type(one) is int and one >= 0 for one in found):
        return None
    if height * width > _MOST_PIXELS or sum(found) != height * width:
        return None
    values = np.repeat(np.arange(len(found), dtype=np.int64) % 2, found).astype(np.uint8)
    return np.ascontiguousarray(values.reshape(width, height).T)


def _lengths(text: str) -> list[int] | None:
    """Return the runs of COCO's compressed text: numbers of five bits a character, each less the last but one."""
    found: list[int] = []
    value, shift = 0, 0
    for character in text:
        code = ord(character) - _FIRST
        if not 0 <= code < 2 * _MORE or shift >= _LONGEST * _BITS:
            return None
        value |= (code & _PAYLOAD) << shift
        shift += _BITS
        if code & _MORE:
            continue
        value -= (1 << shift) if code & _SIGN else 0
        found.append(value + (found[-2] if len(found) > 2 else 0))
        value, shift = 0, 0
    return found if shift == 0 else None
