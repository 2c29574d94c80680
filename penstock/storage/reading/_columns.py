"""Physical columns of a tensor, and cells to Arrow and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.tensors import Cell, PackedCells, TensorSpec

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "UID",
    "arrays_of_cells",
    "byte_views",
    "column_names",
    "column_of",
    "derived_uids",
    "fields_of",
    "flat_batches",
    "flat_values",
    "new_uids",
    "owner_columns",
    "sample_columns",
    "scalars",
    "shape_rows",
]

UID = "uid"
_UID_TENSOR = "%75id"
_MOST_IN_ARRAY = 2**31 - 1  # elements that 32-bit offsets count
_ROOM = 1.01  # for samples that have more elements than those before; what is not written to takes no memory
_LISTS = ("class_label", "bbox", "embedding", "generic")


def column_of(tensor: str) -> str:
    """Return the column name of a tensor: the engine reads a dot as a field of a struct."""
    return _UID_TENSOR if tensor.lower() == UID else tensor.replace(".", "%2E")


def column_names(spec: TensorSpec) -> tuple[str, ...]:
    """Return the names of the physical columns, the samples' own first."""
    return (column_of(spec.name), *_extras(spec))


def owner_columns(fields: Sequence[tuple[int, str]], ids: Sequence[int]) -> tuple[str, ...]:
    """Return the columns of some field numbers: the parts of a list follow its own number."""
    found: dict[str, None] = {}
    for leaf in ids:
        before = [name for number, name in fields if number <= leaf]
        if before:
            found[before[-1]] = None
    return tuple(found)


def sample_columns(spec: TensorSpec) -> tuple[str, ...]:
    """Return the physical columns of a sample, without the recorded shape and digest of an image."""
    name = column_of(spec.name)
    recorded = (f"_shape_{name}", f"_digest_{name}") if spec.htype == "image" else ()
    return tuple(column for column in column_names(spec) if column not in recorded)


def _extras(spec: TensorSpec) -> tuple[str, ...]:
    name = column_of(spec.name)
    if spec.htype == "image":
        extras = (f"_shape_{name}", f"_digest_{name}")
        return (*extras, f"_creds_{name}") if spec.link else extras
    return (f"_shape_{name}",) if spec.htype in {"generic", "binary_mask", "segment_mask"} else ()


def fields_of(spec: TensorSpec) -> list[pa.Field]:
    """Return the Arrow fields of a tensor's physical columns; empty while its type is unknown."""
    import pyarrow as pa

    if not spec.is_typed:
        return []

    types = {
        "_shape_": pa.list_(pa.int32()),
        "_digest": pa.int64(),
        "_creds_": pa.string(),
    }
    extras = [pa.field(name, types[name[:7]]) for name in _extras(spec)]
    return [pa.field(column_of(spec.name), _main_type(spec)), *extras]


def _main_type(spec: TensorSpec) -> pa.DataType:
    import pyarrow as pa

    if spec.htype in _LISTS:
        return pa.list_(pa.from_numpy_dtype(np.dtype(spec.dtype)))
    return pa.large_binary() if spec.is_encoded and not spec.link else pa.string()


def arrays_of_cells(spec: TensorSpec, cells: Sequence[Cell]) -> list[pa.Array]:
    """Return one Arrow array per physical column; empty while the type is unknown, when all samples are NULL."""
    import pyarrow as pa

    if not spec.is_typed:
        return []

    if isinstance(cells, PackedCells):
        return _packed_arrays(spec, cells)
    kinds = {
        "_shape_": lambda: _lists([cell.shape for cell in cells], pa.int32()),
        "_digest": lambda: pa.array([cell.digest for cell in cells], pa.int64()),
        "_creds_": lambda: pa.array([cell.creds_key for cell in cells], pa.string()),
    }
    main_type = _main_type(spec)
    values: list[Any] = [cell.value for cell in cells]
    main = _lists(values, main_type.value_type) if spec.htype in _LISTS else pa.array(values, main_type)
    return [main, *(kinds[name[:7]]() for name in _extras(spec))]


