"""What a loader needs to give an epoch, made once and kept from epoch to epoch."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from penstock.engines import Lease, lease_processes
from penstock.errors import LoaderError, TensorNotFoundError
from penstock.loader.batching._batch import Batch, Draw
from penstock.loader.batching._collate import Collation
from penstock.loader.batching._to_torch import (
    agree,
    require_torch,
    to_tensors,
    warn_if_nobody_shares,
    warn_of_draws_left,
    warn_of_place_given_up,
    world,
)
from penstock.loader.batching._transform import SeededCollate, Transform
from penstock.loader.batching._work import Work, WorkerTask, timed
from penstock.loader.place._epoch import Draws, Epoch, Stream
from penstock.loader.place._seeding import words_of
from penstock.loader.place._state import Identity, Place, parts_of, place_of
from penstock.loader.reading._prefetch import Ahead, Taken
from penstock.loader.reading._reader import Reader
from penstock.loader.running._audit import Audit, Tally
from penstock.loader.running._facade import BatchRows
from penstock.loader.running._gather import Arrays, Gather, arrays_of
from penstock.loader.running._iterator import EpochIterator, Ready, draw_of, uids_of
from penstock.loader.running._stats import LoaderStats, Meter
from penstock.loader.settings._settings import Settings
from penstock.loader.sources._pool import Pool
from penstock.loader.sources._sequential import SequentialTable
from penstock.sampling import SamplingPlan
from penstock.storage import renew_in_children, renewed_lock

__all__ = ["Engine"]


class Engine:
    """The running part of a loader.

    Parameters
    ----------
    pool : Pool
        What is drawn from.
    settings : Settings
        Everything else of the chain.
    """

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self.settings = settings
        self.meter = Meter()
        self._lock = renewed_lock(threading.RLock())  # a signal's handler may ask for the state within
        self._pending: Pool | None = None
        self._place = Place()
        self._started = False
        self._restored = False
        self._latest: object | None = None
        self._warned_of_left = False
        self._warned = False
        self._running: weakref.WeakSet[EpochIterator] = weakref.WeakSet()
        self._gathers: list[Gather] = []
        self._lease: Lease | None = None
        self._arm(pool)
        if settings.framework == "pytorch":
            require_torch()
        if settings.distributed and isinstance(pool.table, SequentialTable):
            pool.table.refuse("distributed=True")
        self._reader = Reader(pool.table, pool.rows, _narrowed(pool, settings))
        self.work = _work(self._reader, pool, settings)
        self._in_workers = settings.num_workers > 0 and self.work.is_heavy
        self.worker_init_fn: Callable[[int], None] | None = None
        renew_in_children(self)

    def renew(self) -> None:
        """Leave the worker processes to the parent; a forked child takes up its own with its next epoch."""
        self._lease = None

    def _arm(self, pool: Pool) -> None:
        self.pool = pool
        self.stream = self._stream_of(pool)
        self.tally = Tally(pool, shuffled=self.settings.shuffle)
        self._identity: Identity | None = None

    def _stream_of(self, pool: Pool) -> Stream:
        settings = self.settings
        return pool.stream(shuffle=settings.shuffle, seed=settings.seed, megabytes=settings.buffer_size)

    # ---- batches that are gathered: they are counted when somebody asks -----------------------

    @cached_property
    def _arrays(self) -> Arrays | None:
        return None if self.work.is_heavy else arrays_of(self._reader, self.pool, self.settings)

    def gather(self, epoch: Epoch, token: object) -> Gather | None:
        """Return who gathers the batches of an epoch, where there is nothing else to do."""
        if self._arrays is None:
            return None
        gather = Gather(self._arrays, self.pool, self.stream, epoch, self.tally, self.meter, token)
        self._gathers.append(gather)
        return gather

    def _count_gathered(self) -> None:
        """Take the place of the latest gathered epoch, have all tallied, and forget those that are over; locked."""
        gathers, self._gathers = self._gathers, []
        for gather in gathers:
            if gather.settle():
                self._gathers.append(gather)
            if self._latest is gather.token and gather.given:
                self._place = self._after(gather.epoch, gather.given)

    # ---- what an epoch is ----------------------------------------------------------------

    def epoch_at(
        self, place: Place, *, rank: int = 0, world_size: int = 1, drawn: tuple[Pool, Stream] | None = None
    ) -> Epoch:
        """Return the layout of the epoch of a place; `drawn`: of other rows and draws than those of now."""
        pool, stream = drawn or (self.pool, self.stream)
        start = place.start if pool.continuing else place.epoch * stream.size
        return Epoch(
            number=place.epoch,
            start=start,
            size=stream.size,
            consumed=place.consumed,
            batch_size=self.settings.samples_per_batch,
            rank=rank,
            world_size=world_size,
            drop_last=self.settings.drop_last,
            continuing=pool.continuing,
            offset=self.settings.offset,
            turned=place.turned,
        )

    def _share(self) -> tuple[int, int]:
        return world() if self.settings.distributed else (0, 1)

    def num_batches(self) -> int:
        """Return the batches of a whole epoch."""
        rank, size = self._share()
        return self.epoch_at(Place(), rank=rank, world_size=size).num_batches

    def begin(self) -> EpochIterator:
        """Start the next epoch, or go on with a restored one."""
        rank, size = self._share()
        self._warned = self._warned or warn_if_nobody_shares(self.settings.distributed)
        with self._lock:
            self._count_gathered()
            if self._started and not self._restored:
                self._place = self._following(self.epoch_at(self._place, rank=rank, world_size=size))
            if self._place.consumed == 0:
                self._take_up_pending()
            if size > 1:
                shape = {"batch_size": self.settings.samples_per_batch, "drop_last": self.settings.drop_last}
                agree({**parts_of(self._place, self._told()), **shape})
            self._started, self._restored = True, False
            epoch = self.epoch_at(self._place, rank=rank, world_size=size)
            iterator = EpochIterator(self, epoch)
            self._latest = iterator.token
            self._running.add(iterator)
            self._take_up_lease()
        return iterator

    def _take_up_lease(self) -> None:
        if self._in_workers and self._lease is None:
            task = WorkerTask(self.work, self.worker_init_fn, with_torch="torch" in sys.modules)
            persistent = self.settings.persistent_workers
            self._lease = lease_processes(task, self.settings.num_workers, persistent=persistent)

    def _following(self, epoch: Epoch) -> Place:
        return Place(epoch=epoch.number + 1, start=self._reached(epoch, epoch.following_start))

    def _reached(self, epoch: Epoch, start: int) -> int:
        """Return where a continuing stream goes on: behind all its draws, also after epochs of another mode."""
        return start if epoch.continuing else max(start, self._place.start)

    def _take_up_pending(self) -> None:
        if self._pending is not None:
            self._arm(self._pending)
            self._pending = None

    def rearm(self, plan: SamplingPlan) -> None:
        """Draw by another plan from the next epoch on."""
        with self._lock:
            self._pending = replace(self.pool, plan=plan)
            if not self._started:
                self._count_gathered()
                self._take_up_pending()

    # ---- state -----------------------------------------------------------------------------

    @property
    def place(self) -> Place:
        """Where the next batch comes from, as any batch size finds it."""
        with self._lock:
            self._count_gathered()
            place = self._place
        if not (self.pool.continuing and self.settings.offset):
            return place
        rank, size = self._share()
        return replace(place, turned=self.epoch_at(place, rank=rank, world_size=size).turned_within)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on at a state's place with the next iteration; the epoch under way is given up, new weights hold."""
        with self._lock:
            self._count_gathered()
            self._take_up_pending()
            place = place_of(state, self._told())
            self._place, self._restored, self._started, self._latest = place, True, True, None

    def set_epoch(self, epoch: int) -> None:
        """Make the next iteration an epoch; one that a state left half done is finished."""
        rank, size = self._share()
        with self._lock:
            self._count_gathered()
            here = self.epoch_at(self._place, rank=rank, world_size=size)
            begun = self._started and not self._restored
            left = here.length - here.consumed if begun and epoch == here.number + 1 else 0
            left *= self.pool.plan is not None and not self._warned_of_left
            self._warned_of_left |= left > 0
            place: Place | None = None
            if epoch == here.number + begun:
                pass
            elif epoch == here.number + 1:
                place = self._following(here)
            else:
                whole = self.epoch_at(Place(), rank=rank, world_size=size).following_start
                place = Place(epoch=epoch, start=epoch * whole)
            given_up = here.consumed if self._restored and epoch not in (here.number, here.number + 1) else 0
            if place is not None:
                self._place, self._restored, self._started, self._latest = place, True, True, None
        if left:
            warn_of_draws_left(here.number, left, here.length)
        if given_up:
            warn_of_place_given_up(epoch, given_up, here.number)

    def identity(self) -> Identity:
        """Return what a state is a place in: between epochs the weights of the next."""
        with self._lock:
            self._count_gathered()
            begun = self._started and not self._restored
            if self._pending is None or begun or self._place.consumed:
                return self._told()
            return self._identity_of(self._pending, self._stream_of(self._pending))

    def _told(self) -> Identity:
        if self._identity is None:
            self._identity = self._identity_of(self.pool, self.stream)
        return self._identity

    def _identity_of(self, pool: Pool, stream: Stream) -> Identity:
        return Identity(
            version=pool.table.version,
            query="; ".join(pool.history),
            rows=pool.digest(),
            sampling=stream.fingerprint,
            seed=self.settings.seed,
            offset=self.settings.offset,
        )

    # ---- what happens to a batch -------------------------------------------------------------

    @property
    def num_threads(self) -> int:
        """Threads that see to a batch each: those that decode, one that reads ahead of them, one for each worker."""
        decoding = self.settings.reader_threads
        return decoding + bool(decoding) + (self.settings.num_workers if self._in_workers else 0)

    @property
    def window(self) -> int:
        """Batches done or under way ahead of the caller."""
        return self.settings.prefetch_factor * max(1, self.num_threads)

    def ahead(self, draw_of: Callable[[int], Draw], num_batches: int) -> Ahead:
        """Return what is read for the batches of an epoch."""
        return Ahead(self._reader.take, self._reader.images, draw_of, num_batches)

    def read(self, draw: Draw, taken: Taken | None) -> Ready:
        """Read, decode and finish a draw; None stands for what has to be finished in the caller's thread."""
        lease = self._lease
        batch = self._reader.read(draw, self._substitute, taken)
        if not self.work.is_heavy:
            return batch, self.finished(batch)
        if lease is None:
            return batch, None
        given, batch.seconds["transform"] = lease.run(batch, self._uids(batch))
        batch.columns = {}
        return batch, self._as_framework(given)

    def _uids(self, batch: Batch) -> list[int]:
        return uids_of(self.pool, batch.draw.rows) if self.work.transform is not None else []

    def finished(self, batch: Batch) -> Any:
        """Return a batch as the caller gets it."""
        given, batch.seconds["transform"] = timed(self.work, batch, self._uids(batch), keep_state=True)
        return self._as_framework(given)

    def _as_framework(self, given: Any) -> Any:
        if self.settings.framework == "pytorch" and self.settings.collate_fn is None:
            return to_tensors(given, pin=self.settings.pin_memory)
        return given

    def handed_over(self, iterator: EpochIterator, epoch: Epoch, given: int, batch: Batch, asked: float) -> None:
        """Count a batch the caller has got."""
        self.meter.given(asked, batch)
        self.tally.add(batch.draw)
        self._move(iterator, self._after(epoch, given))

    def _after(self, epoch: Epoch, given: int) -> Place:
        start = self._reached(epoch, epoch.start)
        return Place(epoch=epoch.number, start=start, consumed=epoch.consumed_after(given), turned=epoch.turned)

    def exhausted(self, iterator: EpochIterator, epoch: Epoch) -> None:
        """Note that the caller has seen the end of an epoch."""
        self.meter.ended()
        if self._move(iterator, self._following(epoch)):
            with self._lock:
                self._started = False
        if self._lease is not None and not self.settings.persistent_workers:
            self._lease.renew()

    def _move(self, iterator: EpochIterator, place: Place) -> bool:
        with self._lock:
            self._count_gathered()
            if self._latest is not iterator.token:
                return False
            self._place = place
            return True

    def stats(self) -> LoaderStats:
        """Return what was done so far, and how long it took."""
        with self._lock:
            self._count_gathered()
        return self.meter.stats()

    def audit(self) -> Audit:
        """Return the class counts delivered so far beside the promised ones."""
        with self._lock:
            self._count_gathered()
        return self.tally.audit(self.meter.skipped, self.meter.substituted)

    @property
    def axes(self) -> dict[str, tuple[int | None, ...]]:
        """Axes of a sample of each tensor whose samples differ in shape, None where they do; all where transformed."""
        found = {name: self._reader.axes(name) for name in self._reader.tensors if self._reader.fixed[name] is None}
        if self.work.transform is None:
            return found
        return {name: (None,) * len(axes) for name, axes in found.items()}

    @property
    def dtypes(self) -> dict[str, str]:
        """What each tensor of an untransformed batch consists of, ``index`` too; text, JSON and bytes are "string"."""
        found = {name: self._reader.dtype(name) for name in self._reader.tensors}
        return {**found, "index": "int64"} if self.settings.return_index else found

    def _next(self) -> tuple[Epoch, Pool, Stream]:
        """Return the epoch that the next iteration gives, under the weights it then has."""
        rank, size = self._share()
        with self._lock:
            self._count_gathered()
            place, pending = self._place, self._pending
        if self._started and not self._restored:
            place = self._following(self.epoch_at(place, rank=rank, world_size=size))
        drawn = (self.pool, self.stream)
        if pending is not None and place.consumed == 0:
            drawn = (pending, self._stream_of(pending))
        return self.epoch_at(place, rank=rank, world_size=size, drawn=drawn), *drawn

    def preview(self) -> Any:
        """Return the next batch and leave everything as it is."""
        epoch, pool, stream = self._next()
        if epoch.num_batches == 0:
            raise LoaderError(f"an epoch of {epoch.size} samples has no batch of {epoch.batch_size}")
        draw = draw_of(pool, epoch, Draws(stream, epoch), 0)
        return self.finished(self._reader.read(draw, self._substitute))

    def rows_of_epoch(self) -> Iterator[list[int]]:
        """Go through the rows of each batch of the next iteration."""
        epoch, pool, stream = self._next()
        draws = Draws(stream, epoch)
        for number in range(epoch.num_batches):
            yield BatchRows(draw_of(pool, epoch, draws, number), self._after(epoch, number + 1))

    def taken(self, draw: Draw, after: Place) -> Any:
        """Return a batch of `rows_of_epoch`, and stand behind it."""
        asked = self.meter.asked()
        with self._lock:
            self._count_gathered()
            if draw.epoch != self._place.epoch or self._place.consumed == 0:
                self._take_up_pending()
        batch = self._reader.read(draw, self._substitute)
        given = self.finished(batch)
        self.meter.given(asked, batch)
        self.tally.add(batch.draw)
        with self._lock:
            self._place, self._restored, self._started, self._latest = after, False, True, None
        return given

    def batches_to_come(self) -> int:
        """Return the batches of the next iteration."""
        return self._next()[0].num_batches

    def close(self) -> None:
        """End the epochs under way and give the workers back."""
        with self._lock:
            lease, self._lease = self._lease, None
            running = list(self._running)
        for iterator in running:
            iterator.close()
        self._reader.memory.clear()
        if lease is not None:
            lease.close()

    def _substitute(self, epoch: int, position: int, pool: int, attempt: int) -> int:
        """Name another sample of the same stratum; of the whole pool where nothing is weighed."""
        word = words_of(self.settings.seed, epoch, position, purpose="substitute", count=attempt + 1)[-1]
        plan = self.pool.plan
        if plan is None:
            return word % len(self.pool.rows)
        stratum = int(plan.strata.ids[pool])
        begin, end = plan.strata.offsets[stratum : stratum + 2].tolist()
        return int(plan.strata.rows[begin + word % (end - begin)])


