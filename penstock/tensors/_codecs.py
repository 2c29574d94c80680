"""Image bytes to pixels."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImageDecodeError
from penstock.tensors._guard import guarded
from penstock.tensors._pixels import channels_of_mode, pixels_of

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "decode_any",
    "decode_image",
    "decode_jpeg",
    "decode_jpeg_into",
    "image_shape",
    "jpeg_header",
    "jpeg_orientation",
    "upright",
]

MAX_PIXELS = 178_956_970  # Pillow's own bound for a decompression bomb
_EXIF_REACH = 65_536
_ORIENTATION = 0x0112
_SEGMENT = struct.Struct(">HH")
_APP1, _START_OF_SCAN, _FILL = 0xFFE1, 0xFFDA, 0xFFFF
_START_OF_FRAME = frozenset(range(0xFFC0, 0xFFD0)) - {0xFFC4, 0xFFC8, 0xFFCC}
_PNG_ORIENTATION_MARKS = (b"eXIf", b"Raw profile type exif", b"Raw profile type APP1", b"XML:com.adobe.xmp")


@guarded
def decode_image(encoded: bytes) -> NDArray[np.uint8]:
    """Decode an image, upright by its EXIF orientation.

    Parameters
    ----------
    encoded : bytes
        JPEG, PNG or any other format that Pillow reads.

    Returns
    -------
    ndarray of uint8, shape (height, width, channels)
        One channel for grey, three for RGB (CMYK and palettes converted), four
        where there is transparency. 16-bit images are rescaled, least to greatest.

    Raises
    ------
    ImageDecodeError
        If the bytes are no image, are truncated, or unpack to more than
        178,956,970 pixels; the message has the reason.

    Examples
    --------
    >>> from penstock.tensors import encode_image
    >>> decode_image(encode_image(np.full((2, 3, 3), 7, np.uint8), "png")).shape
    (2, 3, 3)
    """
    fast = decode_jpeg(encoded)
    return decode_any(encoded) if fast is None else upright(fast, jpeg_orientation(encoded))


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
    _refuse_bomb(width, height)
    return height, width, 1 if colorspace.lower() == "gray" else 3


def _refuse_bomb(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageDecodeError(
            f"the image has {width} × {height} pixels; expected at most {MAX_PIXELS:,} (could be a decompression bomb)"
        )


def decode_jpeg(encoded: bytes, *, at_least: tuple[int, int] = (0, 0)) -> NDArray[np.uint8] | None:
    """Decode by simplejpeg, scaled down while both sides stay `at_least`; None where it refuses."""
    import simplejpeg

    header = jpeg_header(encoded)
    if header is None:
        return None
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


def _open(encoded: bytes) -> Image.Image:
    from PIL import Image

    image = Image.open(io.BytesIO(encoded))
    _refuse_bomb(*image.size)
    return image


def decode_any(encoded: bytes) -> NDArray[np.uint8]:
    encoded = bytes(encoded)
    with _open(encoded) as image:
        image.load()  # before the EXIF is asked for: reading that loads a PNG and hides that it is broken
        return upright(pixels_of(image), _orientation(image) if _may_be_turned(encoded) else 1)


def _orientation(image: Image.Image) -> int:
    """Read the orientation of an opened file; a broken EXIF block means upright."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001  SyntaxError, struct.error, TypeError, ... all seen
        return 1


def _may_be_turned(encoded: bytes) -> bool:
    """Tell whether asking for an orientation can give one; a PNG would be decoded for the question."""
    return not encoded.startswith(b"\x89PNG") or any(mark in encoded for mark in _PNG_ORIENTATION_MARKS)


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
        if marker < 0xFF00:  # noqa: PLR2004  no marker: the walk has lost its way
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
    """Read the orientation from a JPEG's head, at no cost where there is no EXIF."""
    return _orientation_in(_walked(encoded)[1], encoded)


def _orientation_in(head: bytes, encoded: bytes) -> int:
    if b"Exif\x00" not in head and b"<tiff:Orientation>" not in head and b"tiff:Orientation=" not in head:
        return 1
    try:
        with _open(encoded) as image:
            return _orientation(image)
    except Exception:  # noqa: BLE001  simplejpeg has read the pixels already; metadata alone is broken
        return 1


@guarded
def decode_jpeg_into(
    encoded: bytes, buffer: Callable[[int], NDArray[np.uint8]], *, channels: int = 0
) -> NDArray[np.uint8] | None:
    """Decode a JPEG into memory of the caller.

    Parameters
    ----------
    encoded : bytes-like
        An encoded image.
    buffer : callable
        Given a number of bytes, returns flat memory of at least that size; given 0, what memory there is.
    channels : {0, 3}
        3 saves looking at the header: what fits in ``buffer(0)`` comes as red, green and blue, grey too.

    Returns
    -------
    ndarray of uint8, shape (height, width, channels), or None
        The pixels that `decode_image` gives: a view of the buffer, or an array of
        their own where the image is turned. None where the image is left to
        `decode_image`: no JPEG, CMYK, damaged, larger than the buffer.

    Raises
    ------
    ImageDecodeError
        If there are no bytes or too many pixels.

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
    if channels == 3 and components in {1, 3}:  # noqa: PLR2004  red, green, blue
        pixels = _into(encoded, buffer(0), "RGB", 3 * height * width)
    if pixels is None:
        header = jpeg_header(encoded)
        if header is None:
            return None
        size = int(np.prod(header))
        pixels = _into(encoded, buffer(size), "GRAY" if header[2] == 1 else "RGB", size)
    if pixels is None:
        return None
    orientation = _orientation_in(head, encoded) if head else 1
    return pixels if orientation == 1 else upright(pixels, orientation)


def _into(encoded: bytes, memory: NDArray[np.uint8], colorspace: str, size: int) -> NDArray[np.uint8] | None:
    """Decode into memory of at least `size` bytes; simplejpeg loses a decoder each time it is given less."""
    import simplejpeg

    if memory.size < max(size, 1):
        return None
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(encoded, colorspace, buffer=memory)
    except ValueError:
        return None
    return pixels


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation (1 to 8; anything else is upright)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 6, 7, 3):
        pixels = pixels[:, ::-1]
    if orientation in (4, 8, 7, 3):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


@guarded
def image_shape(encoded: bytes) -> tuple[int, int, int]:
    """Return the shape `decode_image` would give, from the header alone.

    Parameters
    ----------
    encoded : bytes
        An encoded image.

    Returns
    -------
    tuple of int
        Height, width (pixels, upright) and channels.

    Raises
    ------
    ImageDecodeError
        If the header cannot be read.

    Examples
    --------
    >>> from penstock.tensors import encode_image
    >>> image_shape(encode_image(np.zeros((4, 6), np.uint8), "jpeg"))
    (4, 6, 1)
    """
    header = jpeg_header(encoded)
    if header is not None:
        height, width, channels = header
        orientation = jpeg_orientation(encoded)
    else:
        with _open(encoded) as image:
            width, height = image.size
            channels = channels_of_mode(image.mode, transparent="transparency" in image.info)
            orientation = _orientation(image) if _may_be_turned(encoded) else 1
    return (width, height, channels) if orientation in (5, 6, 7, 8) else (height, width, channels)
