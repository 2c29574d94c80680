"""Where a loader is, and what its next epoch is: pool, stream and place, and weights that wait for it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from penstock.errors import LoaderError
from penstock.loader.accounts._audit import Tally
from penstock.loader.batching._to_torch import agree, warn_of_draws_left, warn_of_place_given_up, world
from penstock.loader.place._epoch import Epoch
from penstock.loader.place._state import Identity, Place, check_form, is_of_same_rows, parts_of, place_of
from penstock.loader.running._armed import ArmedEpoch
from penstock.loader.running._armory import Armory, Waiting
from penstock.loader.running._gather import Gather
from penstock.loader.settings._settings import Settings
from penstock.loader.sources._kept import kept_by_runs
from penstock.loader.sources._planned import PlannedStream
from penstock.loader.sources._pool import Pool
from penstock.loader.sources._rebuilding import restored, waiting_plan
from penstock.sampling import SamplingPlan
from penstock.storage import renewed_lock

__all__ = ["Cursor"]


class Cursor:
    """What is armed: the pool and its stream, the place in them, and the weights of the epochs to come.

    Safe to call from several threads. One lock guards the place and everything that is armed. Meter and tally have
    locks of their own or are called under this one; they never call back. So has the armory, whose lock is the last
    that anybody takes.

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
        self._pool = pool
        stream = pool.stream(shuffle=settings.shuffle, seed=settings.seed, megabytes=settings.buffer_size)
        self._armory = Armory(stream)
        self.tally = Tally(pool, shuffled=settings.shuffle)
        self._identity: tuple[PlannedStream, Identity] | None = None
        self._waiting: Waiting | None = None
        self._place = Place()
        self._started = False
        self._restored = False
        self._latest: ArmedEpoch | None = None
        self._out_of_turn: ArmedEpoch | None = None
        self._gathers: list[Gather] = []
        self._warned_of_draws_left = False

    # ---- weights ---------------------------------------------------------------------------

    @property
    def planned(self) -> PlannedStream:
        """What is drawn at every position, and by which weights."""
        return self._armory.now

    @property
    def pool(self) -> Pool:
        """What is drawn from, by the weights of the first batch that is not claimed yet."""
        with self._lock:
            return self._weighed(self.planned, self._unclaimed())

    def _weighed(self, planned: PlannedStream, position: int) -> Pool:
        """Return the pool with the weights of a position."""
        plan = planned.plan_at(position)
        return self._pool if plan is None else replace(self._pool, plan=plan)

    def _unclaimed(self) -> int:
        """Return the stream position of the first batch that is not claimed yet."""
        latest = self._latest or self._out_of_turn
        if latest is not None and self._started and not self._restored:
            return latest.epoch.start + latest.epoch.consumed_after(latest.claimed.batches)
        return self._start_of(self._place, self.planned) + self._place.consumed

    def reached(self) -> int:
        """Return the stream position that was delivered last; 0 before the first."""
        with self._lock:
            self.count_gathered()
            return max(self._start_of(self._place, self.planned) + self._place.consumed - 1, 0)

    def rearm(self, plan: SamplingPlan) -> None:
        """Draw by another plan from the next epoch on."""
        with self._lock:
            self._waiting = Waiting(plan)
            if not self._started:
                self.count_gathered()
                self._arm_waiting()

    def rearm_now(self, plan: SamplingPlan) -> None:
        """Draw by another plan from the first batch on that is not claimed yet.

        Raises
        ------
        LoaderError
            If that is within an epoch that cannot change.
        SamplingError
            If the plan differs in more than its weights.
        """
        with self._lock:
            self.count_gathered()
            self._armory.change(lambda now: self._rearmed_now(now, plan))
            self._waiting = None

    def _rearmed_now(self, now: PlannedStream, plan: SamplingPlan) -> PlannedStream:
        start = self._unclaimed()
        if start != self._start_of(self._place, now):
            self._check_may_change(now)
        return now.rearmed(start, plan)

    def _check_may_change(self, now: PlannedStream) -> None:
        why = None
        if not now.continuing:
            why = "without replacement an epoch is drawn as a whole"
        elif self._settings.offset:
            why = f"offset={self._settings.offset} delivers an epoch in another order than it is drawn"
        if why:
            raise LoaderError(f"when='next_batch' in the middle of an epoch: {why}", hint="when='next_epoch'")

    def _arm_waiting(self) -> None:
        """Arm the weights that wait, from the place on."""
        if self._waiting is not None:
            # epochs under way keep theirs: they may be abandoned, and still read
            self._armory, self._waiting = self._waiting.armory(self.planned, self._place), None

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

    @staticmethod
    def _start_of(place: Place, planned: PlannedStream) -> int:
        """Return the stream position where the epoch of a place begins."""
        return place.start if planned.continuing else place.epoch * planned.stream.size

    def epoch_at(
        self, place: Place, *, rank: int = 0, world_size: int = 1, planned: PlannedStream | None = None
    ) -> Epoch:
        """Return the layout of the epoch of a place; `planned`: under other weights than the armed ones."""
        planned = planned or self.planned
        return Epoch(
            number=place.epoch,
            start=self._start_of(place, planned),
            size=planned.stream.size,
            consumed=place.consumed,
            batch_size=self._settings.samples_per_batch,
            rank=rank,
            world_size=world_size,
            drop_last=self._settings.drop_last,
            continuing=planned.continuing,
            offset=self._settings.offset,
            turned=place.turned,
        )

    def armed(self, epoch: Epoch) -> ArmedEpoch:
        """Return an epoch of the armed weights, ready to run."""
        return ArmedEpoch(epoch=epoch, pool=self._pool, armory=self._armory, tally=self.tally)

    def share(self) -> tuple[int, int]:
        """Return rank and world size of the processes that share an epoch."""
        return world() if self._settings.distributed else (0, 1)

    def num_batches(self) -> int:
        """Return the batches of a whole epoch."""
        rank, size = self.share()
        return self.epoch_at(Place(), rank=rank, world_size=size).num_batches

    def begin(self) -> ArmedEpoch:
        """Start the next epoch, or go on with a restored one."""
        rank, size = self.share()
        with self._lock:
            self.count_gathered()
            if self._started and not self._restored:
                self._place = self.following(self.epoch_at(self._place, rank=rank, world_size=size))
            if self._place.consumed == 0:
                self._arm_waiting()
            if size > 1:
                shape = {"batch_size": self._settings.samples_per_batch, "drop_last": self._settings.drop_last}
                agree({**parts_of(self._place, self._identity_of(self.planned)), **shape})
            self._started, self._restored, self._out_of_turn = True, False, None
            self._latest = self.armed(self.epoch_at(self._place, rank=rank, world_size=size))
            return self._latest

    def upcoming(self) -> ArmedEpoch:
        """Return the epoch that the next iteration gives, under the weights it then has; nothing changes."""
        rank, size = self.share()
        with self._lock:
            self.count_gathered()
            place, armory = self._place, self._armory
            if self._started and not self._restored:
                place = self.following(self.epoch_at(place, rank=rank, world_size=size))
            if self._waiting is not None and place.consumed == 0:
                armory = self._waiting.armory(armory.now, place)
        epoch = self.epoch_at(place, rank=rank, world_size=size, planned=armory.now)
        pool = self._weighed(armory.now, epoch.start + epoch.consumed)
        return ArmedEpoch(epoch=epoch, pool=pool, armory=armory, tally=self.tally)

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

    def claim(self, armed: ArmedEpoch, batch: int) -> PlannedStream:
        """Claim a batch of an epoch from `upcoming` that is read out of turn; return what it is drawn from."""
        with self._lock:
            self.count_gathered()
            if self._waiting is not None and self._waiting.is_of(armed.armory):
                self._armory, self._waiting = armed.armory, None
            self._out_of_turn = armed
            return armed.armory.claim(armed.claimed, batch + 1)

    def jump(self, armed: ArmedEpoch, num_delivered: int) -> None:
        """Move to the place after some batches of an epoch that is read out of turn."""
        with self._lock:
            self._go(self.after(armed.epoch, num_delivered), restored=False)
            self._out_of_turn = armed

    def has_read(self, number: int) -> bool:
        """Return whether all batches of the latest epoch were delivered, and it is this one."""
        with self._lock:
            self.count_gathered()
            latest = self._latest or self._out_of_turn
            if latest is None or not number == latest.epoch.number == self._place.epoch:
                return False
            return self._place.consumed >= latest.epoch.length

    def _go(self, place: Place, *, restored: bool) -> None:
        """Go to a place; batches of the current iterators no longer move it."""
        self._place, self._restored, self._started, self._latest = place, restored, True, None
        self._out_of_turn = None

    # ---- what the caller changes and reads ----------------------------------------------------

    @property
    def place(self) -> Place:
        """Where the next batch begins, for any batch size."""
        with self._lock:
            self.count_gathered()
            place = self._place
        if not (self.planned.continuing and self._settings.offset):
            return place
        rank, size = self.share()
        return replace(place, turned=self.epoch_at(place, rank=rank, world_size=size).turned_within)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on at a state's place with the next iteration, by its weights; the current epoch is dropped."""
        with self._lock:
            self.count_gathered()
            self._arm_waiting()
            check_form(state)
            planned = self.planned
            if is_of_same_rows(state, self._identity_of(planned)):
                planned = restored(state, self._pool, planned, kept_by_runs(self._pool.table)) or planned
            place = place_of(state, self._identity_of(planned))
            if planned is not self.planned:
                self._armory = Armory(planned)
            plan = waiting_plan(state, self._pool, planned, kept_by_runs(self._pool.table))
            self._waiting = None if plan is None else Waiting(plan)
            self._go(place, restored=True)

    def set_epoch(self, epoch: int) -> None:
        """Make the next iteration an epoch; one that a state left half done is finished."""
        rank, size = self.share()
        with self._lock:
            self.count_gathered()
            here = self.epoch_at(self._place, rank=rank, world_size=size)
            begun = self._started and not self._restored
            left = here.length - here.consumed if begun and epoch == here.number + 1 else 0
            left *= bool(self.planned.armed) and not self._warned_of_draws_left
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
            return self._identity_of(self._of_next()[0])

    def weights_of_state(self) -> dict[str, object]:
        """Return what a state says of the weights, those that wait for the next epoch among them."""
        with self._lock:
            self.count_gathered()
            planned, waiting = self._of_next()
            return planned.as_state if waiting is None else {**planned.as_state, "waiting": waiting.as_state}

    @property
    def upcoming_stream(self) -> PlannedStream:
        """What is drawn at every position, between epochs by the weights of the next."""
        with self._lock:
            self.count_gathered()
            return self._of_next()[0]

    def _of_next(self) -> tuple[PlannedStream, Waiting | None]:
        """Return what the next batch is drawn from, and weights that then still wait."""
        begun = self._started and not self._restored
        if self._waiting is None or begun or self._place.consumed:
            return self.planned, self._waiting
        return self._waiting.armory(self.planned, self._place).now, None

    def _identity_of(self, planned: PlannedStream) -> Identity:
        if self._identity is None or self._identity[0] is not planned:
            rows = self._pool.digest() if self._identity is None else self._identity[1].rows
            self._identity = (
                planned,
                Identity(
                    version=self._pool.table.version,
                    query="; ".join(self._pool.history),
                    rows=rows,
                    sampling=planned.stream.fingerprint,
                    seed=self._settings.seed,
                    offset=self._settings.offset,
                ),
            )
        return self._identity[1]
