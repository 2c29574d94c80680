"""Encoded samples to what a batch holds, images straight into the batch's own array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImageDecodeError, PenstockError
from penstock.loader.reading._batch_memory import BatchMemory
from penstock.loader.reading._decode_pool import DecodePool
from penstock.loader.reading._resizing import opencv_alone, resized
from penstock.tensors import (
    MAX_IMAGE_BYTES,
    TensorSpec,
    decode_image,
    decode_jpeg_into,
    decode_then,
    flatten_alpha,
    load_pillow,
)

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Decoded", "decode_images", "decode_values"]

_LARGEST_SCRATCH = 32 * 2**20

Decoded = tuple[Any, dict[int, PenstockError]]
"""A column and the errors of the samples that could not be read."""


def _pil(encoded: bytes, *, max_bytes: int | None) -> Image.Image:
    from PIL import ImageOps

    image = load_pillow(encoded, max_bytes=max_bytes)
    if image.mode in {"L", "RGB", "RGBA"} and "transparency" not in image.info:
        turned: Image.Image = ImageOps.exif_transpose(image)
        return turned
    from PIL import Image

    pixels = decode_image(encoded, max_bytes=max_bytes)
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def decode_images(
    encoded: Sequence[Any],
    method: str,
    *,
    size: tuple[int, int] | None,
    shape: tuple[int, ...] | None,
    out_of: NDArray[np.int64],
    memory: BatchMemory,
    decode_pool: DecodePool,
    max_bytes: int | None = MAX_IMAGE_BYTES,
) -> Decoded:
    """Decode images.

    Parameters
    ----------
    encoded : sequence of bytes or None
        The distinct samples.
    method : {"numpy", "tobytes", "pil"}
        What a sample becomes.
    size : (int, int), optional
        Height and width every image is resized to.
    shape : tuple of int, optional
        Shape all decoded images have; they then come as one array.
    out_of : ndarray of int64, shape (batch_size,)
        Which of `encoded` each sample of the batch is.
    memory : BatchMemory
        Where arrays are made.
    decode_pool : DecodePool
        Threads that decode images of one shape together.
    max_bytes : int, optional
        Most bytes a decoded image may have; None allows any size.

    Returns
    -------
    column, errors
        Array of shape (batch_size, height, width, channels) or a list of
        samples; errors by number in `encoded`.
    """
    if method == "numpy" and shape is not None:
        return _decode_stacked(encoded, size, memory.array((len(out_of), *shape)), out_of, decode_pool, max_bytes)
    functions: dict[str, Callable[[Any], Any]] = {
        "tobytes": bytes,
        "pil": partial(_pil, max_bytes=max_bytes),
        "numpy": partial(_decode_one, size=size, max_bytes=max_bytes),
    }
    with opencv_alone():
        return _decode_listed(encoded, functions[method], out_of)


def _decode_one(encoded: bytes, *, size: tuple[int, int] | None, max_bytes: int | None) -> NDArray[np.uint8]:
    if size is None:
        return decode_image(encoded, max_bytes=max_bytes)
    small: NDArray[np.uint8] = decode_then(encoded, lambda pixels: resized(pixels, size), max_bytes=max_bytes)
    return small


def _decode_listed(encoded: Sequence[Any], function: Callable[[Any], Any], out_of: NDArray[np.int64]) -> Decoded:
    distinct: list[Any] = []
    errors: dict[int, PenstockError] = {}
    for number, data in enumerate(encoded):
        try:
            distinct.append(None if data is None else function(_readable(data)))
        except PenstockError as error:
            errors[number] = _without_frames(error)
            distinct.append(None)
    return _repeated(distinct, out_of), errors


def _without_frames(error: PenstockError) -> PenstockError:
    """Let go of the frames an error came through, which hold what was decoded there."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


def _readable(data: Any) -> Any:
    if isinstance(data, PenstockError):
        raise data
    return data


def _repeated(distinct: list[Any], out_of: NDArray[np.int64]) -> list[Any]:
    """Spread distinct samples over the batch; a sample that occurs twice gets its own memory."""
    delivered: set[int] = set()
    column = []
    for number in out_of.tolist():
        sample = distinct[number]
        column.append(sample.copy() if number in delivered and hasattr(sample, "copy") else sample)
        delivered.add(number)
    return column


