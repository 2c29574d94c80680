"""From a user's value to the cell that is stored; refused before anything is written."""

from __future__ import annotations

import hashlib
import math
import numbers
import os
import zlib
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImageDecodeError, PenstockError, SampleError, UnknownClassError
from penstock.tensors._cell import Cell
from penstock.tensors._spec import TensorSpec
from penstock.tensors._texts import JsonText, encode_json, storable_text
from penstock.tensors._types import as_numbers, as_regular
from penstock.tensors.images._decoding import decode_image, image_shape
from penstock.tensors.images._encoding import encode_image
from penstock.tensors.images._pillow import is_pillow, pillow_pixels
from penstock.tensors.images._thumbnails import check_image
from penstock.tensors.images.opening._formats import image_format
from penstock.tensors.images.opening._memory import MAX_IMAGE_BYTES, refuse_larger, shown_bytes
from penstock.tensors.links._link import Link, link
from penstock.tensors.links._urls import checked_url
from penstock.tensors.wording._showing import plain_reason, shown

__all__ = ["class_ids", "encode_sample", "image_cell", "image_digest", "unpack_mask"]

_MOST_ELEMENTS = 2**31
_MOST_CLASSES = 2**31  # as many as a label may count where classes have no names
_NUMBERS = (numbers.Real, Decimal)
_WIDER = "create the tensor with a wider dtype, such as 'float64'"
Value = Any  # what a user may hand in: arrays, lists, numbers, text, bytes, paths, links


@lru_cache(maxsize=64)
def class_ids(class_names: tuple[str, ...]) -> Mapping[str, int]:
    """Return the index of each class name."""
    return MappingProxyType({name: index for index, name in enumerate(class_names)})


def encode_sample(
    spec: TensorSpec,
    value: Value,
    *,
    ids: Mapping[str, int] | None = None,
    max_bytes: int | None = MAX_IMAGE_BYTES,
) -> Cell:
    """Check one sample against its tensor and return what is stored.

    Parameters
    ----------
    spec : TensorSpec
        The tensor.
    value : object
        The sample; None is an empty one.
    ids : mapping of str to int, optional
        Class names to ids; by default those of `spec`.
    max_bytes : int, optional
        Most bytes an image or mask may have when it is decoded; None allows any size.

    Returns
    -------
    Cell
        The stored form. A link's file is not read here.

    Raises
    ------
    SampleError
        If the value does not fit the tensor; the message says what would.

    Examples
    --------
    >>> labels = TensorSpec(name="labels", htype="class_label", dtype="int64", class_names=("car", "bus"))
    >>> encode_sample(labels, ["bus", 0]).value.tolist()
    [1, 0]
    """
    try:
        _check_masked(spec, value)
        if spec.htype == "class_label":
            return _encode_labels(spec, value, ids)
        if spec.link:
            return _encode_link(spec, value)
        if spec.htype == "image":
            return _encode_image(spec, value, max_bytes)
        if spec.htype in {"binary_mask", "segment_mask"}:
            return _encode_mask(spec, value, max_bytes)
        return _ENCODERS[spec.htype](spec, value)
    except (PenstockError, MemoryError):
        raise
    except Exception as error:  # values of other libraries raise anything while they are read
        raise SampleError(
            f"{shown(value)} is not a valid value of {spec.name!r} ({spec.shown_htype}): {plain_reason(error)}"
        ) from error


def _check_masked(spec: TensorSpec, value: Value) -> None:
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise _refuse(spec, value, "values without a mask", hint="use value.filled(…) to replace masked elements")


def _refuse(spec: TensorSpec, value: Value, expected: str, *, hint: str | None = None) -> SampleError:
    message = f"{shown(value)} is not a valid value of {spec.name!r} ({spec.shown_htype}). Expected {expected}"
    return SampleError(message, hint=hint)


