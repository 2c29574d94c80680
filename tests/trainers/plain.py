"""A loop of one's own."""

from __future__ import annotations

import copy

from penstock.sampling import TorchBatchSampler, TorchSampler
from tests.trainers.handed import BATCH, EPOCHS
from tests.trainers.recorded import handed


def train(kind, world, saved, resume=None):
    """Train to the end, a state saved after each step; return the batches seen."""
    loader, sampler, seen = handed(kind, saved, resume, distributed=True)
    return loop(loader, loader if is_stateful(loader) else sampler, seen, saved, resume)


def is_stateful(loader):
    return hasattr(loader, "load_state_dict")


def loop(loader, holder, seen, saved, resume):
    done = resume or 0
    if resume is not None:
        holder.load_state_dict(saved[resume])
    for epoch in range(done // len(loader), EPOCHS):
        if done and not done % len(loader) and epoch == done // len(loader):
            assert list(loader) == []  # what is left of the epoch whose last batch was the last one seen
        for number, batch in enumerate(loader, 1):
            seen.see(batch)
            if resume is None:
                saved[len(seen)] = copy.deepcopy(_state(holder, number))
        seen.end_epoch()
    return seen


def _state(holder, number):
    if isinstance(holder, TorchBatchSampler):
        return holder.state_dict(number)
    return holder.state_dict(number * BATCH) if isinstance(holder, TorchSampler) else holder.state_dict()
