"""PNG files decoded some rows at a time, so that a large one never is in memory whole.

Pillow's own decoder takes back the filters of the rows, which are given to it as a
small image of bytes; the rest of its decoder would need the whole image.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImageDecodeError
from penstock.tensors.images.opening._pixels import pixels_of

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["PNG_MODES", "Part", "is_interlaced", "parts"]

_HEADER = 29  # signature, length, "IHDR", width, height and five more bytes
_INTERLACE = 28
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_FILTERED_AS = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_PART_BYTES = 8 * 2**20
_PART_PIXELS = 4 * 2**20
_PIECE = 64 * 1024
_MAX_ROW_BYTES = 64 * 2**20
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
PNG_MODES = {"1", "L", "P", "LA", "RGB", "RGBA", "I;16"}


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of an image, or of one pass of an interlaced one.

    Parameters
    ----------
    rows, columns : slice
        Where the pixels belong in the image.
    pixels : ndarray of uint8 or uint16, shape (num_rows, num_columns, channels)
        16 bits for gray images of 16 bits.
    """

    rows: slice
    columns: slice
    pixels: NDArray[Any]


def is_interlaced(encoded: bytes) -> bool:
    """Return whether the rows come in seven passes."""
    return len(encoded) >= _HEADER and bool(encoded[_INTERLACE])


