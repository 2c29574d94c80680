"""One process of a run whose weights change, and which is killed: `python live_rank.py SETTINGS.json RANK`.

It goes on where its state is, gives new weights where it is told, writes down the rows of every batch and the state
after it, and kills itself after so many batches.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np

from penstock.loader import Loader
from penstock.sampling import Clause, SamplingSpec
from penstock.table import ArrayTable

NUM_ROWS, SIZE, GLOBAL_BATCH, EPOCHS = 240, 180, 12, 5
RARE = (1.0, 30.0, 0.25, 4.0, 100.0)
"""The weight of the rare rows in each of five entries."""


def table():
    labels = (np.arange(NUM_ROWS) % 10 == 0).astype(int)
    columns = {"labels": labels, "x": np.arange(NUM_ROWS), "text": [str(row) for row in range(NUM_ROWS)]}
    return ArrayTable(columns, class_names={"labels": ["often", "rare"]}, version="v")


def spec(mode, rare):
    clauses = (Clause("labels == 'rare'", rare), Clause("True", 1.0))
    return SamplingSpec(clauses=clauses, combine="sum", mode=mode, size=SIZE, seed=11)


def unchanged(sample):
    return sample


def loader_of(weights, *, world=1, workers=0, gathered=False):
    chain = Loader(table(), seed=3).sample_by(weights).batch(GLOBAL_BATCH // world, drop_last=True)
    chain = chain.transform(unchanged) if workers else chain
    tensors = ["labels", "x"] if gathered else ["labels", "x", "text"]
    return chain.numpy(tensors=tensors, num_workers=workers, num_threads=1, distributed=world > 1)


def run(told, rank):
    folder, world, mode = Path(told["folder"]), told["world"], told["mode"]
    state, left = folder / f"state-{rank}.json", told["batches"]
    loader = loader_of(spec(mode, RARE[0]), world=world, workers=told["workers"], gathered=told["gathered"])
    if state.exists():
        loader.load_state_dict(json.loads(state.read_text()))
    with (folder / f"rows-{rank}.jsonl").open("a") as log:
        while loader.state_dict()["epoch"] < EPOCHS:
            for batch in loader:
                place = loader.state_dict()
                log.write(json.dumps([place["start"] + place["consumed"], batch["index"].tolist()]) + "\n")
                log.flush()
                number = len(loader.schedule.entries)
                if number < len(RARE) and place["epoch"] == number - 1 and place["consumed"] >= 5 * GLOBAL_BATCH:
                    loader.with_weights(spec(mode, RARE[number]), when="next_epoch" if world > 1 else "next_batch")
                state.with_suffix(".new").write_text(json.dumps(loader.state_dict()))
                state.with_suffix(".new").replace(state)
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
    (folder / f"schedule-{rank}.json").write_text(loader.schedule.to_json())
    loader.close()


def main():
    told, rank = json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])
    if told["world"] == 1:
        run(told, rank)
        return
    import torch.distributed as dist

    dist.init_process_group("gloo", init_method=f"file://{told['store']}", rank=rank, world_size=told["world"])
    run(told, rank)
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
