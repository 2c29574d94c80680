"""Filling a dataset: tensors are created, samples are appended and deleted."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.opened._opened import OpenDataset
from penstock.dataset.samples._reserved import reserved_names
from penstock.dataset.samples._rows import row_of, rows_of
from penstock.dataset.samples._tensor import Tensor
from penstock.dataset.writing import _head as head
from penstock.dataset.writing._groups import aligned, check_groups, checked_member, first_of_group
from penstock.dataset.writing._ingest import ingest, num_samples
from penstock.errors import DatasetError, PenstockError, SampleError, TensorNotFoundError
from penstock.tensors import TensorSpec

__all__ = ["Writer"]

_PART = 4096  # samples with images that are held in memory at once


class Writer:
    """The writer of an open dataset: it adds and deletes tensors and samples.

    Parameters
    ----------
    opened : OpenDataset
        The dataset.
    """

    def __init__(self, opened: OpenDataset) -> None:
        self._opened = opened

    # ---- tensors -------------------------------------------------------------------------

    def create_tensor(self, spec: TensorSpec) -> None:
        """Add a tensor; it is empty in existing samples."""
        opened, name = self._opened, spec.name
        with opened.lock:
            opened.check_writable()
            opened.settle()
            known = opened.buffer.specs
            if name in known:
                raise DatasetError(f"the tensor {name!r} already exists ({known[name].shown_htype})")
            if spec.aligned_with is not None:
                spec = replace(checked_member(spec), aligned_with=first_of_group(known, spec.aligned_with))
            if name in reserved_names():
                warnings.warn(
                    f"{name!r} is also an attribute of every dataset or view. Use ds[{name!r}] to get the tensor",
                    UserWarning,
                    stacklevel=3,
                )
            head.add_tensor(opened.working, spec)
            opened.renew_buffer()

    def align(self, names: Sequence[str]) -> None:
        """Declare that some tensors describe the same objects of a sample; saved immediately."""
        opened = self._opened
        with opened.lock:
            opened.check_writable()
            opened.settle()
            if len(set(names)) < 2:
                raise DatasetError(
                    f"align({', '.join(map(repr, names))}) is not valid. Expected the names of two or more tensors"
                )
            working = opened.working
            check_groups(working.table, aligned(working.specs, names), None)
            head.change_specs(working, lambda newest: aligned(newest, names))
            opened.renew_buffer()

    def delete_tensor(self, name: str) -> None:
        """Delete a tensor with its samples."""
        opened = self._opened
        with opened.lock, opened.editing():
            opened.check_writable()
            opened.settle()
            if name not in opened.buffer.specs:
                raise TensorNotFoundError(name, list(opened.buffer.specs))
            head.delete_tensor(opened.working, name)
            opened.renew_buffer()

    # ---- samples -------------------------------------------------------------------------

    def append(self, sample: Mapping[str, Any]) -> None:
        """Add one sample."""
        if not isinstance(sample, Mapping):
            raise SampleError(
                f"the sample is of type {type(sample).__name__}. Expected a dict with a value for each tensor"
            )
        self._ingest(
            {name: [value.numpy() if isinstance(value, Tensor) else value] for name, value in sample.items()}, 0
        )

    def extend(self, samples: Mapping[str, Sequence[Any]], num_workers: int) -> None:
        """Add many samples; those with images in parts, so that few of them are in memory at once."""
        if not isinstance(samples, Mapping):
            raise SampleError(
                f"the samples are of type {type(samples).__name__}. Expected a dict with one list per tensor"
            )
        count = num_samples(samples)
        if count <= _PART or not any(spec.is_encoded for spec in self._opened.buffer.specs.values()):
            self._ingest(samples, num_workers)
            return
        for start in range(0, count, _PART):
            try:
                part = {name: values[start : start + _PART] for name, values in samples.items()}
                self._ingest(part, num_workers)
            except PenstockError as error:
                if start:
                    error.message += f" (counted from sample {start}; the {start} samples before it were appended)"
                raise

    def _ingest(self, columns: Mapping[str, Sequence[Any]], num_workers: int) -> None:
        opened = self._opened
        with opened.lock:
            opened.check_writable()
            meta = opened.working.meta
            ingest(
                opened.buffer,
                columns,
                credentials=opened.working.credentials,
                creds_keys=meta.get("creds_keys", {}),
                link_roots=meta.get("link_roots", []),
                num_workers=num_workers,
                max_bytes=opened.max_image_bytes,
            )
            if opened.buffer.is_full:
                opened.flush()

    def pop(self, index: int | slice | Sequence[int] | NDArray[Any] | None) -> None:
        """Delete samples; those after them move up."""
        opened = self._opened
        with opened.lock, opened.editing():
            opened.check_writable()
            opened.settle()
            if isinstance(index, bool | np.bool_ | str | float):
                raise SampleError(f"pop({index!r}) is not valid. Expected sample indices")
            index = -1 if index is None else index
            num_rows = opened.working.table.num_rows
            row = row_of(index, num_rows)
            rows = np.unique(rows_of(index, num_rows)) if row is None else np.array([row], np.int64)
            if len(rows):
                head.delete(opened.working, rows)
                opened.renew_buffer()
