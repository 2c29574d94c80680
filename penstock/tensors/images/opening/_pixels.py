"""Convert Pillow modes to the uint8 (H, W, C) arrays of a sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["BACKGROUND", "OPAQUE", "Extremes", "channels_of_mode", "flatten_alpha", "is_wide", "pixels_of", "strips_of"]

_GREY = ("1", "L", "I", "F")
_ALPHA = ("RGBA", "LA", "La", "PA", "RGBa")
BACKGROUND = 128
OPAQUE = 255
_EVERY_16_BIT = 2**16
_STRIP_BYTES = 8 * 2**20


def channels_of_mode(mode: str, *, transparent: bool) -> int:
    """Return C of the array that `pixels_of` makes of an image of this mode."""
    if mode in _ALPHA or (transparent and mode in ("1", "P", "L", "RGB")):
        return 4
    return 1 if mode in _GREY or mode.startswith("I;16") else 3


def is_wide(mode: str) -> bool:
    """Return whether pixels of this mode have more than 8 bits per channel."""
    return mode in ("I", "F") or mode.startswith("I;16")


def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
    """Return the pixels, uint8 of shape (H, W, C): C = 1 gray, 3 RGB, 4 RGB and alpha."""
    if is_wide(image.mode):
        extremes = Extremes()
        return extremes.spread(extremes.including(np.asarray(image)))[:, :, None]
    channels = channels_of_mode(image.mode, transparent="transparency" in image.info)
    wanted = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    if image.mode != wanted:
        image = image.convert(wanted)
    pixels = np.asarray(image)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels  # height and width


def strips_of(image: Image.Image) -> Iterator[tuple[int, NDArray[Any]]]:
    """Return the first row and the pixels of strip after strip of a decoded image, wide pixels as they are."""
    width, height = image.size
    at_once = max(1, _STRIP_BYTES // (4 * width))
    for first in range(0, height, at_once):
        strip = image.crop((0, first, width, min(first + at_once, height)))
        yield first, np.asarray(strip)[:, :, None] if is_wide(image.mode) else pixels_of(strip)


class Extremes:
    """The range of wide pixels, scaled to 0..255; Pillow's own conversion clips 16 bits to white."""

    def __init__(self) -> None:
        self._least = np.inf
        self._greatest = -np.inf

    def including(self, values: NDArray[Any]) -> NDArray[Any]:
        """Add some pixels to the range and return them; NaN counts as 0, infinity as the greatest number."""
        finite = np.nan_to_num(values) if values.dtype.kind == "f" else values
        self._least = min(self._least, float(finite.min()))
        self._greatest = max(self._greatest, float(finite.max()))
        return values

    def spread(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Return some pixels in 8 bits; an image of one value outside 0..255 becomes black below and white above."""
        if values.dtype == np.uint16:
            if self._greatest <= OPAQUE:
                return values.astype(np.uint8)
            if values.size > _EVERY_16_BIT:
                every = self._exact(np.arange(_EVERY_16_BIT))
                return np.take(every, values)
        return self._exact(values)

    def _exact(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        exact: NDArray[np.float64] = np.nan_to_num(values).astype(
            np.float64
        )  # infinity is the greatest of its own type
        if self._least == self._greatest:
            exact = exact.clip(0, np.iinfo(np.uint8).max)
        elif self._least < 0 or self._greatest > np.iinfo(np.uint8).max:
            exact = (exact - self._least) * (255.0 / (self._greatest - self._least))
        return exact.round().astype(np.uint8)


def flatten_alpha(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Blend pixels with alpha onto mid gray; others are returned unchanged."""
    if pixels.shape[2] != 4:  # red, green, blue, alpha
        return pixels
    alpha = pixels[:, :, 3:].astype(np.uint16)
    over = pixels[:, :, :3] * alpha
    over += BACKGROUND * (OPAQUE - alpha) + OPAQUE // 2  # the half rounds
    over //= OPAQUE
    return over.astype(np.uint8)
