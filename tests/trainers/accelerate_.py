"""A loop with Accelerate."""

from __future__ import annotations

from accelerate import Accelerator, skip_first_batches

from tests.trainers.handed import EPOCHS
from tests.trainers.recorded import handed


def train(kind, world, saved, resume=None):
    loader, _, seen = handed(kind, saved, resume)
    loader = Accelerator(cpu=True).prepare(loader)
    steps = len(loader)
    first = 0 if resume is None else resume
    for epoch in range(first // steps, EPOCHS):
        loader.set_epoch(epoch)
        skipped = first % steps if epoch == first // steps else 0
        for batch in skip_first_batches(loader, skipped) if skipped else loader:
            seen.see(batch)
            if resume is None:
                saved[len(seen)] = None  # the step alone is what a script with accelerate saves
        seen.end_epoch()
    return seen
