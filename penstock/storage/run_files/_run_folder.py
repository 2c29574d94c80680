"""The folder of one run: a small record that names its files, which are written before it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import StorageError
from penstock.storage._fork import ENGINE
from penstock.storage._lasting import make_folders
from penstock.storage._location import Location
from penstock.storage._wrap import wrapped
from penstock.storage.run_files._names import RECORD, folder_of_run

__all__ = ["RunFolder"]

_ROWS = 1 << 20  # rows that are handed to the engine at a time
_END = b"LANC"  # the last bytes of a whole file


class RunFolder:
    """The files of one run.

    Nothing in it is ever changed: a new file is written and then named by the record, in one step. A process that is
    killed leaves files that no record names, or parts that belong to no finished epoch.

    Parameters
    ----------
    location : Location
        The dataset.
    name : str
        The run.
    """

    def __init__(self, location: Location, name: str) -> None:
        self.name = name
        self._place = Location(f"{location.path}/{folder_of_run(name)}")
        self._dataset = location.path

    def record(self) -> dict[str, Any] | None:
        """Return what the run says of itself; None if there is no such run.

        Raises
        ------
        StorageError
            If the record is damaged.
        """
        content = self._place.read(RECORD)
        return None if content is None else self.parsed(content)

    def parsed(self, content: bytes) -> dict[str, Any]:
        """Return a record that was read.

        Raises
        ------
        StorageError
            If it is damaged.
        """
        with suppress(ValueError, RecursionError):
            found = json.loads(content)
            if isinstance(found, dict):
                return found
        raise StorageError(
            f"the record of run {self.name!r} of the dataset at {self._dataset!r} is damaged",
            hint=f"delete the run: ds.runs.delete({self.name!r})",
        )

    def write_record(self, record: Mapping[str, Any]) -> None:
        """Replace the record, in one step."""
        self._place.write(RECORD, json.dumps(record).encode())

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a small file."""
        self._place.write(name, content)

    def read_bytes(self, name: str) -> bytes | None:
        """Read a small file; None if there is none."""
        return self._place.read(name)

    def names(self, folder: str = "") -> list[str]:
        """Return the files and folders of a folder, relative to the run."""
        if not self._place.is_remote:
            return [name.lstrip("/") for name in self._place.names(folder)]
        prefix = f"{folder}/" if folder else ""
        return sorted({name for name in self._place.everything(prefix) if "/" not in name[len(prefix) :]})

    def delete(self, names: Sequence[str]) -> None:
        """Delete files; missing ones are no error."""
        self._place.delete(list(names))

    def remove(self) -> None:
        """Delete the run, its record first: what is left if this is interrupted is no run."""
        self._place.delete([RECORD])
        self._place.remove()

    # ---- columns of numbers ------------------------------------------------------------------

    def write_columns(self, name: str, columns: Mapping[str, NDArray[Any]]) -> None:
        """Write columns of one length; the file is on the disk when this returns, or not there.

        Parameters
        ----------
        name : str
            The file, relative to the run.
        columns : mapping of str to ndarray
            A masked array has NULLs.
        """
        import pyarrow as pa
        from lance.file import LanceFileWriter

        ENGINE.check()
        table = pa.table({key: _arrow(column) for key, column in columns.items()})
        if not self._place.is_remote:
            with wrapped(f"write run {self.name!r} of the dataset at {self._dataset!r}"):
                make_folders(Path(self._path(name)).parent)
        try:
            with wrapped(f"write run {self.name!r} of the dataset at {self._dataset!r}"):
                options = self._place.engine_options()
                with LanceFileWriter(self._path(name), table.schema, version="2.2", storage_options=options) as writer:
                    for batch in table.to_batches(_ROWS):
                        writer.write_batch(batch)
                self._secure(name)
        except BaseException:
            with suppress(StorageError, OSError):
                self._place.delete([name])
            raise

    def read_columns(self, name: str, columns: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
        """Read columns, all by default; those with NULLs as masked arrays. Columns that the file lacks are left out."""
        from lance.file import LanceFileReader

        ENGINE.check()
        with wrapped(f"read run {self.name!r} of the dataset at {self._dataset!r}"):
            options = self._place.engine_options()
            there = self.columns_in(name)
            wanted = there if columns is None else [column for column in columns if column in there]
            if not wanted:
                return {}
            reader = LanceFileReader(self._path(name), storage_options=options, columns=wanted)
            table = reader.read_all(batch_size=_ROWS).to_table()
            return {column: _numpy(table[column]) for column in wanted}

    def columns_in(self, name: str) -> list[str]:
        """Return the names of the columns of a file, without reading them."""
        from lance.file import LanceFileReader

        ENGINE.check()
        with wrapped(f"read run {self.name!r} of the dataset at {self._dataset!r}"):
            reader = LanceFileReader(self._path(name), storage_options=self._place.engine_options())
            return list(reader.metadata().schema.names)

    def _path(self, name: str) -> str:
        return f"{self._place.path}/{name}"

    def _secure(self, name: str) -> None:
        """Check that a local file is whole, which the engine does not if the disk is full, and sync it."""
        if self._place.is_remote:
            return
        with Path(self._path(name)).open("rb") as stream:
            length = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, length - len(_END)))
            if stream.read() != _END:
                raise StorageError(f"the disk did not save run {self.name!r} completely ({length} bytes)")
        self._place.sync([name])


def _arrow(column: NDArray[Any]) -> Any:
    import pyarrow as pa

    mask = np.ma.getmaskarray(column) if isinstance(column, np.ma.MaskedArray) else None
    return pa.array(np.ma.getdata(column), mask=mask)


def _numpy(column: Any) -> NDArray[Any]:
    if not column.null_count:
        values: NDArray[Any] = column.to_numpy()
        return values
    dtype = column.type.to_pandas_dtype()
    mask = column.is_null().to_numpy()
    return np.ma.MaskedArray(column.fill_null(0).to_numpy().astype(dtype), mask)
