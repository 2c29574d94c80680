"""Pixels to image bytes."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SampleError

__all__ = ["as_jpeg", "encode_image"]

_JPEG_QUALITY = 90


def as_jpeg(pixels: NDArray[np.uint8], quality: int = _JPEG_QUALITY) -> bytes:
    """Return checked pixels as a JPEG."""
    import simplejpeg

    gray = pixels.shape[2] == 1
    encoded: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(pixels), quality, "GRAY" if gray else "RGB", "Gray" if gray else "420"
    )
    return encoded


def encode_image(pixels: NDArray[np.uint8], compression: str = "png") -> bytes:
    """Encode pixels.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, channels)
        One, three or four channels.
    compression : {"png", "jpeg", "webp"}
        ``jpg`` and ``jpeg`` are one. JPEG takes no transparency.

    Returns
    -------
    bytes
        The encoded image.

    Raises
    ------
    SampleError
        If the array is not an image or the compression cannot store it.

    Examples
    --------
    >>> from penstock.tensors import decode_image
    >>> gray = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    >>> bool((decode_image(encode_image(gray, "png")) == gray).all())
    True
    """
    solid = _checked_pixels(pixels)
    compression = {"jpg": "jpeg"}.get(compression, compression)
    channels = solid.shape[2]
    if compression == "jpeg":
        if channels == 4:  # red, green, blue, alpha
            raise SampleError(
                f"JPEG has no transparency and cannot store an image of shape {solid.shape}. Expected 1 or 3 channels",
                hint="use sample_compression='png'",
            )
        return as_jpeg(solid, 95)
    if compression not in ("png", "webp"):
        raise SampleError(f"{compression!r} is not an image compression. Expected 'jpeg', 'png' or 'webp'")
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(solid[:, :, 0] if channels == 1 else solid).save(
        buffer, compression.upper(), **({"compress_level": 3} if compression == "png" else {"lossless": True})
    )
    return buffer.getvalue()


def _checked_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    array = np.asarray(pixels)
    if array.dtype != np.uint8:
        raise SampleError(f"the image has pixels of type {array.dtype}. Expected uint8, with values 0 to 255")
    if array.ndim == 2:  # height and width
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:  # channels last
        raise SampleError(
            f"the image has shape {np.shape(pixels)}. Expected (height, width) or (height, width, channels) "
            "with 1, 3 or 4 channels"
        )
    return np.ascontiguousarray(array)
