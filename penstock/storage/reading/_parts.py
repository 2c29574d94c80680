"""The parts a version is stored in: which files hold which samples, so that what did not change need not be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.storage._version_files import root_of
from penstock.storage.reading._columns import UID

if TYPE_CHECKING:
    import lance

__all__ = ["Part", "Run", "part_starts", "parts_of", "runs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Samples that lie in the same files, in their order.

    Files never change once they are written: parts of two versions with equal `files` and `marks` hold equal samples.

    Parameters
    ----------
    number : int
        The number of the engine's fragment in its version.
    num_rows : int
        Number of samples, without deleted ones.
    marks : str or None
        File of deletion marks; None where no sample was deleted.
    files : mapping of str to str
        The file of each physical column; a column without one is NULL in all samples.
    """

    number: int
    num_rows: int
    marks: str | None
    files: Mapping[str, str]

    @property
    def name(self) -> str | None:
        """What identifies the samples, deleted ones included: the file of their identities."""
        return self.files.get(UID)


def parts_of(handle: lance.LanceDataset, branch: str | None) -> tuple[Part, ...]:
    """Return the parts of a version in the order of the files; nothing but its record is read."""
    columns = _columns_by_field(handle)
    bases = handle.base_paths()
    return tuple(_part(fragment.metadata, columns, bases, branch) for fragment in handle.get_fragments())


def _part(meta: Any, columns: Mapping[int, str], bases: Mapping[int, Any], branch: str | None) -> Part:
    marks = meta.deletion_file
    return Part(
        number=int(meta.id),
        num_rows=int(meta.num_rows),
        marks=None if marks is None else f"{_root(bases, marks.base_id, branch)}/{marks.path(meta.id)}",
        files={
            columns[field]: f"{_root(bases, data.base_id, branch)}/{data.path}"
            for data in meta.files
            for field in data.fields
            if field in columns
        },
    )


def _columns_by_field(handle: lance.LanceDataset) -> dict[int, str]:
    """Return the column of each field number; the parts of a list count as the list."""
    return {number: str(field.name()) for field in handle.lance_schema.fields() for number in _numbers(field)}


def _numbers(field: Any) -> Iterator[int]:
    yield int(field.id())
    for child in field.children():
        yield from _numbers(child)


def _root(bases: Mapping[int, Any], base_id: int | None, branch: str | None) -> str:
    """Return the folder below the dataset that contains a file: that of its branch, or of one it was created from."""
    if base_id is not None and base_id in bases:
        return f"samples.lance{str(bases[base_id].path).rpartition('/samples.lance')[2]}"
    return root_of(branch)


def part_starts(parts: Sequence[Part]) -> NDArray[np.int64]:
    """Return the first row of each part, and after the last one the number of rows, int64."""
    starts = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([part.num_rows for part in parts], out=starts[1:])
    return starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Rows of a version that are rows of an earlier one, or a part that must be read.

    Parameters
    ----------
    begin, end : int
        The rows of the earlier version; equal for a part to read.
    place : int or None
        The part of this version to read.
    """

    begin: int = 0
    end: int = 0
    place: int | None = None


def runs(before: Sequence[Part], after: Sequence[Part], columns: Sequence[str]) -> list[Run]:
    """Return what the samples of a version are in some columns: rows of an earlier version, or parts to read."""
    known = {(part.name, part.marks): place for place, part in enumerate(before)}
    starts = part_starts(before).tolist()
    found: list[Run] = []
    for place, part in enumerate(after):
        old = known.get((part.name, part.marks))
        if old is None or any(before[old].files.get(name) != part.files.get(name) for name in columns):
            found.append(Run(place=place))
        elif found and found[-1].place is None and found[-1].end == starts[old]:
            found[-1] = Run(begin=found[-1].begin, end=starts[old + 1])
        else:
            found.append(Run(begin=starts[old], end=starts[old + 1]))
    return found
