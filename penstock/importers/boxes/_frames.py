"""The size an image is shown at, and how its file is turned."""

from __future__ import annotations

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SampleError
from penstock.tensors import MAX_IMAGE_BYTES, Link, decode_image, image_shape

__all__ = ["Frame", "frame_of", "read_frames"]

_HEAD = 131_072  # bytes: usually includes everything before a JPEG's pixels
_ORIENTATION = 0x0112
_UPRIGHT = 1
_MARKS = (b"Exif", b"exif", b"eXIf", b"EXIF", b"iff:Orientation", b"irot", b"imir")
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


@dataclass(frozen=True, slots=True)
class Frame:
    """Width and height of an image as shown, and how the pixels of its file are turned.

    Parameters
    ----------
    width, height : int
        Pixels of the upright image.
    orientation : int
        EXIF orientation, 1 to 8; 1 is upright.
    """

    width: int
    height: int
    orientation: int = _UPRIGHT

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as shown."""
        return self.width, self.height

    @property
    def stored_size(self) -> tuple[int, int]:
        """Width and height of the pixels in the file."""
        return (self.height, self.width) if self._is_transposed else self.size

    @property
    def is_turned(self) -> bool:
        """Return whether the stored pixels are not upright."""
        return self.orientation != _UPRIGHT

    @property
    def _is_transposed(self) -> bool:
        return self.orientation in (5, 6, 7, 8)

    def upright(self, boxes_xywh: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn boxes on the pixels of the file as the image is turned.

        Parameters
        ----------
        boxes_xywh : ndarray of float64, shape (num_boxes, 4)
            Left, top, width, height, pixels of the file.

        Returns
        -------
        ndarray of float64, shape (num_boxes, 4)
            Left, top, width, height, pixels of the upright image.

        Examples
        --------
        >>> Frame(48, 64, orientation=6).upright(np.array([[0.0, 0.0, 10.0, 5.0]])).tolist()
        [[43.0, 0.0, 5.0, 10.0]]
        """
        x, y, width, height = boxes_xywh[:, [1, 0, 3, 2] if self._is_transposed else [0, 1, 2, 3]].T
        if self.orientation in (2, 3, 6, 7):
            x = self.width - x - width
        if self.orientation in (3, 4, 7, 8):
            y = self.height - y - height
        return np.stack([x, y, width, height], axis=1)


def read_frames(
    images: Sequence[Path | Link], num_workers: int, max_bytes: int | None = MAX_IMAGE_BYTES
) -> list[Frame | None]:
    """Return each image's frame; None where it is linked elsewhere or cannot be read."""
    if num_workers < 1:
        return [frame_of(image, max_bytes) for image in images]
    with ThreadPoolExecutor(num_workers) as pool:
        return list(pool.map(partial(frame_of, max_bytes=max_bytes), images, chunksize=64))


def frame_of(image: Path | Link, max_bytes: int | None = MAX_IMAGE_BYTES) -> Frame | None:
    """Return an image's frame; None where it is linked elsewhere or cannot be read."""
    if isinstance(image, Link):
        if "://" in image.url:
            return None
        image = Path(image.url)
    try:
        with image.open("rb") as file:
            head = file.read(_HEAD)
            return _jpeg_frame(head, max_bytes) or _frame(head + file.read(), max_bytes)
    except (OSError, ValueError):
        return None


def _jpeg_frame(head: bytes, max_bytes: int | None) -> Frame | None:
    """Return the frame of a JPEG by its head, None where that does not tell."""
    if head[:2] != b"\xff\xd8" or b"\xff\xda" not in head:
        return None
    try:
        return _frame(head, max_bytes)
    except SampleError:
        return None


def _frame(encoded: bytes, max_bytes: int | None) -> Frame:
    orientation = _orientation(encoded)
    is_plain = orientation == _UPRIGHT or encoded[:2] == b"\xff\xd8"
    shape = image_shape(encoded) if is_plain else decode_image(encoded, max_bytes=max_bytes).shape  # few are turned
    height, width = shape[:2]
    return Frame(width, height, orientation)


def _orientation(encoded: bytes) -> int:
    from PIL import Image

    if not encoded.startswith(_TIFF) and not any(mark in encoded for mark in _MARKS):
        return _UPRIGHT
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            orientation = int(image.getexif().get(_ORIENTATION, _UPRIGHT))
    except Exception:  # noqa: BLE001  broken metadata raises SyntaxError, struct.error, ...: the image counts as upright
        return _UPRIGHT
    return orientation if orientation in range(1, 9) else _UPRIGHT
