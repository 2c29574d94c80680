"""Columns into a dataset, chunk by chunk; what cannot be read is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from penstock.dataset import Dataset
from penstock.errors import LinkError, PenstockError, SampleError
from penstock.importers.building._column import Column
from penstock.importers.building._packing import packed, rows_at_once
from penstock.importers.building._report import IssueLog
from penstock.tensors import Link, check_image

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["CHUNK", "Column", "add_notes", "add_rows", "create_tensors", "write_columns"]

CHUNK = 256


def write_columns(
    dataset: Dataset,
    columns: Sequence[Column],
    num_rows: int,
    *,
    log: IssueLog,
    num_workers: int,
    bar: tqdm[NoReturn],
) -> int:
    """Fill the tensors; return the number of samples that are in.

    Parameters
    ----------
    dataset : Dataset
        Has the tensors, and no rows.
    columns : sequence of Column
        The tensors.
    num_rows : int
        Number of rows of every column.
    log : IssueLog
        Takes samples that cannot be read; they are left out.
    num_workers : int
        Threads that read and check images.
    bar : tqdm
        Told of every chunk.
    """
    num_written = 0
    at_once = rows_at_once(columns, CHUNK)
    with _mapping(num_workers) as pooled, dataset, bar:
        for start in range(0, num_rows, at_once):
            rows = range(start, min(start + at_once, num_rows))
            if at_once > CHUNK and _write_packed(dataset, columns, rows):
                num_written += len(rows)
            else:
                for first in range(rows.start, rows.stop, CHUNK):
                    part = range(first, min(first + CHUNK, rows.stop))
                    taken = add_rows(dataset, columns, part, log=log, num_workers=num_workers, pooled=pooled)
                    num_written += len(taken)
            bar.update(len(rows))
    return num_written


def create_tensors(dataset: Dataset, columns: Sequence[Column]) -> None:
    """Create the tensors, empty."""
    for column in columns:
        dataset.create_tensor(column.name, htype=column.htype, **column.options)


def add_notes(columns: Sequence[Column], log: IssueLog) -> None:
    """Put into the report how the values were understood, when all are read."""
    for column in columns:
        for note in column.notes() if column.notes is not None else ():
            log.note(column.name, note)


class Target(Protocol):
    """What takes the samples of a chunk: a dataset, or what writes its rows apart."""

    @property
    def max_image_bytes(self) -> int | None:
        """Most bytes of a decoded image; None allows any size."""
        ...

    def append(self, sample: Mapping[str, Any]) -> None:
        """Add one sample."""
        ...

    def extend(self, samples: Mapping[str, Sequence[Any]], num_workers: int = 0) -> None:
        """Add many samples, all or none."""
        ...


def add_rows(
    target: Target,
    columns: Sequence[Column],
    rows: range,
    *,
    log: IssueLog,
    num_workers: int = 0,
    pooled: Callable[..., Any] = map,
) -> list[int]:
    """Read some rows and add them; return those that are in.

    Parameters
    ----------
    target : Dataset or RowsApart
        Has the tensors.
    columns : sequence of Column
        The tensors.
    rows : range
        The rows.
    log : IssueLog
        Takes rows that cannot be read; they are left out.
    num_workers : int
        Threads that check images.
    pooled : callable
        Reads, as `map` does.
    """
    values = {
        column.name: list(pooled(partial(_value, column, max_bytes=target.max_image_bytes), rows)) for column in columns
    }
    kept = [at for at in range(len(rows)) if not _refused(values, at, log)]
    _record(columns, [rows[at] for at in kept], log)
    return [rows[at] for at in _extend(target, values, rows, kept, log=log, num_workers=num_workers)]


def _write_packed(dataset: Dataset, columns: Sequence[Column], rows: range) -> bool:
    """Add samples, all or none of them; where one is refused, it is found and named when each is added by itself."""
    cells: dict[str, Any] = {column.name: packed(column, rows.start, rows.stop) for column in columns}
    if None in cells.values():
        return False
    try:
        dataset.extend(cells)
    except Exception as error:
        if not _is_of_a_sample(error):
            raise
        return False
    return True


@contextmanager
def _mapping(num_workers: int) -> Iterator[Callable[..., Any]]:
    """Yield `map`, which uses threads if there are workers."""
    if num_workers == 0:
        yield map
        return
    with ThreadPoolExecutor(num_workers) as pool:
        yield pool.map


@dataclass(frozen=True, slots=True)
class _Unreadable:
    source: str
    problem: str
    hint: str | None = None


def _value(column: Column, row: int, *, max_bytes: int | None) -> object:
    try:
        value = column.sample(row)
    except PenstockError as error:
        return _Unreadable(f"row {row}", error.message, error.hint)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  whatever a source raises for one of its rows
        return _Unreadable(f"row {row}", f"{column.name!r} cannot be read: {_reason(error)}")
    if column.htype == "image" and isinstance(value, Path):
        return _checked_image(value, max_bytes)
    if isinstance(value, Link) and "://" not in value.url and not Path(value.url).is_file():
        return _Unreadable(value.url, "the image file does not exist")
    return value


def _checked_image(path: Path, max_bytes: int | None) -> bytes | _Unreadable:
    try:
        encoded = path.read_bytes()
        check_image(encoded, max_bytes=max_bytes)
    except FileNotFoundError:
        return _Unreadable(str(path), "the image file does not exist")
    except SampleError as error:
        return _Unreadable(str(path), error.message, error.hint)
    except (OSError, ValueError) as error:
        return _Unreadable(str(path), f"cannot be read: {_reason(error)}")
    return encoded


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split())[:200] or type(error).__name__


def _refused(values: dict[str, list[Any]], at: int, log: IssueLog) -> bool:
    broken = [samples[at] for samples in values.values() if isinstance(samples[at], _Unreadable)]
    for one in broken:
        log.refuse(one.source, one.problem, hint=one.hint)
    return bool(broken)


def _record(columns: Sequence[Column], rows: Sequence[int], log: IssueLog) -> None:
    """Put into the report what was refused and repaired inside the values of some rows."""
    for row in rows:
        for issue in (issue for column in columns if column.issues is not None for issue in column.issues(row)):
            (log.refuse if issue.action == "rejected" else log.repair)(issue.source, issue.problem)


def _extend(
    target: Target, values: dict[str, list[Any]], rows: range, kept: list[int], *, log: IssueLog, num_workers: int
) -> list[int]:
    """Add the kept samples of a chunk, one by one when some are refused; return the places of those that are in."""
    try:
        target.extend({name: [samples[at] for at in kept] for name, samples in values.items()}, num_workers)
    except Exception as error:
        if not _is_of_a_sample(error):
            raise
        return [at for at in kept if _append(target, {name: values[name][at] for name in values}, rows[at], log)]
    return kept


def _append(target: Target, sample: dict[str, Any], row: int, log: IssueLog) -> bool:
    try:
        target.append(sample)
    except Exception as error:
        if not _is_of_a_sample(error):
            raise
        link = next((value.url for value in sample.values() if isinstance(value, Link)), None)
        hint = error.hint if isinstance(error, PenstockError) else None
        log.refuse(link or f"row {row}", getattr(error, "message", None) or _reason(error), hint=hint)
        return False
    return True


def _is_of_a_sample(error: Exception) -> bool:
    """Return whether an error is about a value, and not about the dataset, the disk or memory."""
    if isinstance(error, SampleError | LinkError):
        return True
    return not isinstance(error, PenstockError | OSError | MemoryError)
