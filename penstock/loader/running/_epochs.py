"""What a trainer sees of a loader: epochs, state, new weights, audits."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Literal, NamedTuple, Self

from penstock.errors import LoaderError
from penstock.loader.batching._batch import Draw
from penstock.loader.batching._to_torch import warn_if_nobody_shares
from penstock.loader.place._state import Place, state_of
from penstock.loader.running._audit import Audit
from penstock.loader.running._batch_maker import BatchMaker
from penstock.loader.running._cursor import Cursor
from penstock.loader.running._facade import BatchRows, BatchSampler, DrawnRows, Iteration, RowSampler, as_it_is
from penstock.loader.running._iterator import EpochIterator
from penstock.loader.running._stats import LoaderStats, Meter
from penstock.loader.settings._settings import Settings, check_count
from penstock.loader.sources._pool import Pool
from penstock.sampling import SamplingSpec
from penstock.storage import renewed_lock
from penstock.tql.pipeline._plans import Weights, new_plan

__all__ = ["EpochLoader"]

_MAKING = renewed_lock(threading.Lock())


class _Parts(NamedTuple):
    """What a loader runs with, made when it is first needed and kept from epoch to epoch."""

    cursor: Cursor
    maker: BatchMaker
    meter: Meter
    running: weakref.WeakSet[EpochIterator]


class EpochLoader:
    """Batches of a pool, epoch after epoch, with everything a trainer asks of a DataLoader.

    It holds a cursor (what the next epoch is), a batch maker and a meter.

    Parameters
    ----------
    pool : Pool
        What is drawn from.
    settings : Settings
        How batches are made.
    """

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool = pool
        self._settings = settings
        self._made: _Parts | None = None
        self._closings = 0
        self._warned = False
        self.worker_init_fn: Callable[[int], None] | None = None

    @property
    def _parts(self) -> _Parts:
        made = self._made
        if made is None:
            cursor, maker = Cursor(self._pool, self._settings), BatchMaker(self._pool, self._settings)
            fresh = _Parts(cursor, maker, Meter(), weakref.WeakSet())
            with _MAKING:  # of two threads that are the first, one throws its parts away
                made = self._made = self._made or fresh
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the chain of calls with the current weights; what is running stays in this process."""
        pool = self._pool if self._made is None else self._made.cursor.pool
        return {**self.__dict__, "_pool": pool, "_made": None}

    @property
    def _next_pool(self) -> Pool:
        """What the next epoch draws from."""
        return self._pool if self._made is None else self._made.cursor.upcoming().pool

    # ---- epochs ----------------------------------------------------------------------------

    def __iter__(self) -> Iteration:
        """Start the next epoch, or finish a restored one; it begins with the first batch that is requested."""
        begin = partial(self._begin, self._closings)  # before the parts are made, which a `close` may interrupt
        cursor = self._parts.cursor  # made now: what cannot be read is an error here, not at the first batch
        return Iteration(begin, lambda: cursor.upcoming().epoch.num_batches)

    def _begin(self, closings: int) -> EpochIterator:
        if self._closings != closings:  # closed after iter(): nothing more comes
            raise StopIteration
        parts = self._parts
        self._warned = self._warned or warn_if_nobody_shares(self._settings.distributed)
        armed = parts.cursor.begin()
        iterator = EpochIterator(armed, parts.maker, parts.cursor, parts.meter, self._end_running)
        parts.running.add(iterator)
        parts.maker.start_workers(self.worker_init_fn)
        if self._closings != closings:  # another thread closed the loader while this one was starting
            self._end_running()
        return iterator

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return self._parts.cursor.num_batches()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Shut down the workers and release what the loader holds; iterating it again starts anew.

        Loops under way in other threads end.
        """
        self._closings += 1
        if self._made is not None:
            self._end_running()

    def _end_running(self) -> None:
        """End the epochs under way and give the workers back."""
        parts = self._parts
        for iterator in list(parts.running):
            iterator.close()
        parts.maker.close()

    def preview(self) -> Any:
        """Return the next batch without taking it: the state stays where it is.

        Raises
        ------
        LoaderError
            If the loader has no batches.
        """
        parts = self._parts
        armed = parts.cursor.upcoming()
        if armed.epoch.num_batches == 0:
            raise LoaderError(f"an epoch of {armed.epoch.size} samples has no batch of {armed.epoch.batch_size}")
        draw = armed.draw(armed.draws(), 0)
        return parts.maker.finished(parts.maker.read(draw, armed.pool.plan))

    # ---- what trainers look for on a DataLoader --------------------------------------------

    @property
    def seed(self) -> int:
        """The seed of draws, order and transforms."""
        return self._settings.seed

    @property
    def epoch(self) -> int:
        """The epoch under way, or the next one; counts from 0."""
        return self._parts.cursor.place.epoch

    @property
    def batch_size(self) -> int:
        """Samples in a batch."""
        return self._settings.samples_per_batch

    @property
    def drop_last(self) -> bool:
        """Whether a smaller last batch is left out."""
        return self._settings.drop_last

    @property
    def dataset(self) -> DrawnRows:
        """The samples drawn from; its length is their number."""
        pool = self._pool
        return DrawnRows(rows=pool.rows, version=pool.table.version, seed=self.seed, read=self._read_rows)

    @property
    def batch_sampler(self) -> BatchSampler:
        """The rows of each batch of the epoch under way or the next; for frameworks that look at it."""
        return BatchSampler(self, self._rows_of_epoch)

    @property
    def sampler(self) -> RowSampler:
        """The row of each sample of the epoch under way or the next; for frameworks that look at it."""
        return self.batch_sampler.sampler

    def _rows_of_epoch(self) -> Iterator[list[int]]:
        """Go through the rows of each batch of the next iteration."""
        cursor = self._parts.cursor
        armed = cursor.upcoming()
        draws = armed.draws()
        for number in range(armed.epoch.num_batches):
            yield BatchRows(armed.draw(draws, number), cursor.after(armed.epoch, number + 1))

    def _read_rows(self, draw: Draw, after: Place) -> Any:
        """Return a batch of `_rows_of_epoch`, and move the loader to the place after it."""
        cursor, maker, meter, _ = self._parts
        asked = meter.asked()
        cursor.rearm_for(draw.epoch)
        batch = maker.read(draw, cursor.pool.plan)
        result = maker.finished(batch)
        meter.delivered(asked, batch)
        cursor.tally.add(batch.draw)
        cursor.jump(after)
        return result

    # What a DataLoader of finished batches has: trainers that make one again from these get the same batches, and
    # torch starts no processes for it. Those of `.pytorch(num_workers=...)` are penstock's own.
    num_workers: Literal[0] = 0
    prefetch_factor: None = None
    persistent_workers: Literal[False] = False
    pin_memory: Literal[False] = False
    pin_memory_device: Literal[""] = ""
    timeout: Literal[0] = 0
    multiprocessing_context: None = None
    generator: None = None
    in_order: Literal[True] = True

    @property
    def collate_fn(self) -> Callable[[Any], Any]:
        """Passes on a batch; batches are collated already."""
        return as_it_is

    # ---- state, weights, accounts ----------------------------------------------------------

    def set_epoch(self, epoch: int) -> None:
        """Make the next iteration that epoch; trainers call this.

        Parameters
        ----------
        epoch : int
            From 0. Without this call every iteration is the next epoch by itself. An epoch that
            `load_state_dict` left half done is finished if it is this one.

        Raises
        ------
        LoaderError
            If it is not a whole number of at least 0.
        """
        self._parts.cursor.set_epoch(check_count("epoch", epoch, 0))

    def state_dict(self) -> dict[str, Any]:
        """Return where the loader is: what the caller has got, not what was read ahead.

        Returns
        -------
        dict
            Three integers (epoch, stream position where it begins, draws handed out
            over all ranks) and the fingerprint of what they belong to; goes into JSON.
        """
        return state_of(self._parts.cursor.place, self._parts.cursor.identity())

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where a state was taken; the next iteration finishes its epoch.

        Parameters
        ----------
        state_dict : dict
            What `state_dict` returned, here or in another process, with any number
            of workers and processes.

        Raises
        ------
        LoaderStateError
            If the dataset's version, the query, the sampling, the seed or the offset
            has changed; the message names which.
        """
        self._parts.cursor.restore(state_dict)

    @property
    def weights(self) -> SamplingSpec | None:
        """The sampling that draws this loader's samples; None where each is visited once an epoch."""
        plan = self._parts.cursor.pool.plan
        return None if plan is None else plan.spec

    def with_weights(self, weights: Weights) -> Self:
        """Draw by other weights from the next epoch on; the epoch under way is not touched.

        The seed stays and the stream goes on: no epoch repeats the random words of one before. A state knows the
        weights: to resume, give the rebuilt loader the same ones before `load_state_dict`.

        Parameters
        ----------
        weights : str, SamplingSpec, SamplingPlan, list, tuple, ndarray or Tensor of torch
            A weight expression, or the name of a tensor that holds the weights; one weight for each sample of the
            dataset or view this loader draws from; these keep the current mode and size. Or a plan of these samples, or
            a spec with the current clauses; these bring their own mode and size.

        Returns
        -------
        Loader
            This loader.

        Raises
        ------
        LoaderError
            If this loader draws no weighted samples.
        SamplingError
            If the weights are of other samples or clauses, are not valid weights, or leave nothing to draw.
        """
        pool = self._parts.cursor.pool
        if pool.plan is None:
            raise LoaderError("this loader does not draw by weight", hint="end its chain with .sample_by(...)")
        self._parts.cursor.rearm(new_plan(pool.table, pool.rows, pool.plan, weights))
        return self

    def audit(self) -> Audit:
        """Return the class counts delivered so far beside the band that the weights let expect.

        Returns
        -------
        Audit
            The band holds all classes at once with probability 99.9 %.
        """
        cursor, _, meter, _ = self._parts
        cursor.count_gathered()
        return cursor.tally.audit(meter.skipped, meter.substituted)

    def stats(self) -> LoaderStats:
        """Return how long reading, decoding and transforming took, and who waited for whom."""
        self._parts.cursor.count_gathered()
        return self._parts.meter.stats()
