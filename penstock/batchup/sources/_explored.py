"""A source of arrays as a dataset, for the widgets."""

from __future__ import annotations

import tempfile
import weakref
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.batchup.samplers._draws import Draws
from penstock.errors import DataSourceError
from penstock.sampling import ClassCounts

if TYPE_CHECKING:
    from penstock.dataset import Dataset, View

__all__ = ["explored"]


class _Source(Protocol):
    length: int

    @property
    def data(self) -> list[Any]: ...
    def draws(self) -> Draws: ...
    def class_counts(self) -> ClassCounts | None: ...


_CHANNELS = (1, 3)


def explored(source: _Source) -> tuple[Dataset | View, dict[str, Any]]:
    """Return the samples of a source as a dataset in a folder of its own, which goes with it, and what to show of it.

    Labels, and pixels where an array looks like images, are copied: edits there do not reach the arrays.
    """
    from penstock.importers import from_arrays

    draws, labels = source.draws(), source.class_counts()
    if labels is None:
        raise DataSourceError(
            "the source has no labels, which the charts count",
            hint="pass labels, as in ArrayDataSource([x, y], labels=y)",
        )
    columns: dict[str, Any] = {}
    for number, array in enumerate(source.data):
        pixels = _pixels(array)
        if pixels is not None:
            columns["images" if "images" not in columns else f"images_{number}"] = pixels
    columns["labels"] = np.split(labels.values, labels.offsets[1:-1]) if source.length else []
    htypes = {name: "image" for name in columns if name.startswith("images")}
    options = {}
    if draws.weights is not None:
        columns["weights"] = draws.per_sample(source.length)
        options = {"query": "select * sample by weights"}
    folder = tempfile.TemporaryDirectory(prefix="penstock-", ignore_cleanup_errors=True)
    dataset = from_arrays(
        columns, f"{folder.name}/arrays", class_names={"labels": labels.class_names}, htypes=htypes, progress=False
    )
    weakref.finalize(dataset, folder.cleanup)
    everything = draws.weights is not None or np.array_equal(draws.rows, np.arange(source.length))
    return (dataset if everything else dataset[draws.rows]), options


def _pixels(array: Any) -> NDArray[np.uint8] | None:
    """Return images as uint8 of shape (num_samples, height, width, channels); None for anything else."""
    if not isinstance(array, np.ndarray) or array.ndim not in {3, 4} or 0 in array.shape:
        return None
    if array.ndim == 4 and array.shape[1] in _CHANNELS and array.shape[3] not in _CHANNELS:
        array = array.transpose(0, 2, 3, 1)
    if array.ndim == 4 and array.shape[3] not in _CHANNELS:
        return None
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    low, high = array.min(), array.max()
    if array.dtype.kind == "f" and low >= -1 and high <= 1:
        floor = -1.0 if low < 0 else 0.0
        pixels: NDArray[np.uint8] = np.round((array - floor) * (255 / (1 - floor))).astype(np.uint8)
        return pixels
    return None
