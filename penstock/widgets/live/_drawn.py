"""What a loader has drawn so far: the classes of the epoch under way, and the samples seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.sampling import IndexStream
from penstock.sampling.plan._plan import PlannedStrata

__all__ = ["DrawnSoFar", "Progress"]

_AT_ONCE = 1 << 17  # draws counted in one go: more would keep the training loop from the interpreter
_MAX_CLASSES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a loader is.

    Parameters
    ----------
    epoch : int
        Under way or next, from 0.
    start : int
        Position of the stream where it begins.
    consumed : int
        Draws of it handed out.
    length : int
        Draws of an epoch.
    continuing : bool
        Whether the stream goes on beyond an epoch; else each is drawn by itself.
    """

    epoch: int
    start: int
    consumed: int
    length: int
    continuing: bool

    @property
    def position(self) -> int:
        """Draws handed out since the stream began."""
        return self.start + self.consumed


class DrawnSoFar:
    """Counts the draws of a loader as it goes; each position is looked at once.

    Parameters
    ----------
    strata : Strata
        The pool with its labels.
    """

    def __init__(self, strata: PlannedStrata) -> None:
        self._labels = strata.labels
        self._identity = strata.identity
        self._seen = np.zeros(strata.num_rows, bool)
        self._counts = np.zeros(0 if strata.labels is None else strata.labels.num_classes, np.int64)
        self._last = self._counts
        self._epoch, self._counted = 0, 0
        self._unseen: tuple[PlannedStrata, NDArray[np.int64]] | None = None
        self.num_seen = 0
        self.after_epochs: list[int] = []

    @property
    def counts(self) -> NDArray[np.int64] | None:
        """Instances of each class drawn in the epoch under way, or in the last where the next has not begun.

        None where nothing or too much would be counted.
        """
        counts = self._last if self._counted == 0 and self._epoch > 0 else self._counts
        return counts if 0 < len(counts) <= _MAX_CLASSES else None

    @property
    def num_samples(self) -> int:
        """Samples of the pool."""
        return len(self._seen)

    def unseen(self, strata: PlannedStrata) -> NDArray[np.int64]:
        """Return the samples that were not drawn yet of each stratum of the pool; counted once, then kept up."""
        if self._unseen is None or self._unseen[0] is not strata:
            self._unseen = strata, np.bincount(strata.ids[~self._seen], minlength=strata.num_strata)
        return self._unseen[1]

    def follow(self, stream: IndexStream, now: Progress) -> bool:
        """Count what was drawn since the last call, a bounded part of it; return whether all is counted."""
        if (now.epoch, now.consumed) < (self._epoch, self._counted):  # a state was loaded
            self._forget()
        left = _AT_ONCE
        while self._epoch < now.epoch and left > 0:
            left -= self._count(stream, self._start_of(now), now.length - self._counted, left, now)
            if self._counted >= now.length:
                self.after_epochs.append(self.num_seen)
                self._epoch, self._counted = self._epoch + 1, 0
                self._last, self._counts = self._counts, np.zeros_like(self._counts)
        if self._epoch == now.epoch and left > 0:
            self._count(stream, now.start, now.consumed - self._counted, left, now)
        return self._epoch == now.epoch and self._counted >= now.consumed

    def _forget(self) -> None:
        self._seen[:] = False
        self._unseen = None
        self._counts = np.zeros_like(self._counts)
        self._epoch, self._counted, self.num_seen, self.after_epochs = 0, 0, 0, []

    def _start_of(self, now: Progress) -> int:
        return now.start - (now.epoch - self._epoch) * now.length

    def _count(self, stream: IndexStream, start: int, wanted: int, at_most: int, now: Progress) -> int:
        number = min(wanted, at_most)
        if number <= 0:
            return 0
        first = self._counted
        if now.continuing:
            drawn = stream.slice(start + first, start + first + number)
        else:
            drawn = stream.epoch(self._epoch)[first : first + number]
        if self._labels is not None:
            self._counts = self._counts + self._labels.take(drawn).instances
        samples = drawn if self._identity is None else self._identity[drawn]
        new = np.unique(samples[~self._seen[samples]])
        self._seen[new] = True
        if self._unseen is not None:
            strata, left = self._unseen
            self._unseen = strata, left - np.bincount(strata.ids[new], minlength=strata.num_strata)
        self.num_seen += len(new)
        self._counted += number
        return number
