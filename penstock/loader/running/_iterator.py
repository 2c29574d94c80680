"""One epoch under way: draws, reader threads, transforms, and the caller."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.loader.batching._batch import Batch, Draw
from penstock.loader.place._epoch import Draws, Epoch, Stream
from penstock.loader.reading._prefetch import Ahead, Taken
from penstock.loader.running._jobs import Pipeline, PipelineEnded
from penstock.loader.running._stats import Meter
from penstock.loader.running._turns import Turns
from penstock.loader.sources._pool import Pool
from penstock.storage import renew_in_children

__all__ = ["EpochIterator", "Ready", "Running", "draw_of", "nothing_ready", "uids_of"]

Ready = tuple[Batch, Any]
"""A batch, and what the caller gets; None in place of it where the caller's thread has work to do."""


class Giver(Protocol):
    """Batches that need no threads and no turns."""

    @property
    def given(self) -> int:
        """Batches the caller has got."""
        ...

    @property
    def ready(self) -> Callable[[], Any]:
        """Gives a batch that lies ready; IndexError where none does, and `take` has to be asked."""
        ...

    def take(self) -> Any:
        """Return the next batch; PipelineEnded after the last, or once closed."""
        ...

    def close(self) -> None:
        """Give no more batches."""
        ...


class Running(Protocol):
    """What an epoch under way needs of a loader."""

    pool: Pool
    stream: Stream
    meter: Meter

    @property
    def num_threads(self) -> int:
        """Threads that take a whole batch each."""
        ...

    @property
    def window(self) -> int:
        """Batches done or under way ahead of the caller."""
        ...

    def gather(self, epoch: Epoch, token: object) -> Giver | None:
        """Return who gathers the batches of an epoch, where there is nothing else to do."""
        ...

    def ahead(self, draw_of: Callable[[int], Draw], num_batches: int) -> Ahead:
        """Return what is read for the batches of an epoch."""
        ...

    def read(self, draw: Draw, taken: Taken | None) -> Ready:
        """Read and decode a draw, its images with those of other batches."""
        ...

    def finished(self, batch: Batch) -> Any:
        """Return a batch as the caller gets it."""
        ...

    def handed_over(self, iterator: EpochIterator, epoch: Epoch, given: int, batch: Batch, asked: float) -> None:
        """Count a batch the caller has got."""
        ...

    def exhausted(self, iterator: EpochIterator, epoch: Epoch) -> None:
        """Note that the caller has seen the end of an epoch."""
        ...

    def close(self) -> None:
        """End the epochs under way and give the workers back."""
        ...


class EpochIterator(Iterator[Any]):
    """Batches of one epoch; what `iter(loader)` returns.

    Several threads may take batches from one: each batch is given once, in
    order, and all of them see the end. `close` from another thread ends it.

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
        self.token = object()
        self._gather = engine.gather(epoch, self.token)
        self._pipeline = Pipeline(
            _claims(engine, epoch), epoch.num_batches, num_threads=engine.num_threads, window=engine.window
        )
        self._turns = Turns()
        self._take = None if self._gather is None else self._gather.take
        self._finalizer = weakref.finalize(self, _closed, self._pipeline, self._turns, self._gather)
        renew_in_children(self)

    def renew(self) -> None:
        """Go on in a forked child where the parent was, with threads of the child's own."""
        self._pipeline.renew()
        if self._finalizer.alive:
            self._pipeline.replace_claim(_claims(self._engine, self._epoch))

    def __len__(self) -> int:
        """Return the number of batches still to come."""
        return self._epoch.num_batches - self._number_given

    @property
    def ready(self) -> Callable[[], Any]:
        """Gives a batch that lies ready; IndexError where none does, and this has to be asked for the next."""
        return nothing_ready if self._gather is None else self._gather.ready

    @property
    def _number_given(self) -> int:
        return self._given if self._gather is None else self._gather.given

    def __next__(self) -> Any:
        take = self._take
        try:
            return self._in_turn() if take is None else take()
        except PipelineEnded:
            self._end_gathered()
        except KeyboardInterrupt:
            self._engine.close()
            raise
        except BaseException:
            self.close()
            raise
        raise StopIteration

    def _in_turn(self) -> Any:
        asked = self._engine.meter.asked()
        with self._turns:
            return self._taken_or_ended(asked)

    def _taken_or_ended(self, asked: float) -> Any:
        try:
            return self._taken(asked)
        except PipelineEnded:
            self._end()
            raise

    def _taken(self, asked: float) -> Any:
        batch, given = self._pipeline.take()
        if given is None:
            given = self._engine.finished(batch)
        self._given += 1
        self._engine.handed_over(self, self._epoch, self._given, batch, asked)
        return given

    def _end(self) -> None:
        if self._number_given == self._epoch.num_batches:
            self._engine.exhausted(self, self._epoch)
        self.close()

    def _end_gathered(self) -> None:
        if self._gather is not None and self._finalizer.alive:
            self._engine.meter.asked()
            self._gather.close()
            self._end()

    def close(self) -> None:
        """Give no more batches; threads end with the batch they are at."""
        self._finalizer()


def nothing_ready() -> Any:
    """Tell that no batch lies ready."""
    raise IndexError


def _closed(pipeline: Pipeline[Ready], turns: Turns, gather: Giver | None) -> None:
    if gather is not None:
        gather.close()
    pipeline.close()
    turns.end()


def _claims(engine: Running, epoch: Epoch) -> Callable[[int], Callable[[], Ready]]:
    draws = Draws(engine.stream, epoch)
    pool = engine.pool
    ahead = engine.ahead(lambda number: draw_of(pool, epoch, draws, number), epoch.num_batches)

    def claim(number: int) -> Callable[[], Ready]:
        draw, taken = ahead.claim(number)
        return lambda: engine.read(draw, taken)

    return claim


def draw_of(pool: Pool, epoch: Epoch, draws: Draws, batch: int, count: int = 1, *, all_rows: bool = False) -> Draw:
    """Return what a batch of an epoch, or some from it on, are to hold; from a pool of all rows these are one array."""
    positions = epoch.positions(batch, count)
    drawn = draws.of(positions)
    return Draw(
        epoch=epoch.number,
        start=epoch.start,
        positions=positions,
        pool=drawn,
        rows=drawn if all_rows else pool.rows[drawn],
        valid=epoch.valid(positions),
    )


def uids_of(pool: Pool, rows: NDArray[np.int64]) -> list[int]:
    """Return the lasting identities of some rows."""
    uids: list[int] = np.asarray(pool.table.uids(rows)).tolist()
    return uids
