"""What is handed to the trainers, and what they must train on: 61 draws of 175 rows, in batches of 8.

The weights stay, or follow a schedule whose entries start inside a batch, inside an epoch and near its ends.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.utils.data import DataLoader
from torchdata.stateful_dataloader import StatefulDataLoader

import penstock
from penstock.loader import Loader
from penstock.sampling import (
    Clause,
    SamplingSchedule,
    SamplingSpec,
    SchedulePlan,
    Strata,
    TorchBatchSampler,
    TorchSampler,
)
from penstock.table import ArrayTable
from tests.trainers.names import RECORDED, SCHEDULED, WITH_WORKERS

BATCH, SIZE, EPOCHS = 8, 61, 3
TEXT = "max_weight(labels == 'rare': 9, True: 1)"
LABELS = (np.arange(175) >= 165).astype(int)
STARTS = {0: 1.0, 21: 90.0, 61: 0.25, 64: 9.0, 101: 300.0}
"""The weight of the rare rows from a position on."""


def table():
    return ArrayTable({"labels": LABELS}, class_names={"labels": ["often", "rare"]})


def spec(rare):
    clauses = (Clause("labels == 'rare'", rare), Clause("True", 1.0))
    return SamplingSpec(clauses=clauses, mode="deck", size=SIZE, seed=3)


def schedule():
    return SamplingSchedule([(start, spec(rare)) for start, rare in STARTS.items()])


def plan_of(kind):
    if kind not in SCHEDULED + RECORDED:
        return sampled(Loader(table(), seed=3), kind)._pool.plan
    strata = Strata.from_masks({"labels == 'rare'": LABELS == 1, "True": LABELS >= 0})
    return SchedulePlan.of(strata, schedule())


def sampled(loader, kind):
    if kind in SCHEDULED + RECORDED:
        return loader.sample_by(schedule())
    return loader.sample_by(TEXT, size=SIZE, mode="deck")


def length(world):
    """Draws of an epoch: all of them in one process, whole steps in several."""
    return SIZE if world == 1 else -(-SIZE // (BATCH * world)) * BATCH * world


def steps_of_epoch(world):
    return -(-SIZE // (BATCH * world))


def draws(kind, world):
    """Return the draws of all ranks, in the order of the stream."""
    return plan_of(kind).stream().slice(0, EPOCHS * length(world)).tolist()


def expected(kind, rank, world, epochs=EPOCHS):
    """Batches of one rank, straight from the stream: step s is draws [s B W, (s + 1) B W) of its epoch."""
    stream, batches = plan_of(kind).stream(), []
    for epoch in range(epochs):
        for first in range(rank * BATCH, length(world), BATCH * world):
            last = min(first + BATCH, length(world))
            batches.append(stream.slice(epoch * length(world) + first, epoch * length(world) + last).tolist())
    return batches


def loader_of(kind, saved):
    if kind in RECORDED:
        return sampled(penstock.load(saved["dataset"]).dataloader(seed=3), kind)
    return sampled(Loader(table(), seed=3), kind)


def make(kind, saved, **options):
    """Return what a trainer is handed, and the sampler in it; `options` are those of the samplers."""
    workers = 2 if kind in WITH_WORKERS else 0
    if kind.startswith("Loader"):
        loader = loader_of(kind, saved).batch(BATCH).pytorch(distributed=True, run=saved.get("run"))
        return loader, loader
    plan = plan_of(kind)
    build = StatefulDataLoader if kind.startswith("Stateful") else DataLoader
    if "+ TorchSampler" in kind:
        sampler = TorchSampler(plan, batch_size=BATCH, **options)
        return build(torch.arange(175), batch_size=BATCH, sampler=sampler, num_workers=workers), sampler
    sampler = TorchBatchSampler(plan, BATCH, **options)
    return build(torch.arange(175), batch_sampler=sampler, num_workers=workers), sampler


def rows_of(batch):
    """Return the rows of a batch, whatever made it."""
    while isinstance(batch, dict | list | tuple):
        batch = batch["index"] if isinstance(batch, dict) else batch[0]
    return batch.tolist()