def _packed_arrays(spec: TensorSpec, cells: PackedCells) -> list[pa.Array]:
    import pyarrow as pa

    if cells.offsets is None:
        return [pa.array(cells.values, _main_type(spec))]
    missing = None if cells.valid is None else pa.array(~cells.valid)
    begin, end = int(cells.offsets[0]), int(cells.offsets[-1])
    values = pa.array(cells.values[begin:end], _main_type(spec).value_type)
    offsets = pa.array((cells.offsets - begin).astype(np.int32))
    main = pa.ListArray.from_arrays(offsets, values, mask=missing)
    if not _extras(spec):
        return [main]
    shape = np.array(cells.shape or (), np.int32)
    given = np.ones(len(cells), np.int32) if cells.valid is None else cells.valid.astype(np.int32)
    ends = np.concatenate([[0], np.cumsum(given * len(shape), dtype=np.int32)]).astype(np.int32)
    sides = pa.array(np.tile(shape, int(given.sum())), pa.int32())
    return [main, pa.ListArray.from_arrays(pa.array(ends), sides, mask=missing)]


def _lists(rows: Sequence[Any], value_type: pa.DataType) -> pa.Array:
    """Return a list array of flat numpy rows, None where NULL."""
    import pyarrow as pa

    dtype = value_type.to_pandas_dtype()
    lengths = [0 if row is None else len(row) for row in rows]
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    if offsets[-1] > _MOST_IN_ARRAY and len(rows) > 1:
        half = len(rows) // 2
        return pa.chunked_array([*_chunks(_lists(rows[:half], value_type)), *_chunks(_lists(rows[half:], value_type))])
    present = [np.asarray(row, dtype) for row in rows if row is not None]
    values = np.concatenate(present) if present else np.empty(0, dtype)
    missing = np.array([row is None for row in rows], bool)
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), pa.array(values, value_type), mask=pa.array(missing) if missing.any() else None
    )


def _chunks(array: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    import pyarrow as pa

    return array.chunks if isinstance(array, pa.ChunkedArray) else [array]


def flat_values(array: pa.ChunkedArray) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.bool_] | None]:
    """Return values, offsets and validity of a list column, without Python objects."""
    import pyarrow as pa

    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    chunks = [chunk for chunk in chunks if len(chunk)]
    if not chunks:
        return _own(pa.array([], array.type.value_type)), np.zeros(1, np.int64), None
    valid = None
    if any(chunk.null_count for chunk in chunks):
        valid = np.concatenate([np.asarray(chunk.is_valid()) for chunk in chunks])
        chunks = [chunk.fill_null([]) if chunk.null_count else chunk for chunk in chunks]
    ends = [np.asarray(chunk.offsets) for chunk in chunks]
    values = [chunk.values.slice(int(end[0]), int(end[-1] - end[0])) for chunk, end in zip(chunks, ends, strict=True)]
    offsets = np.zeros(sum(map(len, chunks)) + 1, np.int64)
    row = 0
    for end in ends:
        np.add(end[1:], offsets[row] - end[0], out=offsets[row + 1 : row + len(end)], dtype=np.int64)
        row += len(end) - 1
    return _own(values[0] if len(values) == 1 else pa.concat_arrays(values)), offsets, valid


