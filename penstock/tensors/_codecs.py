"""Image bytes to pixels and back; one place where a broken image turns into one error."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImageDecodeError, PenstockError, SampleError
from penstock.tensors._pixels import channels_of_mode, flatten_alpha, pixels_of

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "decode_image",
    "decode_jpeg_into",
    "encode_image",
    "image_format",
    "image_region",
    "image_shape",
    "thumbnail",
]

_P = ParamSpec("_P")
_R = TypeVar("_R")

MAX_PIXELS = 178_956_970  # Pillow's own bound for a decompression bomb
_EXIF_REACH = 65_536
_ORIENTATION = 0x0112
_SIGNATURES = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"\x00\x00\x00\x0cjP  ", "jpeg2000"),
)
_PNG_ORIENTATION_MARKS = (b"eXIf", b"Raw profile type exif", b"Raw profile type APP1", b"XML:com.adobe.xmp")
_JPEG_QUALITY = 90


def image_format(encoded: bytes) -> str | None:
    """Return ``jpeg``, ``png``, ``webp``, ... by the first bytes, or None when they are no known image.

    Parameters
    ----------
    encoded : bytes
        A file's content, or at least its first 16 bytes.

    Returns
    -------
    str or None
        Name of the format.

    Examples
    --------
    >>> image_format(encode_image(np.zeros((2, 3), np.uint8), "png"))
    'png'
    >>> image_format(b"root:x:0:0") is None
    True
    """
    head = bytes(encoded[:16])
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return "avif"
    return "pnm" if len(head) > 2 and head[:1] == b"P" and head[1:2] in b"1234567f" and head[2:3].isspace() else None  # noqa: PLR2004  a letter, a digit, a space


def _guarded(function: Callable[Concatenate[bytes, _P], _R]) -> Callable[Concatenate[bytes, _P], _R]:
    """Raise whatever a codec raises as an ImageDecodeError with the reason; a sample that is an error is raised."""

    @wraps(function)
    def guarded(encoded: bytes | PenstockError, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        if isinstance(encoded, PenstockError):
            raise encoded
        if not encoded:
            raise ImageDecodeError("the image has no bytes; expected an encoded image such as JPEG or PNG")
        try:
            return function(encoded, *args, **kwargs)
        except PenstockError:
            raise
        except Exception as error:  # broken files raise OSError, SyntaxError, ValueError, struct.error, ...
            raise ImageDecodeError(_reason(error)) from error

    return cast("Callable[Concatenate[bytes, _P], _R]", guarded)


def _reason(error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "the bytes are no image that can be read; expected JPEG, PNG, WebP, GIF, BMP or TIFF"
    text = " ".join(str(error).split()) or type(error).__name__
    return f"the image cannot be decoded: {text[:200]}"


@_guarded
def decode_image(encoded: bytes) -> NDArray[np.uint8]:
    """Decode an image, upright by its EXIF orientation.

    Parameters
    ----------
    encoded : bytes
        JPEG, PNG or any other format that Pillow reads.

    Returns
    -------
    ndarray of uint8, shape (height, width, channels)
        One channel for grey, three for RGB (CMYK and palettes converted), four
        where there is transparency. 16-bit images are rescaled, least to greatest.

    Raises
    ------
    ImageDecodeError
        If the bytes are no image, are truncated, or unpack to more than
        178,956,970 pixels; the message has the reason.

    Examples
    --------
    >>> decode_image(encode_image(np.full((2, 3, 3), 7, np.uint8), "png")).shape
    (2, 3, 3)
    """
    fast = _decode_jpeg(encoded)
    return _decode_any(encoded) if fast is None else _upright(fast, _jpeg_orientation(encoded))


def _jpeg_header(encoded: bytes) -> tuple[int, int, int] | None:
    """Return (height, width, channels) as stored, or None for what is left to Pillow."""
    import simplejpeg

    if encoded[:2] != b"\xff\xd8":
        return None
    try:
        height, width, colorspace, _ = simplejpeg.decode_jpeg_header(encoded, strict=False)
    except ValueError:
        return None
    if colorspace in ("CMYK", "YCCK"):
        return None
    _refuse_bomb(width, height)
    return height, width, 1 if colorspace.lower() == "gray" else 3


def _refuse_bomb(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageDecodeError(
            f"the image has {width} × {height} pixels; expected at most {MAX_PIXELS:,} (could be a decompression bomb)"
        )


def _decode_jpeg(encoded: bytes, *, at_least: tuple[int, int] = (0, 0)) -> NDArray[np.uint8] | None:
    """Decode by simplejpeg, scaled down while both sides stay `at_least`; None where it refuses."""
    import simplejpeg

    header = _jpeg_header(encoded)
    if header is None:
        return None
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            encoded,
            colorspace="GRAY" if header[2] == 1 else "RGB",
            min_height=at_least[0],
            min_width=at_least[1],
            min_factor=1 if at_least == (0, 0) else 2,
        )
    except ValueError:
        return None
    return pixels


def _open(encoded: bytes) -> Image.Image:
    from PIL import Image

    image = Image.open(io.BytesIO(encoded))
    _refuse_bomb(*image.size)
    return image


def _decode_any(encoded: bytes) -> NDArray[np.uint8]:
    with _open(encoded) as image:
        image.load()  # before the EXIF is asked for: reading that loads a PNG and hides that it is broken
        return _upright(pixels_of(image), _orientation(image) if _may_be_turned(encoded) else 1)


def _orientation(image: Image.Image) -> int:
    """Read the orientation of an opened file; a broken EXIF block means upright."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001  SyntaxError, struct.error, TypeError, ... all seen
        return 1


