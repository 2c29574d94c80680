"""Lightning's Fabric."""

from __future__ import annotations

from lightning.fabric import Fabric

from tests.trainers.plain import is_stateful, loop
from tests.trainers.recorded import handed


def train(kind, world, saved, resume=None):
    fabric = Fabric(accelerator="cpu", devices=world, strategy="ddp" if world > 1 else "auto")
    fabric.launch()
    loader, sampler, seen = handed(kind, saved, resume, distributed=True)
    # not through setup_dataloaders: it counts epochs from 0 in each run, so that a resumed sampler is sent back
    return loop(loader, loader if is_stateful(loader) else sampler, seen, saved, resume)
