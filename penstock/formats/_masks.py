"""Masks as PNG files: the number of a class or an object for each pixel, and what color shows it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MaskForm", "color_numbers", "mask_form", "mask_pixels", "mask_png", "packed_colors", "voc_palette"]

_NUMBERS = {"1": "uint8", "L": "uint8", "P": "uint8", "I;16": "uint16", "I": "uint16"}
_COLORS = frozenset({"RGB", "RGBA"})
_MOST_OF_BYTE = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskForm:
    """How a mask's PNG file shows numbers.

    Parameters
    ----------
    mode : str
        As Pillow calls it: ``P`` has a palette, ``L`` and ``1`` are gray, ``I;16`` has 16 bits, ``RGB`` colors.
    palette : str
        Colors of the numbers, as hexadecimal RGB one after the other; empty without colors.
    transparency : str
        Opacity of the first numbers as hexadecimal behind ``x``, or the number that is transparent; empty if all
        are opaque.
    bits : int
        Of a pixel.
    """

    mode: str
    palette: str = ""
    transparency: str = ""
    bits: int = 8

    @property
    def dtype(self) -> str:
        """Type of the numbers."""
        return _NUMBERS.get(self.mode, "uint16")

    @property
    def colors(self) -> NDArray[np.uint8]:
        """Color of each number, uint8 of shape (num_colors, 3)."""
        return np.frombuffer(bytes.fromhex(self.palette), np.uint8).reshape(-1, 3)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {name: getattr(self, name) for name in ("mode", "palette", "transparency", "bits")}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> MaskForm:
        """Return the form that was written as JSON."""
        return cls(**{name: value[name] for name in ("mode", "palette", "transparency", "bits") if name in value})


def mask_form(path: Path) -> MaskForm | None:
    """Return the form of a PNG file; None if it is not one of masks.

    Raises
    ------
    OSError, ValueError, SyntaxError
        If it cannot be read.
    """
    from PIL import Image

    with Image.open(path) as image:
        if image.format != "PNG" or image.mode not in {*_NUMBERS, *_COLORS}:
            return None
        transparency = image.info.get("transparency", "")
        return MaskForm(
            mode="RGB" if image.mode in _COLORS else image.mode,
            palette="" if image.palette is None else bytes(image.palette.palette).hex(),
            transparency=f"x{transparency.hex()}" if isinstance(transparency, bytes) else str(transparency),
            bits=_bits(path),
        )


def _bits(path: Path) -> int:
    """Return the bits of a pixel in a PNG file."""
    with path.open("rb") as file:
        return file.read(25)[24]


def mask_pixels(content: bytes, form: MaskForm, colors: Mapping[int, int] | None = None) -> NDArray[Any]:
    """Return the numbers of a mask, of shape (height, width).

    Parameters
    ----------
    content : bytes
        The PNG file.
    form : MaskForm
        Its form.
    colors : mapping of int to int, optional
        Number of each color, which is red × 65,536 + green × 256 + blue.
    """
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        if form.mode != "RGB":
            return np.array(image).astype(form.dtype)
        packed = packed_colors(np.array(image.convert("RGB")))
    distinct, places = np.unique(packed, return_inverse=True)
    known = colors or {}
    missing = next((color for color in distinct.tolist() if color not in known), None)
    if missing is not None:
        raise ValueError(f"the color #{missing:06x} is not one of the masks' colors")
    return np.array([known[color] for color in distinct.tolist()], np.uint16)[places].reshape(packed.shape)


def packed_colors(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return each pixel's color as one number."""
    wide = pixels.astype(np.uint32)
    return np.asarray((wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2], np.uint32)


def mask_png(mask: NDArray[Any], form: MaskForm) -> bytes:
    """Return a mask as a PNG file.

    Raises
    ------
    ValueError
        If the form cannot show a number of the mask.
    """
    from PIL import Image

    largest, smallest = int(mask.max(initial=0)), int(mask.min(initial=0))
    colors = form.colors
    limit = {"1": 1, "RGB": len(colors) - 1, "I;16": 65535, "I": 65535}.get(form.mode, _MOST_OF_BYTE)
    if smallest < 0 or largest > limit:
        raise ValueError(f"the number {smallest if smallest < 0 else largest} of the mask is above {limit}")
    if form.mode == "RGB":
        image = Image.fromarray(colors[mask])
    elif form.mode == "1":
        image = Image.fromarray(mask > 0)
    elif form.mode in ("I;16", "I"):
        image = Image.fromarray(mask.astype(np.uint16))
    else:
        image = Image.fromarray(mask.astype(np.uint8))
    options: dict[str, Any] = {}
    if form.mode == "P":
        image.putpalette(bytes.fromhex(form.palette))
        options = {"bits": form.bits} if largest < 2**form.bits else {}
    if form.transparency:
        text = form.transparency
        options["transparency"] = bytes.fromhex(text[1:]) if text.startswith("x") else int(text)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def voc_palette(num_colors: int = 256) -> str:
    """Return the colors of Pascal VOC's masks, as hexadecimal.

    Examples
    --------
    >>> voc_palette(4)
    '000000800000008000808000'
    """
    colors = []
    for number in range(num_colors):
        red = green = blue = 0
        left = number
        for shift in range(7, -1, -1):
            red |= (left & 1) << shift
            green |= (left >> 1 & 1) << shift
            blue |= (left >> 2 & 1) << shift
            left >>= 3
        colors.append(f"{red:02x}{green:02x}{blue:02x}")
    return "".join(colors)


def color_numbers(colors: Sequence[int]) -> str:
    """Return colors as the palette of a form."""
    return "".join(f"{color:06x}" for color in colors)
