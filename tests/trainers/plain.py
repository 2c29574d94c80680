"""A loop of one's own, and Fabric's."""

from __future__ import annotations

import copy

from tests.trainers.handed import EPOCHS, make, rows_of


def train(kind, world, saved, resume=None):
    """Train to the end, a state saved after each step; return the batches seen."""
    loader, sampler = make(kind, distributed=True)
    return _loop(loader, loader if hasattr(loader, "load_state_dict") else sampler, saved, resume)


def _loop(loader, holder, saved, resume):
    seen, done = [], 0
    if resume is not None:
        holder.load_state_dict(saved[resume])
        done = resume
    while len(seen) + done < EPOCHS * len(loader):
        for number, batch in enumerate(loader, 1):
            seen.append(rows_of(batch))
            if resume is None:
                plain = holder is not loader
                units = number * _unit(holder)
                saved[len(seen)] = copy.deepcopy(holder.state_dict(units) if plain else holder.state_dict())
    return seen


def _unit(sampler):
    return 1 if type(sampler).__name__ == "TorchBatchSampler" else sampler.batch_size


def fabric(kind, world, saved, resume=None):
    from lightning.fabric import Fabric

    fabric = Fabric(accelerator="cpu", devices=world, strategy="ddp" if world > 1 else "auto")
    fabric.launch()
    loader, sampler = make(kind, distributed=True)
    holder = loader if hasattr(loader, "load_state_dict") else sampler
    if kind != "Loader":
        loader = fabric.setup_dataloaders(loader, use_distributed_sampler=False)
    return _loop(loader, holder, saved, resume)