def _encode_labels(spec: TensorSpec, value: Value, ids: Mapping[str, int] | None) -> Cell:
    if value is None:
        return Cell(value=np.empty(0, np.int64))
    ids = class_ids(spec.class_names) if ids is None else ids
    array = value if isinstance(value, np.ndarray) else None
    if array is None or array.dtype.kind not in "iu":
        if isinstance(value, (bytes, bytearray, memoryview, Mapping, AbstractSet)):
            raise _refuse(spec, value, "an ordered list of class names or indices")
        single = isinstance(value, (str, int, np.integer)) or (array is not None and array.ndim == 0)
        entries = [value if array is None else array.item()] if single else list(value)
        array = np.array([_class_id(spec, entry, ids) for entry in entries], np.int64)
    labels = np.atleast_1d(array)
    if labels.ndim != 1:
        raise _refuse(spec, value, "a flat list of class names or indices")
    wrong = labels[(labels < 0) | (labels >= (len(ids) or _MOST_CLASSES))]
    if len(wrong):
        upper = f"0 to {len(ids) - 1}" if ids else f"0 to {_MOST_CLASSES - 1:,}"
        raise SampleError(f"class index {wrong[0]} of {spec.name!r} is out of range. Expected {upper}")
    return Cell(value=labels.astype(np.int64))


def _class_id(spec: TensorSpec, entry: Value, ids: Mapping[str, int]) -> int:
    if isinstance(entry, str):
        if entry not in ids:
            raise UnknownClassError(entry, ids, tensor=spec.name)
        return ids[entry]
    if isinstance(entry, (bool, np.bool_)) or not isinstance(entry, (int, np.integer)):
        if isinstance(entry, (float, np.floating)) and float(entry).is_integer():
            return int(entry)
        raise _refuse(spec, entry, "class names or indices")
    return int(entry)


def _encode_boxes(spec: TensorSpec, value: Value) -> Cell:
    boxes = _floats(spec, [] if value is None else value)
    if boxes.size == 0:
        boxes = boxes.reshape(0, 4)
    if boxes.shape == (4,):
        boxes = boxes[None]
    if boxes.ndim != 2 or boxes.shape[1] != 4:  # a box is four numbers
        raise _refuse(
            spec, value, f"boxes of shape (num_boxes, 4), {spec.coords} in pixels, but got shape {boxes.shape}"
        )
    if not np.isfinite(boxes).all():
        raise _refuse(spec, value, "finite coordinates")
    sizes = boxes[:, 2:] - boxes[:, :2] if spec.coords == "xyxy" else boxes[:, 2:]
    if (sizes < 0).any():
        raise _negative(spec, boxes[(sizes < 0).any(axis=1)][0])
    return Cell(value=np.ascontiguousarray(boxes).reshape(-1), shape=boxes.shape)


def _negative(spec: TensorSpec, box: NDArray[Any]) -> SampleError:
    forms = {"xywh": "left, top, width, height", "xyxy": "left, top, right, bottom"}
    other = "xyxy" if spec.coords == "xywh" else "xywh"
    shown_box = "[" + ", ".join(f"{value:g}" for value in box) + "]"
    return SampleError(
        f"the box {shown_box} of {spec.name!r} has a negative width or height. Expected {forms[spec.coords]} in pixels",
        hint=f"create the tensor with coords={other!r} for boxes of {forms[other]}",
    )


def _floats(spec: TensorSpec, value: Value) -> NDArray[Any]:
    """Return numbers in the tensor's float type; raise if they are not numbers or overflow."""
    given = as_regular(spec, value)
    if given.dtype.kind == "O" and all(isinstance(entry, _NUMBERS) for entry in given.flat):
        given = given.astype(np.float64)
    if given.dtype.kind not in "biuf" and given.size:
        raise _refuse(spec, value, "numbers")
    return _cast(spec, given) if given.size else given.astype(spec.dtype)


def _encode_text(spec: TensorSpec, value: Value) -> Cell:
    if value is not None and not isinstance(value, str):
        raise _refuse(spec, value, "a str")
    return Cell(value=None if value is None else storable_text(str(value), f"the text for {spec.name!r}"))


def _encode_json(spec: TensorSpec, value: Value) -> Cell:
    if value is None:
        return Cell(value=None)
    return Cell(value=encode_json(spec, value), num_entries=value.num_entries if isinstance(value, JsonText) else None)


def _encode_embedding(spec: TensorSpec, value: Value) -> Cell:
    if value is None:
        return Cell(value=None)
    vector = _floats(spec, value)
    wanted = f"a vector of {spec.length_max} numbers" if spec.length_max else "a vector of numbers"
    if vector.ndim != 1 or len(vector) == 0 or (spec.length_max and len(vector) != spec.length_max):
        raise _refuse(spec, value, f"{wanted}, but got shape {vector.shape}")
    return Cell(value=vector)


