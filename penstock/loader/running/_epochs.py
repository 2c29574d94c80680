"""What a loader does once its chain is built: epochs, state, new weights, audits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, Self

from penstock.errors import LoaderError
from penstock.loader.place._state import state_of
from penstock.loader.running._audit import Audit
from penstock.loader.running._cursor import Engine
from penstock.loader.running._facade import BatchSampler, DrawnRows, Iteration, RowSampler, as_it_is
from penstock.loader.running._iterator import EpochIterator
from penstock.loader.running._stats import LoaderStats
from penstock.loader.settings._settings import Settings, check_count
from penstock.loader.sources._pool import Pool
from penstock.sampling import SamplingSpec
from penstock.storage import renewed_lock
from penstock.table import Selection
from penstock.tql.pipeline._plans import Weights, new_plan

__all__ = ["RunningLoader"]

_MAKING = renewed_lock(threading.Lock())


class RunningLoader:
    """The part of a loader that runs; its chain is in `Loader`."""

    _pool: Pool
    _settings: Settings
    _made: Engine | None = None
    _closings: int = 0
    worker_init_fn: Callable[[int], None] | None = None

    @property
    def _engine(self) -> Engine:
        made = self._made
        if made is None:
            fresh = Engine(self._pool, self._settings)
            with _MAKING:
                made = self._made = self._made or fresh
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process as a chain of calls, with the weights of now; what runs stays here."""
        return {**self.__dict__, "_pool": self._pool if self._made is None else self._made.pool, "_made": None}

    def __iter__(self) -> Iteration:
        """Start the next epoch, or finish one that was restored; it begins with the first batch that is asked for."""
        closings = self._closings
        return Iteration(partial(self._begin, closings), self._engine.batches_to_come)

    def _begin(self, closings: int) -> EpochIterator:
        if self._closings != closings:  # closed after iter(): nothing more comes
            raise StopIteration
        self._engine.worker_init_fn = self.worker_init_fn
        iterator = self._engine.begin()
        if self._closings != closings:  # another thread closed the loader while this one was starting
            self._engine.close()
        return iterator

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return self._engine.num_batches()

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
            self._made.close()

    @property
    def seed(self) -> int:
        """The seed of draws, order and transforms."""
        return self._settings.seed

    @property
    def epoch(self) -> int:
        """The epoch under way, or the next one; counts from 0."""
        return self._engine.place.epoch

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
        selection = Selection(rows=pool.rows, version=pool.table.version, seed=self.seed)
        return DrawnRows.of(selection, self._engine.taken)

    @property
    def batch_sampler(self) -> BatchSampler:
        """The rows of each batch of the epoch under way or the next; for frameworks that look at it."""
        return BatchSampler(self, self._engine.rows_of_epoch)

    @property
    def sampler(self) -> RowSampler:
        """The row of each sample of the epoch under way or the next; for frameworks that look at it."""
        return self.batch_sampler.sampler

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

    def set_epoch(self, epoch: int) -> None:
        """Make the next iteration that epoch; trainers call this.

        Parameters
        ----------
        epoch : int
            From 0. Without this call every iteration is the next epoch by itself. An epoch that
            `load_state_dict` left half done is finished where it is the one that is asked for.

        Raises
        ------
        LoaderError
            If it is not a whole number of at least 0.
        """
        self._engine.set_epoch(check_count("epoch", epoch, 0))

    def state_dict(self) -> dict[str, Any]:
        """Return where the loader stands: what the caller has got, not what was read ahead.

        Returns
        -------
        dict
            Three integers (epoch, stream position where it begins, draws handed out
            over all ranks) and the fingerprint of what they belong to; goes into JSON.
        """
        return state_of(self._engine.place, self._engine.identity())

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
        self._engine.restore(state_dict)

    @property
    def weights(self) -> SamplingSpec | None:
        """The sampling that draws this loader's samples; None where each comes once an epoch."""
        plan = self._engine.pool.plan
        return None if plan is None else plan.spec

    def with_weights(self, weights: Weights) -> Self:
        """Draw by other weights from the next epoch on; the epoch under way is not touched.

        The seed stays and the stream goes on: no epoch repeats the random words of one before. A state knows the
        weights: to resume, give the rebuilt loader the same ones before `load_state_dict`.

        Parameters
        ----------
        weights : str, SamplingSpec, SamplingPlan, list, tuple, ndarray or Tensor of torch
            A weight expression, or the name of a tensor that holds the weights; one weight for each sample of the
            dataset or view this loader draws from; these keep mode and size of now. Or a plan of these samples, or
            a spec with the clauses of now; these bring their own mode and size.

        Returns
        -------
        Loader
            This loader.

        Raises
        ------
        LoaderError
            If this loader draws no weighted samples.
        SamplingError
            If the weights are of other samples or clauses, are no weights, or leave nothing to draw.
        """
        pool = self._engine.pool
        if pool.plan is None:
            raise LoaderError("this loader does not draw by weight", hint="end its chain with .sample_by(...)")
        self._engine.rearm(new_plan(pool.table, pool.rows, pool.plan, weights))
        return self

    def audit(self) -> Audit:
        """Return the class counts delivered so far beside the band the weights promise.

        Returns
        -------
        Audit
            The band holds all classes at once with probability 99.9 %.
        """
        return self._engine.audit()

    def stats(self) -> LoaderStats:
        """Return how long reading, decoding and transforming took, and who waited for whom."""
        return self._engine.stats()
