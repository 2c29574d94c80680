"""A version in an object store whose samples are kept in a local cache.

A sample of a column is named by the data file it is in and its place there. The engine writes such a file once, under
a name that no other file has, so that a name is enough: nothing has to be asked of the store to know that an entry is
still right, and commits, branches and other versions share entries as they share files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.storage.caching._cache import Cache, keep_entries, kept_entries
from penstock.storage.reading._columns import byte_views, owner_columns
from penstock.storage.reading._stored_version import StoredVersion

if TYPE_CHECKING:
    import lance
    import pyarrow as pa

__all__ = ["CachedVersion"]

_VALUE, _NULL = b"\x01", b"\x00"  # the first byte of an entry


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    """The files of one fragment, and where its rows are in them."""

    first: int
    last: int
    files: dict[str, str]
    rows: NDArray[np.int64] | None


class CachedVersion:
    """A version that reads samples from a cache, and from the store what is not in it; see `Version`.

    Parameters
    ----------
    source : StoredVersion
        Reads from the store.
    cache : Cache
        The cache.
    """

    def __init__(self, source: StoredVersion, cache: Cache) -> None:
        self.direct = source
        self._cache = cache

    @property
    def handle(self) -> lance.LanceDataset:
        """The engine's own dataset."""
        return self.direct.handle

    @property
    def version(self) -> int:
        """Its number on its branch."""
        return self.direct.version

    @property
    def schema(self) -> pa.Schema:
        """The schema of the version."""
        return self.direct.schema

    def count_rows(self) -> int:
        """Return the number of rows."""
        return self.direct.count_rows()

    def to_table(self, columns: Sequence[str], *, with_row_id: bool = False) -> pa.Table:
        """Return whole columns, which are not cached."""
        return self.direct.to_table(columns, with_row_id=with_row_id)

    def take(self, places: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
        """Return rows by their increasing place in the files."""
        import pyarrow as pa

        schema = pa.schema([self.schema.field(name) for name in columns])
        if not len(places) or not len(schema):
            return self.direct.take(places, columns)
        bytewise = [name for name in schema.names if _is_bytes(schema.field(name).type)]
        others = [name for name in schema.names if name not in bytewise]
        units = [*([name] for name in bytewise), *([others] if others else [])]
        kinds = {name: str(schema.field(name).type) for name in schema.names}
        keys = self._keys(np.asarray(places, np.int64), units, kinds)
        found = kept_entries(self._cache, [key for unit in keys for key in unit])
        width = len(places)
        parts = [found[start : start + width] for start in range(0, len(found), width)]
        lacking = np.array([any(part[row] is None for part in parts) for row in range(width)], bool)
        if lacking.any():
            self._fetch(places[lacking], np.flatnonzero(lacking), units, keys, parts)
        arrays: dict[str, Any] = {}
        for unit, part in zip(units, parts, strict=True):
            if unit == others:
                arrays.update(_rows_of(pa.schema([schema.field(name) for name in others]), part))
            else:
                arrays[unit[0]] = _column_of(schema.field(unit[0]).type, part)
        return pa.table([arrays[name] for name in schema.names], schema=schema)

    def _fetch(
        self,
        places: NDArray[np.int64],
        rows: NDArray[np.int64],
        units: Sequence[list[str]],
        keys: Sequence[list[bytes]],
        parts: Sequence[list[memoryview | None]],
    ) -> None:
        """Read from the store what is not in the cache, and put it there."""
        wanted = [unit for unit, part in zip(units, parts, strict=True) if any(part[row] is None for row in rows)]
        table = self.direct.take(places, [name for unit in wanted for name in unit])
        new: list[tuple[bytes, bytes]] = []
        for unit, unit_keys, part in zip(units, keys, parts, strict=True):
            if unit not in wanted:
                continue
            contents = _contents(table.select(unit))
            for row, content in zip(rows.tolist(), contents, strict=True):
                if part[row] is None:
                    new.append((unit_keys[row], content))
                    part[row] = memoryview(content)
        keep_entries(self._cache, new)

    # ---- names -------------------------------------------------------------------------------------

    @cached_property
    def _files(self) -> list[_File]:
        handle = self.handle
        fields = [(int(field.id()), str(field.name())) for field in handle.lance_schema.fields()]
        found, first = [], 0
        for fragment in handle.get_fragments():
            meta = fragment.metadata
            last = first + fragment.count_rows()
            files = {name: data.path for data in meta.files for name in owner_columns(fields, data.fields)}
            found.append(_File(first, last, files, _rows_in(fragment) if fragment.num_deletions else None))
            first = last
        return found

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return np.array([file.first for file in self._files], np.int64)

    def _keys(
        self, places: NDArray[np.int64], units: Sequence[list[str]], kinds: Mapping[str, str]
    ) -> list[list[bytes]]:
        """Return the key of each row in each group of columns; a column that has no file is NULL wherever that is."""
        owners = np.searchsorted(self._starts, places, side="right") - 1
        keys: list[list[bytes]] = [[] for _ in units]
        for owner in np.unique(owners).tolist():
            file = self._files[owner]
            rows = places[owners == owner] - file.first
            offsets = (rows if file.rows is None else file.rows[rows]).astype("<i8")
            for unit, unit_keys in zip(units, keys, strict=True):
                named = "\0".join(f"{file.files.get(name, '')}/{name}/{kinds[name]}" for name in unit)
                begun = hashlib.blake2b(named.encode(), digest_size=16)
                for offset in offsets:
                    one = begun.copy()
                    one.update(offset.tobytes())
                    unit_keys.append(one.digest())
        return keys


def _rows_in(fragment: lance.LanceFragment) -> NDArray[np.int64]:
    """Return where the rows that are left of a file were before others were deleted."""
    addresses = fragment.to_table(columns=[], with_row_address=True)["_rowaddr"].to_numpy()
    rows: NDArray[np.int64] = (addresses & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return rows


def _is_bytes(kind: pa.DataType) -> bool:
    import pyarrow as pa

    types = pa.types
    return bool(
        types.is_binary(kind) or types.is_large_binary(kind) or types.is_string(kind) or types.is_large_string(kind)
    )


def _contents(table: pa.Table) -> list[bytes]:
    """Return the entry of each row of one column of bytes, or of several other columns."""
    if table.num_columns == 1 and _is_bytes(table.schema.field(0).type):
        return [_NULL if view is None else _VALUE + view for view in byte_views(table.column(0))]
    batches = table.combine_chunks().to_batches()
    return [batch.slice(row, 1).serialize().to_pybytes() for batch in batches for row in range(batch.num_rows)]


def _column_of(kind: pa.DataType, entries: Sequence[memoryview | None]) -> pa.Array:
    """Return a column of bytes of its entries."""
    import pyarrow as pa

    present = [entry for entry in entries if entry is not None]
    values = [entry[1:] for entry in present]
    wide = pa.types.is_large_binary(kind) or pa.types.is_large_string(kind)
    ends = np.cumsum([0, *map(len, values)])
    if not wide and ends[-1] > np.iinfo(np.int32).max:  # more than 32-bit offsets count
        half = len(present) // 2
        halves = (_column_of(kind, present[:half]), _column_of(kind, present[half:]))
        return pa.chunked_array([chunk for part in halves for chunk in getattr(part, "chunks", [part])])
    missing = np.array([entry[:1] == _NULL for entry in present], bool)
    return pa.Array.from_buffers(
        kind,
        len(values),
        [
            pa.array(~missing).buffers()[1] if missing.any() else None,
            pa.py_buffer(ends.astype(np.int64 if wide else np.int32)),
            pa.py_buffer(b"".join(values)),
        ],
    )


def _rows_of(schema: pa.Schema, entries: Sequence[memoryview | None]) -> dict[str, Any]:
    """Return columns of entries that each hold one row of them."""
    import pyarrow as pa

    batches = [pa.ipc.read_record_batch(pa.py_buffer(entry), schema) for entry in entries if entry is not None]
    table = pa.Table.from_batches(batches, schema).combine_chunks()
    return {name: table[name] for name in schema.names}
