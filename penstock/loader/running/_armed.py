"""An epoch ready to run: its layout, what it draws from, and who counts what is delivered of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from penstock.loader.accounts._audit import Tally
from penstock.loader.batching._batch import Draw
from penstock.loader.place._epoch import Draws, Epoch
from penstock.loader.running._armory import Armory, Claimed
from penstock.loader.sources._pool import Pool
from penstock.sampling import SamplingPlan

__all__ = ["ArmedEpoch"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmedEpoch:
    """One run through an epoch.

    Weights that come later reach the batches that are not claimed yet, where they were given for the next batch.

    Parameters
    ----------
    epoch : Epoch
        Its layout.
    pool : Pool
        Rows.
    armory : Armory
        Which of the rows are drawn at each position.
    tally : Tally
        Counts the classes of what is delivered.
    """

    epoch: Epoch
    pool: Pool
    armory: Armory
    tally: Tally
    claimed: Claimed = field(default_factory=Claimed)

    def draws(self) -> Draws:
        """Return the draws of the epoch, computed in blocks."""
        return Draws(self.armory.now.stream, self.epoch)

    def plan_at(self, position: int) -> SamplingPlan | None:
        """Return the weights that a place of the epoch, which is claimed, is drawn by; None without weights."""
        offset = int(self.epoch.stream_offsets(np.array([position]))[0])
        return self.armory.now.plan_at(self.epoch.start + offset)

    def count(self, draw: Draw, *, in_a_row: bool = True) -> None:
        """Count what was delivered."""
        self.tally.add(draw, self.armory.now, in_a_row=in_a_row)

    def claim(self, draws: Draws, batch: int) -> Draw:
        """Return what a batch holds; whatever weights come later do not reach it.

        Parameters
        ----------
        draws : Draws
            What `draws` returned; it keeps the latest blocks.
        batch : int
            Which batch of this run.
        """
        draws.follow(self.armory.claim(self.claimed, batch + 1).stream)
        return self.draw(draws, batch)

    def draw(self, draws: Draws, batch: int, count: int = 1, *, all_rows: bool = False) -> Draw:
        """Return what a batch holds, or several from it on, by the weights of now.

        Parameters
        ----------
        draws : Draws
            What `draws` returned; it keeps the latest blocks.
        batch, count : int
            The first batch, and how many.
        all_rows : bool
            Whether the pool is all rows of the table in their order: its positions are then the rows.
        """
        positions = self.epoch.positions(batch, count)
        drawn = draws.of(positions)
        return Draw(
            epoch=self.epoch.number,
            start=self.epoch.start,
            positions=positions,
            pool=drawn,
            rows=drawn if all_rows else self.pool.rows[drawn],
            valid=self.epoch.valid(positions),
        )
