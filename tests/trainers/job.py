"""One process of a row of the table: `python -m tests.trainers.job TRAINER KIND RANK WORLD STORE`; prints a verdict."""

from __future__ import annotations

import importlib
import json
import os
import sys
import warnings

import torch.distributed as dist

from tests.trainers.handed import expected, steps_of_epoch

TRAINERS = {
    "own loop": "plain:train",
    "Accelerate": "accelerate_:train",
    "Hugging Face Trainer": "accelerate_:hugging_face",
    "Lightning Trainer": "lightning_:train",
    "Lightning Fabric": "plain:fabric",
    "mmengine Runner": "mmengine_:train",
}


def shared(saved, rank, world):
    """Return rank 0's checkpoints on every rank, where they are files."""
    if world == 1:
        return saved
    told = [saved if rank == 0 else None]
    dist.broadcast_object_list(told)
    own = {step: state for step, state in saved.items() if not isinstance(state, str)}
    return {**told[0], **own}


def verdict(trainer, kind, rank, world):
    """Return how many resumes were right, and what was wrong first."""
    module, function = TRAINERS[trainer].split(":")
    train = getattr(importlib.import_module(f"tests.trainers.{module}"), function)
    right, saved = expected(rank, world), shared({"folder": None}, rank, world)
    seen = train(kind, world, saved)
    if seen != right:
        return 0, f"uninterrupted: {_first(seen, right)}"
    saved = shared(saved, rank, world)
    resumes = [step for step in saved if _step(step) and _step(step) <= 2 * steps_of_epoch(world)]
    for step in sorted(resumes, key=str):
        rest = train(kind, world, saved, step)
        if rest != right[_step(step) :]:
            return 0, f"resumed at {step}: {_first(rest, right[_step(step) :])}"
    return len(resumes), ""


def _step(name):
    if isinstance(name, int):
        return name
    return int(name.split()[-1]) if name.startswith("end of epoch") else 0


def _first(seen, right):
    place = next((n for n, pair in enumerate(zip(seen, right, strict=False)) if pair[0] != pair[1]), None)
    return f"{len(seen)} batches for {len(right)}, first other one {place}"


def main():
    trainer, kind, rank, world, store = sys.argv[1:]
    warnings.simplefilter("ignore")
    os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"  # mmengine reads its checkpoints by torch.load alone
    if int(world) > 1:
        os.environ.update(
            RANK=rank, LOCAL_RANK=rank, NODE_RANK="0", WORLD_SIZE=world, LOCAL_WORLD_SIZE=world, MASTER_ADDR="127.0.0.1"
        )
        dist.init_process_group("gloo", init_method=f"file://{store}", rank=int(rank), world_size=int(world))
    print("VERDICT", json.dumps(verdict(trainer, kind, int(rank), int(world))), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
