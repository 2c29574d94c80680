"""What a trainer sees of a loader: epochs, state, new weights, audits."""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from penstock.errors import LoaderError
from penstock.loader.accounts._audit import Audit
from penstock.loader.accounts._recent import Recent
from penstock.loader.accounts._stats import LoaderStats, Meter
from penstock.loader.batching._batch import Draw
from penstock.loader.batching._to_torch import agree, warn_if_nobody_shares
from penstock.loader.place._state import state_of
from penstock.loader.running._armed import ArmedEpoch
from penstock.loader.running._batch_maker import BatchMaker
from penstock.loader.running._cursor import Cursor
from penstock.loader.running._facade import BatchRows, BatchSampler, DrawnRows, Iteration, RowSampler, as_it_is
from penstock.loader.running._iterator import EpochIterator
from penstock.loader.running._recording import Recording
from penstock.loader.running._reweighing import Parts, Reweighable
from penstock.loader.settings._settings import Settings, check_count
from penstock.loader.sources._planned import PlannedStream
from penstock.loader.sources._pool import Pool
from penstock.storage import renewed_lock

__all__ = ["EpochLoader"]

_EPOCHS = 1 << 32  # positions of the stream in later ones would overflow
_MAKING = renewed_lock(threading.Lock())


class EpochLoader(Reweighable):
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
        self._made: Parts | None = None
        self._closings = 0
        self._warned = False
        self._under_way: int | None = None
        self._found_last: Callable[[NDArray[np.int64]], Draw | None] | None = None
        self.worker_init_fn: Callable[[int], None] | None = None

    @property
    def _parts(self) -> Parts:
        made = self._made
        if made is None:
            cursor, maker = Cursor(self._pool, self._settings), BatchMaker(self._pool, self._settings)
            recording = Recording(self._pool.table, self._settings.run, cursor.share, lambda: cursor.planned)
            fresh = Parts(cursor, maker, Meter(), weakref.WeakSet(), Recent(), recording)
            with _MAKING:  # of two threads that are the first, one throws its parts away
                made = self._made = self._made or fresh
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the chain of calls with the current weights; what is running stays in this process."""
        pool = self._pool if self._made is None else self._made.cursor.pool
        return {**self.__dict__, "_pool": pool, "_made": None, "_found_last": None, "_under_way": None}

    @property
    def _next_pool(self) -> Pool:
        """What the next epoch draws from."""
        return self._pool.at_first if self._made is None else self._made.cursor.upcoming().pool

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
        self._leave_epoch(parts)
        if self._settings.distributed and parts.cursor.place.epoch and self._pool.mining is not None:
            agree({"the epoch": parts.cursor.place.epoch})  # every process has written what it recorded
            self._mine()
        armed = parts.cursor.begin()
        parts.recording.begin_at(armed.epoch.number, armed.epoch.consumed)
        parts.recording.keep_weights(parts.cursor.planned)
        iterator = EpochIterator(
            armed, parts.maker, parts.cursor, parts.meter, self._end_running, ended=self._end_epoch, recent=parts.recent
        )
        self._under_way = armed.epoch.number
        parts.running.add(iterator)
        self._found_last = iterator.find
        parts.maker.start_workers(self.worker_init_fn)
        if self._closings != closings:  # another thread closed the loader while this one was starting
            self._end_running()
        return iterator

    def _end_epoch(self, number: int) -> None:
        """Write what was reported in an epoch that was read to its end."""
        self._under_way = None
        if not self._settings.distributed:
            self._mine()
        self._parts.recording.end_epoch(number, finished=True)

    def _mine(self) -> None:
        """Let the next epoch follow the signal of hard mining."""
        parts, mining = self._parts, self._pool.mining
        if mining is None:
            return
        weights = mining.weights(parts.recording.numbers(mining.signal)[self._pool.rows])
        if weights is None:
            warnings.warn(
                f"no {mining.signal!r} was recorded, so that hard mining has nothing to go by; in the loop: "
                f"loader.record(batch, {mining.signal}=...)",
                stacklevel=2,
            )
            return
        parts.cursor.rearm(self._new_plan(parts.cursor.pool, weights))

    def _leave_epoch(self, parts: Parts) -> None:
        """Write what was reported in an epoch that is abandoned, or whose last batch a trainer knew to be the last."""
        number, self._under_way = self._under_way, None
        if number is not None:
            self._mine()
            parts.recording.end_epoch(number, finished=parts.cursor.has_read(number))

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
            if self._under_way is not None and self._made.cursor.has_read(self._under_way):
                self._made.recording.end_epoch(self._under_way, finished=True)
                self._under_way = None
            self._made.recording.close()

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
        return parts.maker.finished(parts.maker.read(draw, armed.plan_at))

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
        return DrawnRows(rows=pool.rows, version=pool.table.version, seed=self.seed)

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
            drawn_from = armed.armory.now
            draws.follow(drawn_from.stream)
            taken = partial(self._taken_out_of_turn, armed, number, drawn_from)
            yield BatchRows(armed.draw(draws, number), taken)

    def _taken_out_of_turn(self, armed: ArmedEpoch, number: int, drawn_from: PlannedStream, draw: Draw) -> Any:
        """Return a batch of `_rows_of_epoch`, and move the loader to the place after it."""
        cursor, maker, meter, _, recent, recording = self._parts
        recording.begin_at(armed.epoch.number, number)
        before, self._under_way = self._under_way, armed.epoch.number
        if before not in (None, armed.epoch.number):  # the trainer has had all of it: it reads one batch ahead
            recording.end_epoch(before, finished=cursor.has_read(before))
        asked = meter.asked()
        if cursor.claim(armed, number) is not drawn_from:
            draw = armed.draw(armed.draws(), number)  # other weights were given since its rows were named
        batch = maker.read(draw, armed.plan_at)
        result = maker.finished(batch)
        meter.delivered(asked, batch)
        recent.add(batch.draw)
        armed.count(batch.draw)
        cursor.jump(armed, number + 1)
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
            If it is not a whole number of at least 0, below 2**32.
        """
        number = check_count("epoch", epoch, 0)
        if number >= _EPOCHS:
            raise LoaderError(f"epoch is {number}. Expected a whole number below 2**32")
        self._parts.cursor.set_epoch(number)

    def state_dict(self) -> dict[str, Any]:
        """Return where the loader is: what the caller has got, not what was read ahead.

        Returns
        -------
        dict
            Three integers (epoch, stream position where it begins, draws handed out
            over all ranks) and the fingerprint of what they belong to; goes into JSON.
        """
        cursor = self._parts.cursor
        run = self._parts.recording.name
        weights = cursor.weights_of_state()
        return state_of(cursor.place, cursor.identity(), weights if run is None else {**weights, "run": run})

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
        parts = self._parts
        parts.cursor.restore(state_dict)
        parts.recording.resume(state_dict.get("run"))
        self._under_way = None

    def record(self, batch: Any, /, **values: Any) -> None:
        """Keep numbers that training has of the samples of a batch, such as their losses.

        They are written beside the dataset at the end of each epoch and on `close`, also when a loop is left or the
        process ends by an error; ``ds.signals()`` reads them, and ``signal('loss')`` in a query. No device is waited
        for. Under ``distributed`` every process records its own.

        Parameters
        ----------
        batch : dict or array_like of int
            A batch as the loader gave it, with its ``index``, or the rows of the samples.
        **values : array or tensor, shape (batch_size,)
            One number for each sample, by the name of the signal: integers, floats or bool, on any device.

        Raises
        ------
        LoaderError
            If the batch has no ``index``, or the samples are stored in no dataset.
        SignalError
            If a name, a row or a number of values is not valid.

        Examples
        --------
        >>> import tempfile, numpy as np, penstock
        >>> ds = penstock.empty(tempfile.mkdtemp() + "/ages")
        >>> _ = ds.create_tensor("age")
        >>> ds.extend({"age": [1, 2, 3]})
        >>> loader = ds.dataloader().batch(2).numpy(run="baseline")
        >>> for batch in loader:
        ...     loader.record(batch, loss=batch["age"].ravel() / 2)
        >>> ds.signals("baseline").values("loss").tolist()
        [0.5, 1.0, 1.5]
        """
        parts = self._parts
        parts.recording.record(batch, values, self._drawn_as, parts.cursor.reached)

    def _drawn_as(self, rows: NDArray[np.int64]) -> Draw | None:
        """Return the latest of the batches delivered last that has these rows."""
        draw = None if self._found_last is None else self._found_last(rows)
        return self._parts.recent.find(rows) if draw is None else draw

    def audit(self) -> Audit:
        """Return the class counts delivered so far beside the band that the weights let expect.

        Returns
        -------
        Audit
            The band holds all classes at once with probability 99.9 %.
        """
        cursor, meter = self._parts.cursor, self._parts.meter
        cursor.count_gathered()
        return cursor.tally.audit(meter.skipped, meter.substituted)

    def stats(self) -> LoaderStats:
        """Return how long reading, decoding and transforming took, and who waited for whom."""
        self._parts.cursor.count_gathered()
        return self._parts.meter.stats()
