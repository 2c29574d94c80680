"""JPEG files decoded by simplejpeg, at once or into memory of the caller."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from penstock.tensors.images.formats._jpeg_scans import coefficient_bytes
from penstock.tensors.images.formats._orientation import orientation_of, upright
from penstock.tensors.images.opening._guard import guarded
from penstock.tensors.images.opening._memory import MAX_IMAGE_BYTES, refuse_larger
from penstock.tensors.images.opening._opening import opened

__all__ = [
    "SMALL",
    "decode_forgiving",
    "decode_jpeg",
    "decode_jpeg_into",
    "jpeg_bytes",
    "jpeg_header",
    "jpeg_orientation",
]

SMALL = 16 * 2**20  # smaller images cannot take much, whatever their files say
_EXIF_REACH = 65_536
_SEGMENT = struct.Struct(">HH")
_APP1, _START_OF_SCAN, _FILL = 0xFFE1, 0xFFDA, 0xFFFF
_START_OF_FRAME = frozenset(range(0xFFC0, 0xFFD0)) - {0xFFC4, 0xFFC8, 0xFFCC}


def jpeg_bytes(encoded: bytes, header: tuple[int, int, int], max_bytes: int | None) -> int:
    """Return what decoding a JPEG takes, refused where it is too much."""
    num_bytes = math.prod(header)
    refuse_larger(header, num_bytes, max_bytes)
    return num_bytes if num_bytes < SMALL else num_bytes + coefficient_bytes(encoded, max_bytes)


def jpeg_header(encoded: bytes) -> tuple[int, int, int] | None:
    """Return (height, width, channels) as stored, or None for what is left to Pillow."""
    import simplejpeg

    if encoded[:2] != b"\xff\xd8":
        return None
    try:
        height, width, colorspace, _ = simplejpeg.decode_jpeg_header(encoded, strict=False)
    except (ValueError, KeyError):  # KeyError: the header ends too soon
        return None
    if colorspace in ("CMYK", "YCCK"):
        return None
    return height, width, 1 if colorspace.lower() == "gray" else 3


def decode_jpeg(
    encoded: bytes, header: tuple[int, int, int], *, at_least: tuple[int, int] = (0, 0)
) -> NDArray[np.uint8] | None:
    """Decode by simplejpeg, scaled down while both sides stay `at_least`; None where it refuses."""
    import simplejpeg

    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            encoded,
            colorspace="GRAY" if header[2] == 1 else "RGB",
            min_height=at_least[0],
            min_width=at_least[1],
            min_factor=1 if at_least == (0, 0) else 2,
        )
    except ValueError:
        return None
    return pixels


def decode_forgiving(encoded: bytes, header: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Decode a large JPEG with small faults as Pillow does, which judges it at an eighth of its size."""
    import simplejpeg

    with opened(bytes(encoded)) as image:
        image.draft(image.mode, (max(1, header[1] // 8), max(1, header[0] // 8)))
        image.load()
    pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(encoded, "GRAY" if header[2] == 1 else "RGB", strict=False)
    return pixels


@guarded
def decode_jpeg_into(
    encoded: bytes,
    buffer: Callable[[int], NDArray[np.uint8]],
    *,
    channels: int = 0,
    max_bytes: int | None = MAX_IMAGE_BYTES,
) -> NDArray[np.uint8] | None:
    """Decode a JPEG into memory of the caller.

    Parameters
    ----------
    encoded : bytes-like
        An encoded image.
    buffer : callable
        Given a number of bytes, returns flat memory of at least that size; given 0, what memory there is.
    channels : {0, 3}
        3 saves looking at the header: what fits in ``buffer(0)`` comes as red, green and blue, gray too.
    max_bytes : int, optional
        Maximum size of the decoded image in bytes; None allows any size.

    Returns
    -------
    ndarray of uint8, shape (height, width, channels), or None
        The pixels that `decode_image` returns: a view of the buffer, or an array of
        their own where the image is turned. None where the image is left to
        `decode_image`: no JPEG, CMYK, damaged, larger than the buffer.

    Raises
    ------
    ImageDecodeError
        If there are no bytes, or the image would be larger than `max_bytes`.

    Examples
    --------
    >>> from penstock.tensors import encode_image
    >>> jpeg = encode_image(np.zeros((8, 16, 3), np.uint8), "jpeg")
    >>> memory = np.empty(8 * 16 * 3, np.uint8)
    >>> np.shares_memory(decode_jpeg_into(jpeg, lambda size: memory), memory)
    True
    """
    (height, width, components), head = _walked(encoded)
    pixels = None
    if channels == 3 and components in {1, 3}:  # red, green, blue
        pixels = _into(encoded, buffer(0), "RGB", 3 * height * width)
    if pixels is None:
        header = jpeg_header(encoded)
        if header is None:
            return None
        jpeg_bytes(encoded, header, max_bytes)
        size = math.prod(header)
        pixels = _into(encoded, buffer(size), "GRAY" if header[2] == 1 else "RGB", size)
    if pixels is None:
        return None
    orientation = _orientation_in(head, encoded) if head else 1
    return pixels if orientation == 1 else upright(pixels, orientation)


def _into(encoded: bytes, memory: NDArray[np.uint8], colorspace: str, size: int) -> NDArray[np.uint8] | None:
    """Decode into memory of at least `size` bytes; simplejpeg leaks a decoder if it gets less."""
    import simplejpeg

    if memory.size < max(size, 1):
        return None
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(encoded, colorspace, buffer=memory)
    except ValueError:
        return None
    return pixels


def _walked(encoded: bytes) -> tuple[tuple[int, int, int], bytes]:
    """Return the frame of a JPEG and the head that may tell its orientation, empty where no segment can.

    The frame is height, width and components. The segments are walked over one by one; where that leads nowhere, it
    is zeros, and the head is long.
    """
    position, last = 2, len(encoded) - _SEGMENT.size
    frame, may_tell = (0, 0, 0), False
    while position <= last:
        marker, length = _SEGMENT.unpack_from(encoded, position)
        if marker == _START_OF_SCAN:
            return frame, bytes(encoded[:position]) if may_tell else b""
        if marker < 0xFF00:  # no marker: the walk has lost its way
            break
        if marker == _FILL:
            position += 1
            continue
        if marker == _APP1:
            may_tell = True
        elif marker in _START_OF_FRAME and position + 9 < len(encoded):
            frame = (*_SEGMENT.unpack_from(encoded, position + 5), encoded[position + 9])
        position += 2 + length
    return (0, 0, 0), bytes(encoded[: max(position, _EXIF_REACH)])


def jpeg_orientation(encoded: bytes) -> int:
    """Read the orientation from a JPEG's header, at no cost if there is no EXIF."""
    return _orientation_in(_walked(encoded)[1], encoded)


def _orientation_in(head: bytes, encoded: bytes) -> int:
    if b"Exif\x00" not in head and b"<tiff:Orientation>" not in head and b"tiff:Orientation=" not in head:
        return 1
    try:
        with opened(encoded) as image:
            return orientation_of(image)
    except Exception:  # noqa: BLE001  simplejpeg has read the pixels already; metadata alone is broken
        return 1
