"""What is drawn by now, shared by all that draws: whoever claims batches, and whoever gives other weights."""

from __future__ import annotations

import threading
from collections.abc import Callable

from penstock.loader.place._state import Place
from penstock.loader.sources._planned import PlannedStream
from penstock.sampling import SamplingPlan
from penstock.storage import renewed_lock

__all__ = ["Armory", "Claimed", "Waiting"]


class Claimed:
    """How many batches of a run through an epoch are claimed: their rows are known, whoever reads them."""

    __slots__ = ("batches",)

    def __init__(self) -> None:
        self.batches = 0


class Waiting:
    """Weights that wait for the next epoch.

    Parameters
    ----------
    plan : SamplingPlan
        The weights.
    """

    def __init__(self, plan: SamplingPlan) -> None:
        self.plan = plan
        self._made: tuple[PlannedStream, int, Armory] | None = None

    def armory(self, now: PlannedStream, place: Place) -> Armory:
        """Return what is drawn from once they are armed at a place; the same while nothing changes."""
        start = place.start if self.plan.spec.mode != "once" else place.epoch * self.plan.num_draws
        if self._made is None or self._made[:2] != (now, start):
            self._made = now, start, Armory(now.replaced(start, self.plan))
        return self._made[2]

    def is_of(self, armory: Armory) -> bool:
        """Tell whether an armory is that of these weights."""
        return self._made is not None and self._made[2] is armory


class Armory:
    """The stream as it is now. What was claimed of it stays; one lock, the innermost of the loader's, sees to that.

    Parameters
    ----------
    now : PlannedStream
        What is drawn at first.
    """

    def __init__(self, now: PlannedStream) -> None:
        self.now = now
        self._lock = renewed_lock(threading.RLock())  # a signal's handler may give weights within

    def claim(self, claimed: Claimed, batches: int) -> PlannedStream:
        """Claim the first batches of a run; return what they are drawn from."""
        with self._lock:
            claimed.batches = max(claimed.batches, batches)
            return self.now

    def change(self, changed: Callable[[PlannedStream], PlannedStream]) -> PlannedStream:
        """Replace what is drawn from by what a function makes of it; nothing is claimed meanwhile."""
        with self._lock:
            self.now = changed(self.now)
            return self.now
