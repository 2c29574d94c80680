"""Pillow modes to the uint8 (H, W, C) arrays a sample is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["channels_of_mode", "flatten_alpha", "pixels_of"]

_GREY = ("1", "L", "I", "F")
_ALPHA = ("RGBA", "LA", "La", "PA", "RGBa")
_BACKGROUND = 128


def channels_of_mode(mode: str, *, transparent: bool) -> int:
    """Return C of the array that `pixels_of` makes of an image of this mode."""
    if mode in _ALPHA or (transparent and mode in ("1", "P", "L", "RGB")):
        return 4
    return 1 if mode in _GREY or mode.startswith("I;16") else 3


def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
    """Return the pixels, uint8 of shape (H, W, C): C = 1 grey, 3 RGB, 4 RGB and alpha."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _rescaled(np.asarray(image))[:, :, None]
    channels = channels_of_mode(image.mode, transparent="transparency" in image.info)
    wanted = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    if image.mode != wanted:
        image = image.convert(wanted)
    pixels = np.asarray(image)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels  # noqa: PLR2004  height and width


def _rescaled(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Spread least to greatest over 0..255; Pillow's own conversion clips 16 bits to white."""
    exact = np.nan_to_num(values.astype(np.float64))
    least, greatest = float(exact.min()), float(exact.max())
    if least >= 0 and greatest <= np.iinfo(np.uint8).max:
        return exact.round().astype(np.uint8)
    return ((exact - least) * (255.0 / (greatest - least))).round().astype(np.uint8)


def flatten_alpha(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay pixels with alpha over mid grey; others are returned as they are."""
    if pixels.shape[2] != 4:  # noqa: PLR2004  red, green, blue, alpha
        return pixels
    alpha = pixels[:, :, 3:].astype(np.float32) / 255.0
    over = pixels[:, :, :3] * alpha + _BACKGROUND * (1.0 - alpha)
    flat: NDArray[np.uint8] = over.round().astype(np.uint8)
    return flat
