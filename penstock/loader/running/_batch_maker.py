"""What makes batches: reader threads, decoders, the user's functions, worker processes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from penstock.engines import Lease, lease_processes
from penstock.errors import LoaderError, TensorNotFoundError
from penstock.loader.accounts._stats import Meter
from penstock.loader.batching._batch import Batch, Draw
from penstock.loader.batching._collate import Collation
from penstock.loader.batching._to_torch import require_torch, to_tensors
from penstock.loader.batching._transform import SeededCollate, Transform
from penstock.loader.batching._work import Work, WorkerTask, timed
from penstock.loader.place._seeding import words_of
from penstock.loader.reading._prefetch import Prefetch, PrefetchedImages
from penstock.loader.reading._reader import Reader
from penstock.loader.running._armed import ArmedEpoch
from penstock.loader.running._gather import Arrays, Gather, arrays_of
from penstock.loader.settings._settings import Settings
from penstock.loader.sources._pool import Pool
from penstock.loader.sources._sequential import SequentialTable
from penstock.sampling import SamplingPlan
from penstock.storage import renew_in_children, renewed_lock

__all__ = ["BatchMaker", "Ready"]

PlanAt = Callable[[int], SamplingPlan | None]
Ready = tuple[Batch, Any]
"""A batch, and what the caller gets; None in place of it where the caller's thread has work to do."""


class BatchMaker:
    """Makes the batches of a loader, in any order; it knows nothing of epochs and places.

    Parameters
    ----------
    pool : Pool
        What is drawn from; its weights are not looked at.
    settings : Settings
        Everything else of the chain.
    """

    def __init__(self, pool: Pool, settings: Settings) -> None:
        if settings.framework == "pytorch":
            require_torch()
        if settings.distributed and isinstance(pool.table, SequentialTable):
            pool.table.refuse("distributed=True")
        self._pool = pool
        self._settings = settings
        self._reader = Reader(pool.table, pool.rows, _narrowed(pool, settings))
        self._work = _work(self._reader, pool, settings)
        self._in_workers = settings.num_workers > 0 and self._work.is_heavy
        self._lease: Lease | None = None
        self._lock = renewed_lock(threading.RLock())  # guards the lease; reentrant, as Ctrl-C may close within
        renew_in_children(self)

    def renew(self) -> None:
        """Leave the worker processes to the parent; a forked child starts its own with its next epoch."""
        self._lease = None

    # ---- one epoch at a time ---------------------------------------------------------------

    def start_workers(self, init: Callable[[int], None] | None) -> None:
        """Start the worker processes, where there is work for them; `init` is called in each with its number."""
        if not self._in_workers:
            return
        with self._lock:
            if self._lease is None:
                task = WorkerTask(self._work, init, with_torch="torch" in sys.modules)
                persistent = self._settings.persistent_workers
                self._lease = lease_processes(task, self._settings.num_workers, persistent=persistent)

    def end_epoch(self) -> None:
        """Let workers forget the transform, unless they are to keep it."""
        if self._lease is not None and not self._settings.persistent_workers:
            self._lease.renew()

    def close(self) -> None:
        """Give the workers back and the memory of batches that nobody holds."""
        with self._lock:
            lease, self._lease = self._lease, None
        self._reader.memory.clear()
        if lease is not None:
            lease.close()

    @cached_property
    def _arrays(self) -> Arrays | None:
        return None if self._work.is_heavy else arrays_of(self._reader, self._pool, self._settings)

    def gather(self, armed: ArmedEpoch, meter: Meter) -> Gather | None:
        """Return what gathers the batches of an epoch out of arrays in memory; None where there is more to do."""
        return None if self._arrays is None else Gather(self._arrays, armed, meter)

    def jobs(self, armed: ArmedEpoch) -> Callable[[int], Callable[[], Ready]]:
        """Return what prepares the job of each batch of an epoch: called batch after batch, its jobs in any thread."""
        claim = partial(armed.claim, armed.draws())
        prefetch = Prefetch(self._reader.take, self._reader.images, claim, armed.epoch.num_batches)

        def prepare(number: int) -> Callable[[], Ready]:
            draw, images = prefetch.claim(number)
            return lambda: self._ready(draw, images, armed.plan_at)

        return prepare

    @property
    def num_threads(self) -> int:
        """Threads that take a whole batch each: those that decode, one that reads ahead, one for each worker."""
        decoding = self._settings.reader_threads
        return decoding + bool(decoding) + (self._settings.num_workers if self._in_workers else 0)

    @property
    def window(self) -> int:
        """Batches done or under way ahead of the caller."""
        return self._settings.prefetch_factor * max(1, self.num_threads)

    # ---- one batch -------------------------------------------------------------------------

    def read(self, draw: Draw, plan_at: PlanAt, images: PrefetchedImages | None = None) -> Batch:
        """Read and decode what a draw holds.

        Parameters
        ----------
        draw : Draw
            The rows.
        plan_at : callable
            Returns what drew a place of the epoch: a sample that cannot be read is replaced by one of the same stratum,
            without weights by any of the pool.
        images : callable, optional
            Gives images that are read together with those of other batches.
        """
        return self._reader.read(draw, partial(self._substitute, plan_at), images)

    def _ready(self, draw: Draw, images: PrefetchedImages | None, plan_at: PlanAt) -> Ready:
        """Read, decode and finish a draw, unless the user's functions run in the caller's thread."""
        lease = self._lease
        batch = self.read(draw, plan_at, images)
        if not self._work.is_heavy:
            return batch, self.finished(batch)
        if lease is None:
            return batch, None
        result, batch.seconds["transform"] = lease.run(batch, self._uids(batch))
        batch.columns = {}  # the result has what it needs of them
        return batch, self._as_framework(result)

    def finished(self, batch: Batch) -> Any:
        """Return a batch as the caller gets it: transformed and collated in this thread."""
        result, batch.seconds["transform"] = timed(self._work, batch, self._uids(batch), keep_state=True)
        return self._as_framework(result)

    def _uids(self, batch: Batch) -> list[int]:
        """Return the lasting identities of a batch's rows, which only a failed transform is reported by."""
        return self._pool.uids(batch.draw.rows) if self._work.transform is not None else []

    def _as_framework(self, result: Any) -> Any:
        if self._settings.framework == "pytorch" and self._settings.collate_fn is None:
            return to_tensors(result, pin=self._settings.pin_memory)
        return result

    def _substitute(self, plan_at: PlanAt, epoch: int, position: int, pool: int, attempt: int) -> int:
        """Return the pool position of another sample: of the same stratum, or of the whole pool without weights."""
        word = words_of(self._settings.seed, epoch, position, purpose="substitute", count=attempt + 1)[-1]
        plan = plan_at(position)
        if plan is None:
            return word % len(self._pool.rows)
        stratum = int(plan.strata.ids[pool])
        begin, end = plan.strata.offsets[stratum : stratum + 2].tolist()
        return int(plan.strata.rows[begin + word % (end - begin)])

    # ---- what batches look like ------------------------------------------------------------

    @property
    def axes(self) -> dict[str, tuple[int | None, ...]]:
        """Axes of a sample of each tensor whose samples differ in shape, None where they do; all where transformed."""
        found = {name: self._reader.axes(name) for name in self._reader.tensors if self._reader.fixed[name] is None}
        if self._work.transform is None:
            return found
        return {name: (None,) * len(axes) for name, axes in found.items()}

    @property
    def dtypes(self) -> dict[str, str]:
        """What each tensor of an untransformed batch consists of, ``index`` too; text, JSON and bytes are "string"."""
        found = {name: self._reader.dtype(name) for name in self._reader.tensors}
        return {**found, "index": "int64"} if self._settings.return_index else found


