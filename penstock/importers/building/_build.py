"""From columns to a committed dataset, written next to its path and moved there when complete."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from penstock._wording import escaped
from penstock.dataset import Dataset, empty, load
from penstock.dataset.samples import content_of
from penstock.engines import EngineOption, engine_of
from penstock.errors import DatasetExistsError, ImporterError, PenstockError
from penstock.importers.building._objects import align_objects
from penstock.importers.building._over import write_over
from penstock.importers.building._report import ImportReport, IssueLog
from penstock.importers.building._sources import path_of
from penstock.importers.building._staging import check_free, staged
from penstock.importers.building._write import Column, add_notes, create_tensors, write_columns
from penstock.storage import Location, published
from penstock.table import class_keys
from penstock.tensors import MAX_IMAGE_BYTES

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["Column", "build", "check_dest", "check_options", "import_report", "load_or_make"]

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
    info: Mapping[str, Any] | None = None,
    engine: EngineOption = None,
) -> Dataset:
    """Write columns as a new dataset, commit it and open it.

    Parameters
    ----------
    dest : str or path
        Where to create it; nothing is left there if writing fails.
    columns : sequence of Column
        The tensors.
    num_rows : int
        Number of rows of every column.
    source : str
        Name of the source, for the commit message and the report.
    log : IssueLog
        Receives images that cannot be read; their rows are left out.
    num_workers : int
        Threads that read and check images.
    progress : bool
        Whether to show a progress bar.
    creds_keys : sequence of str
        Names of the credentials that links use.
    max_image_bytes : int, optional
        Maximum size of a decoded image in bytes; None allows any size.
    info : mapping, optional
        What is noted of the source in ``info["source"]``.
    engine : Engine, str or None
        Where parts of the rows are read and written; None is here.

    Raises
    ------
    DatasetExistsError
        If `dest` already exists.
    """
    check_options(num_workers, max_image_bytes)
    place = _place(dest)
    with _placed(place) as staging:
        dataset = empty(staging, max_image_bytes=max_image_bytes)
        for key in creds_keys:
            dataset.add_creds_key(key)
        bar = _bar(source, num_rows, shown=progress)
        num_written = _filled(dataset, columns, num_rows, log=log, num_workers=num_workers, bar=bar, engine=engine)
        report = ImportReport(source=source, num_samples=num_written, issues=tuple(log.issues))
        align_objects(dataset)
        if info is not None:
            dataset.info["source"] = {**info, "class_keys": _class_keys(dataset)}
        dataset.commit(f"import {report.summary()}")
        Location(staging).write(_REPORT_FILE, report.to_json().encode())
    if progress and report.issues:
        _print(str(report))
    return load(place, max_image_bytes=max_image_bytes)


def _filled(
    dataset: Dataset,
    columns: Sequence[Column],
    num_rows: int,
    *,
    log: IssueLog,
    num_workers: int,
    bar: tqdm[NoReturn],
    engine: EngineOption,
) -> int:
    """Create and fill the tensors; return the number of samples that are in."""
    create_tensors(dataset, columns)
    num_written = None
    if engine is not None:
        with engine_of(engine) as opened:
            num_written = write_over(
                dataset, columns, num_rows, log=log, engine=opened, num_workers=num_workers, bar=bar
            )
    if num_written is None:
        num_written = write_columns(dataset, columns, num_rows, log=log, num_workers=num_workers, bar=bar)
    bar.close()
    add_notes(columns, log)
    return num_written


def _class_keys(dataset: Dataset) -> dict[str, str]:
    """Return the name of each class of the boxes, by the key that stays with it."""
    stored = content_of(dataset).table.stored
    labels = next((spec for spec in stored.specs.values() if spec.htype == "class_label" and spec.aligned_with), None)
    if labels is None:
        return {}
    return dict(zip(class_keys(stored.snapshot.meta, labels.name), labels.class_names, strict=True))


def check_dest(dest: str | os.PathLike[str]) -> None:
    """Refuse a destination where there is something, before what is to be imported is fetched."""
    place = _place(dest)
    if not _is_url(place):
        check_free(Path(place).absolute())
    elif Location(place).exists():
        raise DatasetExistsError(f"{place!r} already exists", hint="choose another destination")


def _place(dest: str | os.PathLike[str]) -> str:
    dest = dest.removeprefix("file://") if isinstance(dest, str) else dest
    return str(dest) if _is_url(dest) else str(path_of(dest, "the new dataset"))


def check_options(num_workers: int, max_image_bytes: int | None) -> None:
    """Raise if the number of threads or of bytes is not valid."""
    if isinstance(num_workers, bool) or not isinstance(num_workers, int) or num_workers < 0:
        raise ImporterError(f"num_workers={num_workers!r} is not valid. Expected 0 or more threads")
    whole = isinstance(max_image_bytes, int) and not isinstance(max_image_bytes, bool)
    if max_image_bytes is not None and not (whole and max_image_bytes > 0):
        raise ImporterError(
            f"max_image_bytes={max_image_bytes!r} is not valid. Expected a number of bytes, or None for any size"
        )


def load_or_make(cached: Path, make: Callable[[], Dataset]) -> Dataset:
    """Open the dataset at `cached`, creating it if needed; two processes at once get the same one.

    Parameters
    ----------
    cached : Path
        Its location.
    make : callable
        Creates it there, completely or not at all.
    """
    if not cached.exists():
        try:
            return make()
        except PenstockError:
            if not cached.exists():
                raise
    return load(cached)


def import_report(dataset: Dataset | str | os.PathLike[str]) -> ImportReport:
    """Return the report of the import that created a dataset.

    Parameters
    ----------
    dataset : Dataset, str or path
        A dataset made by an importer.

    Raises
    ------
    ImporterError
        If the dataset was not made by an importer.
    """
    location = Location(str(getattr(dataset, "path", dataset)))
    content = location.read(_REPORT_FILE)
    if content is None:
        raise ImporterError(f"{location.path!r} has no import report. Expected a dataset created by an importer")
    return ImportReport.from_json(content.decode())


@contextmanager
def _placed(dest: str) -> Iterator[str]:
    """Yield the path to write to, from which the dataset is moved to `dest` at the end."""
    if _is_url(dest):
        with published(Location(dest)) as place:
            yield place.path
        return
    with staged(Path(dest).absolute()) as staging:
        yield str(staging)


def _bar(source: str, num_rows: int, *, shown: bool) -> tqdm[NoReturn]:
    from tqdm.auto import tqdm

    return tqdm(total=num_rows, desc=escaped(f"import {source}"), unit=" samples", disable=not shown)


def _print(text: str) -> None:
    from tqdm.auto import tqdm

    tqdm.write(text)


def _is_url(dest: object) -> bool:
    return isinstance(dest, str) and "://" in dest
