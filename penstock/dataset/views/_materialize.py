"""Copying the samples of a view to a dataset of its own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from numpy.typing import NDArray

from penstock.engines import EngineOption, engine_of
from penstock.errors import PenstockError
from penstock.storage import ROWS_PER_FILE, Digests, Location, Store, sign, write_rows
from penstock.table import OverlayTable, part_rows
from penstock.tensors import Cell, TensorSpec, image_digest, image_shape

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["Copying", "materialize"]

_CHUNK = 128
_DIGESTS = "copy"  # a copy is written once and has one record of its files
_MAX_BYTES = 64 * 2**20
_PARTS = 64  # that an engine copies, unless they would be too small
_FEWEST = 1024  # rows of a part: each becomes a file


@dataclass(frozen=True, slots=True)
class Copying:
    """How samples are copied.

    Parameters
    ----------
    num_workers : int
        Threads that read; of an engine, parts at the same time.
    engine : Engine, str or None
        Where parts are read and written; None is here.
    """

    num_workers: int = 0
    engine: EngineOption = None


def materialize(source: OverlayTable, rows: NDArray[np.int64], place: Location, copying: Copying) -> None:
    """Copy rows in their order; what is half done is removed."""
    from tqdm.auto import tqdm

    specs = {name: replace(spec, link=False) for name, spec in source.tensors.items()}
    try:
        place.make_folder()
        sign(place)
        with place.lock():  # tells others that the copy is being made, and is no leftover
            store = Store.create(place, {"format": 1, "tensors": [spec.to_json() for spec in specs.values()]})
            with tqdm(total=len(rows), desc="Copying samples", unit="sample") as bar:
                if copying.engine is None:
                    for chunk, columns in _grouped(source, specs, rows, copying.num_workers):
                        store.add_columns(list(columns))
                        store.append(source.uids(chunk), columns)
                        bar.update(len(chunk))
                else:
                    _copy_over(copying, source, specs, rows, store, bar)
            Digests(store).record(store.head(), _DIGESTS)
    except BaseException:
        place.remove()
        raise


def _copy_over(
    copying: Copying,
    source: OverlayTable,
    specs: dict[str, TensorSpec],
    rows: NDArray[np.int64],
    store: Store,
    bar: tqdm[NoReturn],
) -> None:
    """Let an engine read and write parts; one step makes all of them the copy."""
    store.add_columns(list(specs.values()))
    size = min(max(-(-len(rows) // _PARTS), _FEWEST), ROWS_PER_FILE)
    parts = [rows[start:stop] for start, stop in part_rows(len(rows), size)]
    files: list[str] = []
    with engine_of(copying.engine) as engine:
        copied = engine.map(_Copy(source, specs, store.location), parts, num_workers=copying.num_workers)
        for part, written in zip(parts, copied, strict=True):
            files += written
            bar.update(len(part))
    store.append_files(files)
    store.sweep_files()


@dataclass(frozen=True, slots=True, eq=False)
class _Copy:
    """The task: some rows, read and written to files of their own."""

    source: OverlayTable
    specs: dict[str, TensorSpec]
    place: Location

    def __call__(self, rows: NDArray[np.int64]) -> list[str]:
        chunks = (rows[start:stop] for start, stop in part_rows(len(rows), _CHUNK))
        parts = (_read(self.source, self.specs, chunk) for chunk in chunks)
        written = ((self.source.uids(chunk), columns) for chunk, columns in parts)
        return write_rows(self.place, written, list(self.specs.values()))


_Part = tuple[NDArray[np.int64], dict[TensorSpec, list[Cell]]]


def _grouped(
    source: OverlayTable, specs: dict[str, TensorSpec], rows: NDArray[np.int64], num_workers: int
) -> Iterator[_Part]:
    """Read chunks in threads, a few ahead, and join them to about 64 MB."""
    chunks = iter([rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)])
    pending: list[_Part] = []
    size = 0
    with ThreadPoolExecutor(max(1, num_workers)) as pool:
        ahead = [pool.submit(_read, source, specs, chunk) for chunk in islice(chunks, 2 * max(1, num_workers))]
        while ahead:
            part = ahead.pop(0).result()
            following = next(chunks, None)
            if following is not None:
                ahead.append(pool.submit(_read, source, specs, following))
            pending.append(part)
            size += sum(cell.num_bytes for cells in part[1].values() for cell in cells)
            if size >= _MAX_BYTES:
                yield _joined(pending)
                pending, size = [], 0
    if pending:
        yield _joined(pending)


def _joined(parts: list[_Part]) -> _Part:
    rows = np.concatenate([rows for rows, _ in parts])
    return rows, {spec: [cell for _, columns in parts for cell in columns[spec]] for spec in parts[0][1]}


def _read(source: OverlayTable, specs: dict[str, TensorSpec], rows: NDArray[np.int64]) -> _Part:
    ranks = np.argsort(rows)
    back = np.argsort(ranks)
    cells = source.cells(rows[ranks], list(specs))
    columns = {}
    for name, spec in specs.items():
        ordered = [cells[name][place] for place in back]
        columns[spec] = _fetched(source, spec, rows, ordered) if source.tensors[name].link else ordered
    return rows, columns


def _fetched(source: OverlayTable, spec: TensorSpec, rows: NDArray[np.int64], cells: list[Cell]) -> list[Cell]:
    images = source.take(rows, [spec.name])[spec.name]
    fetched = []
    for row, image, cell in zip(rows, images, cells, strict=True):
        if isinstance(image, PenstockError):
            image.message = f"sample {row}: {image.message}"
            raise image
        shape = cell.shape if image is None or cell.shape is not None else image_shape(image)
        fetched.append(Cell(value=image, shape=shape, digest=None if image is None else image_digest(image)))
    return fetched
