"""One process of a plain torch loop that draws by a schedule and records: `python rank.py SETTINGS.json RANK`.

It stops in the middle of its second epoch, and another sampler and another run go on from the state.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch.utils.data import DataLoader

import penstock
from penstock.sampling import Clause, SamplingSchedule, SamplingSpec, TorchBatchSampler, TorchSampler

NUM_ROWS, SIZE, GLOBAL_BATCH, EPOCHS = 40, 48, 8, 3
STARTS = {0: 1.0, 21: 30.0, 48: 0.25, 101: 9.0}
"""The weight of the odd rows from a position on."""


def schedule(mode):
    return SamplingSchedule(
        [
            (
                start,
                SamplingSpec(clauses=(Clause("x % 2 == 1", odd), Clause("True", 1.0)), mode=mode, size=SIZE, seed=5),
            )
            for start, odd in STARTS.items()
        ]
    )


def made(ds, mode, world, state):
    plan, batch_size = ds.plan(schedule(mode)), GLOBAL_BATCH // world
    if mode == "iid":
        sampler = TorchSampler(plan, batch_size=batch_size, distributed=world > 1)
        loader = DataLoader(torch.arange(NUM_ROWS), batch_size, sampler=sampler)
    else:
        sampler = TorchBatchSampler(plan, batch_size, distributed=world > 1)
        loader = DataLoader(torch.arange(NUM_ROWS), batch_sampler=sampler)
    if state is not None:
        sampler.load_state_dict(state)
    return sampler, loader


def train(ds, mode, world, name, state=None, stop=None):
    """Train to the end, or on so many batches; return the batches, and the state two batches before the stop."""
    sampler, loader = made(ds, mode, world, state)
    told, kept = [], None
    with ds.start_run(name, resumed=state is not None, sampler=sampler, distributed=world > 1) as run:
        for epoch in range(0 if state is None else state["epoch"], EPOCHS):
            for number, rows in enumerate(loader, 1):
                told.append(rows.tolist())
                run.record(rows, None, {"loss": np.sin(rows.numpy() + 100.0 * epoch)})
                if len(told) == stop:
                    return told, kept
                if stop is not None and len(told) == stop - 2:
                    kept = sampler.state_dict(number if mode != "iid" else number * len(rows))
            run.write(epoch)
    return told, None


def run(ds, world):
    told = {}
    for mode in ("iid", "deck"):
        whole, _ = train(ds, mode, world, f"{mode} whole {world}")
        cut, state = train(ds, mode, world, f"{mode} cut {world}", stop=SIZE // GLOBAL_BATCH + 4)
        rest, _ = train(ds, mode, world, f"{mode} cut {world}", json.loads(json.dumps(state)))
        told[mode] = [whole, cut[:-2] + rest]
    return told


def main():
    told, rank = json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])
    world = told["world"]
    dist.init_process_group("gloo", init_method=f"file://{told['store']}", rank=rank, world_size=world)
    Path(told["folder"], f"{rank}.json").write_text(json.dumps(run(penstock.load(told["dataset"]), world)))
    dist.barrier()


if __name__ == "__main__":
    main()