def _narrowed(pool: Pool, settings: Settings) -> Settings:
    """Read only what a dict transform names."""
    if not isinstance(settings.transform, Mapping):
        return settings
    readable = pool.table.tensors if settings.tensors is None else settings.tensors
    for name in settings.transform:
        if name != "index" and name not in readable:
            raise TensorNotFoundError(name, readable)
    if "index" in settings.transform and not settings.return_index:
        raise LoaderError("the transform names 'index' while return_index is False; expected return_index=True")
    return replace(settings, tensors=tuple(name for name in readable if name in settings.transform))


def _work(reader: Reader, pool: Pool, settings: Settings) -> Work:
    htypes = {name: pool.table.tensors[name].htype for name in reader.tensors}
    ragged: dict[str, str] = {
        name: htype for name, htype in htypes.items() if reader.fixed[name] is None and htype != "image"
    }
    own = settings.collate_fn
    collation = Collation(
        ragged=ragged,
        padding=settings.padding,
        return_index=settings.return_index,
        collate_fn=None if own is None else SeededCollate(own, seed=settings.seed),
        as_samples=settings.framework == "samples",
        single=settings.single,
        of_one=settings.samples_per_batch == 1,
    )
    transform = None
    if settings.transform is not None:
        transform = Transform(
            settings.transform,
            settings.transform_arguments,
            seed=settings.seed,
            images=tuple(name for name, htype in htypes.items() if htype == "image"),
            boxes=tuple(name for name, htype in htypes.items() if htype == "bbox"),
        )
    return Work(
        transform=transform,
        dropping=isinstance(settings.transform, Mapping),
        collation=collation,
        index_in_samples=settings.return_index,
    )
