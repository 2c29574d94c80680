"""Which draws of the stream an epoch's batches are, for every rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Draws", "Epoch", "Stream"]

_BLOCK = 8_192
_SHORT = 256  # of a stream that changes, so few draws are drawn by themselves


class Stream(Protocol):
    """Row positions as a pure function of (spec, seed, position)."""

    @property
    def size(self) -> int:
        """Draws of one epoch."""
        ...

    @property
    def fingerprint(self) -> str:
        """Identity of what is drawn."""
        ...

    def slice(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the draws of some stream positions."""
        ...


@runtime_checkable
class _OneWayStream(Stream, Protocol):
    """A stream of samples that come one after the other: its draws are asked for in order, so many at a time."""

    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """The layout of one epoch: position g of the stream is batch, rank and slot.

    Global step s takes positions [s·B·W, (s + 1)·B·W); rank r of W takes the
    r-th B of them, so the global batches depend on the product B·W alone.

    Parameters
    ----------
    number : int
        The epoch, from 0.
    start : int
        Stream position where the epoch begins.
    size : int
        Draws the stream gives an epoch.
    consumed : int
        Draws, over all ranks, delivered before this run of the epoch began.
    batch_size, rank, world_size : int
        This reader's share.
    drop_last : bool
        Whether an incomplete last global batch is left out.
    continuing : bool
        Whether draws beyond the epoch continue the stream (iid, deck) or wrap
        round to its first ones (plain, shuffled, once).
    offset : int
        Samples by which each epoch is rotated.
    turned : int, optional
        Draws within which a continuing epoch is rotated, where a state says so: as
        many as the batch size it began with would deliver. None: those this one delivers.
    """

    number: int
    start: int
    size: int
    consumed: int = 0
    batch_size: int = 1
    rank: int = 0
    world_size: int = 1
    drop_last: bool = False
    continuing: bool = False
    offset: int = 0
    turned: int | None = None

    @property
    def _global_batch(self) -> int:
        return self.batch_size * self.world_size

    @property
    def num_batches(self) -> int:
        """Batches this rank still gives; equal on all ranks."""
        remaining = max(0, self.size - self.consumed)
        return remaining // self._global_batch if self.drop_last else -(-remaining // self._global_batch)

    @property
    def length(self) -> int:
        """Draws of the whole epoch over all ranks, as delivered: dropped ones left out, padded ones counted."""
        whole = self.consumed + self.num_batches * self._global_batch
        return whole if self.drop_last or self.world_size > 1 else min(whole, max(self.size, self.consumed))

    @property
    def following_start(self) -> int:
        """Stream position where the next epoch begins."""
        if not self.continuing:
            return self.start + self.size
        return self.start + (max(self.length, self.turned_within) if self.offset else self.length)

    def consumed_after(self, batches: int) -> int:
        """Return the draws delivered over all ranks once this rank gave `batches` batches."""
        return min(self.consumed + batches * self._global_batch, self.length)

    def positions(self, batch: int, count: int = 1) -> NDArray[np.int64]:
        """Return positions of some batches in the epoch, int64 of shape (count * batch_size,) or less at the end."""
        first = self.consumed + (batch * self.world_size + self.rank) * self.batch_size
        if count == 1 or self.world_size == 1:
            return np.arange(first, min(first + count * self.batch_size, self.length), dtype=np.int64)
        # this rank's part of each global batch
        begins = np.arange(first, first + count * self._global_batch, self._global_batch, dtype=np.int64)
        return (begins[:, None] + np.arange(self.batch_size)).ravel()  # with several ranks every batch is full

    def stream_offsets(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return, for increasing positions in the epoch, how far after `start` their draws are in the stream."""
        if not self.continuing:
            if not self.offset and len(positions) and positions[-1] < self.size:
                return positions
            return (positions + self.offset) % self.size
        if not self.offset:
            return positions
        within = self.turned_within
        return np.where(positions < within, (positions + self.offset) % max(1, within), positions)

    @property
    def turned_within(self) -> int:
        """Draws within which a continuing epoch is rotated; those beyond follow in their order."""
        if self.turned is not None:
            return self.turned
        whole = self.size // self._global_batch if self.drop_last else -(-self.size // self._global_batch)
        return whole * self._global_batch if self.drop_last or self.world_size > 1 else self.size

    def valid(self, positions: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Return a mask that is False for draws repeated only to fill the last batch; None when there are none."""
        if self.continuing or self.world_size == 1 or self.drop_last:
            return None
        mask: NDArray[np.bool_] = positions < self.size
        return mask


class Draws:
    """An epoch's draws, computed in blocks; a long run of positions is one slice.

    Parameters
    ----------
    stream : Stream
        Where the draws come from.
    epoch : Epoch
        Which of them.
    """

    def __init__(self, stream: Stream, epoch: Epoch) -> None:
        self._stream = stream
        self._epoch = epoch
        self._followed = False
        self._in_sequence = isinstance(stream, _OneWayStream)
        self._size = stream.block if isinstance(stream, _OneWayStream) else _BLOCK
        self._blocks: dict[int, NDArray[np.int64]] = {}

    def follow(self, stream: Stream) -> None:
        """Draw from a stream that is another from some position on; what is kept of the one before is forgotten."""
        if stream is not self._stream:
            self._stream, self._blocks, self._followed = stream, {}, True

    def of(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the pool positions drawn at increasing positions of the epoch."""
        offsets = self._epoch.stream_offsets(positions)
        if len(offsets) >= (_SHORT if self._followed else self._size) and not self._in_sequence:
            # one slice for a long run, as long as it has little between that other ranks take
            low, high = int(offsets.min()), int(offsets.max()) + 1
            if high - low <= len(offsets) * self._epoch.world_size:
                run = self._stream.slice(self._epoch.start + low, self._epoch.start + high)
                return run if len(run) == len(offsets) and offsets[0] == low else run[offsets - low]
        numbers = offsets // self._size
        draws = np.empty(len(offsets), np.int64)
        for number in np.unique(numbers).tolist():
            here = numbers == number
            draws[here] = self._block(number)[offsets[here] - number * self._size]
        return draws

    def _block(self, number: int) -> NDArray[np.int64]:
        block = self._blocks.get(number)
        if block is None:
            first, last = number * self._size, (number + 1) * self._size
            last = last if self._epoch.continuing else min(last, self._epoch.size)
            block = self._stream.slice(self._epoch.start + first, self._epoch.start + last)
            # replaced, not changed: other threads may be reading it
            self._blocks = {**dict(list(self._blocks.items())[-3:]), number: block}
        return block
