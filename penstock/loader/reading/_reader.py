"""Rows to decoded batches: sorted take, each distinct row once, errors by policy."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import LoaderError, PenstockError
from penstock.loader.batching._batch import Batch, Draw
from penstock.loader.reading._batch_memory import BatchMemory
from penstock.loader.reading._decode import decode_images, decode_values
from penstock.loader.reading._decode_pool import DecodePool
from penstock.loader.reading._prefetch import PrefetchedImages, Take
from penstock.loader.settings._boxes import BoxScales
from penstock.loader.settings._settings import Settings
from penstock.storage import renew_in_children
from penstock.table import Table

__all__ = ["Reader", "Substitutes"]

Substitutes = Callable[[int, int, int, int], int]
"""(epoch, position, pool position, attempt) to the pool position of another sample of the same stratum."""

Failures = dict[int, tuple[str, PenstockError]]
"""The tensor and the error of each place of a batch that could not be read."""

_MOST_SUBSTITUTES = 16
_IN_HAND = 2


class Reader:
    """Reads and decodes whole batches; safe to call from several threads.

    Parameters
    ----------
    table : Table
        What is read.
    pool : ndarray of int64, shape (num_samples,)
        Rows that are drawn from.
    settings : Settings
        Tensors, decode methods, sizes and what happens to samples that cannot be read.
    """

    def __init__(self, table: Table, pool: NDArray[np.int64], settings: Settings) -> None:
        self._table = table
        self.take: Take = table.take_views
        self._pool = pool
        self._settings = settings
        self._decode_pool = DecodePool()
        self.renew()
        renew_in_children(self)
        self.memory = BatchMemory(settings.prefetch_factor * max(1, settings.reader_threads) + _IN_HAND)
        self.tensors = tuple(table.tensors) if settings.tensors is None else settings.tensors
        self.images = tuple(name for name in self.tensors if table.tensors[name].htype == "image")
        self.fixed = {name: self._fixed_shape(name) for name in self.tensors}
        self._scales = BoxScales(table, settings.scale_boxes, settings.resize) if settings.scale_boxes else None
        if self.images:
            _load_decoders(resizing=bool(settings.resize))

    def renew(self) -> None:
        """Count the threads that decode anew, in a forked child."""
        self._decoding = _decoders(self._settings.reader_threads)

    def _fixed_shape(self, name: str) -> tuple[int, ...] | None:
        """Return the one shape of all samples of a tensor as delivered, or None where there is none."""
        spec = self._table.tensors[name]
        if spec.htype in {"text", "json"} or self._settings.decode_method.get(name, "numpy") != "numpy":
            return None
        if spec.htype == "class_label":
            return (1,) if spec.single_valued else None
        if not spec.is_encoded and self._table.has_nulls(name):
            return None
        shapes = self._table.shapes(name)
        shapes = shapes if len(self._pool) >= len(shapes) else shapes[self._pool]
        if len(shapes) == 0:
            return None
        size = self._settings.resize.get(name)
        if size is not None:
            return (*size, _common_channels(shapes))
        least, greatest = shapes.min(axis=0), shapes.max(axis=0)
        return tuple(least.tolist()) if (least == greatest).all() and (least >= 0).all() else None

    def axes(self, name: str) -> tuple[int | None, ...]:
        """Return the length of each axis of a tensor's samples, None where they differ."""
        shapes = self._table.shapes(name)
        shapes = shapes[self._pool] if len(self._pool) < len(shapes) else shapes
        if len(shapes) == 0:
            return (None,) * int(shapes.shape[1])
        least: list[int] = shapes.min(axis=0).tolist()
        greatest: list[int] = shapes.max(axis=0).tolist()
        return tuple(low if low == high and low >= 0 else None for low, high in zip(least, greatest, strict=True))

    def dtype(self, name: str) -> str:
        """Return the dtype of a tensor's samples as delivered; "string" where they are not arrays."""
        spec = self._table.tensors[name]
        if spec.htype in {"text", "json"} or self._settings.decode_method.get(name, "numpy") != "numpy":
            return "string"
        return {"image": "uint8", "class_label": "int64"}.get(spec.htype, spec.dtype)

    def read(self, draw: Draw, substitutes: Substitutes, images: PrefetchedImages | None = None) -> Batch:
        """Return the decoded samples of a draw.

        Parameters
        ----------
        draw : Draw
            What to read.
        substitutes : callable
            Names another sample for one that cannot be read.
        images : callable, optional
            Gives images that are read with those of other batches.

        Raises
        ------
        PenstockError
            The error of the first sample that cannot be read, with its row, its
            uid and its tensor, unless the loader skips or substitutes such samples.
        """
        batch, errors = self._attempt(draw, images)
        if not errors:
            return batch
        if self._settings.on_error == "raise":
            slot = min(errors)
            failure = self._located(int(draw.rows[slot]), *errors[slot])
            del batch, errors  # the traceback keeps this frame
            raise failure
        failed = [(int(draw.rows[slot]), f"{name}: {error.message}") for slot, (name, error) in sorted(errors.items())]
        if self._settings.on_error == "substitute":
            batch = self._substituted(batch, errors, substitutes)
            batch.substituted = failed
            return batch
        return self._skipped(batch, errors, failed)

    def _located(self, row: int, name: str, error: PenstockError) -> PenstockError:
        uid = int(self._table.uids(np.array([row], np.int64))[0])
        error.args = (f"{name!r} of row {row} (uid {uid}): {error.message}",)
        error.message = error.args[0]
        error.hint = error.hint or "on_error='skip' or 'substitute' goes on without it"
        return error

    def _attempt(self, draw: Draw, images: PrefetchedImages | None = None) -> tuple[Batch, Failures]:
        began = time.perf_counter()
        # each row is read once, in the order of the store; `out_of` leads back to the order of the draw
        distinct, out_of = np.unique(draw.rows, return_inverse=True)
        raw = self._raw(distinct, images)
        read = time.perf_counter()
        with self._decoding:
            ready = time.perf_counter()
            columns, failed = self._columns(raw, out_of)
            if self._scales is not None:
                self._scales.apply(columns, raw, distinct, out_of)
            seconds = {"read": read - began, "decode": time.perf_counter() - ready}
        return Batch(draw=draw, columns=columns, seconds=seconds), failed

    def _raw(self, rows: NDArray[np.int64], images: PrefetchedImages | None) -> Mapping[str, Any]:
        if images is None:
            return self.take(rows, self.tensors)
        others = [name for name in self.tensors if name not in self.images]
        return {**images(rows), **(self.take(rows, others) if others else {})}

    def _columns(self, raw: Mapping[str, Any], out_of: NDArray[np.int64]) -> tuple[dict[str, Any], Failures]:
        columns: dict[str, Any] = {}
        failed: Failures = {}
        for name in self.tensors:
            columns[name], errors = self._decoded(name, raw[name], out_of)
            for slot in np.flatnonzero(np.isin(out_of, list(errors))).tolist() if errors else ():
                failed.setdefault(slot, (name, errors[int(out_of[slot])]))
        return columns, failed

    def _decoded(self, name: str, values: Any, out_of: NDArray[np.int64]) -> tuple[Any, dict[int, PenstockError]]:
        spec, shape = self._table.tensors[name], self.fixed[name]
        method = self._settings.decode_method.get(name, "numpy")
        if spec.htype == "image":
            size = self._settings.resize.get(name)
            return decode_images(
                values,
                method,
                size=size,
                shape=shape,
                out_of=out_of,
                memory=self.memory,
                decode_pool=self._decode_pool,
                max_bytes=self._table.max_image_bytes,
            )
        return decode_values(values, method, spec, fixed=shape is not None, out_of=out_of), {}

    def _skipped(self, batch: Batch, errors: dict[int, Any], failed: list[tuple[int, str]]) -> Batch:
        chosen = np.ones(len(batch.draw), bool)
        chosen[list(errors)] = False
        if not chosen.any():
            raise LoaderError(
                f"none of the {len(chosen)} samples of a batch can be read; first row {failed[0][0]}: {failed[0][1]}"
            )
        columns = {name: _kept(column, chosen) for name, column in batch.columns.items()}
        return Batch(draw=batch.draw.keep(chosen), columns=columns, skipped=failed, seconds=batch.seconds)

    def _substituted(self, batch: Batch, errors: Failures, substitutes: Substitutes) -> Batch:
        """Read other samples into the places of those that could not be read; nothing else is read again."""
        draw = batch.draw
        pool, rows = draw.pool.copy(), draw.rows.copy()
        for attempt in range(_MOST_SUBSTITUTES):
            missing = np.array(sorted(errors), np.int64)
            for slot in missing.tolist():
                pool[slot] = substitutes(draw.epoch, int(draw.positions[slot]), int(draw.pool[slot]), attempt)
                rows[slot] = self._pool[pool[slot]]
            chosen = np.zeros(len(draw), bool)
            chosen[missing] = True
            part, failed = self._attempt(replace(draw.keep(chosen), pool=pool[missing], rows=rows[missing]))
            _put(part, batch, missing, failed)
            errors = {int(missing[place]): why for place, why in failed.items()}
            if not errors:
                return replace(batch, draw=replace(draw, pool=pool, rows=rows))
        slot = min(errors)
        raise self._located(int(rows[slot]), *errors[slot])


