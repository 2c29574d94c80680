"""Reduce large images while they are decoded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImageDecodeError
from penstock.tensors.images._decoding import decode_any, shape_of
from penstock.tensors.images.formats._orientation import may_be_turned, orientation_of, upright
from penstock.tensors.images.formats._png import is_interlaced, parts
from penstock.tensors.images.formats._webp import webp_shape
from penstock.tensors.images.opening._memory import DECODING, LARGE, refuse_larger, shown_bytes
from penstock.tensors.images.opening._opening import load, num_piece_bytes, num_working_bytes, opened
from penstock.tensors.images.opening._pixels import BACKGROUND, OPAQUE, Extremes, flatten_alpha, is_wide, strips_of

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["reduced"]

_STREAM_BYTES = 64 * 2**20  # what some rows and their copies take
_MUCH = 2**30  # bytes from which a file that is very small for its image is not unpacked
_MOST_UNPACKED = 250  # real images are packed to a tenth or so, empty ones to a thousandth
_PASSES = ((8, 1), (4, 3), (2, 5))


def reduced(encoded: bytes, longest_side: int, max_bytes: int | None) -> tuple[NDArray[np.uint8], int, int]:
    """Return pixels with at least `longest_side`, or all of them, upright, and the full width and height."""
    if webp_shape(encoded) is not None:
        return _whole(encoded, max_bytes)
    with opened(encoded) as image:
        num_bytes = num_working_bytes(image)
        if num_bytes < LARGE:
            return _whole(encoded, max_bytes)
        height, width, _ = shape_of(image)
        factor = max(1, max(height, width) // longest_side)
        if image.format == "PNG":
            pixels = _reduced_png(encoded, image, factor, max_bytes)
        else:
            pixels = _reduced_whole(image, factor, max_bytes)
        orientation = orientation_of(image) if may_be_turned(encoded) else 1
    turned = orientation in (5, 6, 7, 8)
    return upright(pixels, orientation), *((height, width) if turned else (width, height))


def _whole(encoded: bytes, max_bytes: int | None) -> tuple[NDArray[np.uint8], int, int]:
    return decode_any(encoded, lambda pixels: (pixels, pixels.shape[1], pixels.shape[0]), max_bytes=max_bytes)


def _reduced_png(encoded: bytes, image: Image.Image, factor: int, max_bytes: int | None) -> NDArray[np.uint8]:
    height, width, channels = shape_of(image)
    unpacked = height * width * channels
    if unpacked > _MUCH and unpacked > _MOST_UNPACKED * len(encoded):
        raise ImageDecodeError(
            f"the image has {width} × {height} pixels and takes {shown_bytes(unpacked)} when decoded, from a file of "
            f"{len(encoded):,} bytes. Expected at most {_MOST_UNPACKED} times the file size (a decompression bomb)"
        )
    step, num_passes = next((pair for pair in _PASSES if pair[0] <= factor), (1, 7))
    left = unpacked // (step if is_interlaced(encoded) else factor) ** 2
    refuse_larger((height, width), left, max_bytes)
    with DECODING.taken(_STREAM_BYTES + 2 * left):
        if is_interlaced(encoded):
            return _of_passes(encoded, image, step, num_passes)
        strips = ((part.rows.start, part.pixels) for part in parts(encoded, image))
        return _joined(strips, factor, wide=is_wide(image.mode))


def _of_passes(encoded: bytes, image: Image.Image, step: int, num_passes: int) -> NDArray[np.uint8]:
    """Decode as many passes of an interlaced image as the reduced one needs."""
    height, width, channels = shape_of(image)
    wide = is_wide(image.mode)
    lattice = np.zeros((-(-height // step), -(-width // step), channels), np.uint16 if wide else np.uint8)
    extremes = Extremes()
    for part in parts(encoded, image, num_passes=num_passes):
        rows, columns = part.rows, part.columns
        lattice[
            rows.start // step : (rows.stop - 1) // step + 1 : rows.step // step,
            columns.start // step :: columns.step // step,
        ] = extremes.including(part.pixels) if wide else part.pixels
    return extremes.spread(lattice) if wide else flatten_alpha(lattice)


def _reduced_whole(image: Image.Image, factor: int, max_bytes: int | None) -> NDArray[np.uint8]:
    """Read all pixels with Pillow, which reduces JPEGs, and continue strip by strip."""
    height, width, channels = shape_of(image)
    if image.format == "JPEG" and factor > 1:
        image.draft(image.mode, (max(1, width // factor), max(1, height // factor)))
        factor = max(1, factor * image.size[0] // width)
    num_bytes = num_working_bytes(image)
    at_least = min(num_bytes, height * width * channels)
    refuse_larger((height, width), max(at_least, num_piece_bytes(image)), max_bytes)
    with DECODING.taken(num_bytes):
        load(image)
        return _joined(strips_of(image), factor, wide=is_wide(image.mode))


def _joined(strips: Iterable[tuple[int, NDArray[Any]]], factor: int, *, wide: bool) -> NDArray[np.uint8]:
    """Reduce strip by strip; 16 bits are scaled to 8 when their range is known."""
    extremes = Extremes()
    seen = (extremes.including(strip) if wide else _premultiplied(strip) for _, strip in strips)
    whole = np.concatenate([_shrunk(rows, factor) for rows in _by_factor(seen, factor)])
    return extremes.spread(whole) if wide else _laid(whole)


def _premultiplied(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Multiply colors by alpha, so that transparent pixels do not count in an average."""
    import cv2

    if strip.shape[2] != 4:  # red, green, blue, alpha
        return strip
    multiplied: NDArray[np.uint8] = cv2.cvtColor(strip, cv2.COLOR_RGBA2mRGBA)
    return multiplied


def _by_factor(strips: Iterable[NDArray[Any]], factor: int) -> Iterator[NDArray[Any]]:
    """Cut strips anew, so that each but the last has a multiple of `factor` rows."""
    rest: NDArray[Any] | None = None
    for strip in strips:
        rows = strip if rest is None or not len(rest) else np.concatenate([rest, strip])
        whole = len(rows) - len(rows) % factor
        rest = rows[whole:]
        if whole:
            yield rows[:whole]
    if rest is not None and len(rest):
        yield rest


def _shrunk(rows: NDArray[Any], factor: int) -> NDArray[Any]:
    """Average squares of `factor` pixels; the rest at the end is averaged separately."""
    import cv2

    if factor == 1:
        return rows
    size = (math.ceil(rows.shape[1] / factor), math.ceil(len(rows) / factor))
    values = rows.astype(np.float32) if rows.dtype == np.int32 else np.ascontiguousarray(rows)
    small: NDArray[Any] = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return small.reshape(size[1], size[0], -1)


def _laid(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Blend colors that are multiplied by alpha onto mid gray."""
    if pixels.shape[2] != 4:  # red, green, blue, alpha
        return pixels
    laid = pixels[:, :, :3].astype(np.uint16)
    laid += (BACKGROUND * (OPAQUE - pixels[:, :, 3:].astype(np.uint16)) + OPAQUE // 2) // OPAQUE
    return laid.clip(max=OPAQUE).astype(np.uint8)
