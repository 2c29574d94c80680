"""Samples as a Ray Dataset, whose blocks are read where Ray runs its tasks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples._content import Content
from penstock.engines import check_num_workers, ray_module
from penstock.errors import DatasetError, TensorNotFoundError
from penstock.table import Table, part_rows
from penstock.tensors import decode_image

__all__ = ["to_ray"]

_INDEX = "index"
_IMAGE_ROWS = 512  # rows a task reads where there are images
_ROWS = 1 << 16  # and where there are none
_BLOCK = 64  # rows of images that are decoded at a time


def to_ray(content: Content, tensors: Sequence[str] | None, *, decode: bool, num_blocks: int | None) -> Any:
    """Return the samples as a Ray Dataset, in their order."""
    check_num_workers(num_blocks or 0)
    names = _names(content, tensors)
    table, rows = content.state()
    ray_module()
    data = import_module("ray.data")
    has_images = any(table.tensors[name].is_encoded for name in names)
    most = _IMAGE_ROWS if has_images else _ROWS
    size = max(1, -(-len(rows) // num_blocks)) if num_blocks else most
    read = _Read(table, tuple(names), decode=decode, size=_BLOCK if has_images else _ROWS)
    parts = [rows[start:stop] for start, stop in part_rows(len(rows), size)]
    made: Any = data.read_datasource(_source(read, parts), override_num_blocks=max(len(parts), 1))
    made.context.execution_options.preserve_order = True  # else blocks come as they are done
    return made


def _names(content: Content, tensors: Sequence[str] | None) -> list[str]:
    known = content.names()
    if tensors is None:
        return [name for name in known if name != _INDEX]
    if isinstance(tensors, str):
        raise DatasetError(f"tensors={tensors!r} is not valid. Expected a list of names", hint=f"[{tensors!r}]")
    for name in tensors:
        if name not in known:
            raise TensorNotFoundError(name, known)
    return list(tensors)


def _source(read: _Read, parts: Sequence[NDArray[np.int64]]) -> Any:
    """Return a source of Ray's kind; its classes exist only where Ray is installed."""
    from ray.data.block import BlockMetadata
    from ray.data.datasource import Datasource, ReadTask

    class Samples(Datasource):  # type: ignore[misc]  # Ray has no types here
        """Parts of a view."""

        def get_name(self) -> str:
            return "penstock"

        def estimate_inmemory_data_size(self) -> int | None:
            return None

        def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[Any]:  # noqa: ARG002  parts are given
            return [ReadTask(partial(read, part), _metadata(len(part))) for part in parts]

    def _metadata(count: int) -> Any:
        return BlockMetadata(num_rows=count, size_bytes=None, input_files=None, exec_stats=None)

    return Samples()


@dataclass(frozen=True, slots=True, eq=False, kw_only=False)
class _Read:
    """Reads rows as blocks of Ray's kind."""

    table: Table
    names: tuple[str, ...]
    decode: bool
    size: int

    def __call__(self, rows: NDArray[np.int64]) -> Iterator[Any]:
        from ray.data.block import BlockAccessor

        for start, stop in part_rows(len(rows), self.size):
            yield BlockAccessor.batch_to_block(self.batch(rows[start:stop]))

    def batch(self, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Return some rows as arrays, each with a sample for each row."""
        taken = self.table.take(rows, self.names)
        return {name: self._column(name, taken[name]) for name in self.names} | {_INDEX: rows}

    def _column(self, name: str, samples: Sequence[Any]) -> NDArray[Any]:
        value = self._value(name)
        found = [None if sample is None else value(sample) for sample in samples]
        shapes = {getattr(sample, "shape", None) for sample in found}
        if len(shapes) == 1 and None not in shapes:
            return np.stack(found)  # type: ignore[arg-type]  # none of them is None
        column = np.empty(len(found), object)
        column[:] = found
        return column

    def _value(self, name: str) -> Callable[[Any], Any]:
        kind = self.table.tensors[name].htype
        if kind == "json":
            return json.dumps
        if kind != "image":
            return _same
        return partial(_decoded, allowed=self.table.max_image_bytes) if self.decode else _encoded


def _same(sample: Any) -> Any:
    return sample


def _raised(sample: Any) -> Any:
    """Return a sample; a link that could not be read is its error."""
    if isinstance(sample, Exception):
        raise sample
    return sample


def _encoded(sample: Any) -> Any:
    return bytes(_raised(sample))


def _decoded(sample: Any, allowed: int | None) -> Any:
    return sample if isinstance(sample, np.ndarray) else decode_image(_raised(sample), max_bytes=allowed)
