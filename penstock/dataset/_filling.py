"""Filling and editing a dataset: rows buffered until they are written, edits in a draft."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import warnings
import weakref
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from penstock.dataset.samples._reserved import reserved_names
from penstock.dataset.samples._rows import row_of, rows_of
from penstock.dataset.samples._tensor import Tensor
from penstock.dataset.views._drawing import Resolve
from penstock.dataset.views._view import Home, Samples, View
from penstock.dataset.writing._groups import aligned, check_groups, check_lists, checked_member, first_of_group
from penstock.dataset.writing._ingest import ingest, num_samples
from penstock.dataset.writing._watched import Listeners, WatchedLock
from penstock.dataset.writing._working import Working, open_working
from penstock.errors import DatasetError, PenstockError, ReadOnlyError, SampleError
from penstock.storage import Location, renew_in_children, renewed_lock
from penstock.table import Draft, OverlayTable
from penstock.tensors import MAX_IMAGE_BYTES, Cell, TensorSpec, encode_sample, group_of, make_spec, same_type, with_type

__all__ = ["Filling", "open_dataset"]

_PART = 4096  # samples with images that are held in memory at once
_OPEN: weakref.WeakSet[Filling] = weakref.WeakSet()
_OPENING = renewed_lock(threading.Lock())  # a set that grows must not be walked through


class Filling(Samples):
    """Samples with named tensors, versioned.

    Made by `penstock.empty`, opened by `penstock.load`. `append`, `extend` and `pop`
    are kept as soon as they are flushed; assignments to samples live in a draft
    beside the dataset until `commit`.

    Parameters
    ----------
    working : Working
        The stored dataset under it.

    Attributes
    ----------
    max_image_bytes : int or None
        Most bytes an image or mask may have when it is decoded, 512 MiB by default;
        None allows any size. Applies to this session only and is not stored.
    """

    def __init__(self, working: Working) -> None:
        self._working = working
        self.max_image_bytes: int | None = MAX_IMAGE_BYTES
        self._listeners = Listeners()
        self._lock = WatchedLock(self._mark, self._changed)
        self._buffer = working.new_buffer()
        self._depth = 0
        self._unsaved = Draft()
        self._rows_cache: NDArray[np.int64] | None = None
        with _OPENING:
            _OPEN.add(self)
        renew_in_children(self)

    def renew(self) -> None:
        """Leave what could not be written before a fork to the parent, which still has it."""
        if self._buffer.num_rows:
            self._buffer = self._working.new_buffer()
        self._unsaved = Draft()

    # ---- who hears of changes --------------------------------------------------------------

    @property
    def listeners(self) -> Listeners:
        """Listeners, called after each change, also by another `Dataset` of the same path in this process.

        Internal seam of the widgets.
        """
        return self._listeners

    @property
    def is_buffering(self) -> bool:
        """Whether a `with` block is open; its rows and edits are written at its end."""
        return self._depth > 0

    def _mark(self) -> object:
        working = self._working
        snapshot = working.stored.snapshot
        draft = working.draft or None
        return (
            (working, snapshot.branch, snapshot.version, working.stored.label, draft),
            self._depth > 0,
            self._buffer.num_rows,
            self._buffer.num_bytes,
        )

    def _changed(self) -> None:
        self._listeners.tell()
        with _OPENING:
            others = [other for other in _OPEN if other is not self and other.listeners]
        for other in others:
            if other.path == self.path:
                other.listeners.tell()

    # ---- reading -------------------------------------------------------------------------

    @property
    def path(self) -> str:
        """Folder or URL of the dataset."""
        return self._working.store.location.path

    @property
    def branch(self) -> str:
        """Name of the branch; ``main`` for the first one."""
        return self._working.branch_name

    @property
    def read_only(self) -> bool:
        """Whether the dataset is read-only."""
        return self._working.read_only is not None

    @property
    def table(self) -> OverlayTable:
        """Every row as it is now, edits included; a snapshot. Internal seam of loaders, queries and widgets."""
        with self._lock:
            self._flush()
            table = self._working.table
            table.max_image_bytes = self.max_image_bytes
            return table

    @property
    def indices(self) -> NDArray[np.int64]:
        """Row of each sample: 0, 1, 2, ..."""
        return self._rows_of(self.table)

    def _rows_of(self, table: OverlayTable) -> NDArray[np.int64]:
        rows = self._rows_cache
        if rows is None or len(rows) != table.num_rows:
            rows = np.arange(table.num_rows, dtype=np.int64)
            rows.flags.writeable = False
            self._rows_cache = rows
        return rows

    def __len__(self) -> int:
        """Return the number of samples, those not written yet included."""
        with self._lock:
            return self._working.table.num_rows + self._buffer.num_rows

    def tensor_names(self) -> list[str]:
        return list(self._buffer.specs)

    def tensor_spec(self, name: str) -> TensorSpec:
        """Return kind and options of a tensor."""
        super().tensor_spec(name)
        if self._buffer.num_rows or name not in self._working.specs:
            return self._buffer.specs[name]
        return self._working.table.tensors[name]

    def _chosen(self, positions: NDArray[np.int64], **provenance: Any) -> View:
        return View(provenance.pop("table", None) or self.table, positions, **{"dataset": self, **provenance})

    def state(self) -> tuple[OverlayTable, NDArray[np.int64]]:
        """Return every row as it is now, and their numbers: of one moment, whoever writes."""
        table = self.table
        return table, self._rows_of(table)

    @abstractmethod
    def _home(self) -> Home:
        """Return the dataset itself, for its views."""

    def resolver(self) -> Resolve:
        """Return the resolver of names in a query: paths, also those next to this dataset."""
        return self._named_table

    def _named_table(self, name: str, at: str | None) -> OverlayTable:
        own = os.path.basename(self.path)  # noqa: PTH119  also of a URL
        if name in {own, os.path.splitext(own)[0]}:  # noqa: PTH122  also of a URL
            return self.table if at is None else open_working(self.path, at, read_only=True).table
        beside = f"{os.path.dirname(self.path)}/{name}"  # noqa: PTH120  also of a URL
        path = name if "://" in name or os.path.isabs(name) or not Location(beside).exists() else beside  # noqa: PTH117  also of a URL
        return open_working(path, at, read_only=True).table

    # ---- making and filling --------------------------------------------------------------

    def _writable(self) -> None:
        if self._working.read_only is not None:
            raise ReadOnlyError(f"the dataset at {self.path!r} is read-only: {self._working.read_only}")

    def create_tensor(
        self,
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
    ) -> Tensor:
        """Add a tensor; it is empty in existing samples.

        Parameters
        ----------
        name : str
            Letters, digits and underscores; inside also ``/``, ``.``, ``-`` and spaces.
            A name that is not an identifier is reached as ``ds["a/b"]`` and quoted in TQL.
        htype : str
            ``generic``, ``image``, ``bbox``, ``class_label``, ``text``, ``json``,
            ``embedding``, ``binary_mask``, ``segment_mask`` or ``link[image]``.
        dtype : dtype-like, optional
            Type of elements; a generic tensor follows its first sample.
        sample_compression : {"jpeg", "jpg", "png", "webp"}, optional
            How images are stored; by default as they come, arrays as PNG.
        class_names : sequence of str, optional
            Names by index; names that are appended later grow the list.
        coords : {"xywh", "xyxy"}
            Form of boxes, pixels.
        aligned_with : str, optional
            A tensor that describes the same objects of a sample, such as ``"boxes"``. Both
            have an entry for each object, in one order; a commit is refused where their
            lengths differ. Text for each object is a ``json`` list.
        verify : bool
            Whether images are decoded when they are added.
        create_shape_tensor, create_sample_info_tensor : bool
            Whether shape and digest of images are recorded.

        Returns
        -------
        Tensor
            The new tensor.

        Raises
        ------
        DatasetError
            If the name is taken, or an option is unknown.
        """
        spec = make_spec(
            name,
            htype,
            dtype=dtype,
            sample_compression=sample_compression,
            class_names=class_names,
            coords=coords,
            aligned_with=aligned_with,
            verify=verify,
            create_shape_tensor=create_shape_tensor,
            create_sample_info_tensor=create_sample_info_tensor,
        )
        with self._lock:
            self._writable()
            self._settle()
            if name in self._buffer.specs:
                raise DatasetError(f"the tensor {name!r} already exists ({self._buffer.specs[name].shown_htype})")
            if aligned_with is not None:
                spec = replace(checked_member(spec), aligned_with=first_of_group(self._buffer.specs, aligned_with))
            if name in reserved_names():
                warnings.warn(
                    f"{name!r} is also an attribute of every dataset or view. Use ds[{name!r}] to get the tensor",
                    UserWarning,
                    stacklevel=2,
                )
            self._working.add_tensor(spec)
            self._buffer = self._working.new_buffer()
        return Tensor(self, name)

    def align(self, *names: str) -> None:
        """Declare that some tensors describe the same objects of a sample; saved immediately.

        Parameters
        ----------
        *names : str
            Tensors of one object group, such as ``"boxes", "categories", "iscrowd"``. Groups
            they are in already become one.

        Raises
        ------
        AlignmentError
            If samples differ in length; nothing is changed then.
        DatasetError
            If a tensor cannot hold an entry for each object.

        Examples
        --------
        >>> ds.align("boxes", "categories")  # doctest: +SKIP
        """
        with self._lock:
            self._writable()
            self._settle()
            if len(set(names)) < 2:  # noqa: PLR2004  a group is of two at least
                raise DatasetError(
                    f"align({', '.join(map(repr, names))}) is not valid. Expected the names of two or more tensors"
                )
            specs = aligned(self._working.specs, names)
            check_groups(self._working.table, specs, dict)
            self._working.change_specs(lambda newest: aligned(newest, names))
            self._buffer = self._working.new_buffer()

    def append(self, sample: Mapping[str, Any]) -> None:
        """Add one sample.

        Parameters
        ----------
        sample : mapping of str to object
            A value for each tensor; None is an empty one.

        Raises
        ------
        SampleError
            If a value does not fit its tensor; nothing is added then.
        """
        if not isinstance(sample, Mapping):
            raise SampleError(
                f"the sample is of type {type(sample).__name__}. Expected a dict with a value for each tensor"
            )
        self._ingest(
            {name: [value.numpy() if isinstance(value, Tensor) else value] for name, value in sample.items()}, 0
        )

    def extend(self, samples: Mapping[str, Sequence[Any]], num_workers: int = 0) -> None:
        """Add many samples.

        Parameters
        ----------
        samples : mapping of str to sequence
            As many values for each tensor; None is an empty one.
        num_workers : int
            Threads that read and check images.

        Raises
        ------
        SampleError
            If a value does not fit its tensor; nothing is added then. Of more than
            4,096 samples with images those before the refused part stay, and the
            message says how many.
        """
        if not isinstance(samples, Mapping):
            raise SampleError(
                f"the samples are of type {type(samples).__name__}. Expected a dict with one list per tensor"
            )
        count = num_samples(samples)
        if count <= _PART or not any(spec.is_encoded for spec in self._buffer.specs.values()):
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
        with self._lock:
            self._writable()
            meta = self._working.meta
            ingest(
                self._buffer,
                columns,
                credentials=self._working.credentials,
                creds_keys=meta.get("creds_keys", {}),
                link_roots=meta.get("link_roots", []),
                num_workers=num_workers,
                max_bytes=self.max_image_bytes,
            )
            if self._buffer.is_full:
                self._flush()

    def flush(self) -> None:
        """Write what was appended; reading and committing do so by themselves."""
        with self._lock:
            self._settle()

    def _flush(self) -> None:
        error = None
        if self._buffer.num_rows:
            error = self._working.append(self._buffer)
            self._buffer = self._working.new_buffer()
        if error is not None:
            raise error

    def _save(self) -> None:
        if self._unsaved:
            self._working.save(self._unsaved)
            self._unsaved = Draft()

    def _settle(self) -> None:
        """Write everything, also in the middle of a `with`, before a step that reads it back from the store."""
        self._flush()
        self._save()

    def __enter__(self) -> Self:
        with self._lock:
            self._depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._depth -= 1
            if not self._depth:
                self._settle()

    def close(self) -> None:
        """Write what was appended; the dataset stays usable."""
        self.flush()

    # ---- editing -------------------------------------------------------------------------

    def assign(self, name: str, positions: NDArray[np.int64], values: Sequence[Any]) -> None:
        """Replace samples of a tensor in the draft.

        Parameters
        ----------
        name : str
            The tensor.
        positions : ndarray of int64
            The samples.
        values : sequence
            As many new values.

        Raises
        ------
        SampleError
            If a value does not fit, or their numbers differ; nothing is changed then.
        """
        with self._lock:
            self._writable()
            self._flush()
            spec = self.tensor_spec(name)
            if len(values) != len(positions):
                raise SampleError(
                    f"there are {len(values)} values for {len(positions)} samples of {name!r}. Expected equal numbers"
                )
            if group_of(self._working.specs, name):
                check_lists(spec, values)
            spec, cells = self._typed_cells(spec, values)
            if not spec.is_typed:
                return  # None in a tensor that never had a value: it is empty already
            if spec.link:
                cells = self._working.checked_links(spec, cells, self.max_image_bytes)
            table = self._working.table
            uids = table.uids(positions)
            edits = Draft().with_edits(name, dict(zip(uids.tolist(), cells, strict=True)))
            if not self._depth:
                self._working.save(edits)  # first: what cannot be kept is not shown either
            self._working.edit(edits)
            if self._depth:
                self._unsaved = self._unsaved.with_edits(name, edits.edits.get(name, {}))

    def _typed_cells(self, spec: TensorSpec, values: Sequence[Any]) -> tuple[TensorSpec, list[Cell]]:
        """Return the checked values, and the spec; the first value of a tensor fixes its type, kept at once."""
        typed = with_type(spec, values)
        cells = [encode_sample(typed, value, max_bytes=self.max_image_bytes) for value in values]
        if same_type(typed, spec):
            return spec, cells
        self._working.fix_type(typed)
        self._buffer = self._working.new_buffer()
        fixed = self._working.specs[spec.name]
        if same_type(typed, fixed):
            return fixed, cells
        return fixed, [encode_sample(fixed, value) for value in values]

    @property
    def num_edits(self) -> int:
        """Number of samples edited and not committed, counted once for each tensor."""
        return len(self._working.draft)

    def discard_edits(self, name: str | None = None, rows: Sequence[int] | NDArray[np.int64] | None = None) -> None:
        """Drop assignments that are not committed; appended samples stay.

        Parameters
        ----------
        name : str, optional
            Only of this tensor.
        rows : sequence of int, optional
            Only of these samples.
        """
        with self._lock:
            self._writable()
            self._settle()
            self._working.drop_edits(name, None if rows is None else np.asarray(rows, np.int64))

    def pop(self, index: int | slice | Sequence[int] | NDArray[Any] | None = -1) -> None:
        """Delete samples; those after them move up.

        Parameters
        ----------
        index : int, slice, sequence of int or mask
            The samples, by their numbers before any of them is deleted, counted from
            the end when negative. Several are deleted in one step, each once.

        Raises
        ------
        SampleIndexError
            If there is no such sample; nothing is deleted then.
        """
        with self._lock:
            self._writable()
            self._settle()
            if isinstance(index, bool | np.bool_ | str | float):
                raise SampleError(f"pop({index!r}) is not valid. Expected sample indices")
            index = -1 if index is None else index
            row = row_of(index, len(self))
            rows = np.unique(rows_of(index, len(self))) if row is None else np.array([row], np.int64)
            if len(rows):
                self._working.delete(rows)
                self._buffer = self._working.new_buffer()

    def change_classes(self, name: str, action: str, *names: str) -> int:
        """Add a class name, or rename one; kept at once. Returns the index of the class."""
        with self._lock:
            self._writable()
            self._settle()
            index = self._working.change_classes(self.tensor_spec(name), action, names)
            self._buffer = self._working.new_buffer()
            return index

    def merge_classes(self, name: str, names: Sequence[str], into: str) -> None:
        """Merge several classes into `into`; the other names are removed.

        Parameters
        ----------
        name : str
            A class label tensor.
        names : sequence of str
            Classes that are merged.
        into : str
            The class they become: one that is there, or a new name.

        Raises
        ------
        UnknownClassError
            If there is no class of one of `names`.
        DatasetError
            If the tensor is no class label, or `into` is no name.
        """
        with self._lock:
            self._writable()
            self._settle()
            spec = self.tensor_spec(name)
            if spec.htype != "class_label" or isinstance(names, str) or not names:
                raise DatasetError(
                    f"cannot merge classes {names!r} of {name!r} ({spec.shown_htype}). Expected a list of class names"
                )
            self._working.merge_classes(self._working.specs[name], names, into)
            self._buffer = self._working.new_buffer()


def open_dataset(path: str, branch: str | None, version: int | None) -> Any:
    """Return a dataset that is open in this process or was inherited by a fork; None if there is none."""
    for dataset in list(_OPEN):
        working = dataset._working  # noqa: SLF001  of this class
        if (dataset.path, working.store.branch, working.fixed_version) == (path, branch, version):
            return dataset
    return None


@atexit.register
def _flush_all() -> None:
    for dataset in list(_OPEN):
        if not dataset.read_only:
            dataset.flush()


def _flush_before_fork() -> None:
    """Write what is buffered, so that a child sees it and does not write it a second time."""
    for dataset in list(_OPEN):
        if not dataset.read_only:
            with contextlib.suppress(PenstockError):
                dataset.flush()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_flush_before_fork)
