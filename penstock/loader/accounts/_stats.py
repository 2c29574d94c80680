"""Where a loader's time goes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from penstock.loader.batching._batch import Batch
from penstock.storage import renewed_lock

__all__ = ["LoaderStats", "Meter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderStats:
    """What a loader did since it was made, and the seconds it took.

    Parameters
    ----------
    batches, samples : int
        Handed to the caller.
    read_seconds, decode_seconds : float
        Spent by the reader threads in the store and in the decoder, summed over threads; of arrays in
        memory, by the caller's own in drawing rows and in gathering them.
    transform_seconds : float
        Spent in transforms and collating, summed over processes.
    waited_seconds : float
        The caller waited for a batch.
    consumer_seconds : float
        The loader was ready while the caller worked.
    skipped, substituted : int
        Samples that could not be read.
    """

    batches: int
    samples: int
    read_seconds: float
    decode_seconds: float
    transform_seconds: float
    waited_seconds: float
    consumer_seconds: float
    skipped: int
    substituted: int

    @property
    def stall_share(self) -> float:
        """Share of the wall time in which the caller waited for the loader."""
        whole = self.waited_seconds + self.consumer_seconds
        return self.waited_seconds / whole if whole else 0.0


@dataclass(slots=True)
class Meter:
    """Adds up; one per loader."""

    batches: int = 0
    samples: int = 0
    seconds: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("read", "decode", "transform", "waited", "consumer"), 0.0)
    )
    skipped: list[tuple[int, str]] = field(default_factory=list)
    substituted: list[tuple[int, str]] = field(default_factory=list)
    _lock: Any = field(default_factory=lambda: renewed_lock(threading.RLock()))  # a signal's handler may ask within
    _handed_over: float | None = None

    def asked(self) -> float:
        """Note that the caller requests a batch; return the time."""
        now = time.perf_counter()
        with self._lock:
            if self._handed_over is not None:
                self.seconds["consumer"] += now - self._handed_over
        return now

    def delivered(self, asked: float, batch: Batch) -> None:
        """Note that a batch is handed over."""
        with self._lock:
            self.batches += 1
            self.samples += len(batch.draw)
            for stage, spent in batch.seconds.items():
                self.seconds[stage] += spent
            self.skipped += batch.skipped
            self.substituted += batch.substituted
            self._handed_over = time.perf_counter()
            self.seconds["waited"] += self._handed_over - asked

    def drew(self, seconds: float) -> None:
        """Note the time it took to draw the rows of coming batches; it is not part of gathering them."""
        with self._lock:
            self.seconds["read"] += seconds
            self.seconds["decode"] -= seconds

    def gathered(self, asked: float) -> None:
        """Note that batches were gathered in the caller's thread, which requested the first of them at `asked`."""
        with self._lock:
            now = time.perf_counter()
            seconds = self.seconds
            if self._handed_over is not None and asked > self._handed_over:
                seconds["consumer"] += asked - self._handed_over
            seconds["decode"] += now - asked
            seconds["waited"] += now - asked
            self._handed_over = now

    def counted(self, batches: int, samples: int) -> None:
        """Count batches that were gathered and delivered."""
        with self._lock:
            self.batches += batches
            self.samples += samples

    def ended(self) -> None:
        """Note that an epoch is over; the time until the next is not counted."""
        with self._lock:
            self._handed_over = None

    def stats(self) -> LoaderStats:
        """Return what was added up."""
        with self._lock:
            return LoaderStats(
                batches=self.batches,
                samples=self.samples,
                skipped=len(self.skipped),
                substituted=len(self.substituted),
                **{f"{stage}_seconds": spent for stage, spent in self.seconds.items()},
            )