def parts(encoded: bytes, image: Image.Image, *, num_passes: int = 7) -> Iterator[Part]:
    """Decode part by part.

    Parameters
    ----------
    encoded : bytes
        The file.
    image : Image
        The same, opened: its mode, palette and transparency are used.
    num_passes : int
        How many passes of an interlaced image are decoded: 1, 3, 5 or 7 for
        each 8th, 4th, 2nd or every row and column.
    """
    width, height = image.size
    bits, color = encoded[24], encoded[25]
    bits_per_pixel = bits * _CHANNELS[color]
    stream = _Stream(encoded)
    passes = _PASSES[:num_passes] if is_interlaced(encoded) else ((0, 0, 1, 1),)
    for x, y, step_x, step_y in passes:
        num_columns, num_rows = -(-(width - x) // step_x), -(-(height - y) // step_y)
        if num_columns <= 0 or num_rows <= 0:
            continue
        row_bytes = -(-num_columns * bits_per_pixel // 8)
        if row_bytes > _MAX_ROW_BYTES:
            raise ImageDecodeError(f"the image is {width} pixels wide. Expected rows of at most 64 MiB")
        rows = _Rows(stream, row_bytes, max(1, bits_per_pixel // 8), max(1, _PART_PIXELS // num_columns))
        for first, raw in rows.all(num_rows):
            last = first + len(raw)
            yield Part(
                rows=slice(y + first * step_y, y + (last - 1) * step_y + 1, step_y),
                columns=slice(x, None, step_x),
                pixels=_pixels(raw, num_columns, bits, color, image),
            )


class _Stream:
    """The unpacked data of a file, so many bytes at a time."""

    def __init__(self, encoded: bytes) -> None:
        self._pieces = _pieces(encoded)
        self._inflater = zlib.decompressobj()
        self._left = b""

    def read(self, num_bytes: int) -> bytes:
        """Return exactly so many bytes."""
        found: list[bytes] = []
        missing = num_bytes
        while missing:
            piece = self._left or next(self._pieces, b"")
            if (not piece and self._inflater.eof) or (not piece and not self._left):
                raise ImageDecodeError("the image cannot be decoded: the file is truncated or has too little data")
            more = self._inflater.decompress(piece, missing)
            self._left = self._inflater.unconsumed_tail
            if self._inflater.eof and not more:
                raise ImageDecodeError("the image cannot be decoded: the file has too little data")
            found.append(more)
            missing -= len(more)
        return found[0] if len(found) == 1 else b"".join(found)


def _pieces(encoded: bytes) -> Iterator[bytes]:
    view = memoryview(encoded)
    place = 8
    while place + 8 <= len(view):
        length, kind = int.from_bytes(view[place : place + 4], "big"), bytes(view[place + 4 : place + 8])
        if kind == b"IEND":
            return
        if kind == b"IDAT":
            end = min(place + 8 + length, len(view))
            for start in range(place + 8, end, _PIECE):
                yield bytes(view[start : min(start + _PIECE, end)])
        place += length + 12


class _Rows:
    """The rows of one pass, their filters taken back."""

    def __init__(self, stream: _Stream, row_bytes: int, bytes_per_pixel: int, most: int) -> None:
        self._stream = stream
        self._row_bytes = row_bytes
        self._bytes_per_pixel = bytes_per_pixel
        self._most = most
        self._above = np.zeros(row_bytes, np.uint8)

    def all(self, num_rows: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Return the number of the first row and the bytes of some, again and again."""
        at_once = min(self._most, max(1, _PART_BYTES // (self._row_bytes + 1)))
        for first in range(0, num_rows, at_once):
            count = min(at_once, num_rows - first)
            data = self._stream.read(count * (self._row_bytes + 1))
            lines = np.frombuffer(data, np.uint8).reshape(count, self._row_bytes + 1)
            raw = self._unfiltered(lines) if lines[:, 0].any() else lines[:, 1:]
            self._above = raw[-1].copy()
            yield first, raw

    def _unfiltered(self, lines: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if lines[:, 0].max() > 4:  # PNG has filters 0 to 4
            raise ImageDecodeError("the image cannot be decoded: a row has an unknown filter")
        framed = np.empty((len(lines) + 1, self._row_bytes + 1), np.uint8)
        framed[0, 0] = 0
        framed[0, 1:] = self._above
        framed[1:] = lines
        size = self._bytes_per_pixel
        if size <= 4:  # as many bytes as one of Pillow's pixels has
            return _without_filters(framed, size)[1:]
        halves = [_without_filters(_half(framed, size, part), size // 2)[1:] for part in (0, 1)]
        pairs = [half.reshape(len(lines), -1, 1, size // 2) for half in halves]
        return np.concatenate(pairs, axis=2).reshape(len(lines), self._row_bytes)


def _half(framed: NDArray[np.uint8], size: int, part: int) -> NDArray[np.uint8]:
    """Return the first or second half of the bytes of every pixel: filters look at one byte of a pixel at a time."""
    pixels = framed[:, 1:].reshape(len(framed), -1, 2, size // 2)[:, :, part]
    return np.concatenate([framed[:, :1], pixels.reshape(len(framed), -1)], axis=1)


def _without_filters(framed: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    from PIL import Image

    mode = _FILTERED_AS[size]
    count, row_bytes = len(framed), framed.shape[1] - 1
    taken_back = Image.frombytes(mode, (row_bytes // size, count), zlib.compress(framed.data, 0), "zip", mode)
    return np.asarray(taken_back).reshape(count, row_bytes)


def _pixels(raw: NDArray[np.uint8], num_columns: int, bits: int, color: int, like: Image.Image) -> NDArray[Any]:
    """Return the pixels of unfiltered rows, as `pixels_of` gives them."""
    from PIL import Image

    if like.mode == "I;16":
        return np.ascontiguousarray(raw).view(">u2").astype(np.uint16)[:, :, None]
    if bits == 8 and like.mode in {"L", "RGB", "RGBA"} and "transparency" not in like.info:
        return raw.reshape(len(raw), num_columns, _CHANNELS[color])
    rawmode = _RAW_MODES.get((bits, color), like.mode)
    image = Image.frombytes(like.mode, (num_columns, len(raw)), np.ascontiguousarray(raw).tobytes(), "raw", rawmode)
    if like.palette is not None:
        image.putpalette(like.palette)
    if "transparency" in like.info:
        image.info["transparency"] = like.info["transparency"]
    return pixels_of(image)


_RAW_MODES = {
    (1, 0): "1",
    (2, 0): "L;2",
    (4, 0): "L;4",
    (16, 2): "RGB;16B",
    (1, 3): "P;1",
    (2, 3): "P;2",
    (4, 3): "P;4",
    (16, 4): "LA;16B",
    (16, 6): "RGBA;16B",
}
