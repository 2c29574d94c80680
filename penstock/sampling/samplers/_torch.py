"""Samplers for any torch DataLoader; torch itself is not needed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError
from penstock.sampling.plan._plan import SamplingPlan
from penstock.sampling.samplers._processes import consumer_of_caller, is_lightning_wrapper, num_processes_of_accelerate
from penstock.sampling.samplers._sampler import INJECTING, EpochSampler
from penstock.sampling.schedules._plan import SchedulePlan
from penstock.sampling.streams._stream import IndexStream

__all__ = ["TorchBatchSampler", "TorchSampler"]

_AT_ONCE = 1 << 14


class TorchSampler(EpochSampler):
    """Row numbers for ``DataLoader(sampler=...)``: weighted, seeded, resumable, in step over ranks.

    Each iteration is the next epoch, the first is 0. What to write for each trainer is in the guide "Trainers".

    Parameters
    ----------
    source : SamplingPlan, SchedulePlan or IndexStream
        What to draw.
    batch_size : int
        The DataLoader's; matters for the layout over processes, and with `drop_last`.
    drop_last : bool
        Whether draws that do not fill a step of all processes are left out; else the stream goes on to fill it.
    distributed : bool, optional
        Take this process's share; rank and world size come from ``torch.distributed`` unless given. Default: leave
        that to accelerate where it is in use; where nobody shares the stream out, that is warned of.
    rank, world_size : int, optional
        Of this process. Position ``g`` belongs to step ``g // (batch_size world_size)`` and to rank
        ``(g mod (batch_size world_size)) // batch_size``.

    Examples
    --------
    >>> from penstock.sampling import SequentialStream
    >>> list(TorchSampler(SequentialStream(5)))
    [0, 1, 2, 3, 4]
    >>> list(TorchSampler(SequentialStream(6), batch_size=2, rank=1, world_size=2, drop_last=True))
    [2, 3]
    """

    def __init__(
        self,
        source: SamplingPlan | SchedulePlan | IndexStream,
        *,
        batch_size: int = 1,
        drop_last: bool = False,
        distributed: bool | None = None,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        super().__init__(
            source, batch_size, drop_last=drop_last, distributed=distributed, rank=rank, world_size=world_size
        )

    @property
    def sampler(self) -> TorchSampler:
        """Itself: where trainers look for what has `set_epoch`."""
        return self

    def __iter__(self) -> Iterator[int]:
        consumer = consumer_of_caller(1)
        if is_lightning_wrapper(consumer):
            raise SamplingError(
                "Lightning wraps TorchSampler in a DistributedSampler of its own, which draws another order",
                hint=INJECTING,
            )
        self._match(consumer)
        self._warn_if_dropped(consumer)
        return self._draws()

    def _match(self, consumer: Any) -> None:
        """Lay the draws out over processes by the batch size of the DataLoader, where none was given."""
        each = getattr(consumer, "batch_size", None)
        shared = self._layout()[1] > 1 or (not self._is_shared and num_processes_of_accelerate() > 1)
        if not shared or getattr(consumer, "sampler", None) is not self or not isinstance(each, int) or each < 1:
            return
        if self.batch_size == 1:
            self.batch_size = each
        elif each != self.batch_size and not self._warned:
            self._warned = True
            warnings.warn(
                f"TorchSampler has batch_size={self.batch_size} and its DataLoader batch_size={each}: in "
                "several processes the end of an epoch and a resume may then repeat draws. Give both the same",
                stacklevel=4,
            )

    def _draws(self) -> Iterator[int]:
        run, whole = self._begin()
        rank, world_size = self._layout()
        step = self.batch_size * world_size
        at_once = max(_AT_ONCE // step, 1) * step
        try:
            for first in range(self._done, whole, at_once):
                rows = self._rows(first, min(first + at_once, whole))
                for row, done in zip(*_share(rows, first, rank, world_size, self.batch_size), strict=True):
                    if self._running is run:
                        self._done = done
                    yield row
            if self._running is run:
                self._done = whole
        finally:
            self._ended(run)

    def __len__(self) -> int:
        """Return the draws of this rank in a whole epoch."""
        return self.num_draws // self._layout()[1]

    def _num_processes(self) -> int:
        # a sampler that does not know the batch size cannot know what fills a step
        return super()._num_processes() if self._is_shared or self.batch_size > 1 else 1

    def _after(self, num_delivered: int) -> int:
        world_size = self._layout()[1]
        whole = num_delivered if world_size == 1 else num_delivered // self.batch_size * self.batch_size * world_size
        return min(self._base + whole, self._whole())


class TorchBatchSampler(EpochSampler):
    """Batches of row numbers for ``DataLoader(batch_sampler=...)``; see `TorchSampler`.

    Parameters
    ----------
    source : SamplingPlan, SchedulePlan or IndexStream
        What to draw.
    batch_size : int
        Samples per batch of this process.
    drop_last : bool
        Whether an incomplete last step is left out. Else one process gives a short last batch, and several go on in
        the stream (or wrap round, without replacement) to fill it.
    distributed : bool, optional
        Take this process's share; rank and world size come from ``torch.distributed`` unless given. Default: leave
        that to accelerate or Lightning where they are in use; where nobody shares the stream out, that is warned of.
    rank, world_size : int, optional
        Of this process.
    sampler : DistributedSampler, optional
        Where Lightning puts the sampler it would share the rows out by; rank and world size are taken from it.

    Examples
    --------
    >>> from penstock.sampling import SequentialStream
    >>> batches = TorchBatchSampler(SequentialStream(5), 2)
    >>> list(batches), len(batches)
    ([[0, 1], [2, 3], [4]], 3)
    >>> state = batches.state_dict()
    """

    def __init__(
        self,
        source: SamplingPlan | SchedulePlan | IndexStream,
        batch_size: int,
        drop_last: bool = False,
        *,
        distributed: bool | None = None,
        rank: int | None = None,
        world_size: int | None = None,
        sampler: Any = None,
    ) -> None:
        if isinstance(source, TorchBatchSampler):
            vars(self).update(vars(source), drop_last=drop_last, _running=None)
        else:
            super().__init__(
                source, batch_size, drop_last=drop_last, distributed=distributed, rank=rank, world_size=world_size
            )
        if hasattr(sampler, "num_replicas"):
            self._own_share = (int(sampler.rank), int(sampler.num_replicas))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__pl_saved_") and "_own_share" in vars(self):
            return {
                "__pl_saved_args": (self, self.batch_size, self.drop_last),
                "__pl_saved_arg_names": ("source", "batch_size", "drop_last"),
                "__pl_saved_kwargs": {},
                "__pl_saved_default_kwargs": {"sampler": None},
            }[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def sampler(self) -> _RowsOfBatches:
        """The same draws one by one: where trainers look for what has `set_epoch`."""
        return _RowsOfBatches(self)

    def __iter__(self) -> Iterator[list[int]]:
        run, whole = self._begin()
        rank, world_size = self._layout()
        step = self.batch_size * world_size
        at_once = max(_AT_ONCE // step, 1) * step
        try:
            for first in range(self._done, whole, at_once):
                rows = self._rows(first, min(first + at_once, whole)).tolist()
                for begin in range(0, len(rows), step):
                    mine = begin + rank * self.batch_size
                    if self._running is run:
                        self._done = min(first + begin + step, whole)
                    yield rows[mine : mine + self.batch_size]
        finally:
            self._ended(run)

    def __len__(self) -> int:
        """Return the batches of this rank in a whole epoch."""
        step = self._layout()[1] * self.batch_size
        return (self.num_draws + step - 1) // step

    def _after(self, num_delivered: int) -> int:
        return min(self._base + num_delivered * self.batch_size * self._layout()[1], self._whole())


class _RowsOfBatches:
    """The draws of a batch sampler one by one; its epochs and its state are those of the batch sampler."""

    def __init__(self, batches: TorchBatchSampler) -> None:
        self._batches = batches
        self.set_epoch = batches.set_epoch
        self.state_dict = batches.state_dict
        self.load_state_dict = batches.load_state_dict

    def __iter__(self) -> Iterator[int]:
        return (row for batch in self._batches for row in batch)

    def __len__(self) -> int:
        return self._batches.num_draws // self._batches._layout()[1]  # noqa: SLF001  of this module


def _share(
    rows: NDArray[np.int64], first: int, rank: int, world_size: int, batch_size: int
) -> tuple[list[int], list[int]]:
    """Return the rows of a rank, and the draws done over all ranks, in whole steps, after each."""
    if world_size == 1:
        return rows.tolist(), list(range(first + 1, first + len(rows) + 1))
    mine = rows.reshape(-1, world_size, batch_size)[:, rank].ravel()
    done = first + (np.arange(1, len(mine) + 1) // batch_size) * batch_size * world_size
    return mine.tolist(), done.tolist()
