"""Images that Pillow has opened, of every mode, to pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImageDecodeError, PenstockError
from penstock.tensors.images.formats._orientation import orientation_of, upright
from penstock.tensors.images.opening._pixels import pixels_of

__all__ = ["is_pillow", "pillow_pixels"]


def is_pillow(value: object) -> bool:
    """Return whether a value is an image of Pillow, which need not be installed for the question."""
    return any(kind.__module__ == "PIL.Image" and kind.__name__ == "Image" for kind in type(value).__mro__)


def pillow_pixels(image: Any) -> NDArray[np.uint8]:
    """Return the pixels that decoding a file of the same image gives.

    Parameters
    ----------
    image : PIL.Image.Image
        Of any mode: palettes, transparency, CMYK, LAB, 16 bits, ...

    Returns
    -------
    ndarray of uint8, shape (height, width, channels)
        Upright by its EXIF orientation.

    Raises
    ------
    ImageDecodeError
        If its file is broken, or the mode cannot be converted.

    Examples
    --------
    >>> from PIL import Image
    >>> pillow_pixels(Image.new("CMYK", (2, 1), (0, 255, 255, 0))).tolist()
    [[[255, 0, 0], [255, 0, 0]]]
    """
    try:
        image.load()
        return upright(pixels_of(_plain(image)), orientation_of(image))
    except PenstockError:
        raise
    except Exception as error:  # lazily read files raise OSError, SyntaxError, ValueError, struct.error, ...
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ImageDecodeError(f"the image of mode {image.mode} cannot be read: {reason}") from error


def _plain(image: Any) -> Any:
    """Return an image of a mode from which Pillow converts to gray, RGB or RGBA."""
    if image.mode == "LAB":
        from PIL import ImageCms

        return ImageCms.profileToProfile(
            image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    if image.mode == "La":
        return image.convert("LA")
    if image.mode == "P" and image.palette is not None and image.palette.mode != "RGB":
        return image.convert("RGBA" if "A" in image.palette.mode else "RGB")
    return image
