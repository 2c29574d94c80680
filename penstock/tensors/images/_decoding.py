"""Image bytes to pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from penstock.tensors.images.formats._jpeg import (
    SMALL,
    decode_forgiving,
    decode_jpeg,
    jpeg_bytes,
    jpeg_header,
    jpeg_orientation,
)
from penstock.tensors.images.formats._orientation import may_be_turned, orientation_of, upright
from penstock.tensors.images.formats._png import parts
from penstock.tensors.images.formats._webp import decode_webp, webp_orientation, webp_shape
from penstock.tensors.images.opening._guard import guarded
from penstock.tensors.images.opening._memory import DECODING, LARGE, MAX_IMAGE_BYTES, refuse_larger
from penstock.tensors.images.opening._opening import load, num_piece_bytes, num_working_bytes, opened, sample_bytes
from penstock.tensors.images.opening._pixels import Extremes, channels_of_mode, is_wide, pixels_of, strips_of

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["decode_any", "decode_image", "decode_then", "image_shape", "load_pillow", "shape_of"]

_T = TypeVar("_T")


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
            fast = decode_forgiving(encoded, header)
        if fast is not None:
            return use(upright(fast, orientation))
    return decode_any(encoded, use, max_bytes=max_bytes)


def decode_any(
    encoded: bytes, use: Callable[[NDArray[np.uint8]], _T], *, max_bytes: int | None = MAX_IMAGE_BYTES
) -> _T:
    """Decode any image that Pillow reads; large images in parts, to avoid a second copy."""
    encoded = bytes(encoded)
    shape = webp_shape(encoded)
    if shape is not None and math.prod(shape) >= SMALL:
        refuse_larger(shape, math.prod(shape), max_bytes)
        with DECODING.taken(2 * math.prod(shape)):
            return use(upright(decode_webp(encoded, shape[2]), webp_orientation(encoded)))
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
