"""Every sample read once, and what cannot be read or is not what was added."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from penstock._wording import escaped
from penstock.dataset.shown._report import Problem, Report
from penstock.dataset.views._view_records import damaged_records, view_records
from penstock.engines import Engine, EngineOption, check_num_workers, engine_of
from penstock.errors import PenstockError
from penstock.storage import Digests, Location, Store, column_names, wrong_tags
from penstock.table import OverlayTable, Rows, TablePart, part_rows
from penstock.tensors import TensorSpec, check_image, image_digest

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["verify"]

_THREADS = 2
_CHUNK = 64
_ENCODED_ROWS = 2048  # rows of a part of images
_COLUMN_ROWS = 1 << 17  # and of anything else


def verify(table: OverlayTable, store: Store, num_workers: int | None, engine: EngineOption = None) -> Report:
    """Read every sample of a table, and the records stored with it: what the store has, not the local cache."""
    table = table.from_store()
    check_num_workers(num_workers or 0)
    if engine is None:
        threads = _THREADS if num_workers is None else num_workers
        problems: list[Problem] = []
        for spec in table.tensors.values():
            found = _encoded(table, spec, threads) if spec.is_encoded else _column(table, spec)
            problems += sorted(found, key=lambda problem: -1 if problem.row is None else problem.row)
        damaged = _damaged(table, problems)
    else:
        with engine_of(engine) as opened:
            problems = _over(opened, table, num_workers or 0)
            damaged = _damaged(table, problems, partial(opened.map, num_workers=num_workers or 0))
    return Report(problems=(*damaged, *problems, *_wrong_records(store)), num_samples=table.num_rows)


def _over(engine: Engine, table: OverlayTable, num_workers: int) -> list[Problem]:
    """Read all tensors part by part, wherever the engine does it: one task, so that a worker opens the table once."""
    sizes = {name: _ENCODED_ROWS if spec.is_encoded else _COLUMN_ROWS for name, spec in table.tensors.items()}
    items = [(name, rows) for name, size in sizes.items() for rows in part_rows(table.num_rows, size)]
    found: dict[str, list[Problem]] = {name: [] for name in sizes}
    with ExitStack() as bars:
        shown = {name: bars.enter_context(_bar(table, spec)) for name, spec in table.tensors.items()}
        for (name, (start, stop)), some in zip(
            items, engine.map(_Part(table), items, num_workers=num_workers), strict=True
        ):
            shown[name].update(stop - start)
            found[name] += some
    whole = (next(([one] for one in each if one.row is None), each) for each in found.values())  # cannot be read at all
    return [one for each in whole for one in each]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The task: what is wrong in a tensor's rows."""

    table: OverlayTable

    def __call__(self, item: tuple[str, Rows]) -> list[Problem]:
        spec, part = self.table.tensors[item[0]], TablePart(self.table, item[1])
        if not spec.is_encoded:
            found = list(_column(part.table, spec))
        else:
            digests = part.table.digests(spec.name)
            chunks = [np.arange(*chunk) for chunk in part_rows(part.num_rows, _CHUNK)]
            found = [one for chunk in chunks for one in _chunk(part.table, spec, chunk, digests)]
        numbered = [one if one.row is None else replace(one, row=one.row + part.start) for one in found]
        return sorted(numbered, key=lambda problem: -1 if problem.row is None else problem.row)


def _wrong_records(store: Store) -> list[Problem]:
    """Report the tags, branches, saved views and their copies that are not what was written."""
    problems = [Problem(tensor="history", row=None, reason=reason) for reason in wrong_tags(store)]
    problems += [
        Problem(tensor="views", row=None, reason=f"{file!r} cannot be read") for file in damaged_records(store)
    ]
    for view_id, record in sorted(view_records(store).items()):
        if record.copy:
            problems += _damaged_copy(view_id, store.location.below(record.copy))
    return problems


