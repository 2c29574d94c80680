"""Where a loader is, and what its next epoch is: pool, stream and place, and weights that wait for it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from penstock.loader.batching._to_torch import agree, warn_of_draws_left, warn_of_place_given_up, world
from penstock.loader.place._epoch import Epoch, Stream
from penstock.loader.place._state import Identity, Place, parts_of, place_of
from penstock.loader.running._armed import ArmedEpoch
from penstock.loader.running._audit import Tally
from penstock.loader.running._gather import Gather
from penstock.loader.settings._settings import Settings
from penstock.loader.sources._pool import Pool
from penstock.sampling import SamplingPlan
from penstock.storage import renewed_lock

__all__ = ["Cursor"]


class Cursor:
    """What is armed: the pool and its stream, the place in them, and the plan of the epochs to come.

    Safe to call from several threads. One lock guards the place and everything that is armed. Meter and tally have
    locks of their own or are called under this one; they never call back.

    Parameters
    ----------
    pool : Pool
        What is drawn from.
    settings : Settings
        Everything else of the chain.
    """

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._settings = settings
        self._lock = renewed_lock(threading.RLock())  # reentrant: a signal's handler may ask for the state within
        self._pending: Pool | None = None
        self._place = Place()
        self._started = False
        self._restored = False
        self._latest: ArmedEpoch | None = None
        self._gathers: list[Gather] = []
        self._warned_of_draws_left = False
        self._arm(pool)

    def _arm(self, pool: Pool) -> None:
        self.pool = pool
        self.stream = self._stream_of(pool)
        self.tally = Tally(pool, shuffled=self._settings.shuffle)
        self._identity: Identity | None = None

    def _stream_of(self, pool: Pool) -> Stream:
        settings = self._settings
        return pool.stream(shuffle=settings.shuffle, seed=settings.seed, megabytes=settings.buffer_size)

    def _arm_pending(self) -> None:
        if self._pending is not None:
            self._arm(self._pending)
            self._pending = None

    # ---- batches that are gathered: they are counted when somebody asks --------------------

    def watch(self, gather: Gather) -> None:
        """Count the batches of a gathered epoch from now on."""
        with self._lock:
            self._gathers.append(gather)

    def count_gathered(self) -> None:
        """Have all gathered batches counted, take the place of the latest epoch, and forget the epochs that ended."""
        with self._lock:
            gathers, self._gathers = self._gathers, []
            for gather in gathers:
                if gather.settle():
                    self._gathers.append(gather)
                if self._latest is gather.armed and gather.num_delivered:
                    self._place = self.after(gather.armed.epoch, gather.num_delivered)

    # ---- what an epoch is ------------------------------------------------------------------

    def epoch_at(
        self, place: Place, *, rank: int = 0, world_size: int = 1, drawn: tuple[Pool, Stream] | None = None
    ) -> Epoch:
        """Return the layout of the epoch of a place; `drawn`: of another pool and stream than the armed ones."""
        pool, stream = drawn or (self.pool, self.stream)
        start = place.start if pool.continuing else place.epoch * stream.size
        return Epoch(
            number=place.epoch,
            start=start,
            size=stream.size,
            consumed=place.consumed,
            batch_size=self._settings.samples_per_batch,
            rank=rank,
            world_size=world_size,
            drop_last=self._settings.drop_last,
            continuing=pool.continuing,
            offset=self._settings.offset,
            turned=place.turned,
        )

    def armed(self, epoch: Epoch) -> ArmedEpoch:
        """Return an epoch of the armed pool, ready to run."""
        return ArmedEpoch(epoch=epoch, pool=self.pool, stream=self.stream, tally=self.tally)

    def _share(self) -> tuple[int, int]:
        return world() if self._settings.distributed else (0, 1)

    def num_batches(self) -> int:
        """Return the batches of a whole epoch."""
        rank, size = self._share()
        return self.epoch_at(Place(), rank=rank, world_size=size).num_batches

    def begin(self) -> ArmedEpoch:
        """Start the next epoch, or go on with a restored one."""
        rank, size = self._share()
        with self._lock:
            self.count_gathered()
            if self._started and not self._restored:
                self._place = self.following(self.epoch_at(self._place, rank=rank, world_size=size))
            if self._place.consumed == 0:
                self._arm_pending()
            if size > 1:
                shape = {"batch_size": self._settings.samples_per_batch, "drop_last": self._settings.drop_last}
                agree({**parts_of(self._place, self._armed_identity()), **shape})
            self._started, self._restored = True, False
            self._latest = self.armed(self.epoch_at(self._place, rank=rank, world_size=size))
            return self._latest

    def upcoming(self) -> ArmedEpoch:
        """Return the epoch that the next iteration gives, under the weights it then has; nothing changes."""
        rank, size = self._share()
        with self._lock:
            self.count_gathered()
            place, pending = self._place, self._pending
            drawn = (self.pool, self.stream)
            if self._started and not self._restored:
                place = self.following(self.epoch_at(place, rank=rank, world_size=size))
        if pending is not None and place.consumed == 0:
            drawn = (pending, self._stream_of(pending))
        epoch = self.epoch_at(place, rank=rank, world_size=size, drawn=drawn)
        return ArmedEpoch(epoch=epoch, pool=drawn[0], stream=drawn[1], tally=self.tally)

    # ---- places ----------------------------------------------------------------------------

    def after(self, epoch: Epoch, num_delivered: int) -> Place:
        """Return the place after some batches of an epoch."""
        start = self._reached(epoch, epoch.start)
        consumed = epoch.consumed_after(num_delivered)
        return Place(epoch=epoch.number, start=start, consumed=consumed, turned=epoch.turned)

    def following(self, epoch: Epoch) -> Place:
        """Return the place where the epoch after another begins."""
        return Place(epoch=epoch.number + 1, start=self._reached(epoch, epoch.following_start))

    def _reached(self, epoch: Epoch, start: int) -> int:
        """Return where a continuing stream goes on: after all its draws, also after epochs of another mode."""
        return start if epoch.continuing else max(start, self._place.start)

    def move(self, armed: ArmedEpoch, num_delivered: int) -> None:
        """Move to the place after some batches of an epoch, unless another epoch has begun since."""
        with self._lock:
            self.count_gathered()
            if self._latest is armed:
                self._place = self.after(armed.epoch, num_delivered)

    def finish(self, armed: ArmedEpoch) -> None:
        """Move to the beginning of the epoch after this one, unless another epoch has begun since."""
        with self._lock:
            self.count_gathered()
            if self._latest is armed:
                self._place = self.following(armed.epoch)
                self._started = False

    def rearm_for(self, epoch: int) -> None:
        """Take up weights that wait where a batch of an epoch is read out of turn, and that epoch has not begun."""
        with self._lock:
            self.count_gathered()
            if epoch != self._place.epoch or self._place.consumed == 0:
                self._arm_pending()

    def jump(self, place: Place) -> None:
        """Move to a place inside an epoch, out of turn."""
        with self._lock:
            self._go(place, restored=False)

    def _go(self, place: Place, *, restored: bool) -> None:
        """Go to a place; batches of the current iterators no longer move it."""
        self._place, self._restored, self._started, self._latest = place, restored, True, None

    # ---- what the caller changes and reads ----------------------------------------------------

    def rearm(self, plan: SamplingPlan) -> None:
        """Draw by another plan from the next epoch on."""
        with self._lock:
            self._pending = replace(self.pool, plan=plan)
            if not self._started:
                self.count_gathered()
                self._arm_pending()

    @property
    def place(self) -> Place:
        """Where the next batch begins, for any batch size."""
        with self._lock:
            self.count_gathered()
            place = self._place
        if not (self.pool.continuing and self._settings.offset):
            return place
        rank, size = self._share()
        return replace(place, turned=self.epoch_at(place, rank=rank, world_size=size).turned_within)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on at a state's place with the next iteration; the current epoch is dropped, new weights apply."""
        with self._lock:
            self.count_gathered()
            self._arm_pending()
            self._go(place_of(state, self._armed_identity()), restored=True)

    def set_epoch(self, epoch: int) -> None:
        """Make the next iteration an epoch; one that a state left half done is finished."""
        rank, size = self._share()
        with self._lock:
            self.count_gathered()
            here = self.epoch_at(self._place, rank=rank, world_size=size)
            begun = self._started and not self._restored
            left = here.length - here.consumed if begun and epoch == here.number + 1 else 0
            left *= self.pool.plan is not None and not self._warned_of_draws_left
            self._warned_of_draws_left |= left > 0
            given_up = here.consumed if self._restored and epoch not in (here.number, here.number + 1) else 0
            if epoch == here.number + 1 and not begun:
                self._go(self.following(here), restored=True)
            elif epoch != here.number + begun:
                whole = self.epoch_at(Place(), rank=rank, world_size=size).following_start
                self._go(Place(epoch=epoch, start=epoch * whole), restored=True)
        if left:
            warn_of_draws_left(here.number, left, here.length)
        if given_up:
            warn_of_place_given_up(epoch, given_up, here.number)

    def identity(self) -> Identity:
        """Return what a state is a place in: between epochs the weights of the next."""
        with self._lock:
            self.count_gathered()
            begun = self._started and not self._restored
            if self._pending is None or begun or self._place.consumed:
                return self._armed_identity()
            return self._identity_of(self._pending, self._stream_of(self._pending))

    def _armed_identity(self) -> Identity:
        if self._identity is None:
            self._identity = self._identity_of(self.pool, self.stream)
        return self._identity

    def _identity_of(self, pool: Pool, stream: Stream) -> Identity:
        return Identity(
            version=pool.table.version,
            query="; ".join(pool.history),
            rows=pool.digest(),
            sampling=stream.fingerprint,
            seed=self._settings.seed,
            offset=self._settings.offset,
        )