def _narrowed(pool: Pool, settings: Settings) -> Settings:
    """Read only what a dict transform names."""
    if not isinstance(settings.transform, Mapping):
        return settings
    readable = pool.table.tensors if settings.tensors is None else settings.tensors
    for name in settings.transform:
        if name != "index" and name not in readable:
            raise TensorNotFoundError(name, readable)
    if "index" in settings.transform and not settings.return_index:
        raise LoaderError("the transform names 'index' while return_index is False. Expected return_index=True")
    return replace(settings, tensors=tuple(name for name in readable if name in settings.transform))


def _work(reader: Reader, pool: Pool, settings: Settings) -> Work:
    htypes = {name: pool.table.tensors[name].htype for name in reader.tensors}
    return Work(
        transform=_transform(settings, htypes),
        dropping=isinstance(settings.transform, Mapping),
        collation=_collation(reader, settings, htypes),
        index_in_samples=settings.return_index,
    )


def _collation(reader: Reader, settings: Settings, htypes: Mapping[str, str]) -> Collation:
    own = settings.collate_fn
    return Collation(
        ragged={n: htype for n, htype in htypes.items() if reader.fixed[n] is None and htype != "image"},
        padding=settings.padding,
        return_index=settings.return_index,
        collate_fn=None if own is None else SeededCollate(own, seed=settings.seed),
        as_samples=settings.framework == "samples",
        single=settings.single,
        of_one=settings.samples_per_batch == 1,
    )


def _transform(settings: Settings, htypes: Mapping[str, str]) -> Transform | None:
    if settings.transform is None:
        return None
    return Transform(
        settings.transform,
        settings.transform_arguments,
        seed=settings.seed,
        images=tuple(name for name, htype in htypes.items() if htype == "image"),
        boxes=tuple(name for name, htype in htypes.items() if htype == "bbox"),
    )
