"""The table of a dataset: a stored version with its draft edits on top."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import PenstockError
from penstock.storage import (
    ID,
    Changes,
    Credentials,
    LinkReader,
    Location,
    column_names,
    open_version,
    renewed_lock,
)
from penstock.table._checks import checked_rows, checked_tensor
from penstock.table._ragged import Ragged, exact_bounds, widened, without_rows
from penstock.table._samples import samples_of_column
from penstock.table._stored import StoredTable
from penstock.table._table import Earlier, Table
from penstock.table.drafts._draft import Draft
from penstock.table.drafts._edited import column_of_cells, sample_of_cell, with_rows_replaced
from penstock.tensors import MAX_IMAGE_BYTES, Cell, Link, TensorSpec, image_shape

__all__ = ["OverlayTable"]

_LABEL_KINDS = ("class_label", "bbox")
_HEADER_THREADS = 4
_FEW_TEXTS = 200_000  # rows up to which a column of text is simply held
_FEW_LABELS = 5_000_000  # and one of labels or boxes; of more, a rank that trains reads those of its own samples
_FEW = 8  # up to one row in so many files that differ
_MANY_ROWS = 1024  # from here on reading the whole column is faster than rows of it


class OverlayTable(Table):
    """A dataset's rows as they are now; immutable, thread-safe, and sent to workers by name.

    Parameters
    ----------
    stored : StoredTable
        The stored version.
    draft : Draft
        Edits over it.
    credentials : Credentials
        Where credentials of links are looked up.
    max_image_bytes : int, optional
        Most bytes an image or mask may have when it is decoded; None for any size.
    before : OverlayTable, optional
        The same version without edits, or an earlier version, which is in memory.
    """

    def __init__(
        self,
        stored: StoredTable,
        draft: Draft,
        credentials: Credentials,
        *,
        max_image_bytes: int | None = MAX_IMAGE_BYTES,
        before: OverlayTable | None = None,
    ) -> None:
        self.stored = stored
        self.draft = draft
        self._credentials = credentials
        self._max_image_bytes = max_image_bytes
        self._before = before
        self._columns: dict[str, Ragged] = {}
        self._lock = renewed_lock(threading.RLock())  # taken before that of `stored`, never the other way round

    def over(self, stored: StoredTable) -> OverlayTable:
        """Return a table of other rows of the same dataset, with the same edits."""
        return OverlayTable(stored, self.draft, self._credentials, max_image_bytes=self._max_image_bytes)

    def __reduce__(self) -> tuple[Any, ...]:
        snapshot = self.stored.snapshot
        place = (snapshot.location, snapshot.branch, snapshot.version)
        known = (*place, self.stored.label, self.draft, self._credentials)
        return _reopen, known, {"_max_image_bytes": self._max_image_bytes}

    @cached_property
    def earlier(self) -> Earlier | None:
        """The state before the edits, or an earlier version; None where neither is in memory or much has changed."""
        before, self._before = self._before, None
        return None if before is None else earlier_of(before, self)

    @property
    def root(self) -> OverlayTable:
        """The oldest state in memory that `earlier` leads to, itself where there is none."""
        known = self.__dict__.get("earlier")
        before = self._before if known is None else known.table
        return before.root if isinstance(before, OverlayTable) else self

    @property
    def location(self) -> Location:
        """Where the dataset is stored."""
        return self.stored.snapshot.location

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return self.stored.num_rows

    @property
    def max_image_bytes(self) -> int | None:
        """Most bytes an image or mask may have when it is decoded; None for any size."""
        return self._max_image_bytes

    @max_image_bytes.setter
    def max_image_bytes(self, allowed: int | None) -> None:
        self._max_image_bytes = allowed

    @cached_property
    def version(self) -> str:
        """The commit or the state on top of it, and the draft's hash if there is one."""
        digest = self.draft.digest()
        return f"{self.stored.label}~{digest}" if digest else self.stored.label

    @cached_property
    def tensors(self) -> Mapping[str, TensorSpec]:
        """Spec of each tensor, in order of creation; label counts follow the draft."""
        return {name: self._with_lengths(spec) for name, spec in self.stored.specs.items()}

    def _with_lengths(self, spec: TensorSpec) -> TensorSpec:
        if spec.htype != "class_label" or not self.draft.edits.get(spec.name) or not self.num_rows:
            return spec
        least, greatest = self._bounds(spec)
        return replace(spec, length_min=least, length_max=greatest)

    def _bounds(self, spec: TensorSpec) -> tuple[int, int]:
        """Return the least and the greatest number of labels of a sample."""
        bounds, edits = self.stored.bounds(spec.name), self._edited_rows.get(spec.name, {})
        if not edits:
            return bounds
        edited, rows = column_of_cells(spec, list(edits.values())), np.sort(np.fromiter(edits, np.int64, len(edits)))
        others = without_rows(self.stored.offsets(spec.name), rows)
        return exact_bounds(chain([edited.offsets], others), widened(bounds, [edited]))

    def revision(self, tensor: str) -> str:
        """Return a key that changes whenever a value of this tensor does."""
        checked_tensor(self.stored.specs, tensor)
        return f"{self.stored.snapshot.branch}:{self.stored.snapshot.version}:{self.draft.digest(tensor)}"

    def column(self, tensor: str) -> Ragged:
        """Return all samples of a tensor that is no image or mask, in memory and cached."""
        base = self.stored.column(tensor)
        edits = self._edited_rows.get(tensor)
        if not edits:
            return base
        with self._lock:
            if tensor not in self._columns:
                edited = column_of_cells(self.stored.specs[tensor], list(edits.values()))
                self._columns[tensor] = with_rows_replaced(base, np.fromiter(edits, np.int64, len(edits)), edited)
            return self._columns[tensor]

    @cached_property
    def _edited_rows(self) -> dict[str, dict[int, Cell]]:
        """For each tensor, row and cell of each edit whose sample still is there."""
        found = {}
        for tensor, edits in self.draft.edits.items():
            rows = self.stored.positions(np.fromiter(edits, np.int64, len(edits)))
            found[tensor] = {int(row): cell for row, cell in zip(rows, edits.values(), strict=True) if row >= 0}
        return found

    def some(self, tensor: str, rows: NDArray[np.int64]) -> Ragged:
        """Return the samples of some rows of a tensor that is not an image or mask; few of them are read alone."""
        rows = self._checked(rows)
        if tensor in self._columns:
            return self._columns[tensor].take(rows)
        if len(rows) > 1 and not (rows[1:] > rows[:-1]).all():
            unique, places = np.unique(rows, return_inverse=True)
            return self.some(tensor, unique).take(places.reshape(-1).astype(np.int64))
        found = self.stored.some(tensor, rows)
        edited = self._edited_rows.get(tensor, {})
        here = [place for place, row in enumerate(rows.tolist()) if row in edited] if edited else []
        if here:
            cells = [edited[int(rows[place])] for place in here]
            new = column_of_cells(self.stored.specs[tensor], cells)
            found = with_rows_replaced(found, np.array(here, np.int64), new)
        return found

    def stacked(self, tensor: str, shape: tuple[int, ...]) -> NDArray[Any] | None:
        """Return all samples of a tensor as one array; their sizes are looked at once for each version."""
        column = self.column(tensor)
        if column is not self.stored.column(tensor) or not len(column):
            return column.stacked(shape)
        size = math.prod(shape)
        if column.valid is not None or column.ndim != len(shape) or self.stored.bounds(tensor) != (size, size):
            return None
        if column.shapes is not None and shape and (column.shapes != shape).any():
            return None
        return column.values.reshape(len(column), *shape)

    def edited_rows(self, tensor: str) -> NDArray[np.int64]:
        """Return the rows of a tensor that differ from what is stored, increasing."""
        return np.sort(np.fromiter(self._edited_rows.get(tensor, {}), np.int64))

    def shapes(self, tensor: str) -> NDArray[np.int64]:
        """Return every sample's shape without decoding; -1 where it cannot be known.

        Shapes that were not recorded are read from the images' headers, once.
        """
        spec = checked_tensor(self.stored.specs, tensor)
        if not spec.is_encoded:
            return self.column(tensor).sample_shapes
        shapes = self.stored.shapes(tensor).copy()
        for row, cell in self._edited_rows.get(tensor, {}).items():
            shapes[row] = -1 if cell.shape is None else cell.shape
        unknown = np.flatnonzero((shapes < 0).all(axis=1))
        if spec.htype == "image" and len(unknown):
            shapes[unknown] = self._header_shapes(tensor, unknown)
        return shapes

    def _header_shapes(self, tensor: str, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        with self._lock:
            known = self._columns.get(f"shape {tensor}")
            if known is None:
                chunks = [rows[start : start + 256] for start in range(0, len(rows), 256)]
                with ThreadPoolExecutor(_HEADER_THREADS) as pool:
                    read = list(
                        pool.map(lambda chunk: [_shape(image) for image in self.take(chunk, [tensor])[tensor]], chunks)
                    )
                flat = np.array([shape for chunk in read for shape in chunk], np.int64).reshape(-1)
                known = Ragged(values=flat, offsets=np.arange(len(rows) + 1, dtype=np.int64) * 3)
                self._columns[f"shape {tensor}"] = known
        return known.values.reshape(-1, 3)

    def take(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> dict[str, Sequence[Any]]:
        """Return raw samples of some rows, in their order, repeats kept.

        A link that cannot be read is its LinkError, which the codecs raise when
        they are handed it.
        """
        rows = self._checked(rows)
        specs = [checked_tensor(self.stored.specs, name) for name in tensors]
        # files are read once for each distinct row, in increasing order, as the engine wants them
        unique, places = np.unique(rows, return_inverse=True)
        from_files = [spec for spec in specs if not self._in_memory(spec, len(unique))]
        cells = self.stored.cells(unique, [spec.name for spec in from_files], recorded=False) if from_files else {}
        taken: dict[str, Sequence[Any]] = {}
        for spec in specs:
            if spec.name in cells:
                samples = self._samples(spec, unique, cells[spec.name])
                taken[spec.name] = [samples[place] for place in places]
            else:
                taken[spec.name] = samples_of_column(self.column(spec.name), spec, rows)
        return taken

    def take_views(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> dict[str, Sequence[Any]]:
        """Do what `take` does, but give encoded images as views of the memory they were read into, not as bytes."""
        lent = [name for name in tensors if self._lends(name)]
        if not lent:
            return self.take(rows, tensors)
        rows = self._checked(rows)
        unique, places = np.unique(rows, return_inverse=True)
        taken: dict[str, Sequence[Any]] = {}
        for name, views in self.stored.bytes_of(unique, lent).items():
            taken[name] = [views[place] for place in places.tolist()]
        others = [name for name in tensors if name not in taken]
        if others:
            taken.update(self.take(rows, others))
        return {name: taken[name] for name in tensors}

    def _lends(self, tensor: str) -> bool:
        """Return whether the samples of a tensor are the bytes in the files, without links or draft edits."""
        spec = checked_tensor(self.stored.specs, tensor)
        return spec.htype == "image" and not spec.link and not self._edited_rows.get(tensor)

    def _in_memory(self, spec: TensorSpec, num_rows: int) -> bool:
        if spec.is_encoded:
            return False
        small = spec.htype == "generic" and spec.ndim == 0
        if spec.htype in _LABEL_KINDS:
            small = self.num_rows <= _FEW_LABELS
        if spec.htype in {"text", "json"}:
            small = self.num_rows <= _FEW_TEXTS
        return small or num_rows > _MANY_ROWS or self.stored.is_cached(spec.name)

    def _samples(self, spec: TensorSpec, rows: NDArray[np.int64], cells: list[Cell]) -> list[Any]:
        edits = self._edited_rows.get(spec.name, {})
        cells = [edits.get(int(row), cell) for row, cell in zip(rows, cells, strict=True)]
        if not spec.link:
            samples = [sample_of_cell(spec, cell, max_bytes=self.max_image_bytes) for cell in cells]
            drafted = [int(row) in edits for row in rows]
            return [
                sample.copy() if own and isinstance(sample, np.ndarray) else sample
                for own, sample in zip(drafted, samples, strict=True)
            ]
        links = [None if cell.value is None else Link(str(cell.value), cell.creds_key) for cell in cells]
        return self._links.fetch(
            links, lambda places: self._recorded(spec.name, rows[places], [cells[place] for place in places])
        )

    def _recorded(self, tensor: str, rows: NDArray[np.int64], cells: list[Cell]) -> list[int | None]:
        """Return the recorded digests of some increasing rows; cells were read without."""
        edits = self._edited_rows.get(tensor, {})
        stored = self.stored.cells(rows, [tensor])[tensor]
        return [
            (cell if int(row) in edits else known).digest for row, cell, known in zip(rows, cells, stored, strict=True)
        ]

    def cells(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> dict[str, list[Cell]]:
        """Return the cells of increasing rows as they are stored or drafted, links not followed."""
        cells = self.stored.cells(self._checked(rows), tensors)
        for name, found in cells.items():
            edits = self._edited_rows.get(name, {})
            cells[name] = [edits.get(int(row), cell) for row, cell in zip(rows, found, strict=True)]
        return cells

    def digests(self, tensor: str) -> NDArray[np.int64] | None:
        """Return the recorded digest of every image, int64, 0 if missing; None for other htypes."""
        digests = self.stored.digests(tensor)
        if digests is None:
            return None
        digests = digests.copy()
        for row, cell in self._edited_rows.get(tensor, {}).items():
            digests[row] = cell.digest or 0
        return digests

    @cached_property
    def _links(self) -> LinkReader:
        roots = self.stored.snapshot.meta.get("link_roots", [])
        return LinkReader(roots, self._credentials, self.stored.snapshot.location.cache)

    def from_store(self) -> OverlayTable:
        """Return the same table, read without the local cache."""
        stored = StoredTable(self.stored.snapshot.from_store(), self.stored.label)
        return OverlayTable(stored, self.draft, self._credentials, max_image_bytes=self.max_image_bytes)

    def links(self, rows: NDArray[np.int64], tensor: str) -> list[Link | None]:
        """Return where the linked files of some rows are."""
        rows = self._checked(rows)
        unique, places = np.unique(rows, return_inverse=True)
        edits = self._edited_rows.get(tensor, {})
        cells = [
            edits.get(int(row), cell)
            for row, cell in zip(unique, self.stored.cells(unique, [tensor])[tensor], strict=True)
        ]
        found = [None if cell.value is None else Link(str(cell.value), cell.creds_key) for cell in cells]
        return [found[place] for place in places]

    def _checked(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return checked_rows(rows, self.num_rows)

    def uids(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the lasting identity of some rows, int64."""
        rows = self._checked(rows)
        uids = self.stored.uids[rows]
        if len(rows) <= _MANY_ROWS:
            self.stored.remember(uids, rows)
        return uids

    def positions(self, uids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each uid, int64; -1 if it does not exist."""
        return self.stored.positions(np.asarray(uids, np.int64))


def earlier_of(before: OverlayTable, table: OverlayTable) -> Earlier | None:
    """Return how a table differs from one before it; None where that is not known, or where samples were added."""
    if before.stored is table.stored:
        return Earlier(table=before, removed=np.empty(0, np.int64), changed=table.edited_rows)
    root = before.root  # one state is kept, not one for each version
    if table.draft:
        return None
    one, two = root.stored.snapshot, table.stored.snapshot
    if one.path != two.path or one.meta.get(ID) != two.meta.get(ID):
        return None
    two.learn(one)
    if one.parts is None or two.parts is None:
        return None
    changes = Changes(one, two)
    if changes.num_unlike * _FEW > two.num_rows or len(changes.added):
        return None
    return Earlier(table=root, removed=changes.removed, changed=lambda name: _changed(changes, root, table, name))


def _changed(changes: Changes, root: OverlayTable, table: OverlayTable, name: str) -> NDArray[np.int64]:
    names = {*column_names(root.stored.specs[name]), *column_names(table.stored.specs[name])}
    return np.sort(changes.suspects(names)[1])


def _shape(image: Any) -> tuple[int, int, int]:
    try:
        return (-1, -1, -1) if image is None else image_shape(image)
    except PenstockError:
        return -1, -1, -1


def _reopen(
    location: Location, branch: str | None, version: int, label: str, draft: Draft, credentials: Credentials
) -> OverlayTable:
    return OverlayTable(StoredTable(open_version(location, branch, version), label), draft, credentials)
