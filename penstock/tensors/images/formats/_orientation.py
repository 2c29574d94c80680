"""Which way up an image is by its EXIF block, and turning it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["ORIENTATION", "may_be_turned", "orientation_of", "upright"]

ORIENTATION = 0x0112  # the number of the EXIF tag
_PNG_ORIENTATION_MARKS = (b"eXIf", b"Raw profile type exif", b"Raw profile type APP1", b"XML:com.adobe.xmp")


def orientation_of(image: Image.Image) -> int:
    """Read the orientation of an opened file; a broken EXIF block means upright."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001  SyntaxError, struct.error, TypeError, ... all seen
        return 1


def may_be_turned(encoded: bytes) -> bool:
    """Return whether reading an orientation is useful; for a PNG it would require decoding."""
    return not encoded.startswith(b"\x89PNG") or any(mark in encoded for mark in _PNG_ORIENTATION_MARKS)


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation (1 to 8; anything else is upright)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 6, 7, 3):
        pixels = pixels[:, ::-1]
    if orientation in (4, 8, 7, 3):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