def _decode_stacked(
    encoded: Sequence[Any],
    size: tuple[int, int] | None,
    stacked: NDArray[np.uint8],
    out_of: NDArray[np.int64],
    decode_pool: DecodePool,
    max_bytes: int | None,
) -> Decoded:
    # the first slot of each distinct sample: written backwards, so that the first one stays
    first = np.zeros(len(encoded), np.int64)
    first[out_of[::-1]] = np.arange(len(out_of))[::-1]
    slots = first.tolist()
    errors: dict[int, PenstockError] = {}

    def decode(start: int, stop: int) -> None:
        scratch = _Scratch()
        with opencv_alone():
            for number in range(start, stop):
                try:
                    _decode_into(_readable(encoded[number]), stacked[slots[number]], size, scratch, max_bytes)
                except PenstockError as error:
                    errors[number] = _without_frames(error)

    decode_pool.share(decode, len(encoded))
    repeats = np.flatnonzero(first[out_of] != np.arange(len(out_of)))
    for slot in repeats.tolist():
        stacked[slot] = stacked[first[out_of[slot]]]
    return stacked, errors


class _Scratch:
    """Memory an image is decoded into before it is resized; grows to the largest seen.

    Large images have memory of their own, which threads share and which is freed at once.
    """

    def __init__(self) -> None:
        self.memory = np.empty(0, np.uint8)

    def of(self, size: int) -> NDArray[np.uint8]:
        if self.memory.size < size <= _LARGEST_SCRATCH:
            self.memory = np.empty(size, np.uint8)
        return self.memory


def _decode_into(
    encoded: Any,
    out: NDArray[np.uint8],
    size: tuple[int, int] | None,
    scratch: _Scratch,
    max_bytes: int | None,
) -> None:
    channels = out.shape[2]
    if size is None:
        pixels = decode_jpeg_into(encoded, lambda _: out.reshape(-1), channels=channels, max_bytes=max_bytes)
        pixels = decode_image(encoded, max_bytes=max_bytes) if pixels is None else pixels
        _check_shape(pixels, out)
        if not np.may_share_memory(pixels, out):
            out[...] = pixels
        return

    def shrink(pixels: NDArray[np.uint8]) -> None:
        resized(pixels if pixels.shape[2] == channels else _as_channels(pixels, channels), size, out)

    pixels = decode_jpeg_into(encoded, scratch.of, channels=channels, max_bytes=max_bytes)
    if pixels is None:
        decode_then(encoded, shrink, max_bytes=max_bytes)
    else:
        shrink(pixels)


def _as_channels(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """Give an image the number of channels its batch has: gray is repeated, alpha is laid over mid gray."""
    pixels = flatten_alpha(pixels) if channels < 4 else pixels
    if pixels.shape[2] == 1 and channels == 3:
        return np.repeat(pixels, 3, axis=2)
    return pixels


def _check_shape(pixels: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    if pixels.shape != out.shape:
        raise ImageDecodeError(f"the image has shape {pixels.shape}. Expected {out.shape}, as the dataset says")


def decode_values(
    values: Sequence[Any] | NDArray[Any], method: str, spec: TensorSpec, *, fixed: bool, out_of: NDArray[np.int64]
) -> Any:
    """Return samples of a tensor that is not an image: one array where all have one shape, else a list.

    Parameters
    ----------
    values : sequence
        The distinct samples, None where NULL.
    method : {"numpy", "tobytes"}
        What a sample becomes.
    spec : TensorSpec
        What the tensor is.
    fixed : bool
        Whether all samples of the tensor have one shape.
    out_of : ndarray of int64, shape (batch_size,)
        Which of `values` each sample of the batch is.
    """
    if method == "tobytes":
        return [_as_bytes(values[number]) for number in out_of.tolist()]
    if spec.htype in {"text", "json"}:
        return [values[number] for number in out_of.tolist()]
    if fixed:
        return np.asarray(values)[out_of]
    filled = [_empty(spec) if value is None else np.asarray(value) for value in values]
    return [filled[number].copy() for number in out_of.tolist()]


def _empty(spec: TensorSpec) -> NDArray[Any]:
    """Return the sample that stands for NULL, as `Tensor.numpy` gives it: no labels, no boxes."""
    shape = (0, 4) if spec.htype == "bbox" else (0,) * max(spec.ndim or 1, 1)
    return np.zeros(shape, np.int64 if spec.htype == "class_label" else np.dtype(spec.dtype))


def _as_bytes(value: Any) -> bytes | None:
    import json

    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return value.tobytes()
    return (value if isinstance(value, str) else json.dumps(value)).encode()
