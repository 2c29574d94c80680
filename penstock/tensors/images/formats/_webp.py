"""Large WebP images: decoded once, where Pillow keeps four copies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImageDecodeError
from penstock.tensors.images.formats._orientation import ORIENTATION

__all__ = ["decode_webp", "webp_orientation", "webp_shape"]

_HEAD = 30
_HAS_ALPHA = 0x10


def webp_shape(encoded: bytes) -> tuple[int, int, int] | None:
    """Return (height, width, channels) from the header, None for another format."""
    head = bytes(encoded[:_HEAD])
    if len(head) < _HEAD or head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return None
    kind = head[12:16]
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(head[place : place + 3], "little") for place in (24, 27))
        return height, width, 4 if head[20] & _HAS_ALPHA else 3
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1, 4 if bits >> 28 & 1 else 3
    if kind == b"VP8 ":
        width, height = (int.from_bytes(head[place : place + 2], "little") & 0x3FFF for place in (26, 28))
        return height, width, 3
    return None


def decode_webp(encoded: bytes, channels: int) -> NDArray[np.uint8]:
    """Decode as stored, not turned upright."""
    import cv2

    colored = channels == 3  # red, green, blue
    how = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION if colored else cv2.IMREAD_UNCHANGED
    pixels = cv2.imdecode(np.frombuffer(encoded, np.uint8), how)
    if pixels is None or pixels.ndim != 3 or pixels.shape[2] != channels:  # height, width, channels
        raise ImageDecodeError("the image cannot be decoded: its WebP data is truncated or damaged")
    turned: NDArray[np.uint8] = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if colored else cv2.COLOR_BGRA2RGBA, dst=pixels)
    return turned


def _exif(encoded: bytes) -> bytes:
    """Return the EXIF block; empty if there is none."""
    place = 12
    while place + 8 <= len(encoded):
        length = int.from_bytes(encoded[place + 4 : place + 8], "little")
        if encoded[place : place + 4] == b"EXIF":
            return encoded[place + 8 : place + 8 + length]
        place += 8 + length + length % 2
    return b""


def webp_orientation(encoded: bytes) -> int:
    """Read the orientation from a WebP's EXIF block, without decoding the image."""
    from PIL import Image

    exif = Image.Exif()
    try:
        exif.load(_exif(encoded))
        return int(exif.get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001  a broken EXIF block means upright
        return 1