def _may_be_turned(encoded: bytes) -> bool:
    """Tell whether asking for an orientation can give one; a PNG would be decoded for the question."""
    return not encoded.startswith(b"\x89PNG") or any(mark in encoded for mark in _PNG_ORIENTATION_MARKS)


def _start_of_scan(encoded: bytes) -> int:
    """Return where a JPEG's metadata ends, by walking its segments."""
    position = 2
    while position + 4 <= len(encoded) and encoded[position] == 0xFF and encoded[position + 1] != 0xDA:  # noqa: PLR2004  the scan's marker
        position += 2 + (encoded[position + 2] << 8 | encoded[position + 3])
    return position if position > _EXIF_REACH or encoded[position : position + 1] == b"\xff" else _EXIF_REACH


def _jpeg_orientation(encoded: bytes) -> int:
    """Read the orientation from a JPEG's head, at no cost where there is no EXIF."""
    head = bytes(encoded[: _start_of_scan(encoded)])
    if b"Exif\x00" not in head and b"<tiff:Orientation>" not in head and b"tiff:Orientation=" not in head:
        return 1
    try:
        with _open(encoded) as image:
            return _orientation(image)
    except Exception:  # noqa: BLE001  simplejpeg has read the pixels already; metadata alone is broken
        return 1


@_guarded
def decode_jpeg_into(encoded: bytes, buffer: Callable[[int], NDArray[np.uint8]]) -> NDArray[np.uint8] | None:
    """Decode a JPEG into memory of the caller.

    Parameters
    ----------
    encoded : bytes-like
        An encoded image.
    buffer : callable
        Given a number of bytes, returns flat memory of at least that size.

    Returns
    -------
    ndarray of uint8, shape (height, width, channels), or None
        The pixels that `decode_image` gives: a view of the buffer, or an array of
        their own where the image is turned or the buffer too small. None where the
        image is left to `decode_image`: no JPEG, CMYK, damaged.

    Raises
    ------
    ImageDecodeError
        If there are no bytes or too many pixels.

    Examples
    --------
    >>> jpeg = encode_image(np.zeros((8, 16, 3), np.uint8), "jpeg")
    >>> memory = np.empty(8 * 16 * 3, np.uint8)
    >>> np.shares_memory(decode_jpeg_into(jpeg, lambda size: memory), memory)
    True
    """
    import simplejpeg

    header = _jpeg_header(encoded)
    if header is None:
        return None
    size = header[0] * header[1] * header[2]
    memory = buffer(size)
    if memory.size < size:
        return None
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            encoded, colorspace="GRAY" if header[2] == 1 else "RGB", buffer=memory
        )
    except ValueError:
        return None
    return _upright(pixels, _jpeg_orientation(encoded))


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation (1 to 8; anything else is upright)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 6, 7, 3):
        pixels = pixels[:, ::-1]
    if orientation in (4, 8, 7, 3):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


@_guarded
def image_shape(encoded: bytes) -> tuple[int, int, int]:
    """Return the shape `decode_image` would give, from the header alone.

    Parameters
    ----------
    encoded : bytes
        An encoded image.

    Returns
    -------
    tuple of int
        Height, width (pixels, upright) and channels.

    Raises
    ------
    ImageDecodeError
        If the header cannot be read.

    Examples
    --------
    >>> image_shape(encode_image(np.zeros((4, 6), np.uint8), "jpeg"))
    (4, 6, 1)
    """
    header = _jpeg_header(encoded)
    if header is not None:
        height, width, channels = header
        orientation = _jpeg_orientation(encoded)
    else:
        with _open(encoded) as image:
            width, height = image.size
            channels = channels_of_mode(image.mode, transparent="transparency" in image.info)
            orientation = _orientation(image) if _may_be_turned(encoded) else 1
    return (width, height, channels) if orientation in (5, 6, 7, 8) else (height, width, channels)