def _encode_generic(spec: TensorSpec, value: Value) -> Cell:
    if value is None:
        return Cell(value=None)
    given = as_numbers(spec, value)
    if given.dtype.kind not in "biuf":
        hint = "create the tensor with htype='text' or 'json'" if given.dtype.kind in "UTOS" else None
        raise _refuse(spec, value, f"numbers of type {spec.dtype}", hint=hint)
    if spec.ndim is not None and given.ndim != spec.ndim:
        raise _refuse(spec, value, f"{spec.ndim} dimensions, as in earlier samples, but got {given.ndim}")
    if given.size >= _MOST_ELEMENTS:
        raise _refuse(spec, f"{given.size:,} numbers", f"fewer than {_MOST_ELEMENTS:,} per sample")
    array = _cast(spec, given)
    return Cell(value=np.ascontiguousarray(array).reshape(-1), shape=array.shape)


def _cast(spec: TensorSpec, given: NDArray[Any]) -> NDArray[Any]:
    dtype = np.dtype(spec.dtype)
    if given.dtype == dtype:
        return given.copy()  # the caller may fill the same array again before it is written
    with np.errstate(all="ignore"):
        array = given.astype(dtype)
    if dtype.kind == "f":
        if np.isinf(array).any() and (np.isinf(array) != np.isinf(given)).any():
            largest = np.finfo(dtype).max
            wrong = given[np.isinf(array) & ~np.isinf(given)].reshape(-1)[0]
            raise _refuse(spec, wrong, f"at most {largest:g}, the largest value of {dtype.name}", hint=_WIDER)
    elif not np.array_equal(array, given) or _outside(dtype, given):
        raise _refuse(spec, given, f"values that {dtype.name} can hold", hint=_WIDER)
    return array


def _outside(dtype: np.dtype[Any], given: NDArray[Any]) -> bool:
    """Return whether floats exceed the range of an integer type; a cast may return its greatest value."""
    if given.dtype.kind != "f" or dtype.kind not in "iu" or not given.size:
        return False
    bounds = np.iinfo(dtype)
    return bool(given.max() >= float(bounds.max) + 1 or given.min() < float(bounds.min))


def _encode_image(spec: TensorSpec, value: Value, max_bytes: int | None) -> Cell:
    if value is None:
        return Cell(value=None)
    if isinstance(value, Link):
        raise _refuse(spec, value, "an image", hint="create the tensor with htype='link[image]'")
    encoded, known_good = _image_bytes(spec, value, max_bytes)
    return image_cell(spec, encoded, verify=spec.verify and not known_good, max_bytes=max_bytes)


