"""Boxes that follow their images when these are resized."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import LoaderError, PenstockError, TensorNotFoundError
from penstock.table import Table
from penstock.tensors import image_shape

__all__ = ["BoxScales", "checked_scaling"]


def checked_scaling(
    table: Table,
    asked: Any,
    sizes: Mapping[str, tuple[int, int]],
    methods: Mapping[str, str],
    read: Iterable[str] | None,
) -> dict[str, str]:
    """Return the image tensor that each box tensor to be scaled belongs to."""
    if asked is None or asked is False:
        return {}
    if asked is not True and not isinstance(asked, Mapping):
        raise LoaderError(
            f"scale_boxes is {asked!r}. Expected True, or the images of each tensor of boxes",
            hint="scale_boxes={'boxes': 'images'}",
        )
    if not sizes:
        raise LoaderError(
            "scale_boxes is set without resize. Expected a size for the images", hint="resize={'images': (h, w)}"
        )
    pairs = _found(table, sizes, read) if asked is True else dict(asked)
    for boxes, image in pairs.items():
        _check_pair(table, boxes, image, sizes, methods)
    return pairs


def _found(table: Table, sizes: Mapping[str, tuple[int, int]], read: Iterable[str] | None) -> dict[str, str]:
    """Return each box tensor that is read with its images, where these are resized."""
    shown = table.tensors if read is None else tuple(read)
    boxes = [name for name in shown if table.tensors[name].htype == "bbox"]
    if not boxes:
        raise LoaderError("scale_boxes=True, but no bbox tensor is read", hint="leave it out, or name it in tensors=")
    pairs = {name: _image_of(table, name) for name in boxes}
    scaled = {name: image for name, image in pairs.items() if image in sizes}
    if not scaled:
        raise LoaderError(
            f"scale_boxes=True, but the images of {', '.join(map(repr, pairs))} are not resized",
            hint=f"resize={{{next(iter(pairs.values()))!r}: (h, w)}}",
        )
    return scaled


def _image_of(table: Table, boxes: str) -> str:
    """Return the only image tensor, or the only one in the same folder of names."""
    images = [name for name, spec in table.tensors.items() if spec.htype == "image"]
    if len(images) > 1:
        images = [name for name in images if name.rpartition("/")[0] == boxes.rpartition("/")[0]] or images
    if len(images) == 1:
        return images[0]
    raise LoaderError(
        f"scale_boxes=True, and {boxes!r} may belong to {', '.join(map(repr, images))}",
        hint=f"scale_boxes={{{boxes!r}: {images[0]!r}}} says to which",
    )


def _check_pair(
    table: Table, boxes: str, image: str, sizes: Mapping[str, tuple[int, int]], methods: Mapping[str, str]
) -> None:
    for name, htype in ((boxes, "bbox"), (image, "image")):
        if not isinstance(name, str) or name not in table.tensors:
            raise TensorNotFoundError(str(name), table.tensors)
        if table.tensors[name].htype != htype:
            raise LoaderError(
                f"scale_boxes names {name!r}, a {table.tensors[name].shown_htype}. Expected tensors of boxes with "
                "their images",
                hint="scale_boxes={'boxes': 'images'}",
            )
    if image not in sizes:
        raise LoaderError(
            f"scale_boxes of {boxes!r} with {image!r}, which is not resized", hint=f"resize={{{image!r}: (h, w)}}"
        )
    if methods.get(boxes, "numpy") != "numpy":
        raise LoaderError(f"scale_boxes of {boxes!r}, which is decoded by {methods[boxes]!r}. Expected 'numpy'")


class BoxScales:
    """Scales boxes by the factors of their image, in place.

    Parameters
    ----------
    table : Table
        What is read.
    pairs : mapping of str to str
        Image tensor of each box tensor.
    sizes : mapping of str to (int, int)
        Height and width that images get.
    """

    def __init__(self, table: Table, pairs: Mapping[str, str], sizes: Mapping[str, tuple[int, int]]) -> None:
        self._pairs = dict(pairs)
        self._sizes = sizes
        self._shapes = {image: table.shapes(image)[:, :2] for image in set(self._pairs.values())}

    def apply(
        self, columns: Mapping[str, Any], raw: Mapping[str, Any], rows: NDArray[np.int64], out_of: NDArray[np.int64]
    ) -> None:
        """Scale the boxes of a batch.

        Parameters
        ----------
        columns : mapping of str to array or list of arrays
            Samples of the batch; boxes of shape (num_boxes, 4), as corners or with width and height.
        raw : mapping of str to sequence
            What was read of the distinct rows.
        rows : ndarray of int64, shape (num_distinct,)
            The distinct rows.
        out_of : ndarray of int64, shape (batch_size,)
            Which of them each sample is.
        """
        for name, image in self._pairs.items():
            if name not in columns:
                continue
            factors = self._factors(image, raw.get(image), rows)[out_of]
            for sample, factor in zip(columns[name], factors, strict=True):
                sample[...] = sample * factor

    def _factors(self, image: str, encoded: Any, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the factors of x, y, x, y of each row, upright; 1 where there is no image to read."""
        shapes = self._shapes[image][rows]
        for place in np.flatnonzero((shapes <= 0).any(axis=1)).tolist():
            shapes[place] = _shape_of(None if encoded is None else encoded[place])
        height, width = self._sizes[image]
        with np.errstate(divide="ignore"):
            scales = np.where(shapes > 0, np.array([height, width]) / shapes, 1.0)
        # shapes are (height, width), boxes are (x, y, x, y)
        return scales[:, [1, 0, 1, 0]]


def _shape_of(encoded: Any) -> tuple[int, int]:
    if encoded is None or isinstance(encoded, PenstockError):
        return (-1, -1)
    try:
        height, width, _ = image_shape(bytes(encoded))
    except PenstockError:  # reported where the image is decoded
        return (-1, -1)
    return height, width
