"""From columns to a committed dataset, written beside its place and moved there when it is whole."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from penstock.dataset import Dataset, empty, load
from penstock.errors import DatasetExistsError, ImporterError, PenstockError, escaped
from penstock.importers._objects import align_objects
from penstock.importers._report import ImportReport, IssueLog
from penstock.importers._write import Column, write_columns
from penstock.tensors import MAX_IMAGE_BYTES

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["Column", "build", "import_report", "load_or_make"]

_REPORT_FILE = "import-report.json"


def build(
    dest: str | os.PathLike[str],
    columns: Sequence[Column],
    num_rows: int,
    *,
    source: str,
    log: IssueLog,
    num_workers: int = 0,
    progress: bool = True,
    creds_keys: Sequence[str] = (),
    max_image_bytes: int | None = MAX_IMAGE_BYTES,
) -> Dataset:
    """Write columns as a new dataset, commit it and open it.

    Parameters
    ----------
    dest : str or path
        Where it is made; nothing is left there when writing fails.
    columns : sequence of Column
        The tensors.
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
    creds_keys : sequence of str
        Names of the credentials that links use.
    max_image_bytes : int, optional
        Most bytes a decoded image may have; None allows any size.

    Raises
    ------
    DatasetExistsError
        If there is something at `dest`.
    """
    if num_workers < 0:
        raise ImporterError(f"num_workers is {num_workers}; expected 0 or more threads")
    with _staged(dest) as staging:
        dataset = empty(staging, max_image_bytes=max_image_bytes)
        for key in creds_keys:
            dataset.add_creds_key(key)
        bar = _bar(source, num_rows, shown=progress)
        num_written = write_columns(dataset, columns, num_rows, log=log, num_workers=num_workers, bar=bar)
        report = ImportReport(source=source, num_samples=num_written, issues=tuple(log.issues))
        align_objects(dataset)
        dataset.commit(f"import {report.summary()}")
        if not _is_url(dest):
            Path(staging, _REPORT_FILE).write_text(report.to_json())
    if progress and report.issues:
        _print(str(report))
    return load(dest, max_image_bytes=max_image_bytes)


def load_or_make(cached: Path, make: Callable[[], Dataset]) -> Dataset:
    """Open the dataset at `cached`, made first if need be; two processes at once end with one dataset.

    Parameters
    ----------
    cached : Path
        Where it is kept.
    make : callable
        Makes it there, whole or not at all.
    """
    if not cached.exists():
        try:
            return make()
        except PenstockError:
            if not cached.exists():
                raise
    return load(cached)


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


def _bar(source: str, num_rows: int, *, shown: bool) -> tqdm[NoReturn]:
    from tqdm.auto import tqdm

    return tqdm(total=num_rows, desc=escaped(f"import {source}"), unit=" samples", disable=not shown)


def _print(text: str) -> None:
    from tqdm.auto import tqdm

    tqdm.write(text)


def _is_url(dest: str | os.PathLike[str]) -> bool:
    return "://" in os.fspath(dest)