@_guarded
def thumbnail(encoded: bytes, longest_side: int) -> tuple[bytes, int, int]:
    """Make a small JPEG of an image, upright, transparency over mid grey.

    Parameters
    ----------
    encoded : bytes
        An encoded image.
    longest_side : int
        Greatest width or height of the thumbnail, pixels; never enlarged.

    Returns
    -------
    tuple of (bytes, int, int)
        The JPEG, and the full width and height of the upright image, pixels.

    Raises
    ------
    ImageDecodeError
        If the image cannot be decoded.

    Examples
    --------
    >>> jpeg, width, height = thumbnail(encode_image(np.zeros((40, 60), np.uint8), "png"), 30)
    >>> width, height, image_shape(jpeg)
    (60, 40, (20, 30, 1))
    """
    header = _jpeg_header(encoded)
    if header is None:
        pixels = _decode_any(encoded)
        height, width = pixels.shape[:2]
        return _as_jpeg(_resized(flatten_alpha(pixels), longest_side / max(height, width))), width, height
    height, width, _ = header
    scale = min(1.0, longest_side / max(height, width))
    small = _decode_jpeg(encoded, at_least=(max(1, round(height * scale)), max(1, round(width * scale))))
    if small is None:
        small = flatten_alpha(_decode_any(encoded))
        return _as_jpeg(_resized(small, longest_side / max(small.shape[:2]))), small.shape[1], small.shape[0]
    orientation = _jpeg_orientation(encoded)
    small = _upright(_resized(small, longest_side / max(small.shape[:2])), orientation)
    return _as_jpeg(small), *((height, width) if orientation in (5, 6, 7, 8) else (width, height))


def _resized(pixels: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Shrink by area averaging; a scale of 1 or more changes nothing."""
    import cv2

    if scale >= 1:
        return pixels
    height, width = pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small: NDArray[np.uint8] = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
    return small.reshape(size[1], size[0], pixels.shape[2])


def _as_jpeg(pixels: NDArray[np.uint8], quality: int = _JPEG_QUALITY) -> bytes:
    import simplejpeg

    grey = pixels.shape[2] == 1
    encoded: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(pixels), quality, "GRAY" if grey else "RGB", "Gray" if grey else "420"
    )
    return encoded


@_guarded
def image_region(  # noqa: PLR0917  a rectangle is four numbers
    encoded: bytes, x: int, y: int, width: int, height: int, scale: float = 1.0
) -> bytes:
    """Cut a rectangle out of an upright image and scale it down.

    Parameters
    ----------
    encoded : bytes
        An encoded image.
    x, y : int
        Left upper corner, pixels of the upright image.
    width, height : int
        Size of the rectangle, pixels; what lies outside the image is cut off.
    scale : float
        Pixels of the result per pixel of the image, at most 1.

    Returns
    -------
    bytes
        A JPEG.

    Raises
    ------
    ImageDecodeError
        If the image cannot be decoded or the rectangle lies outside it.

    Examples
    --------
    >>> png = encode_image(np.zeros((40, 60), np.uint8), "png")
    >>> image_shape(image_region(png, 10, 0, 20, 40, 0.5))
    (20, 10, 1)
    """
    pixels = flatten_alpha(decode_image(encoded))
    cut = pixels[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)]
    if cut.size == 0:
        raise ImageDecodeError(
            f"the region x={x}, y={y}, {width} × {height} lies outside the image of {pixels.shape[1]} × "
            f"{pixels.shape[0]} pixels"
        )
    return _as_jpeg(_resized(cut, scale))


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
        If the array is no image or the compression cannot hold it.

    Examples
    --------
    >>> grey = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    >>> bool((decode_image(encode_image(grey, "png")) == grey).all())
    True
    """
    solid = _checked_pixels(pixels)
    compression = {"jpg": "jpeg"}.get(compression, compression)
    channels = solid.shape[2]
    if compression == "jpeg":
        if channels == 4:  # noqa: PLR2004  red, green, blue, alpha
            raise SampleError(
                f"an image of shape {solid.shape} as jpeg, which has no transparency; expected 1 or 3 channels",
                hint="use sample_compression='png'",
            )
        return _as_jpeg(solid, 95)
    if compression not in ("png", "webp"):
        raise SampleError(f"image compression {compression!r}; expected 'jpeg', 'png' or 'webp'")
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(solid[:, :, 0] if channels == 1 else solid).save(
        buffer, compression.upper(), **({"compress_level": 3} if compression == "png" else {"lossless": True})
    )
    return buffer.getvalue()


def _checked_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    array = np.asarray(pixels)
    if array.dtype != np.uint8:
        raise SampleError(f"image pixels of type {array.dtype}; expected uint8, values 0 to 255")
    if array.ndim == 2:  # noqa: PLR2004  height and width
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:  # noqa: PLR2004  channels last
        raise SampleError(
            f"image pixels of shape {np.shape(pixels)}; expected (height, width) or (height, width, channels) "
            "with 1, 3 or 4 channels"
        )
    return np.ascontiguousarray(array)
