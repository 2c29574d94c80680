"""Which tensors of an import describe the same objects, where the source does not say it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset
from penstock.dataset.samples import content_of
from penstock.tensors import TensorSpec, object_groups

__all__ = ["align_objects"]


def align_objects(dataset: Dataset) -> None:
    """Put the tensors that have an entry for each box into the object group of the boxes.

    A tensor has when it agrees in number with the boxes of every sample. Where every sample has
    one box, labels may as well be those of whole images; where all have the same number, so may
    vectors of numbers be anything: these are left alone.

    Parameters
    ----------
    dataset : Dataset
        Just filled.
    """
    table = content_of(dataset).table
    boxes = [name for name, spec in table.tensors.items() if spec.htype == "bbox"]
    taken = {name for names in object_groups(table.tensors).values() for name in names}
    if len(boxes) != 1 or boxes[0] in taken:
        return
    counts = table.shapes(boxes[0])[:, 0]
    if (counts == 1).all():
        return
    varied = len(np.unique(counts)) > 1
    same = [
        name
        for name, spec in table.tensors.items()
        if _may_belong(spec, varied=varied) and _agrees(table.shapes(name), counts)
    ]
    if same:
        dataset.align(boxes[0], *same)


def _may_belong(spec: TensorSpec, *, varied: bool) -> bool:
    return spec.htype == "class_label" or (varied and spec.htype == "generic" and bool(spec.ndim))


def _agrees(shapes: NDArray[np.int64], counts: NDArray[np.int64]) -> bool:
    return bool((shapes[:, 0] == counts).all())
