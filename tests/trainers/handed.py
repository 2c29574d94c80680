"""What is handed to the trainers, and what they must train on: 61 draws of 175 rows, in batches of 8."""

from __future__ import annotations

import numpy as np
import torch
from torch.utils.data import DataLoader
from torchdata.stateful_dataloader import StatefulDataLoader

from penstock.loader import Loader
from penstock.sampling import TorchBatchSampler, TorchSampler
from penstock.table import ArrayTable
from tests.trainers.names import WITH_WORKERS

BATCH, SIZE, EPOCHS = 8, 61, 3
TEXT = "max_weight(labels == 'rare': 9, True: 1)"


def table():
    labels = (np.arange(175) >= 165).astype(int)
    return ArrayTable({"labels": labels}, class_names={"labels": ["often", "rare"]})


def sampled():
    return Loader(table(), seed=3).sample_by(TEXT, size=SIZE, mode="deck")


def length(world):
    """Draws of an epoch: all of them in one process, whole steps in several."""
    return SIZE if world == 1 else -(-SIZE // (BATCH * world)) * BATCH * world


def steps_of_epoch(world):
    return -(-SIZE // (BATCH * world))


def expected(rank, world, epochs=EPOCHS):
    """Batches of one rank, straight from the stream: step s is draws [s B W, (s + 1) B W) of its epoch."""
    stream, batches = sampled()._pool.plan.stream(), []
    for epoch in range(epochs):
        for first in range(rank * BATCH, length(world), BATCH * world):
            last = min(first + BATCH, length(world))
            batches.append(stream.slice(epoch * length(world) + first, epoch * length(world) + last).tolist())
    return batches


def make(kind, **options):
    """Return what a trainer is handed, and the sampler in it; `options` are those of the samplers."""
    kind, workers = (kind.removesuffix(", 2 workers"), 2) if kind in WITH_WORKERS else (kind, 0)
    if kind == "Loader":
        loader = sampled().batch(BATCH).pytorch(distributed=True)
        return loader, loader
    plan = sampled()._pool.plan
    build = StatefulDataLoader if kind.startswith("Stateful") else DataLoader
    if kind.endswith("TorchSampler"):
        sampler = TorchSampler(plan, batch_size=BATCH, **options)
        return build(torch.arange(175), batch_size=BATCH, sampler=sampler, num_workers=workers), sampler
    sampler = TorchBatchSampler(plan, BATCH, **options)
    return build(torch.arange(175), batch_sampler=sampler, num_workers=workers), sampler


def rows_of(batch):
    """Return the rows of a batch, whatever made it."""
    while isinstance(batch, dict | list | tuple):
        batch = batch["index"] if isinstance(batch, dict) else batch[0]
    return batch.tolist()
