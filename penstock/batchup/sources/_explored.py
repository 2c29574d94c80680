"""A source of arrays as a dataset, for the widgets."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.batchup._numbers import detached
from penstock.batchup.reading._reading import num_samples_of, reader_of
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
_CHUNK = 256


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
    count = num_samples_of(array)
    first = next(_chunks(array, count, 1), None)
    limits = None if first is None else _limits(array, count, first)
    if first is None or limits is None:
        return None
    found = np.empty((count, *first.shape[1:]), np.uint8)
    low, high = limits
    for number, chunk in enumerate(_chunks(array, count, _CHUNK)):
        scaled = chunk if chunk.dtype == np.uint8 else np.round((chunk - low) * (255 / (high - low)))
        found[number * _CHUNK :][: len(chunk)] = scaled
    return found


def _limits(array: Any, count: int, first: NDArray[Any]) -> tuple[float, float] | None:
    """Return the values that are black and white; None if these are not images."""
    if first.dtype == np.uint8:
        return 0, 255
    if first.dtype.kind != "f":
        return None
    extremes = [(float(chunk.min()), float(chunk.max())) for chunk in _chunks(array, count, _CHUNK)]
    low, high = (float(extreme) for extreme in (np.min(extremes), np.max(extremes)))
    if low >= -1 and high <= 1:
        return (-1 if low < 0 else 0), 1
    return (low, high) if first.ndim == 4 and np.isfinite([low, high]).all() and low < high else None


def _chunks(array: Any, count: int, size: int) -> Iterator[NDArray[Any]]:
    """Yield samples with their channels last; nothing if they cannot be images."""
    read = reader_of(array)
    for start in range(0, count, size):
        chunk = detached(read(np.arange(start, min(start + size, count))))
        chunk = np.asarray(chunk) if hasattr(chunk, "__array__") else chunk  # a tensor of torch
        if not isinstance(chunk, np.ndarray) or chunk.ndim not in {3, 4} or 0 in chunk.shape:
            return
        if chunk.ndim == 4 and chunk.shape[1] in _CHANNELS and chunk.shape[3] not in _CHANNELS:
            chunk = chunk.transpose(0, 2, 3, 1)
        if chunk.ndim == 4 and chunk.shape[3] not in _CHANNELS:
            return
        yield chunk
