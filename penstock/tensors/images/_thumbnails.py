"""Thumbnails and regions of images, as JPEG."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImageDecodeError
from penstock.tensors.images._decoding import decode_any, decode_then
from penstock.tensors.images._encoding import as_jpeg
from penstock.tensors.images._reducing import reduced
from penstock.tensors.images._windowed import wide_pixels, windowed
from penstock.tensors.images.formats._jpeg import decode_jpeg, jpeg_bytes, jpeg_header, jpeg_orientation
from penstock.tensors.images.formats._jpeg_scans import coefficient_bytes
from penstock.tensors.images.formats._orientation import upright
from penstock.tensors.images.opening._guard import guarded
from penstock.tensors.images.opening._memory import DECODING, MAX_IMAGE_BYTES
from penstock.tensors.images.opening._pixels import flatten_alpha

__all__ = ["check_image", "image_region", "thumbnail"]

_LARGE_JPEG = 16 * 2**20


@guarded
def thumbnail(encoded: bytes, longest_side: int, *, max_bytes: int | None = MAX_IMAGE_BYTES) -> tuple[bytes, int, int]:
    """Make a small JPEG of an image, upright, with transparency on mid gray.

    A large image is decoded reduced (JPEG) or some rows at a time (PNG), so that
    it takes little memory whatever its size.

    Parameters
    ----------
    encoded : bytes
        An encoded image.
    longest_side : int
        Greatest width or height of the thumbnail, pixels; never enlarged.
    max_bytes : int, optional
        Most bytes that decoding may take where the format has to be decoded
        whole, 512 MiB by default; None allows any size.

    Returns
    -------
    tuple of (bytes, int, int)
        The JPEG, and the full width and height of the upright image, pixels.

    Raises
    ------
    ImageDecodeError
        If the image cannot be decoded.

    Examples
    --------
    >>> from penstock.tensors import encode_image, image_shape
    >>> jpeg, width, height = thumbnail(encode_image(np.zeros((40, 60), np.uint8), "png"), 30)
    >>> width, height, image_shape(jpeg)
    (60, 40, (20, 30, 1))
    """
    header = jpeg_header(encoded)
    small = None if header is None else _reduced_jpeg(encoded, header, longest_side, max_bytes)
    if header is None or small is None:
        pixels, width, height = reduced(bytes(encoded), longest_side, max_bytes)
        return as_jpeg(_resized_to(flatten_alpha(pixels), height, width, longest_side)), width, height
    height, width, _ = header
    orientation = jpeg_orientation(encoded)
    small = upright(_resized(small, longest_side / max(small.shape[:2])), orientation)
    return as_jpeg(small), *((height, width) if orientation in (5, 6, 7, 8) else (width, height))


def _reduced_jpeg(
    encoded: bytes, header: tuple[int, int, int], longest_side: int, max_bytes: int | None
) -> NDArray[np.uint8] | None:
    height, width, channels = header
    scale = min(1.0, longest_side / max(height, width))
    num_bytes = height * width * channels
    if num_bytes >= _LARGE_JPEG:
        num_bytes = max(num_bytes // 64, int(num_bytes * scale * scale * 4)) + coefficient_bytes(encoded, max_bytes)
    with DECODING.taken(num_bytes):
        return decode_jpeg(encoded, header, at_least=(max(1, round(height * scale)), max(1, round(width * scale))))


@guarded
def check_image(encoded: bytes, *, max_bytes: int | None = MAX_IMAGE_BYTES) -> None:
    """Decode an image, at an eighth of its size where the format can, and keep nothing of it.

    Parameters
    ----------
    encoded : bytes
        An encoded image.
    max_bytes : int, optional
        Most bytes the decoded image may have, 512 MiB by default; None allows any size.

    Raises
    ------
    ImageDecodeError
        If the image is broken, as far as it was read, or too large.

    Examples
    --------
    >>> from penstock.tensors import encode_image
    >>> check_image(encode_image(np.zeros((40, 60), np.uint8), "png"))
    """
    header = jpeg_header(encoded)
    if header is None:
        decode_any(encoded, len, max_bytes=max_bytes)
        return
    jpeg_bytes(encoded, header, max_bytes)
    if _reduced_jpeg(encoded, header, 1, max_bytes) is None:
        decode_any(encoded, len, max_bytes=max_bytes)


def _resized_to(pixels: NDArray[np.uint8], height: int, width: int, longest_side: int) -> NDArray[np.uint8]:
    """Shrink to the size that an image of so many pixels has as a thumbnail, whatever is left of it."""
    import cv2

    scale = longest_side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small: NDArray[np.uint8] = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
    return small.reshape(size[1], size[0], pixels.shape[2])


def _resized(pixels: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Shrink by area averaging; a scale of 1 or more changes nothing."""
    import cv2

    if scale >= 1:
        return pixels
    height, width = pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small: NDArray[np.uint8] = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
    return small.reshape(size[1], size[0], pixels.shape[2])


@guarded
def image_region(
    encoded: bytes,
    x: int,
    y: int,
    width: int,
    height: int,
    scale: float = 1.0,
    *,
    window: tuple[float, float] | None = None,
    max_bytes: int | None = MAX_IMAGE_BYTES,
) -> bytes:
    """Cut a rectangle out of an upright image and scale it down.

    Parameters
    ----------
    encoded : bytes
        An encoded image.
    x, y : int
        Left upper corner, pixels of the upright image.
    width, height : int
        Size of the rectangle in pixels; parts outside the image are cut off.
    scale : float
        Pixels of the result per pixel of the image, at most 1.
    window : tuple of (float, float), optional
        Values that become black and white, of an image with more than 8 bits; by default its least and its
        greatest one. An image of 8 bits is shown as it is.
    max_bytes : int, optional
        Most bytes the decoded image may have, 512 MiB by default; None allows any size.

    Returns
    -------
    bytes
        A JPEG.

    Raises
    ------
    ImageDecodeError
        If the image cannot be decoded or the rectangle is outside it.

    Examples
    --------
    >>> from penstock.tensors import encode_image, image_shape
    >>> png = encode_image(np.zeros((40, 60), np.uint8), "png")
    >>> image_shape(image_region(png, 10, 0, 20, 40, 0.5))
    (20, 10, 1)
    """
    rows, columns = slice(max(0, y), max(0, y + height)), slice(max(0, x), max(0, x + width))

    def cut(pixels: NDArray[np.uint8], part: NDArray[np.uint8] | None = None) -> bytes:
        part = flatten_alpha(pixels[rows, columns]) if part is None else part
        if part.size == 0:
            raise ImageDecodeError(
                f"the region x={x}, y={y}, {width} × {height} is outside the image of {pixels.shape[1]} × "
                f"{pixels.shape[0]} pixels"
            )
        return as_jpeg(_resized(part, scale))

    values = None if window is None else wide_pixels(encoded, max_bytes)
    if values is not None and window is not None:
        return cut(values, windowed(values[rows, columns], window)[:, :, None])
    return decode_then(encoded, cut, max_bytes=max_bytes)
