"""An epoch ready to run: its layout, what it draws from, and who counts what is delivered of it."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.loader.batching._batch import Draw
from penstock.loader.place._epoch import Draws, Epoch, Stream
from penstock.loader.running._audit import Tally
from penstock.loader.sources._pool import Pool

__all__ = ["ArmedEpoch"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmedEpoch:
    """One run through an epoch; weights that come later do not reach it.

    Parameters
    ----------
    epoch : Epoch
        Its layout.
    pool : Pool
        Rows and weights.
    stream : Stream
        Which of the rows are drawn.
    tally : Tally
        Counts the classes of what is delivered.
    """

    epoch: Epoch
    pool: Pool
    stream: Stream
    tally: Tally

    def draws(self) -> Draws:
        """Return the draws of the epoch, computed in blocks."""
        return Draws(self.stream, self.epoch)

    def draw(self, draws: Draws, batch: int, count: int = 1, *, all_rows: bool = False) -> Draw:
        """Return what a batch holds, or several from it on.

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
