"""From decoded columns to what the caller gets; runs in the consumer's thread or in a worker process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from penstock.engines import worker_number
from penstock.loader.batching._batch import Batch
from penstock.loader.batching._collate import Collation
from penstock.loader.batching._to_torch import require_torch
from penstock.loader.batching._transform import Transform

__all__ = ["Work", "WorkerTask", "timed"]


class Work:
    """Transform, then collate, one batch.

    Parameters
    ----------
    transform : Transform, optional
        Applied to each sample.
    dropping : bool
        Whether the transform is a dict.
    collation : Collation
        How samples are merged.
    index_in_samples : bool
        Whether a transform sees ``index`` in its sample.
    """

    def __init__(
        self, *, transform: Transform | None, dropping: bool, collation: Collation, index_in_samples: bool
    ) -> None:
        self.transform = transform
        self._dropping = dropping
        self._collation = collation
        self._index_in_samples = index_in_samples

    @property
    def is_heavy(self) -> bool:
        """Whether there is a user's function to run."""
        return self.transform is not None or not self._collation.of_columns

    def __call__(self, batch: Batch, uids: list[int], *, keep_state: bool) -> Any:
        """Return the batch as the caller gets it, in numpy."""
        if not self.is_heavy:
            return self._collation.columns(batch)
        samples: list[Any] = _samples(batch)
        if self.transform is not None:
            if self._index_in_samples:
                for sample, row in zip(samples, batch.draw.rows.tolist(), strict=True):
                    sample["index"] = row
            samples = self.transform.all(samples, batch.draw, uids, keep_state=keep_state)
        transformed = self.transform is not None
        return self._collation.samples(
            samples, batch, transformed=transformed, dropping=self._dropping, keep_state=keep_state
        )


def timed(work: Work, batch: Batch, uids: list[int], *, keep_state: bool) -> tuple[Any, float]:
    """Return the work done on a batch, and the seconds it took."""
    began = time.perf_counter()
    result = work(batch, uids, keep_state=keep_state)
    return result, time.perf_counter() - began


class WorkerTask:
    """The work of one loader, as a worker process runs it.

    Parameters
    ----------
    work : Work
        Transform and collate.
    init : callable, optional
        Called once in each process, with its number.
    with_torch : bool
        Load torch first, so that its global generator can be set for the first sample too.
    """

    def __init__(self, work: Work, init: Callable[[int], None] | None, *, with_torch: bool) -> None:
        self._work = work
        self._init = init
        self._with_torch = with_torch
        self._begun = False

    def __call__(self, batch: Batch, uids: list[int]) -> tuple[Any, float]:
        """Return the batch and the seconds it took."""
        if not self._begun:
            self._begin()
        return timed(self._work, batch, uids, keep_state=False)

    def _begin(self) -> None:
        if self._with_torch:
            require_torch()
        if self._init is not None:
            self._init(worker_number())
        self._begun = True


def _samples(batch: Batch) -> list[dict[str, Any]]:
    names = list(batch.columns)
    columns = [batch.columns[name] for name in names]
    return [
        {name: _owned(column[place]) for name, column in zip(names, columns, strict=True)}
        for place in range(len(batch.draw))
    ]


def _owned(value: Any) -> Any:
    """Give a scalar taken from an array the form of an array, so that every sample has shape and dtype."""
    return np.asarray(value) if isinstance(value, np.generic) else value