def _image_bytes(spec: TensorSpec, value: Value, max_bytes: int | None) -> tuple[bytes, bool]:
    """Return encoded bytes, and whether they are our own encoding."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        encoded = bytes(value)
    elif isinstance(value, (str, os.PathLike)):
        encoded = _read(value)
    else:
        pixels = _as_pixels(value)
        if pixels.ndim >= 2:  # height and width
            refuse_larger(pixels.shape, pixels.nbytes, max_bytes)
        return encode_image(pixels, spec.sample_compression or "png"), True
    wanted = spec.sample_compression
    if wanted is None or image_format(encoded) == wanted:
        return encoded, False
    return encode_image(decode_image(encoded, max_bytes=max_bytes), wanted), True


def _as_pixels(value: Value) -> NDArray[np.uint8]:
    if is_pillow(value):
        return pillow_pixels(value)
    array = np.asarray(value)
    return array.astype(np.uint8) if array.dtype == np.bool_ else array


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SampleError(f"the image file {os.fspath(path)!r} cannot be read ({error.strerror})") from error
    except ValueError as error:  # a NUL, or text that no file name can be
        raise SampleError(f"{os.fspath(path)!r} is not a valid file name. Expected the path of an image") from error


def image_cell(spec: TensorSpec, encoded: bytes, *, verify: bool, max_bytes: int | None = MAX_IMAGE_BYTES) -> Cell:
    """Return the cell of an encoded image, its shape and digest recorded as the spec asks.

    Parameters
    ----------
    spec : TensorSpec
        The image tensor.
    encoded : bytes
        The encoded image.
    verify : bool
        Whether to decode it, at an eighth of its size where the format can.
    max_bytes : int, optional
        Maximum size of the decoded image in bytes; None allows any size.

    Returns
    -------
    Cell
        The stored form.

    Raises
    ------
    ImageDecodeError
        If the image is broken, as far as it was read.
    """
    if verify:
        check_image(encoded, max_bytes=max_bytes)
    elif image_format(encoded) is None:
        raise ImageDecodeError(
            f"{len(encoded)} bytes are not a valid value of {spec.name!r}. Expected an encoded image"
        )
    return Cell(
        value=encoded,
        shape=image_shape(encoded) if spec.create_shape_tensor else None,
        digest=image_digest(encoded) if spec.create_sample_info_tensor else None,
    )


def image_digest(encoded: bytes) -> int:
    """Return 64 bits of the BLAKE2 hash of some bytes as a signed integer."""
    return int.from_bytes(hashlib.blake2b(encoded, digest_size=8).digest(), "little", signed=True)


def _encode_link(spec: TensorSpec, value: Value) -> Cell:
    if value is None:
        return Cell(value=None)
    if isinstance(value, (str, os.PathLike)):
        value = link(value)
    if not isinstance(value, Link):
        raise _refuse(spec, value, "penstock.link(url) or a path")
    if not isinstance(value.url, str) or not isinstance(value.creds_key, (str, NoneType)):
        raise _refuse(spec, value, "penstock.link(url, creds_key) with text arguments")
    return Cell(value=checked_url(value.url), creds_key=link(value.url, value.creds_key).creds_key)


def _encode_mask(spec: TensorSpec, value: Value, max_bytes: int | None) -> Cell:
    if value is None:
        return Cell(value=None)
    given = as_numbers(spec, value)
    if given.ndim not in {2, 3} or given.dtype.kind not in "biu":
        raise _refuse(
            spec, value, f"a mask of shape (height, width) or (height, width, num_objects), but got {given.shape}"
        )
    if spec.ndim is not None and given.ndim != spec.ndim:
        raise _refuse(spec, value, f"{spec.ndim} dimensions, as in earlier samples, but got {given.ndim}")
    mask = given.astype(bool) if spec.htype == "binary_mask" else _cast(spec, given)
    _check_mask_size(spec, mask.shape, max_bytes)
    return Cell(value=zlib.compress(np.ascontiguousarray(mask).tobytes(), 1), shape=mask.shape)


def _check_mask_size(spec: TensorSpec, shape: tuple[int, ...], max_bytes: int | None) -> None:
    num_bytes = math.prod(shape) * np.dtype(spec.dtype).itemsize
    if max_bytes is not None and num_bytes > max_bytes:
        raise SampleError(
            f"a mask of {spec.name!r} of shape {shape} takes {shown_bytes(num_bytes)}. "
            f"Expected at most {shown_bytes(max_bytes)}",
            hint="pass max_image_bytes to penstock.load to allow larger masks",
        )


def unpack_mask(
    spec: TensorSpec, packed: bytes, shape: tuple[int, ...], *, max_bytes: int | None = MAX_IMAGE_BYTES
) -> NDArray[Any]:
    """Return the mask that `encode_sample` packed.

    Parameters
    ----------
    spec : TensorSpec
        The mask tensor.
    packed : bytes
        The stored bytes.
    shape : tuple of int
        The stored shape; no more is unpacked than it says.
    max_bytes : int, optional
        Most bytes the mask may have, 512 MiB by default; None allows any size.

    Returns
    -------
    ndarray, shape `shape`
        The mask.

    Raises
    ------
    SampleError
        If the stored bytes are damaged, or the mask is too large.
    """
    num_bytes = math.prod(shape) * np.dtype(spec.dtype).itemsize
    if min(shape, default=0) < 0:
        raise SampleError(f"a stored mask of {spec.name!r} is damaged (its shape is {shape})")
    _check_mask_size(spec, shape, max_bytes)
    try:
        inflater = zlib.decompressobj()
        flat = inflater.decompress(packed, num_bytes + 1)
        if len(flat) != num_bytes or not inflater.eof:
            found = "more" if len(flat) > num_bytes else "fewer"
            raise SampleError(
                f"a stored mask of {spec.name!r} is damaged (it has {found} than the {num_bytes:,} bytes of its "
                f"shape {shape})"
            )
        return np.frombuffer(flat, spec.dtype).reshape(shape).copy()
    except (zlib.error, ValueError) as error:
        if isinstance(error, PenstockError):
            raise
        raise SampleError(f"a stored mask of {spec.name!r} is damaged ({error})") from error


_ENCODERS: dict[str, Callable[[TensorSpec, Value], Cell]] = {
    "bbox": _encode_boxes,
    "text": _encode_text,
    "json": _encode_json,
    "embedding": _encode_embedding,
    "generic": _encode_generic,
}
