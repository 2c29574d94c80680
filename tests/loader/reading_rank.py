"""One rank that counts what it reads: `python reading_rank.py RANK WORLD STORE OUT DATASET`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch.distributed as dist

import penstock
from penstock.storage import Snapshot


def counted(rows, sizes):
    """Have every sample that is taken from the files counted."""
    take = Snapshot.take

    def counting(self, wanted, columns):
        table = take(self, wanted, columns)
        if "images" in columns:
            rows.extend(wanted.tolist())
            sizes.append(sum(len(image) for image in table["images"].to_pylist()))
        return table

    Snapshot.take = counting


def main():
    rank, world, store, out, path = sys.argv[1:]
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=int(rank), world_size=int(world))
    rows, sizes = [], []
    counted(rows, sizes)
    ds = penstock.load(path, read_only=True)
    loader = ds.dataloader(seed=3).shuffle().batch(8).pytorch(distributed=True, resize={"images": (32, 32)})
    delivered = [row for batch in loader for row in batch["index"].tolist()]
    Path(out).write_text(json.dumps({"delivered": delivered, "read": rows, "bytes": sum(sizes)}))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
