"""Images of more than 8 bits: the range of their values, and which of them are shown black and white."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.tensors.images._decoding import load_pillow
from penstock.tensors.images.formats._jpeg import jpeg_header
from penstock.tensors.images.formats._orientation import may_be_turned, orientation_of, upright
from penstock.tensors.images.formats._webp import webp_shape
from penstock.tensors.images.opening._guard import guarded
from penstock.tensors.images.opening._memory import MAX_IMAGE_BYTES
from penstock.tensors.images.opening._opening import opened, sample_bytes
from penstock.tensors.images.opening._pixels import is_wide

__all__ = ["image_levels", "wide_pixels", "windowed"]

_EIGHT = (8, 0.0, 255.0)


@guarded
def image_levels(encoded: bytes, *, max_bytes: int | None = MAX_IMAGE_BYTES) -> tuple[int, float, float]:
    """Return the bits of an image's values, and the least and the greatest of them.

    Parameters
    ----------
    encoded : bytes
        An encoded image.
    max_bytes : int, optional
        Most bytes the decoded image may have, 512 MiB by default; None allows any size.

    Returns
    -------
    tuple of (int, float, float)
        8, 0 and 255 for every image of 8 bits, whatever it holds; NaN and infinity are left out.

    Raises
    ------
    ImageDecodeError
        If the image cannot be decoded.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.fromarray(np.array([[40, 4000]], np.uint16)).save(file, "PNG")
    >>> image_levels(file.getvalue())
    (16, 40.0, 4000.0)
    """
    values = wide_pixels(encoded, max_bytes)
    if values is None:
        return _EIGHT
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    bits = 16 if values.dtype.itemsize == 2 else 32
    return (bits, float(finite.min()), float(finite.max())) if finite.size else (bits, 0.0, 0.0)


def wide_pixels(encoded: bytes, max_bytes: int | None) -> NDArray[Any] | None:
    """Return the values of an upright image of more than 8 bits, of shape (height, width); None of any other image."""
    encoded = bytes(encoded)
    if jpeg_header(encoded) is not None or webp_shape(encoded) is not None:
        return None
    with opened(encoded) as image:
        if not is_wide(image.mode) or sample_bytes(image.mode) < 2:
            return None
    image = load_pillow(encoded, max_bytes=max_bytes)
    return upright(np.asarray(image), orientation_of(image) if may_be_turned(encoded) else 1)


def windowed(values: NDArray[Any], window: tuple[float, float]) -> NDArray[np.uint8]:
    """Return values in 8 bits: black up to the low end of a window, white from its high end on; NaN is black."""
    low, high = window
    scaled = (np.nan_to_num(values.astype(np.float64), posinf=high, neginf=low, nan=low) - low) * (255.0 / (high - low))
    return scaled.clip(0, 255).round().astype(np.uint8)
