"""In memory: 1M rows of 32 float32 and a label, shuffled and weighted, beside the plain NumPy loop.

    python -m benchmarks.memory [--rows 1000000] [--repeats 5] [--folder DIR]

The NumPy loop is a permutation an epoch and `x[idx[i:i + B]]` for the same columns, a dict of arrays a batch. Torch's
fastest ways are a TensorDataset that is asked for a whole batch at once (batch_size None): by a BatchSampler as the
sampler, and by a permutation cut into pieces that stays a tensor. Penstock gives the rows' numbers (`index`) as well,
keeps its state and audits what it gave. Each figure is the median of the ratios of runs of a whole epoch, one side right
after the other, in an order that alternates: processor time of all threads, then the clock. BatchUp takes part where it
is installed. The other sides but the NumPy loop only shuffle, and stand beside that.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import penstock
from penstock.loader import Loader
from penstock.table import ArrayTable

BATCHES = (64, 1024)
COLUMNS = 32
WEIGHTS = "max_weight(labels == 'c3': 5, True: 1)"
torch.set_num_threads(1)


def make_arrays(rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((rows, COLUMNS), dtype=np.float32), rng.integers(0, 10, rows)


def make_dataset(folder: Path, x: np.ndarray, labels: np.ndarray) -> penstock.Dataset:
    """The same rows in a stored dataset."""
    if (folder / "done").exists():
        return penstock.load(str(folder / "ds"))
    ds = penstock.empty(str(folder / "ds"), overwrite=True)
    ds.create_tensor("x", htype="embedding", dtype="float32")
    ds.create_tensor("labels", htype="class_label", class_names=[f"c{number}" for number in range(10)])
    with ds:
        for begin in range(0, len(x), 100_000):
            ds.extend({"x": x[begin : begin + 100_000], "labels": labels[begin : begin + 100_000, None]})
    ds.commit("benchmark")
    (folder / "done").touch()
    return ds


class Side:
    """Batches of epoch after epoch, and how long some of them take."""

    def __init__(self, epoch):
        self._epoch = epoch

    def seconds(self, batches: int) -> tuple[float, float]:
        """Return processor time and time of the first batches of an epoch, and of what has to be done before them."""
        busy, began = time.process_time(), time.perf_counter()
        for _ in itertools.islice(self._epoch(), batches):
            pass
        return time.process_time() - busy, time.perf_counter() - began


def numpy_loop(x, labels, batch):
    def epoch():
        order = np.random.permutation(len(x))  # noqa: NPY002  as the plain loop is written
        for begin in range(0, len(order), batch):
            rows = order[begin : begin + batch]
            yield {"x": x[rows], "labels": labels[rows]}

    return epoch


class Pieces:
    """A sampler of batches that never leaves torch: a permutation, cut."""

    def __init__(self, rows, batch):
        self.rows, self.batch = rows, batch

    def __iter__(self):
        return iter(torch.randperm(self.rows).split(self.batch))

    def __len__(self):
        return math.ceil(self.rows / self.batch)


def torch_loader(x, labels, sampler):
    dataset = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(labels))
    loader = torch.utils.data.DataLoader(dataset, sampler=sampler, batch_size=None)
    return lambda: iter(loader)


def torch_sides(x, labels, batch):
    rows = torch.utils.data.RandomSampler(range(len(x)))
    yield "BatchSampler", torch_loader(x, labels, torch.utils.data.BatchSampler(rows, batch, drop_last=False))
    yield "randperm", torch_loader(x, labels, Pieces(len(x), batch))


def batchup_loop(x, labels, batch):
    from batchup import data_source

    source = data_source.ArrayDataSource([x, labels])
    return lambda: source.batch_iterator(batch, shuffle=np.random.RandomState(0))


def chains(loader):
    yield "in order", loader
    yield "shuffled", loader.shuffle()
    yield "weighted, iid", loader.sample_by(WEIGHTS)
    yield "weighted, deck", loader.sample_by(WEIGHTS, mode="deck")
    yield "weighted, once", loader.sample_by(WEIGHTS, mode="once", replace=False)


def sides(x, labels, stored):
    arrays = Loader(ArrayTable({"x": x, "labels": labels}, class_names={"labels": [f"c{n}" for n in range(10)]}))
    for where, loader in (("arrays", arrays), ("stored", stored)):
        for name, chain in chains(loader):
            for framework in ("numpy", "pytorch"):
                yield f"{where}, {name}, .{framework}()", chain, framework


def ratios(mine: Side, others: list[Side], batches: int, repeats: int) -> list[str]:
    """Return how many batches one side gives while each of the others gives one, by processor time and by the clock."""
    found = [[] for _ in others]
    for repeat in range(repeats):
        order = [mine, *others] if repeat % 2 else [*others, mine]
        times = {id(side): side.seconds(batches) for side in order}
        for place, other in enumerate(others):
            found[place].append([theirs / ours for theirs, ours in zip(times[id(other)], times[id(mine)], strict=True)])
    return [" / ".join(f"{statistics.median(values):.2f}" for values in zip(*each, strict=True)) for each in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "penstock-benchmark-memory")
    told = parser.parse_args()
    x, labels = make_arrays(told.rows)
    folder = told.folder / str(told.rows)
    folder.mkdir(parents=True, exist_ok=True)
    stored = make_dataset(folder, x, labels).dataloader()
    print(f"{told.rows:,} rows of {COLUMNS} float32 and a label: batches penstock gives while the other gives one")
    for batch in BATCHES:
        others = {"NumPy loop": Side(numpy_loop(x, labels, batch))}
        others |= {name: Side(epoch) for name, epoch in torch_sides(x, labels, batch)}
        if has_batchup():
            others["BatchUp"] = Side(batchup_loop(x, labels, batch))
        print(f"{f'batch {batch}':40} " + " ".join(f"{name:>14}" for name in others))
        for name, chain, framework in sides(x, labels, stored):
            loader = getattr(chain.batch(batch), framework)()
            mine = Side(lambda loader=loader: iter(loader))
            mine.seconds(1)
            whole = -(-told.rows // batch)
            beside = list(others.values())[: None if "shuffled" in name else 1]
            found = ratios(mine, beside, whole, told.repeats)
            print(f"{name:40} " + " ".join(f"{value:>14}" for value in found), flush=True)


def has_batchup() -> bool:
    try:
        import batchup  # noqa: F401  whether it is installed
    except ImportError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
