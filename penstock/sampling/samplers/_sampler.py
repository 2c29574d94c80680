"""Where a sampler for torch stands in its stream, epoch by epoch."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import LoaderStateError, SamplingError
from penstock.sampling.plan._plan import SamplingPlan
from penstock.sampling.samplers._delivered import Delivered
from penstock.sampling.samplers._processes import (
    dispatched_batches_skipped,
    epoch_of_accelerate,
    epoch_of_lightning,
    num_processes_of_accelerate,
    own_rank,
    world_size_of_group,
)
from penstock.sampling.samplers._rearming import Reweighable
from penstock.sampling.schedules._plan import SchedulePlan
from penstock.sampling.spec._count import checked_count
from penstock.sampling.streams._stream import IndexStream, whole_of_state

__all__ = ["INJECTING", "EpochSampler", "whole_steps"]

INJECTING = (
    "Trainer(use_distributed_sampler=False) with distributed=True, "
    "or DataLoader(dataset, batch_sampler=TorchBatchSampler(plan, batch_size))"
)
"""What to write under Lightning, which by default puts samplers of its own in place."""


class EpochSampler(Reweighable):
    """Steps through a stream epoch by epoch, and knows where it is."""

    def __init__(
        self,
        source: SamplingPlan | SchedulePlan | IndexStream,
        batch_size: int,
        *,
        drop_last: bool,
        distributed: bool | None,
        rank: int | None,
        world_size: int | None,
    ) -> None:
        if hasattr(source, "num_replicas"):
            raise SamplingError(
                f"{type(source).__name__} is not a plan or a stream: Lightning tried to put it in the plan's place",
                hint=INJECTING,
            )
        self._plan = source if isinstance(source, SamplingPlan) else None
        self._is_planned = isinstance(source, SamplingPlan | SchedulePlan)
        self._stream = source.stream() if isinstance(source, SamplingPlan | SchedulePlan) else source
        batch_size = checked_count("batch_size", batch_size)
        if self._stream.size < 1:
            raise SamplingError("the stream has no draws. Expected at least one sample")
        self.batch_size = batch_size
        self.drop_last = drop_last
        self._continuing = bool(getattr(self._stream, "continuing", False))
        self._distributed = distributed
        self._own_share = (rank, world_size)
        self._epoch = -1
        self._start = 0
        self._done = self._base = 0
        self._open = self._restored = False
        self._asked: tuple[int, int] | None = None
        self._running: object | None = None
        self._warned = False
        self._given = Delivered()

    @property
    def num_draws(self) -> int:
        """Draws delivered in a whole epoch, over all processes; what `SamplingPlan.coverage` takes as `num_draws`."""
        return self._delivered(self._stream.size)

    def set_epoch(self, epoch: int) -> None:
        """Make the next iteration that epoch; the trainers call this.

        Parameters
        ----------
        epoch : int
            From 0. Without this call every iteration is the next epoch by itself. An epoch that
            `load_state_dict` left half done is finished if it is this one.

        Raises
        ------
        SamplingError
            If it is not a whole number of at least 0.
        """
        epoch = _checked_epoch(epoch)
        self._warn_if_left(epoch)
        if epoch == self._upcoming():
            if not self._open and self._asked is None and self._epoch >= 0 and self._running is None:
                self._asked = (epoch, self._next_start())  # a state from now on is of this epoch
            return
        following = epoch == self._epoch + 1
        if self._open and self._restored and (self._base or self._epoch) and not following:
            warnings.warn(
                f"set_epoch({epoch}) discards the restored position, {self._base} draws into epoch {self._epoch}",
                stacklevel=2,
            )
        start = self._next_start() if following else epoch * self._length_of_epoch()
        if self._running is not None or epoch == self._epoch:
            self._asked = (epoch, start)  # a DataLoader may be reading this epoch ahead: where it stands is kept
        else:
            self._place(epoch, start)

    def _next_start(self) -> int:
        return self._following() if self._continuing else (self._epoch + 1) * self._length_of_epoch()

    def _upcoming(self) -> int:
        """Return the epoch that the next iteration gives."""
        if self._asked is not None:
            return self._asked[0]
        return self._epoch + (not self._open)

    def _place(self, epoch: int, start: int, done: int = 0) -> None:
        """Let the next iteration begin at a place."""
        self._epoch, self._start, self._done, self._base, self._open = epoch, start, done, done, True
        self._asked = self._running = None
        self._restored = False

    def state_dict(self, num_delivered: int | None = None) -> dict[str, Any]:
        """Return where the sampler is, for `load_state_dict` in any process and any world size.

        Parameters
        ----------
        num_delivered : int, optional
            What the training loop has had of this epoch, in units of what this sampler yields. Default: all that was
            yielded, which with ``num_workers > 0`` includes what the DataLoader has fetched ahead.

        Returns
        -------
        dict
            ``fingerprint``, ``seed``, ``epoch``, ``start`` (position where the epoch began), ``position``.
        """
        if self._asked is not None and self._running is None and self._asked[0] != self._epoch:
            self._place(*self._asked)
        done = self._done if num_delivered is None else self._after(num_delivered)
        state = self._stream.state(self._start + done)
        return {**state, "epoch": max(self._epoch, 0), "start": self._start}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken; the next iteration finishes that epoch.

        Raises
        ------
        LoaderStateError
            If the state is of another stream.
        """
        position = self._stream.position(state)
        start, epoch = (whole_of_state(state, name) for name in ("start", "epoch"))
        if not 0 <= start <= position:
            raise LoaderStateError(f"the state is at position {position} of an epoch that began at {start}")
        self._place(epoch, start, position - start)
        self._restored = True

    def positions(self, rows: Any) -> NDArray[np.int64]:
        """Return where in the stream a batch was drawn, for what is recorded of it.

        Parameters
        ----------
        rows : array or tensor of int, shape (n,)
            The rows of a batch that was delivered lately, in their order. Of several batches with the same rows it is
            the first that was not asked for yet.

        Returns
        -------
        ndarray of int64, shape (n,)

        Raises
        ------
        SamplingError
            If they are not the rows of such a batch.

        Examples
        --------
        >>> from penstock.sampling import SequentialStream, TorchBatchSampler
        >>> sampler = TorchBatchSampler(SequentialStream(6), 2, rank=1, world_size=2, drop_last=True)
        >>> [sampler.positions(rows).tolist() for rows in sampler]
        [[2, 3]]
        """
        return self._given.find(rows)

    def _after(self, num_delivered: int) -> int:
        """Return the draws over all ranks, in whole steps, once so many things were delivered in this run."""
        raise NotImplementedError

    def _layout(self) -> tuple[int, int]:
        """Return rank and world size."""
        rank, world_size = self._own_share
        if rank is None and world_size is None and self._distributed:
            rank, world_size = own_rank()
        rank, world_size = rank or 0, 1 if world_size is None else world_size
        if not 0 <= rank < world_size:
            raise SamplingError(f"rank {rank} of world size {world_size}. Expected 0 <= rank < world_size")
        return rank, world_size

    @property
    def _is_shared(self) -> bool:
        """Whether the caller has said how processes share the stream."""
        return self._distributed is not None or self._own_share != (None, None)

    def _num_processes(self) -> int:
        """Return how many processes have a batch each in one step, whichever library shares the batches among them."""
        return self._layout()[1] if self._is_shared else num_processes_of_accelerate()

    def _begin(self) -> tuple[object, int]:
        """Start the next epoch, or go on with a restored one; return a token of this run, and the draws it has."""
        self._warn_if_nobody_shares()
        self._heed_trainer()
        if self._asked is not None:
            self._place(*self._asked)
        if not self._open:
            following = self._following()
            self._take_up_weights(following)
            self._epoch += 1
            self._start = following if self._continuing else self._epoch * self._stream.size
            self._done = self._base = 0
        elif self._done == 0 and self._waiting is not None:
            self._take_up_weights(self._start)
            self._start = max(self._start, self._reached) if self._continuing else self._epoch * self._stream.size
        elif self._restored and self._base >= self._whole():
            warnings.warn(
                f"the state was taken at the end of epoch {self._epoch}, which gives nothing more: the iteration after "
                f"this one is epoch {self._epoch + 1}. set_epoch({self._epoch + 1}) begins it at once",
                stacklevel=4,
            )
        self._open = self._restored = False
        self._running = object()
        return self._running, self._whole()

    def _heed_trainer(self) -> None:
        """Go to the epoch of a trainer that reads before it calls `set_epoch`, or whose `set_epoch` gets lost."""
        epoch = epoch_of_accelerate()
        if epoch is not None and epoch != self._upcoming():
            self.set_epoch(epoch)
        skipped, processes = dispatched_batches_skipped(), num_processes_of_accelerate()
        if skipped and processes > 1:
            warnings.warn(
                f"with dispatch_batches=True accelerate skips {skipped} batches of one process, which are "
                f"{skipped / processes:g} steps of {processes}; to skip n steps, skip_first_batches(loader, "
                f"n * {processes})",
                stacklevel=5,
            )
        epoch = epoch_of_lightning()
        if epoch is not None and self._open and self._base >= self._whole():
            self.set_epoch(self._epoch + 1)  # of a checkpoint that was taken at the end of an epoch
        elif epoch is not None and self._epoch < 0 and not self._open:
            self.set_epoch(epoch)

    def _warn_if_left(self, epoch: int) -> None:
        """Warn of a trainer that goes on to the next epoch before the end of this one."""
        begun = self._epoch >= 0 and not self._open and self._asked is None and epoch == self._epoch + 1
        left = self._whole() - self._done if begun and not self._warned and self._is_planned else 0
        if left > 0:
            self._warned = True
            warnings.warn(
                f"epoch {self._epoch} was left with {left} of its {self._whole()} draws not read, and no later epoch "
                "makes up for them: coverage and certificate of the plan do not hold. Trainers that read "
                f"fewer batches need a plan of that size, here size={self._done}",
                stacklevel=3,
            )

    def _ended(self, run: object) -> None:
        """Note that a run was read to its end or given up."""
        if self._running is run:
            self._running = None

    def _warn_if_nobody_shares(self) -> None:
        size = world_size_of_group()
        if self._warned or self._is_shared or size == 1 or num_processes_of_accelerate() > 1:
            return
        self._warned = True
        warnings.warn(
            f"each of the {size} processes of torch.distributed draws the whole stream; "
            "distributed=True splits it among them, distributed=False confirms that this is intended",
            stacklevel=5,
        )

    def _warn_if_dropped(self, consumer: object) -> None:
        """Warn of draws that a DataLoader takes and drops: what the plan forecasts is of all draws."""
        each = getattr(consumer, "batch_size", None)
        if self._warned or not (self._is_planned or self._continuing) or not isinstance(each, int) or each < 1:
            return
        mine = self.num_draws // self._layout()[1]
        processes = 1 if self._is_shared else num_processes_of_accelerate()
        lost = mine - whole_steps(mine, each * processes, drop_last=True)
        if lost and getattr(consumer, "drop_last", False) is True:
            self._warned = True
            warnings.warn(
                f"the DataLoader drops {lost} of {mine} draws in each epoch, so the coverage and certificate of the "
                f"plan do not hold. TorchSampler(plan, batch_size={each}, drop_last=True) drops none",
                stacklevel=4,
            )

    def _following(self) -> int:
        """Return where the next epoch starts: where the last would have ended, read to the end or not."""
        return self._reached if self._epoch < 0 else max(self._reached, self._start + self._whole())

    def _whole(self) -> int:
        """Return the draws of this epoch over all processes, dropped ones left out, padded ones counted."""
        return self._base + self._delivered(self._stream.size - self._base)

    def _delivered(self, left: int) -> int:
        """Return how many draws are delivered, over all processes, where so many are left of an epoch."""
        processes = self._num_processes()
        if processes == 1 and not self.drop_last:
            return max(left, 0)
        return whole_steps(left, processes * self.batch_size, self.drop_last)

    def _length_of_epoch(self) -> int:
        """Return how far apart two epochs begin in the stream."""
        return self._delivered(self._stream.size) if self._continuing else self._stream.size

    def _rows(self, first: int, last: int) -> NDArray[np.int64]:
        """Return the rows at places of this epoch; those beyond the end continue the stream, or wrap round."""
        size = self._stream.size
        if self._continuing or last <= size:
            rows = self._stream.slice(self._start + first, self._start + last)
        else:
            rows = self._stream.slice(self._start, self._start + size)[np.arange(first, last) % size]
        self._given.add(rows, self._start + first, *self._layout(), self.batch_size)
        return rows


def _checked_epoch(epoch: int) -> int:
    try:
        number = operator.index(epoch)
    except TypeError:
        number = -1
    if number < 0 or isinstance(epoch, bool):
        raise SamplingError(f"set_epoch({epoch!r}). Expected a whole number of at least 0")
    return number


def whole_steps(left: int, step: int, drop_last: bool) -> int:
    """Return the draws in whole steps, rounded down or up."""
    steps = max(left, 0) // step if drop_last else -(-max(left, 0) // step)
    return steps * step
