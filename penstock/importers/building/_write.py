"""Columns into a dataset, chunk by chunk; what cannot be read is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from penstock.dataset import Dataset
from penstock.errors import LinkError, PenstockError, SampleError
from penstock.importers.building._column import Column
from penstock.importers.building._packing import packed, rows_at_once
from penstock.importers.building._report import IssueLog
from penstock.tensors import Link, check_image

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["Column", "write_columns"]

_CHUNK = 256


def write_columns(
    dataset: Dataset,
    columns: Sequence[Column],
    num_rows: int,
    *,
    log: IssueLog,
    num_workers: int,
    bar: tqdm[NoReturn],
) -> int:
    """Create and fill the tensors; return the number of samples that are in.

    Parameters
    ----------
    dataset : Dataset
        Empty.
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
    for column in columns:
        dataset.create_tensor(column.name, htype=column.htype, **column.options)
    num_written = 0
    at_once = rows_at_once(columns, _CHUNK)
    with _mapping(num_workers) as pooled, dataset, bar:
        for start in range(0, num_rows, at_once):
            rows = range(start, min(start + at_once, num_rows))
            if at_once > _CHUNK and _write_packed(dataset, columns, rows):
                num_written += len(rows)
            else:
                for first in range(rows.start, rows.stop, _CHUNK):
                    part = range(first, min(first + _CHUNK, rows.stop))
                    num_written += _write_rows(dataset, columns, part, pooled, log=log, num_workers=num_workers)
            bar.update(len(rows))
    for column in columns:
        for note in column.notes() if column.notes is not None else ():
            log.note(column.name, note)
    return num_written


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


def _write_rows(
    dataset: Dataset,
    columns: Sequence[Column],
    rows: range,
    pooled: Callable[..., Any],
    *,
    log: IssueLog,
    num_workers: int,
) -> int:
    """Read, check and add some samples; return how many were added."""
    values = {
        column.name: list(pooled(partial(_value, column, max_bytes=dataset.max_image_bytes), rows))
        for column in columns
    }
    kept = [at for at in range(len(rows)) if not _refused(values, at, log)]
    _record(columns, [rows[at] for at in kept], log)
    return _extend(dataset, values, rows, kept, log=log, num_workers=num_workers)


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
    dataset: Dataset, values: dict[str, list[Any]], rows: range, kept: list[int], *, log: IssueLog, num_workers: int
) -> int:
    """Add the kept samples of a chunk, one by one when the dataset refuses some."""
    try:
        dataset.extend({name: [samples[at] for at in kept] for name, samples in values.items()}, num_workers)
    except Exception as error:
        if not _is_of_a_sample(error):
            raise
        return sum(_append(dataset, {name: values[name][at] for name in values}, rows[at], log) for at in kept)
    return len(kept)


def _append(dataset: Dataset, sample: dict[str, Any], row: int, log: IssueLog) -> bool:
    try:
        dataset.append(sample)
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
