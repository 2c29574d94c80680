"""Image files opened by Pillow, their pixels not yet read, and what reading them takes."""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, cast

from penstock.errors import ImageDecodeError
from penstock.tensors.images.opening._formats import image_format

if TYPE_CHECKING:
    from PIL import Image, ImageFile

__all__ = ["load", "num_piece_bytes", "num_working_bytes", "opened", "sample_bytes"]

_READERS = {
    "jpeg": "PIL.JpegImagePlugin:JpegImageFile",
    "png": "PIL.PngImagePlugin:PngImageFile",
    "gif": "PIL.GifImagePlugin:GifImageFile",
    "bmp": "PIL.BmpImagePlugin:BmpImageFile",
    "tiff": "PIL.TiffImagePlugin:TiffImageFile",
    "pnm": "PIL.PpmImagePlugin:PpmImageFile",
}
_NEVER = {
    "EPS",
    "FITS",
    "WMF",
    "GRIB",
    "HDF5",
    "BUFR",
    "MPEG",
    "MCIDAS",
}  # run programs, unpack whole, or hold no image
_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
_DECODER_BYTES = {"JPEG2000": 20, "AVIF": 8, "WEBP": 12, "BMP": 1}
_TILE_WIDTH, _TILE_LENGTH, _ROWS_PER_STRIP = 322, 323, 278
_BITS, _SAMPLES = 258, 277


def opened(encoded: bytes) -> Image.Image:
    """Open an image; our limit replaces Pillow's, which applies to the whole process."""
    stream = io.BytesIO(encoded)
    reader = _READERS.get(image_format(encoded) or "")
    if reader is None:
        return _of_another_format(stream)
    module, name = reader.split(":")
    factory = getattr(importlib.import_module(module), name)
    return cast("ImageFile.ImageFile", factory(stream))


def _of_another_format(stream: io.BytesIO) -> Image.Image:
    from PIL import Image

    Image.init()
    try:
        return Image.open(stream, formats=[name for name in Image.ID if name not in _NEVER])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageDecodeError(
            "the image has more pixels than can be decoded in its format (it could be a decompression bomb)"
        ) from error


def sample_bytes(mode: str) -> int:
    """Return the bytes per channel of a pixel before conversion to 8 bits."""
    return {"I": 4, "F": 4}.get(mode, 2 if mode.startswith("I;16") else 1)


def num_working_bytes(image: Image.Image) -> int:
    """Return the bytes that reading the pixels takes: the image and the memory of its decoder."""
    width, height = image.size
    per_pixel = _BYTES_PER_PIXEL.get(image.mode, 4) + _DECODER_BYTES.get(image.format or "", 0)
    return width * height * per_pixel + num_piece_bytes(image)


def load(image: Image.Image) -> None:
    """Read the pixels; our limit replaces the one that Pillow has for TIFF."""
    if image.format == "TIFF":
        from PIL import _imaging

        image.im = _imaging.new(image.mode, getattr(image, "_tile_size", image.size))
    image.load()


def num_piece_bytes(image: Image.Image) -> int:
    """Return the size of the strip or tile that a TIFF is unpacked by, which its header states freely."""
    if image.format != "TIFF":
        return 0
    tags = getattr(image, "tag_v2", {})
    width, height = image.size
    bits = tags.get(_BITS, (1,))
    bits_per_pixel = max(bits if isinstance(bits, tuple) else (bits,)) * int(tags.get(_SAMPLES, 1))
    if _TILE_WIDTH in tags and _TILE_LENGTH in tags:
        pixels = int(tags[_TILE_WIDTH]) * int(tags[_TILE_LENGTH])
    else:
        pixels = width * min(height, int(tags.get(_ROWS_PER_STRIP, height)))
    return int(pixels * bits_per_pixel // 8)
