"""One epoch under way: batches made ahead by threads, or gathered, handed to the caller and counted."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.loader.accounts._recent import Recent
from penstock.loader.accounts._stats import Meter
from penstock.loader.batching._batch import Draw
from penstock.loader.running._armed import ArmedEpoch
from penstock.loader.running._batch_maker import BatchMaker, Ready
from penstock.loader.running._cursor import Cursor
from penstock.loader.running._gather import Gather
from penstock.loader.running._jobs import Pipeline, PipelineEnded
from penstock.loader.running._turns import Turns
from penstock.storage import renew_in_children

__all__ = ["EpochIterator", "nothing_ready"]


class EpochIterator(Iterator[Any]):
    """Batches of one epoch; what `iter(loader)` returns.

    Several threads may take batches from one: each batch is delivered once, in
    order, and all of them see the end. `close` from another thread ends it.

    Parameters
    ----------
    armed : ArmedEpoch
        Which draws.
    maker : BatchMaker
        Reads and transforms.
    cursor : Cursor
        Follows the batches that are delivered.
    meter : Meter
        Adds up the time.
    interrupted : callable
        Called on Ctrl-C: ends all epochs of the loader.
    ended : callable
        Called with the epoch's number where it was read to its end.
    recent : Recent
        Gets the draws that are delivered.
    """

    def __init__(
        self,
        armed: ArmedEpoch,
        maker: BatchMaker,
        cursor: Cursor,
        meter: Meter,
        interrupted: Callable[[], None],
        *,
        ended: Callable[[int], None],
        recent: Recent,
    ) -> None:
        self._armed = armed
        self._maker = maker
        self._cursor = cursor
        self._meter = meter
        self._interrupted = interrupted
        self._ended = ended
        self._recent = recent
        self._delivered = 0
        self._gather = maker.gather(armed, meter)
        if self._gather is not None:
            cursor.watch(self._gather)
        self._pipeline = Pipeline(
            maker.jobs(armed), armed.epoch.num_batches, num_threads=maker.num_threads, window=maker.window
        )
        self._turns = Turns()
        self._take = None if self._gather is None else self._gather.take
        # the collector may run this inside any call of this thread: the one lock it takes, the pipeline's, is reentrant
        self._finalizer = weakref.finalize(self, _closed, self._pipeline, self._turns, self._gather)
        renew_in_children(self)

    def renew(self) -> None:
        """Go on in a forked child where the parent was, with threads of the child's own."""
        self._pipeline.renew()
        if self._finalizer.alive:
            self._pipeline.replace_claim(self._maker.jobs(self._armed))

    def __len__(self) -> int:
        """Return the number of batches still to come."""
        return self._armed.epoch.num_batches - self._num_delivered

    @property
    def ready(self) -> Callable[[], Any]:
        """Returns a batch that is ready; raises IndexError where none is, and `next` makes one."""
        return nothing_ready if self._gather is None else self._gather.ready

    def find(self, rows: NDArray[np.int64]) -> Draw | None:
        """Return the latest of the batches delivered last that has these rows."""
        return self._recent.find(rows) if self._gather is None else self._gather.find(rows)

    @property
    def _num_delivered(self) -> int:
        return self._delivered if self._gather is None else self._gather.num_delivered

    def __next__(self) -> Any:
        take = self._take
        try:
            return self._in_turn() if take is None else take()
        except PipelineEnded:
            self._end_gathered()
        except KeyboardInterrupt:
            self._interrupted()
            raise
        except BaseException:
            self.close()
            raise
        raise StopIteration

    def _in_turn(self) -> Any:
        asked = self._meter.asked()
        with self._turns:
            return self._taken_or_ended(asked)

    def _taken_or_ended(self, asked: float) -> Any:
        try:
            return self._taken(asked)
        except PipelineEnded:
            self._end()
            raise
        except BaseException:
            self.close()  # before the turn passes on: nobody gets a batch that follows an error
            raise

    def _taken(self, asked: float) -> Any:
        batch, result = self._pipeline.take()
        if result is None:
            result = self._maker.finished(batch)
        self._delivered += 1
        self._recent.add(batch.draw)
        self._meter.delivered(asked, batch)
        self._armed.count(batch.draw)
        self._cursor.move(self._armed, self._delivered)
        return result

    def _end(self) -> None:
        if self._num_delivered == self._armed.epoch.num_batches:
            self._meter.ended()
            self._cursor.finish(self._armed)
            self._ended(self._armed.epoch.number)
            self._maker.end_epoch()
        self.close()

    def _end_gathered(self) -> None:
        if self._gather is not None and self._finalizer.alive:
            self._meter.asked()
            self._gather.close()
            self._end()

    def close(self) -> None:
        """Deliver no more batches; threads end with the batch they are at."""
        self._finalizer()


def nothing_ready() -> Any:
    """Raise IndexError: no batch is ready."""
    raise IndexError


def _closed(pipeline: Pipeline[Ready], turns: Turns, gather: Gather | None) -> None:
    if gather is not None:
        gather.close()
    pipeline.close()
    turns.end()
