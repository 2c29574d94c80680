"""Image bytes to pixels."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from penstock.tensors.images._guard import guarded
from penstock.tensors.images._jpeg_scans import coefficient_bytes
from penstock.tensors.images._memory import DECODING, LARGE, MAX_IMAGE_BYTES, refuse_larger
from penstock.tensors.images._opening import load, num_piece_bytes, num_working_bytes, opened, sample_bytes
from penstock.tensors.images._pixels import Extremes, channels_of_mode, is_wide, pixels_of, strips_of
from penstock.tensors.images._png import parts
from penstock.tensors.images._webp import decode_webp, webp_exif, webp_shape

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "decode_any",
    "decode_image",
    "decode_jpeg",
    "decode_jpeg_into",
    "decode_then",
    "image_bytes",
    "image_shape",
    "jpeg_bytes",
    "jpeg_header",
    "jpeg_orientation",
    "load_pillow",
    "upright",
]

_T = TypeVar("_T")
_UNSEEN = 16 * 2**20  # smaller images cannot take much, whatever their files say
_EXIF_REACH = 65_536
_ORIENTATION = 0x0112
_SEGMENT = struct.Struct(">HH")
_APP1, _START_OF_SCAN, _FILL = 0xFFE1, 0xFFDA, 0xFFFF
_START_OF_FRAME = frozenset(range(0xFFC0, 0xFFD0)) - {0xFFC4, 0xFFC8, 0xFFCC}
_PNG_ORIENTATION_MARKS = (b"eXIf", b"Raw profile type exif", b"Raw profile type APP1", b"XML:com.adobe.xmp")


@guarded
def decode_image(encoded: bytes, *, max_bytes: int | None = MAX_IMAGE_BYTES) -> NDArray[np.uint8]:
    """Decode an image, upright by its EXIF orientation.

    Parameters
    ----------
    encoded : bytes
        JPEG, PNG or any other format that Pillow reads.
    max_bytes : int, optional
        Most bytes the decoded image may have, 512 MiB by default; None allows any size.

    Returns
    -------
    ndarray of uint8, shape (height, width, channels)
        One channel for gray, three for RGB (CMYK and palettes converted), four
        where there is transparency. 16-bit images are rescaled, least to greatest.

    Raises
    ------
    ImageDecodeError
        If the bytes are not an image, are truncated, or would be larger than
        `max_bytes`; the message has the reason.

    Notes
    -----
    Threads that decode large images at the same time wait for one another, so
    that together they take about 1 GiB.

    Examples
    --------
    >>> from penstock.tensors import encode_image
    >>> decode_image(encode_image(np.full((2, 3, 3), 7, np.uint8), "png")).shape
    (2, 3, 3)
    """
    return decode_then(encoded, _as_they_are, max_bytes=max_bytes)


def _as_they_are(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pixels


@guarded
def decode_then(
    encoded: bytes, use: Callable[[NDArray[np.uint8]], _T], *, max_bytes: int | None = MAX_IMAGE_BYTES
) -> _T:
    """Decode an image and make something smaller of it, while its memory counts as taken.

    Parameters
    ----------
    encoded : bytes
        An encoded image.
    use : callable
        Given the pixels that `decode_image` returns.
    max_bytes : int, optional
        Most bytes the decoded image may have, 512 MiB by default; None allows any size.

    Returns
    -------
    object
        What `use` returned.

    Raises
    ------
    ImageDecodeError
        As `decode_image`.

    Examples
    --------
    >>> from penstock.tensors import encode_image
    >>> float(decode_then(encode_image(np.full((2, 3), 7, np.uint8), "png"), np.mean))
    7.0
    """
    header = jpeg_header(encoded)
    if header is None:
        return decode_any(encoded, use, max_bytes=max_bytes)
    num_bytes = jpeg_bytes(encoded, header, max_bytes)
    orientation = jpeg_orientation(encoded)
    with DECODING.taken(num_bytes if orientation == 1 else 2 * num_bytes):
        fast = decode_jpeg(encoded, header)
        if fast is None and num_bytes >= LARGE:
            fast = _decode_forgiving(encoded, header)
        if fast is not None:
            return use(upright(fast, orientation))
    return decode_any(encoded, use, max_bytes=max_bytes)


def jpeg_bytes(encoded: bytes, header: tuple[int, int, int], max_bytes: int | None) -> int:
    """Return what decoding a JPEG takes, refused where it is too much."""
    num_bytes = math.prod(header)
    refuse_larger(header, num_bytes, max_bytes)
    return num_bytes if num_bytes < _UNSEEN else num_bytes + coefficient_bytes(encoded, max_bytes)


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


def _decode_forgiving(encoded: bytes, header: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Decode a large JPEG with small faults as Pillow does, which judges it at an eighth of its size."""
    import simplejpeg

    with opened(bytes(encoded)) as image:
        image.draft(image.mode, (max(1, header[1] // 8), max(1, header[0] // 8)))
        image.load()
    pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(encoded, "GRAY" if header[2] == 1 else "RGB", strict=False)
    return pixels


def decode_any(
    encoded: bytes, use: Callable[[NDArray[np.uint8]], _T], *, max_bytes: int | None = MAX_IMAGE_BYTES
) -> _T:
    """Decode any image that Pillow reads; large images in parts, to avoid a second copy."""
    encoded = bytes(encoded)
    shape = webp_shape(encoded)
    if shape is not None and math.prod(shape) >= _UNSEEN:
        refuse_larger(shape, math.prod(shape), max_bytes)
        with DECODING.taken(2 * math.prod(shape)):
            return use(upright(decode_webp(encoded, shape[2]), _webp_orientation(encoded)))
    with opened(encoded) as image:
        num_bytes = image_bytes(image, max_bytes)
        with DECODING.taken(num_bytes):
            if num_bytes < LARGE:
                image.load()  # before the EXIF is asked for: reading that loads a PNG and hides that it is broken
                pixels = pixels_of(image)
            else:
                pixels = _in_parts(encoded, image)
            return use(upright(pixels, orientation_of(image) if may_be_turned(encoded) else 1))


@guarded
def load_pillow(encoded: bytes, *, max_bytes: int | None = MAX_IMAGE_BYTES) -> Image.Image:
    """Read an image as Pillow gives it, not turned and in its own mode.

    Parameters
    ----------
    encoded : bytes
        An encoded image.
    max_bytes : int, optional
        Most bytes the decoded image may have, 512 MiB by default; None allows any size.

    Returns
    -------
    Image
        The image, its pixels read.

    Raises
    ------
    ImageDecodeError
        As `decode_image`.

    Examples
    --------
    >>> from penstock.tensors import encode_image
    >>> load_pillow(encode_image(np.zeros((2, 3), np.uint8), "png")).size
    (3, 2)
    """
    encoded = bytes(encoded)
    shape = webp_shape(encoded)
    if shape is not None:
        refuse_larger(shape, math.prod(shape), max_bytes)
    image = opened(encoded)
    with DECODING.taken(image_bytes(image, max_bytes)):
        load(image)
    return image


def image_bytes(image: Image.Image, max_bytes: int | None) -> int:
    """Return what decoding an opened image takes, refused where it is too much."""
    shape = shape_of(image)
    decoded = math.prod(shape) * sample_bytes(image.mode)
    refuse_larger(shape, max(decoded, num_piece_bytes(image)), max_bytes)
    return num_working_bytes(image) + decoded


def _webp_orientation(encoded: bytes) -> int:
    from PIL import Image

    exif = Image.Exif()
    try:
        exif.load(webp_exif(encoded))
        return int(exif.get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001  a broken EXIF block means upright
        return 1


def _in_parts(encoded: bytes, image: Image.Image) -> NDArray[np.uint8]:
    """Fill an array part by part."""
    wide = is_wide(image.mode)
    extremes = Extremes()
    if image.format == "PNG":
        whole: NDArray[Any] = np.empty(shape_of(image), np.uint16 if wide else np.uint8)
        for part in parts(encoded, image):
            whole[part.rows, part.columns] = extremes.including(part.pixels) if wide else part.pixels
        return _spread_in_parts(whole, extremes) if wide else whole
    load(image)
    for _, strip in strips_of(image) if wide else ():
        extremes.including(strip)
    whole = np.empty(shape_of(image), np.uint8)
    for first, strip in strips_of(image):
        whole[first : first + len(strip)] = extremes.spread(strip) if wide else strip
    return whole


def _spread_in_parts(values: NDArray[Any], extremes: Extremes) -> NDArray[np.uint8]:
    spread = np.empty(values.shape, np.uint8)
    at_once = max(1, 2**20 // values.shape[1])
    for first in range(0, len(values), at_once):
        spread[first : first + at_once] = extremes.spread(values[first : first + at_once])
    return spread


def shape_of(image: Image.Image) -> tuple[int, int, int]:
    width, height = image.size
    return height, width, channels_of_mode(image.mode, transparent="transparency" in image.info)


def orientation_of(image: Image.Image) -> int:
    """Read the orientation of an opened file; a broken EXIF block means upright."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001  SyntaxError, struct.error, TypeError, ... all seen
        return 1


def may_be_turned(encoded: bytes) -> bool:
    """Return whether reading an orientation is useful; for a PNG it would require decoding."""
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
        3 saves looking at the header: what fits in ``buffer(0)`` comes as red, green and blue, also for gray images.
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
    if channels == 3 and components in {1, 3}:  # noqa: PLR2004  red, green, blue
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
    """Return the shape that `decode_image` would return, from the header alone.

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
        with opened(encoded) as image:
            height, width, channels = shape_of(image)
            orientation = orientation_of(image) if may_be_turned(encoded) else 1
    return (width, height, channels) if orientation in (5, 6, 7, 8) else (height, width, channels)
