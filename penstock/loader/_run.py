"""One epoch under way: draws, reader threads, transforms, and the caller."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.loader._batch import Batch, Draw
from penstock.loader._epoch import Draws, Epoch
from penstock.loader._pipeline import Pipeline, PipelineEnded
from penstock.loader._pool import Pool
from penstock.loader._stats import Meter
from penstock.loader._work import Work
from penstock.sampling import IndexStream

__all__ = ["EpochIterator", "Ready", "Running", "timed", "uids_of"]

Ready = tuple[Batch, Any]
"""A batch, and what the caller gets; None in place of it where the caller's thread has work to do."""


class Running(Protocol):
    """What an epoch under way needs of a loader."""

    pool: Pool
    stream: IndexStream
    meter: Meter

    @property
    def num_threads(self) -> int:
        """Threads that take a whole batch each."""
        ...

    @property
    def window(self) -> int:
        """Batches done or under way ahead of the caller."""
        ...

    def read(self, draw: Draw) -> Ready:
        """Read and decode a draw."""
        ...

    def finished(self, batch: Batch) -> Any:  # noqa: ANN401  what the caller gets
        """Return a batch as the caller gets it."""
        ...

    def handed_over(self, iterator: EpochIterator, epoch: Epoch, given: int, batch: Batch, asked: float) -> None:
        """Count a batch the caller has got."""
        ...

    def exhausted(self, iterator: EpochIterator, epoch: Epoch) -> None:
        """Note that the caller has seen the end of an epoch."""
        ...


class EpochIterator(Iterator[Any]):
    """Batches of one epoch; what `iter(loader)` returns.

    Parameters
    ----------
    engine : Running
        Reads, transforms, counts.
    epoch : Epoch
        Which draws.
    """

    def __init__(self, engine: Running, epoch: Epoch) -> None:
        self._engine = engine
        self._epoch = epoch
        self._given = 0
        self.pipeline = Pipeline(
            _claims(engine, epoch), epoch.num_batches, num_threads=engine.num_threads, window=engine.window
        )
        self._finalizer = weakref.finalize(self, self.pipeline.close)

    def __len__(self) -> int:
        """Return the number of batches still to come."""
        return self._epoch.num_batches - self._given

    def __next__(self) -> Any:  # noqa: ANN401  a batch in the caller's framework
        asked = self._engine.meter.asked()
        try:
            batch, given = self.pipeline.take()
            if given is None:
                given = self._engine.finished(batch)
        except PipelineEnded:
            self._end()
            raise StopIteration from None
        except BaseException:
            self.close()
            raise
        self._given += 1
        self._engine.handed_over(self, self._epoch, self._given, batch, asked)
        return given

    def _end(self) -> None:
        if self._given == self._epoch.num_batches:
            self._engine.exhausted(self, self._epoch)
        self.close()

    def close(self) -> None:
        """Give no more batches; threads end with the batch they are at."""
        self._finalizer()


def _claims(engine: Running, epoch: Epoch) -> Callable[[int], Callable[[], Ready]]:
    draws = Draws(engine.stream, epoch)
    rows = engine.pool.rows

    def claim(number: int) -> Callable[[], Ready]:
        positions = epoch.positions(number)
        pool = draws.of(positions)
        draw = Draw(epoch=epoch.number, positions=positions, pool=pool, rows=rows[pool], valid=epoch.valid(positions))
        return lambda: engine.read(draw)

    return claim


def timed(work: Work, batch: Batch, uids: list[int], *, keep_state: bool) -> Any:  # noqa: ANN401  what the caller gets
    """Run the work of a batch and note how long it took."""
    began = time.perf_counter()
    given = work(batch, uids, keep_state=keep_state)
    batch.seconds["transform"] = batch.seconds.get("transform", 0.0) + time.perf_counter() - began
    return given


def uids_of(pool: Pool, rows: NDArray[np.int64]) -> list[int]:
    """Return the lasting identities of some rows."""
    uids: list[int] = np.asarray(pool.table.uids(rows)).tolist()
    return uids
