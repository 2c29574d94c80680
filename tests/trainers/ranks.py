"""Processes of torch.distributed that begin where this one is: what it has loaded need not be loaded again."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import traceback
import warnings
from pathlib import Path

import torch
import torch._dynamo  # an optimizer loads it in its first step
import torch.distributed as dist

FORK = multiprocessing.get_context("fork")


def run(function, world, longest=300):
    """Return `function(rank, world)` of each rank, or the text of its error."""
    with tempfile.TemporaryDirectory() as folder:
        ends = [FORK.Pipe(duplex=False) for _ in range(world)]
        started = [
            FORK.Process(target=_rank, args=(function, rank, world, Path(folder, "store"), send))
            for rank, (_, send) in enumerate(ends)
        ]
        for process in started:
            process.start()
        try:
            return [_received(receive, longest) for receive, _ in ends]
        finally:
            for process in started:
                process.kill()
                process.join()


def _received(receive, longest):
    return receive.recv() if receive.poll(longest) else f"took more than {longest} s"


def _rank(function, rank, world, store, send):
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if world > 1:
        own = {"RANK": rank, "LOCAL_RANK": rank, "NODE_RANK": 0, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world}
        os.environ.update({name: str(value) for name, value in own.items()}, MASTER_ADDR="127.0.0.1")
        dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=world)
    try:
        result = function(rank, world)
    except Exception as error:  # noqa: BLE001  a row of the table
        traceback.print_exc()
        result = f"{type(error).__name__}: {error}"
    send.send(result)
    send.close()
    os._exit(0)
