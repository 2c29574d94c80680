"""Other weights for a loader that is in use."""

from __future__ import annotations

import weakref
from typing import Literal, NamedTuple, Self

from penstock.errors import LoaderError
from penstock.loader.accounts._recent import Recent
from penstock.loader.accounts._stats import Meter
from penstock.loader.running._batch_maker import BatchMaker
from penstock.loader.running._cursor import Cursor
from penstock.loader.running._iterator import EpochIterator
from penstock.loader.running._recording import Recording
from penstock.loader.settings._settings import Settings, check_choice
from penstock.loader.sources._evaluated import evaluated
from penstock.loader.sources._pool import Pool
from penstock.sampling import SamplingPlan, SamplingSchedule, SamplingSpec
from penstock.tql.pipeline._plans import Weights, new_plan

__all__ = ["Parts", "Reweighable"]


class Parts(NamedTuple):
    """What a loader runs with, made when it is first needed and kept from epoch to epoch."""

    cursor: Cursor
    maker: BatchMaker
    meter: Meter
    running: weakref.WeakSet[EpochIterator]
    recent: Recent
    recording: Recording


class Reweighable:
    """What a loader draws by, and how that changes."""

    _settings: Settings

    @property
    def _parts(self) -> Parts:
        raise NotImplementedError

    @property
    def weights(self) -> SamplingSpec | None:
        """The sampling that draws this loader's samples; None where each is visited once an epoch."""
        plan = self._parts.cursor.pool.plan
        return None if plan is None else plan.spec

    @property
    def schedule(self) -> SamplingSchedule | None:
        """The weights by the position of the stream that each begin at; ``sample_by(schedule)`` replays the run.

        What was drawn, and from the first batch on that is not claimed yet what will be. None where no samples are
        drawn by weight.

        Raises
        ------
        LoaderError
            If an epoch began with weights of another mode, size or combination, which no schedule says.
        """
        planned = self._parts.cursor.upcoming_stream
        if planned.armed and planned.schedule is None:
            raise LoaderError(
                "the loader was given weights of another mode, size or way to combine than it began with. Expected "
                "the same throughout",
                hint="loader.weights is what it draws by now",
            )
        return planned.schedule

    def with_weights(self, weights: Weights, when: Literal["next_epoch", "next_batch"] = "next_epoch") -> Self:
        """Draw by other weights from the next epoch on, or from the next batch on.

        The seed stays and the stream goes on: no epoch repeats the random words of one before. `schedule` has the
        position from which they hold, and so has a state: one that is loaded brings its weights with it.

        Parameters
        ----------
        weights : str, SamplingSpec, SamplingPlan, list, tuple, ndarray or Tensor of torch
            A weight expression, or the name of a tensor that holds the weights; one weight for each sample of the
            dataset or view this loader draws from; these keep the current mode and size. Or a plan of these samples, or
            a spec, with these or other clauses; these bring their own mode and size.
        when : {"next_epoch", "next_batch"}
            The epoch under way is not touched; or the first batch on that is not claimed yet is the first to follow
            the new weights. Batches that are made ahead are delivered as they are.

        Returns
        -------
        Loader
            This loader.

        Raises
        ------
        LoaderError
            If this loader draws no weighted samples. With "next_batch" also if processes share the epoch, or it has
            no order that could change: that of draws without replacement, or of an offset.
        SamplingError
            If the weights are of other samples or clauses, are not valid weights, or leave nothing to draw. With
            "next_batch" also if they bring another mode, size, or way to combine.
        """
        check_choice("when", when, ("next_epoch", "next_batch"))
        cursor = self._parts.cursor
        plan = self._new_plan(cursor.pool, weights)
        if when == "next_epoch":
            cursor.rearm(plan)
            self._parts.recording.keep_weights(cursor.planned)
            return self
        if self._settings.distributed:
            raise LoaderError(
                "when='next_batch' with distributed=True: processes agree on weights where an epoch begins",
                hint="when='next_epoch'",
            )
        cursor.rearm_now(plan)
        self._parts.recording.keep_weights(cursor.planned)
        return self

    @staticmethod
    def _new_plan(pool: Pool, weights: Weights) -> SamplingPlan:
        if pool.plan is None:
            raise LoaderError("this loader does not draw by weight", hint="end its chain with .sample_by(...)")
        assert isinstance(pool.plan, SamplingPlan)  # of one position
        return evaluated(new_plan(pool.table, pool.rows, pool.plan, weights))
