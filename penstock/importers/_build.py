"""From columns to a committed dataset, written beside its place and moved there when it is whole."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from penstock.dataset import Dataset, empty, load
from penstock.errors import DatasetExistsError, ImporterError, PenstockError, SampleError
from penstock.importers._report import ImportReport, IssueLog
from penstock.tensors import Link, thumbnail

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["Column", "build", "import_report"]

_CHUNK = 256
_REPORT_FILE = "import-report.json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """One tensor to be written.

    Parameters
    ----------
    name : str
        The tensor's name.
    htype : str
        Kind of tensor.
    sample : callable
        Row to value.
    options : dict
        Further options of `Dataset.create_tensor`.
    """

    name: str
    htype: str
    sample: Callable[[int], Any]
    options: dict[str, Any] = field(default_factory=dict)


def build(
    dest: str | os.PathLike[str],
    columns: Sequence[Column],
    num_rows: int,
    *,
    source: str,
    log: IssueLog,
    num_workers: int = 0,
    progress: bool = True,
) -> Dataset:
    """Write columns as a new dataset, commit it and open it.

    Parameters
    ----------
    dest : str or path
        Where it is made; nothing is left there when writing fails.
    columns : sequence of Column
        The tensors. A path as an image's sample is read and checked.
    num_rows : int
        Rows of every column.
    source : str
        What is imported, for the commit message and the report.
    log : IssueLog
        Takes images that cannot be read; their rows are left out.
    num_workers : int
        Threads that read and check images.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    DatasetExistsError
        If there is something at `dest`.
    """
    with _staged(dest) as staging, _mapping(num_workers) as pooled:
        dataset = empty(staging)
        for column in columns:
            dataset.create_tensor(column.name, htype=column.htype, **column.options)
        bar = _bar(source, num_rows, shown=progress)
        num_written = _write(dataset, columns, num_rows, log=log, pooled=pooled, bar=bar)
        report = ImportReport(source=source, num_samples=num_written, issues=tuple(log.issues))
        dataset.commit(f"import {report.summary()}")
        if not _is_url(dest):
            Path(staging, _REPORT_FILE).write_text(report.to_json())
    if progress and report.issues:
        _print(str(report))
    return load(dest)


def import_report(dataset: Dataset | str | os.PathLike[str]) -> ImportReport:
    """Return what the import of a dataset refused and repaired.

    Parameters
    ----------
    dataset : Dataset, str or path
        A dataset made by an importer, on a local disk.

    Raises
    ------
    ImporterError
        If the dataset was not made by an importer.
    """
    path = Path(str(getattr(dataset, "path", dataset)))
    try:
        return ImportReport.from_json((path / _REPORT_FILE).read_text())
    except OSError:
        raise ImporterError(f"{str(path)!r} has no import report; expected a dataset made by an importer") from None


@contextmanager
def _staged(dest: str | os.PathLike[str]) -> Iterator[str]:
    """Give a folder beside `dest` that becomes `dest` when the block ends well, and vanishes otherwise."""
    if _is_url(dest):
        yield str(dest)
        return
    target = Path(dest).expanduser().absolute()
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise DatasetExistsError(f"something is stored at {str(target)!r} already", hint="choose another destination")
    staging = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield str(staging)
        staging.replace(target)
    except OSError as error:
        if isinstance(error, PenstockError):
            raise
        raise ImporterError(f"the dataset cannot be written to {str(target)!r}: {error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _mapping(num_workers: int) -> Iterator[Callable[..., Any]]:
    """Give `map`, over threads when there are workers."""
    if num_workers < 0:
        raise ImporterError(f"num_workers is {num_workers}; expected 0 or more threads")
    if num_workers == 0:
        yield map
        return
    with ThreadPoolExecutor(num_workers) as pool:
        yield pool.map


def _write(
    dataset: Dataset,
    columns: Sequence[Column],
    num_rows: int,
    *,
    log: IssueLog,
    pooled: Callable[..., Any],
    bar: tqdm[NoReturn],
) -> int:
    """Write chunk after chunk; return the number of samples that are in."""
    num_written = 0
    with dataset, bar:
        for start in range(0, num_rows, _CHUNK):
            rows = range(start, min(start + _CHUNK, num_rows))
            values = {column.name: list(pooled(partial(_value, column), rows)) for column in columns}
            kept = [at for at in range(len(rows)) if not _refused(values, at, log)]
            dataset.extend({name: [samples[at] for at in kept] for name, samples in values.items()})
            num_written += len(kept)
            bar.update(len(rows))
    return num_written


@dataclass(frozen=True, slots=True)
class _Unreadable:
    source: str
    problem: str


def _value(column: Column, row: int) -> object:
    try:
        value = column.sample(row)
    except ImporterError as error:
        return _Unreadable(f"row {row}", str(error))
    if column.htype == "image" and isinstance(value, Path):
        return _checked_image(value)
    if isinstance(value, Link) and "://" not in value.url and not Path(value.url).is_file():
        return _Unreadable(value.url, "no such image file")
    return value


def _checked_image(path: Path) -> bytes | _Unreadable:
    try:
        encoded = path.read_bytes()
        thumbnail(encoded, 1)
    except FileNotFoundError:
        return _Unreadable(str(path), "no such image file")
    except (OSError, SampleError) as error:
        return _Unreadable(str(path), str(error))
    return encoded


def _refused(values: dict[str, list[Any]], at: int, log: IssueLog) -> bool:
    broken = [samples[at] for samples in values.values() if isinstance(samples[at], _Unreadable)]
    for one in broken:
        log.refuse(one.source, one.problem)
    return bool(broken)


def _bar(source: str, num_rows: int, *, shown: bool) -> tqdm[NoReturn]:
    from tqdm.auto import tqdm

    return tqdm(total=num_rows, desc=f"import {source}", unit=" samples", disable=not shown)


def _print(text: str) -> None:
    from tqdm.auto import tqdm

    tqdm.write(text)


def _is_url(dest: str | os.PathLike[str]) -> bool:
    return "://" in os.fspath(dest)