def _put(part: Batch, batch: Batch, slots: NDArray[np.int64], failed: Mapping[int, Any]) -> None:
    """Put the samples of one batch that could be read into some places of another."""
    read = [place for place in range(len(slots)) if place not in failed]
    for name, column in batch.columns.items():
        samples = part.columns[name]
        if isinstance(column, np.ndarray):
            column[slots[read]] = samples[read]
        else:
            for place in read:
                column[int(slots[place])] = samples[place]
    for stage, spent in part.seconds.items():
        batch.seconds[stage] += spent


def _load_decoders(*, resizing: bool) -> None:
    """Import in the caller's thread what threads would: a process forked meanwhile could never import it."""
    for name in ("PIL.Image", "simplejpeg", *(("cv2",) if resizing else ())):
        importlib.import_module(name)


def _decoders(threads: int) -> AbstractContextManager[Any]:
    """Let as many batches be decoded at once, and one more where that keeps threads busy while others wait.

    The caller's own thread is not held: Ctrl-C could leave a semaphore, which is written in Python, half acquired.
    """
    return threading.BoundedSemaphore(threads + (threads > 1)) if threads else nullcontext()


def _common_channels(shapes: NDArray[np.int64]) -> int:
    """Return the channels a batch of resized images has: 1 if all are gray, else 3; 4 if all have alpha."""
    channels = np.unique(shapes[:, 2]) if shapes.shape[1] > 2 else np.array([3])
    return int(channels[0]) if len(channels) == 1 and channels[0] > 0 else 3


def _kept(column: Any, chosen: NDArray[np.bool_]) -> Any:
    if isinstance(column, np.ndarray):
        return column[chosen]
    return [sample for sample, keep in zip(column, chosen.tolist(), strict=True) if keep]
