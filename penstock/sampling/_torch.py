"""Samplers for any torch DataLoader; torch itself is not needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import LoaderStateError, SamplingError
from penstock.sampling._plan import SamplingPlan
from penstock.sampling._rearming import Reweighable
from penstock.sampling._stream import IndexStream

__all__ = ["TorchBatchSampler", "TorchSampler"]

_AT_ONCE = 1 << 14


class _Sampler(Reweighable):
    """Steps through a stream epoch by epoch, and knows where it is."""

    def __init__(
        self,
        source: SamplingPlan | IndexStream,
        batch_size: int,
        *,
        drop_last: bool,
        distributed: bool,
        rank: int | None,
        world_size: int | None,
    ) -> None:
        self._plan = source if isinstance(source, SamplingPlan) else None
        self._stream = source.stream() if isinstance(source, SamplingPlan) else source
        if isinstance(batch_size, bool) or int(batch_size) != batch_size or batch_size < 1:
            raise SamplingError(f"batch_size is {batch_size!r}; expected a whole number of at least 1")
        if self._stream.size < 1:
            raise SamplingError("the stream has no draws; expected at least one sample")
        self.batch_size = int(batch_size)
        self.drop_last = drop_last
        self._continuing = bool(getattr(self._stream, "continuing", False))
        self._distributed = distributed
        self._given = (rank, world_size)
        self._epoch = -1
        self._start = 0
        self._done = self._base = 0
        self._open = False

    def set_epoch(self, epoch: int) -> None:
        """Make the next iteration that epoch; Lightning and accelerate call this.

        Parameters
        ----------
        epoch : int
            From 0. Without this call every iteration is the next epoch by itself.
        """
        if epoch == self._epoch + (not self._open):
            return
        rank_size = self._layout()[1] * self.batch_size
        length = _length(self._stream.size, rank_size, self.drop_last) if self._continuing else self._stream.size
        self._epoch, self._start, self._done, self._base, self._open = epoch, epoch * length, 0, 0, True

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
        start, epoch = int(state["start"]), int(state["epoch"])
        if not 0 <= start <= position:
            raise LoaderStateError(f"the state is at position {position} of an epoch that began at {start}")
        self._epoch, self._start, self._done, self._open = epoch, start, position - start, True
        self._base = self._done

    def _after(self, num_delivered: int) -> int:
        """Return the draws over all ranks, in whole steps, once so many things were delivered in this run."""
        raise NotImplementedError

    def _layout(self) -> tuple[int, int]:
        """Return rank and world size."""
        rank, world_size = self._given
        if rank is None and world_size is None and self._distributed:
            rank, world_size = _of_process()
        rank, world_size = rank or 0, 1 if world_size is None else world_size
        if not 0 <= rank < world_size:
            raise SamplingError(f"rank {rank} of world size {world_size}; expected 0 <= rank < world_size")
        return rank, world_size

    def _begin(self) -> int:
        """Start the next epoch, or go on with a restored one; return the draws it has."""
        if not self._open:
            following = self._following()
            self._take_up_weights(following)
            self._epoch += 1
            self._start = following if self._continuing else self._epoch * self._stream.size
            self._done = self._base = 0
        elif self._done == 0 and self._waiting is not None:
            self._take_up_weights(self._start)
            self._start = max(self._start, self._reached) if self._continuing else self._epoch * self._stream.size
        self._open = False
        return self._whole()

    def _following(self) -> int:
        """Return where the next epoch starts: where the last would have ended, read to the end or not."""
        return self._reached if self._epoch < 0 else max(self._reached, self._start + self._whole())

    def _whole(self) -> int:
        """Return the draws of this epoch over all ranks, dropped ones left out, padded ones counted."""
        left = self._stream.size - self._base
        world_size = self._layout()[1]
        if world_size == 1 and not self.drop_last:
            return self._base + max(left, 0)
        return self._base + _length(left, world_size * self.batch_size, self.drop_last)

    def _rows(self, first: int, last: int) -> NDArray[np.int64]:
        """Return the rows at places of this epoch; those beyond the end continue the stream, or wrap round."""
        size = self._stream.size
        if self._continuing or last <= size:
            return self._stream.slice(self._start + first, self._start + last)
        places = np.arange(first, last) % size
        return self._stream.slice(self._start, self._start + size)[places]


class TorchSampler(_Sampler):
    """Row numbers for ``DataLoader(sampler=...)``: weighted, seeded, resumable, in step over ranks.

    Each iteration is the next epoch, the first is 0. Leave `distributed` off under accelerate, Lightning or the
    Hugging Face Trainer: they share out the batches themselves, in the order used here.

    Parameters
    ----------
    source : SamplingPlan or IndexStream
        What to draw.
    batch_size : int
        The DataLoader's; matters for the layout over ranks only.
    drop_last : bool
        Whether draws that do not fill a step of all ranks are left out; else the stream goes on to fill it.
    distributed : bool
        Take this process's share; rank and world size come from ``torch.distributed`` unless given.
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
        source: SamplingPlan | IndexStream,
        *,
        batch_size: int = 1,
        drop_last: bool = False,
        distributed: bool = False,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        super().__init__(
            source, batch_size, drop_last=drop_last, distributed=distributed, rank=rank, world_size=world_size
        )

    def __iter__(self) -> Iterator[int]:
        whole, (rank, world_size) = self._begin(), self._layout()
        step = self.batch_size * world_size
        at_once = max(_AT_ONCE // step, 1) * step
        for first in range(self._done, whole, at_once):
            rows = self._rows(first, min(first + at_once, whole))
            for row, done in zip(*_share(rows, first, rank, world_size, self.batch_size), strict=True):
                self._done = done
                yield row
        self._done = whole

    def __len__(self) -> int:
        """Return the draws of this rank in a whole epoch."""
        world_size = self._layout()[1]
        if world_size == 1 and not self.drop_last:
            return self._stream.size
        return _length(self._stream.size, world_size * self.batch_size, self.drop_last) // world_size

    def _after(self, num_delivered: int) -> int:
        world_size = self._layout()[1]
        whole = num_delivered if world_size == 1 else num_delivered // self.batch_size * self.batch_size * world_size
        return min(self._base + whole, self._whole())


class TorchBatchSampler(_Sampler):
    """Batches of row numbers for ``DataLoader(batch_sampler=...)``; see `TorchSampler`.

    Parameters
    ----------
    source : SamplingPlan or IndexStream
        What to draw.
    batch_size : int
        Samples per batch of this process.
    drop_last : bool
        Whether an incomplete last step is left out. Else one process gives a short last batch, and several go on in
        the stream (or wrap round, without replacement) to fill it.
    distributed : bool
        Take this process's share; rank and world size come from ``torch.distributed`` unless given.
    rank, world_size : int, optional
        Of this process.

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
        source: SamplingPlan | IndexStream,
        batch_size: int,
        drop_last: bool = False,
        *,
        distributed: bool = False,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        super().__init__(
            source, batch_size, drop_last=drop_last, distributed=distributed, rank=rank, world_size=world_size
        )

    def __iter__(self) -> Iterator[list[int]]:
        whole, (rank, world_size) = self._begin(), self._layout()
        step = self.batch_size * world_size
        at_once = max(_AT_ONCE // step, 1) * step
        for first in range(self._done, whole, at_once):
            rows = self._rows(first, min(first + at_once, whole)).tolist()
            for begin in range(0, len(rows), step):
                mine = begin + rank * self.batch_size
                self._done = min(first + begin + step, whole)
                yield rows[mine : mine + self.batch_size]

    def __len__(self) -> int:
        """Return the batches of this rank in a whole epoch."""
        step = self._layout()[1] * self.batch_size
        return self._stream.size // step if self.drop_last else -(-self._stream.size // step)

    def _after(self, num_delivered: int) -> int:
        return min(self._base + num_delivered * self.batch_size * self._layout()[1], self._whole())


def _length(left: int, step: int, drop_last: bool) -> int:
    """Return the draws in whole steps, rounded down or up."""
    steps = max(left, 0) // step if drop_last else -(-max(left, 0) // step)
    return steps * step


def _share(
    rows: NDArray[np.int64], first: int, rank: int, world_size: int, batch_size: int
) -> tuple[list[int], list[int]]:
    """Return the rows of a rank, and the draws done over all ranks, in whole steps, after each."""
    if world_size == 1:
        return rows.tolist(), list(range(first + 1, first + len(rows) + 1))
    mine = rows.reshape(-1, world_size, batch_size)[:, rank].ravel()
    done = first + (np.arange(1, len(mine) + 1) // batch_size) * batch_size * world_size
    return mine.tolist(), done.tolist()


def _of_process() -> tuple[int, int]:
    """Return rank and world size of torch.distributed."""
    torch: Any = sys.modules.get("torch")
    group = getattr(torch, "distributed", None)
    if group is None or not group.is_available() or not group.is_initialized():
        raise SamplingError(
            "distributed=True, but torch.distributed is not initialised",
            hint="call torch.distributed.init_process_group() first, or pass rank= and world_size=",
        )
    return int(group.get_rank()), int(group.get_world_size())
