"""One rank of the tests of torch.distributed: `python rank.py RANK WORLD STORE OUT STATE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from penstock.errors import LoaderError
from penstock.loader import Loader
from penstock.sampling import TorchBatchSampler, TorchSampler
from penstock.table import ArrayTable

TEXT = "max_weight(labels == 'rare': 9, True: 1)"
GLOBAL_BATCH = 12


def table(version="v"):
    labels = (np.arange(100) % 10 == 0).astype(int)
    columns = {"labels": labels}
    return ArrayTable(columns, class_names={"labels": ["often", "rare"]}, version=version)


def loader(kind, world, **batch):
    chain = Loader(table(), seed=3)
    chain = chain.sample_by(TEXT, size=100, mode=kind) if kind != "plain" else chain.shuffle()
    return chain.batch(GLOBAL_BATCH // world, **batch)


def batches(given):
    return [{name: batch[name].tolist() for name in ("index", "valid") if name in batch} for batch in given]


def own_loop(sampler, world, after=None):
    """Train two epochs with a DataLoader; `after` a number of batches, a sampler made again goes on."""
    plan, size = loader("deck", 1)._pool.plan, GLOBAL_BATCH // world

    def made():
        if sampler == "rows":
            own = TorchSampler(plan, batch_size=size, distributed=True)
            return own, torch.utils.data.DataLoader(torch.arange(100), size, sampler=own)
        own = TorchBatchSampler(plan, size, distributed=True)
        return own, torch.utils.data.DataLoader(torch.arange(100), batch_sampler=own)

    own, batches = made()
    seen = []
    for epoch in range(2):
        own.set_epoch(epoch)
        for number, batch in enumerate(batches, 1):
            seen.append(batch.tolist())
            if len(seen) == after:
                state = own.state_dict(number * size if sampler == "rows" else number)
                own, batches = made()
                own.load_state_dict(state)
                break
        if len(seen) == after:
            own.set_epoch(epoch)
            seen += [batch.tolist() for batch in batches]
    return seen


def scenarios(rank, world, state):
    for kind in ("plain", "iid", "deck", "once"):
        for drop_last in (False, True):
            made = loader(kind, world, drop_last=drop_last).pytorch(distributed=True)
            yield f"{kind}-{drop_last}", [batches(made) for _ in range(2)]
    for sampler in ("rows", "batches"):
        yield f"own {sampler}", own_loop(sampler, world)
        yield f"own {sampler} resumed", [own_loop(sampler, world, after) for after in (1, 8, 9, 10, 17)]
    first = loader("iid", world).pytorch(distributed=True)
    iterator = iter(first)
    for _ in range(3):
        next(iterator)
    yield "state", first.state_dict()
    if state:
        resumed = loader("iid", world).pytorch(distributed=True)
        resumed.load_state_dict(state)
        yield "resumed", [batches(resumed) for _ in range(2)]
    try:
        list(Loader(table(f"version {rank}")).pytorch(distributed=True))
    except LoaderError as error:
        yield "disagree", str(error)
    try:
        list(loader("iid", world, drop_last=rank == 0).pytorch(distributed=True))
    except LoaderError as error:
        yield "shape", str(error)


def main():
    rank, world, store, out, state = sys.argv[1:]
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=int(rank), world_size=int(world))
    saved = json.loads(Path(state).read_text()) if state else None
    Path(out).write_text(json.dumps(dict(scenarios(int(rank), int(world), saved))))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
