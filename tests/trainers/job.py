"""Rows of the table of one trainer: `python -m tests.trainers.job TRAINER KIND ...` prints a verdict for each cell."""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import sys
import tempfile

import torch.distributed as dist

from tests.trainers import ranks, recorded
from tests.trainers.handed import expected, steps_of_epoch
from tests.trainers.names import RECORDED, TRAINERS

WORLDS = (1, 2)


def shared(saved, rank, world):
    """Return rank 0's checkpoints on every rank, where they are files."""
    if world == 1:
        return saved
    told = [saved if rank == 0 else None]
    dist.broadcast_object_list(told)
    own = {step: state for step, state in saved.items() if isinstance(step, int) and not isinstance(state, str)}
    return {**told[0], **own}


def recording(train, kind, rank, world):
    """Return what was wrong of a run that is recorded whole, and of one that stops in an epoch and is resumed."""
    step = steps_of_epoch(world) + 2
    whole = shared({"folder": tempfile.mkdtemp(), "dataset": recorded.stored(rank), "run": "whole"}, rank, world)
    train(kind, world, whole).close()
    said = _checked(kind, whole, world)
    cut = shared({**whole, "folder": tempfile.mkdtemp(), "run": "cut", "stop": step + 2}, rank, world)
    with contextlib.suppress(recorded.Stop):
        train(kind, world, cut)
    again = {**shared(whole, rank, world), "run": "cut"}
    train(kind, world, again, step).close()
    return 1, "; ".join(filter(None, [said, _checked(kind, again, world)]))


def _checked(kind, saved, world):
    if world > 1:
        dist.barrier()
    return recorded.wrong(kind, saved, world)


def verdict(train, kind, rank, world):
    """Return how many resumes were right, and what was wrong first."""
    right, saved = expected(kind, rank, world), shared({"folder": None}, rank, world)
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


def cell(train, kind, world):
    """Return what the table says of a trainer, what it is handed and how many processes."""
    held = recording if kind in RECORDED else verdict
    told = ranks.run(functools.partial(held, train, kind), world)
    said = "; ".join(sorted({one if isinstance(one, str) else one[1] for one in told} - {""}))
    if said:
        return f"wrong: {said}"
    return f"right, {min(one[0] for one in told)} of {max(one[0] for one in told)} resumes"


def main():
    trainer, *kinds = sys.argv[1:]
    os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"  # mmengine reads its checkpoints by torch.load alone
    module, function = TRAINERS[trainer].split(":")
    train = getattr(importlib.import_module(f"tests.trainers.{module}"), function)
    for kind in kinds:
        print("ROW", json.dumps([kind, *(cell(train, kind, world) for world in WORLDS)]), flush=True)


if __name__ == "__main__":
    main()