def flat_batches(
    batches: Iterable[pa.RecordBatch], num_rows: int
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.bool_] | None]:
    """Return what `flat_values` does of a list column that comes in batches, which are not held."""
    offsets, valid = np.zeros(num_rows + 1, np.int64), None
    values: NDArray[Any] | None = None
    row = end = 0
    for batch in batches:
        array = batch.column(0)
        stop, begin = row + len(array), end
        if array.null_count:
            valid = np.ones(num_rows, bool) if valid is None else valid
            valid[row:stop] = np.asarray(array.is_valid())
            array = array.fill_null([])
        ends = np.asarray(array.offsets)
        new = array.values.slice(int(ends[0]), int(ends[-1] - ends[0])).to_numpy(zero_copy_only=False)
        np.add(ends[1:], end - int(ends[0]), out=offsets[row + 1 : stop + 1], dtype=np.int64)
        row, end = stop, begin + len(new)
        if values is None or end > len(values):
            more = np.empty(max(end, math.ceil(_ROOM * end * num_rows / max(row, 1))), new.dtype)
            more[:begin] = values[:begin] if values is not None else 0
            values = more
        values[begin:end] = new
    found = np.empty(0) if values is None else values[:end]
    found.flags.writeable = False
    return found, offsets, valid


def _own(values: pa.Array) -> NDArray[Any]:
    array: NDArray[Any] = values.to_numpy(zero_copy_only=False).view()
    array.flags.writeable = False
    return array


def scalars(array: pa.ChunkedArray) -> list[Any]:
    """Return Python values, None where NULL."""
    values: list[Any] = array.to_pylist()
    return values


def byte_views(array: pa.ChunkedArray) -> list[memoryview | None]:
    """Return the bytes of each row where they lie, not copied, None where NULL."""
    views: list[memoryview | None] = []
    for chunk in array.chunks:
        _, ends, data = chunk.buffers()
        wide = np.int64 if str(chunk.type).startswith("large") else np.int32
        offsets = np.frombuffer(ends, wide)[chunk.offset :].tolist() if len(chunk) else []
        held: NDArray[np.uint8] = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
        whole = held.data
        known = chunk.is_valid().to_pylist() if chunk.null_count else [True] * len(chunk)
        views += [whole[offsets[row] : offsets[row + 1]] if valid else None for row, valid in enumerate(known)]
    return views


def shape_rows(array: pa.ChunkedArray, ndim: int) -> NDArray[np.int64]:
    """Return shapes, int64 of shape (num_rows, ndim); -1 if no shape is recorded."""
    values, offsets, _ = flat_values(array)
    shapes = np.full((len(offsets) - 1, ndim), -1, np.int64)
    known = np.diff(offsets) == ndim
    if known.any() and ndim:
        shapes[known] = values[np.repeat(known, np.diff(offsets))].reshape(-1, ndim)
    return shapes


def new_uids(count: int, taken: Iterable[int] = ()) -> NDArray[np.int64]:
    """Return random positive 63-bit identities, unlike each other and those taken."""
    import os

    seen = set(taken)
    uids = np.frombuffer(os.urandom(8 * count), np.int64) & np.int64(2**63 - 1)
    if seen or len(np.unique(uids)) != count:
        fresh = [uid for uid in dict.fromkeys(uids.tolist()) if uid not in seen]
        return np.array(fresh, np.int64) if len(fresh) == count else new_uids(count, seen)
    return uids


def derived_uids(key: int, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return positive 63-bit identities that follow from a key and the number of each sample.

    Different numbers have different identities: every step below is one to one on 63 bits.

    Examples
    --------
    >>> derived_uids(7, np.array([0, 1])).tolist() == derived_uids(7, np.array([1, 0])).tolist()[::-1]
    True
    """
    low = np.uint64(2**63 - 1)
    mixed = (numbers.astype(np.uint64) + np.uint64(key % 2**63)) & low
    for factor in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB):
        mixed = ((mixed ^ (mixed >> np.uint64(31))) * np.uint64(factor)) & low
    return (mixed ^ (mixed >> np.uint64(31))).astype(np.int64)


def table_of(uids: NDArray[np.int64], columns: Mapping[TensorSpec, Sequence[Cell]]) -> pa.Table:
    """Return an Arrow table of uids and the physical columns of some tensors."""
    import pyarrow as pa

    fields = [pa.field(UID, pa.int64())]
    arrays = [pa.array(uids, pa.int64())]
    for spec, cells in columns.items():
        fields += fields_of(spec)
        arrays += arrays_of_cells(spec, cells)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
