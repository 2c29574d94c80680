"""Expressions that must see pixels: a few rows at a time, in threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from penstock.tql.values._frames import PixelFrame
from penstock.tql.values._relations import Frame
from penstock.tql.values._values import Value, expand_rows, offsets_of

__all__ = ["over_pixels"]

_ROWS = 16


def over_pixels(run: Callable[[Frame], Value]) -> Callable[[Frame], Value]:
    """Return `run` done block by block on decoded images, in parallel, with progress and cancellation."""

    def over_blocks(frame: Frame) -> Value:
        if isinstance(frame, PixelFrame):
            return run(frame)
        blocks = np.array_split(np.arange(frame.num_rows), max(1, -(-frame.num_rows // _ROWS)))
        workers = min(16, (os.cpu_count() or 1) + 1)
        with ThreadPoolExecutor(workers, thread_name_prefix="penstock-pixels") as pool:
            return _joined(list(_in_order(pool, run, frame, blocks, 2 * workers)))

    return over_blocks


def _in_order(
    pool: ThreadPoolExecutor,
    run: Callable[[Frame], Value],
    frame: Frame,
    blocks: list[NDArray[np.int64]],
    ahead: int,
) -> Iterator[Value]:
    frame.source_rows()
    waiting: list[tuple[int, Future[Value]]] = []
    done = 0
    try:
        for block in blocks:
            waiting.append((len(block), pool.submit(_one, run, PixelFrame(frame, block))))
            if len(waiting) >= ahead:
                done += waiting[0][0]
                yield waiting.pop(0)[1].result()
                _report(frame, done)
        while waiting:
            done += waiting[0][0]
            yield waiting.pop(0)[1].result()
            _report(frame, done)
    finally:
        for _, future in waiting:
            future.cancel()


def _report(frame: Frame, done: int) -> None:
    frame.context.check()
    if frame.context.progress is not None:
        frame.context.progress(done, frame.num_rows)


def _one(run: Callable[[Frame], Value], frame: PixelFrame) -> Value:
    frame.context.check()
    return expand_rows(run(frame), frame.num_rows)


def _joined(parts: list[Value]) -> Value:
    data = np.concatenate([part.data for part in parts])
    valid = None
    if any(part.valid is not None for part in parts):
        valid = np.concatenate([np.ones(part.num_rows, bool) if part.valid is None else part.valid for part in parts])
    if parts[0].offsets is None:
        return Value(data=data, valid=valid)
    lengths = np.concatenate([part.lengths for part in parts])
    shapes = (
        None if parts[0].shapes is None else np.concatenate([part.shapes for part in parts if part.shapes is not None])
    )
    return Value(data=data, offsets=offsets_of(lengths), shapes=shapes, valid=valid)