def _damaged_copy(view_id: str, place: Location) -> list[Problem]:
    named = f"the copy of view {view_id!r}"
    try:
        copy = Store.open(place)
        damaged = Digests(copy).damaged(copy.head())
    except PenstockError as error:
        return [Problem(tensor=named, row=None, reason=str(error))]
    return [Problem(tensor=named, row=None, reason=damage.reason) for damage in damaged]


def _damaged(
    table: OverlayTable, found: Sequence[Problem], mapped: Callable[..., Iterable[Any]] | None = None
) -> list[Problem]:
    """Report files that differ from what was committed, unless a sample in them is already known to be damaged."""
    snapshot = table.stored.snapshot
    digests = Digests(Store.open(snapshot.location))
    owners = {column: name for name, spec in table.stored.specs.items() for column in column_names(spec)}
    problems = []
    for damage in digests.damaged(snapshot, mapped):
        if any(problem.row is not None and damage.first <= problem.row <= damage.last for problem in found):
            continue
        tensors = dict.fromkeys(owners[column] for column in damage.columns if column in owners)
        rows = f"samples {damage.first} to {damage.last}: {damage.reason}"
        problems += [Problem(tensor=name, row=None, reason=rows) for name in tensors or {"all tensors": None}]
    return problems


def _column(table: OverlayTable, spec: TensorSpec) -> Iterator[Problem]:
    try:
        column = table.column(spec.name)
    except PenstockError as error:
        yield Problem(tensor=spec.name, row=None, reason=str(error))
        return
    rows = np.repeat(np.arange(len(column)), column.lengths)
    if spec.htype == "class_label" and spec.class_names:
        wrong = (column.values < 0) | (column.values >= len(spec.class_names))
        for row in np.unique(rows[wrong]).tolist():
            yield Problem(tensor=spec.name, row=row, reason=f"a class index outside 0 to {len(spec.class_names) - 1}")
    if spec.htype == "bbox":
        for row in np.unique(rows[~np.isfinite(column.values)]).tolist():
            yield Problem(tensor=spec.name, row=row, reason="a coordinate that is not a finite number")


def _encoded(table: OverlayTable, spec: TensorSpec, num_workers: int) -> Iterator[Problem]:
    digests = table.digests(spec.name)
    chunks = [np.arange(start, min(start + _CHUNK, table.num_rows)) for start in range(0, table.num_rows, _CHUNK)]
    with ThreadPoolExecutor(max(1, num_workers)) as pool, _bar(table, spec) as bar:
        results = pool.map(lambda rows: _chunk(table, spec, rows, digests), chunks)
        for rows, found in zip(chunks, results, strict=True):
            bar.update(len(rows))
            yield from found


def _bar(table: OverlayTable, spec: TensorSpec) -> tqdm[NoReturn]:
    from tqdm.auto import tqdm

    few = table.num_rows < _CHUNK or not spec.is_encoded
    return tqdm(total=table.num_rows, desc=escaped(f"Reading {spec.name}"), unit=" samples", disable=few)


def _chunk(
    table: OverlayTable, spec: TensorSpec, rows: NDArray[np.int64], digests: NDArray[np.int64] | None
) -> list[Problem]:
    try:
        samples = list(table.take(rows, [spec.name])[spec.name])
    except PenstockError as error:
        if len(rows) == 1:
            return [Problem(tensor=spec.name, row=int(rows[0]), reason=str(error))]
        return [problem for row in rows for problem in _chunk(table, spec, np.array([row]), digests)]
    found = []
    for row, sample in zip(rows.tolist(), samples, strict=True):
        reason = _reason(spec, sample, 0 if digests is None else int(digests[row]), table.max_image_bytes)
        if reason:
            found.append(Problem(tensor=spec.name, row=row, reason=reason))
    return found


def _reason(spec: TensorSpec, sample: bytes | PenstockError | None, digest: int, max_bytes: int | None) -> str | None:
    if isinstance(sample, PenstockError):
        return str(sample)
    if spec.htype != "image" or sample is None:
        return None
    if digest and image_digest(sample) != digest:
        return "the bytes differ from those that were added"
    try:
        check_image(sample, max_bytes=max_bytes)
    except PenstockError as error:
        return str(error)
    return None
