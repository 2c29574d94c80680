"""From the options of `create_tensor` to a spec, refused where they contradict."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import DTypeLike

from penstock._wording import nearest
from penstock.errors import DatasetError
from penstock.tensors._spec import HTYPES, Htype, TensorSpec
from penstock.tensors._texts import storable_text

__all__ = ["make_spec"]

_COMPRESSIONS = {"jpg": "jpeg", "jpeg": "jpeg", "png": "png", "webp": "webp"}
_DEFAULT_DTYPES = {
    "image": "uint8",
    "bbox": "float32",
    "class_label": "int64",
    "text": "str",
    "json": "str",
    "embedding": "float32",
    "binary_mask": "bool",
    "segment_mask": "uint16",
}
_ALLOWED_KINDS = {"bbox": "f", "embedding": "f", "segment_mask": "iu", "generic": "biuf"}
_WIDEST = 8  # bytes an element of a stored type has at most
_LINKABLE = ("image",)
_LONGEST = 200
_PART = r"[^\W_](?:[\w. -]*\w)?"
_NAME = re.compile(f"{_PART}(?:/{_PART})*")


def make_spec(
    name: str,
    htype: str = "generic",
    *,
    dtype: DTypeLike | None = None,
    sample_compression: str | None = None,
    class_names: Sequence[str] | None = None,
    coords: str = "xywh",
    aligned_with: str | None = None,
    verify: bool = True,
    create_shape_tensor: bool = True,
    create_sample_info_tensor: bool = True,
) -> TensorSpec:
    """Check the options of a new tensor.

    Parameters
    ----------
    name : str
        Letters, digits and underscores; inside also ``/``, ``.``, ``-`` and spaces.
    htype : str
        ``generic``, ``image``, ``bbox``, ``class_label``, ``text``, ``json``,
        ``embedding``, ``binary_mask``, ``segment_mask`` or ``link[image]``.
    dtype : dtype-like, optional
        Type of elements; by default the kind's own, or the first sample's.
    sample_compression : {"jpeg", "jpg", "png", "webp"}, optional
        How images are stored; by default as they come, arrays as PNG.
    class_names : sequence of str, optional
        Names by index, for ``class_label`` only.
    coords : {"xywh", "xyxy"}
        Form of boxes, pixels.
    aligned_with : str, optional
        The first tensor of the object group that this one belongs to.
    verify, create_shape_tensor, create_sample_info_tensor : bool
        What is read and recorded of each image when it is added.

    Returns
    -------
    TensorSpec

    Raises
    ------
    DatasetError
        If an option is unknown or does not go with the kind.

    Examples
    --------
    >>> make_spec("images", "link[image]", sample_compression="jpg").sample_compression
    'jpeg'
    """
    _check_name(name)
    kind, linked = _kind(htype)
    return TensorSpec(
        name=name, htype=kind, link=linked, dtype=_dtype_name(kind, dtype),
        inferred=kind == "generic" and dtype is None, sample_compression=_compression(kind, sample_compression),
        class_names=_names(name, kind, class_names), coords=_coords(coords), aligned_with=aligned_with,
        verify=verify, create_shape_tensor=create_shape_tensor, create_sample_info_tensor=create_sample_info_tensor,
    )  # fmt: skip


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > _LONGEST:
        plain = re.sub(r"\W+", "_", str(name)).strip("_")[:_LONGEST]
        raise DatasetError(
            f"{name!r} is not a valid tensor name. Expected letters, digits and underscores, and inside the name also "
            "'/', '.', '-' and spaces",
            hint=f"use {plain!r}" if plain else None,
        )


def _kind(htype: str) -> tuple[Htype, bool]:
    found = re.fullmatch(r"link\[(\w+)\]", htype)
    kind = found[1] if found else htype
    if kind not in HTYPES or (found and kind not in _LINKABLE):
        known = (*HTYPES, *(f"link[{linkable}]" for linkable in _LINKABLE))
        like = nearest(htype, known)
        raise DatasetError(
            f"{htype!r} is not an htype. Expected one of: {', '.join(known)}",
            hint=f"did you mean {like!r}?" if like else None,
        )
    return cast("Htype", kind), bool(found)


def _dtype_name(kind: Htype, dtype: DTypeLike | None) -> str:
    if dtype is None:
        return _DEFAULT_DTYPES.get(kind, "float64")
    try:
        given = np.dtype(dtype)
    except TypeError as error:
        raise DatasetError(
            f"dtype={dtype!r} is not valid. Expected the name of a numpy type such as 'float32'"
        ) from error
    if kind in _ALLOWED_KINDS:
        if given.kind in "biuf" and given.itemsize > _WIDEST:
            raise DatasetError(f"dtype={given.name!r} is not valid for {kind}. Expected a type of at most 64 bits")
        if given.kind not in _ALLOWED_KINDS[kind]:
            hint = "use htype='text'" if given.kind in "UTO" else None
            raise DatasetError(
                f"dtype={given.name!r} is not valid for {kind}. Expected another kind of number", hint=hint
            )
        return given.name
    if given.kind in "UTO" and _DEFAULT_DTYPES[kind] == "str":
        return "str"
    if kind == "class_label" and given.kind in "iu":
        return "int64"  # labels are stored as int64 whatever is asked: narrower types lose the index
    if given.name != _DEFAULT_DTYPES[kind]:
        raise DatasetError(f"dtype={given.name!r} is not valid for {kind}. Expected {_DEFAULT_DTYPES[kind]!r}")
    return given.name


def _compression(kind: Htype, compression: str | None) -> str | None:
    if compression is None:
        return None
    if kind != "image" or compression not in _COMPRESSIONS:
        raise DatasetError(
            f"sample_compression={compression!r} is not valid for {kind}. Expected 'jpeg', 'png' or 'webp' for images"
        )
    return _COMPRESSIONS[compression]


def _names(name: str, kind: Htype, class_names: Sequence[str] | None) -> tuple[str, ...]:
    if class_names is None:
        return ()
    if kind != "class_label":
        raise DatasetError(
            f"class_names were given for {name!r}, which has htype {kind!r}. Expected htype='class_label'"
        )
    if isinstance(class_names, str) or not all(isinstance(entry, str) and entry for entry in class_names):
        raise DatasetError(f"class_names={class_names!r} is not valid. Expected a list of names")
    for entry in class_names:
        storable_text(entry, f"a class name of {name!r}")
    doubled = [entry for index, entry in enumerate(class_names) if entry in class_names[:index]]
    if doubled:
        raise DatasetError(f"class_names contains {doubled[0]!r} twice. Expected every name once")
    return tuple(class_names)


def _coords(coords: str) -> str:
    if coords not in {"xywh", "xyxy"}:
        raise DatasetError(f"coords={coords!r} is not valid. Expected 'xywh' or 'xyxy', in pixels")
    return coords
