"""Batches of images in pickles, as CIFAR-10 and CIFAR-100 have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.batchup.datasets.files._array_folder import ArrayWriter

__all__ = ["write_batches"]


def write_batches(arrays: ArrayWriter, part: str, batches: Sequence[dict[str, Any]], labels: dict[str, str]) -> None:
    """Write the images and labels of some batches.

    Parameters
    ----------
    arrays : ArrayWriter
    part : str
        Such as ``train``.
    batches : sequence of dict
        Each with the images in ``data``.
    labels : dict of str to str
        Name of the array to name in the batches.
    """
    images: NDArray[np.uint8] = np.concatenate([batch["data"].reshape(-1, 3, 32, 32) for batch in batches])
    arrays.write(f"{part}_X_u8", images)
    for name, key in labels.items():
        found = np.concatenate([np.array(batch[key], np.int32) for batch in batches])
        if found.shape != (len(images),):
            raise ValueError(f"there are {len(images)} images of {part}, but {len(found)} labels")
        arrays.write(f"{part}_{name}", found)
