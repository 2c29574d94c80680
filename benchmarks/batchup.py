"""BatchUp 0.2.3 beside penstock.batchup: arrays shuffled and by weight, worker pools, predictions gathered.

    python -m benchmarks.batchup [--rows 1000000] [--repeats 5] [--batchup FOLDER]

Both sides in one run, each figure the median of the ratios of paired runs, one side right after the other in an order
that alternates. BatchUp runs unchanged under NumPy 2; it is taken from where it is installed, or from a folder that
`pip install --target FOLDER --no-deps batchup==0.2.3 joblib six` filled. It imports `tables` only for datasets.
The pools read samples that take 1 ms of waiting or 20,000 operations of Python each, as speed-ups over one after the other,
and beside each other: each round times the loop and both pools.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time

import numpy as np

from penstock.batchup import data_source, sampling, work_pool

COLUMNS = 32
BATCHES = (64, 1024)
LOADS = (("1 ms of waiting", 0.001, 0), ("20,000 operations", 0.0, 20_000))
WORKERS = (("threads", "WorkerThreadPool", 2), ("threads", "WorkerThreadPool", 8), ("processes", "WorkerProcessPool", 2),
           ("processes", "WorkerProcessPool", 8))  # fmt: skip


class Slow:
    """Samples that take a while each: waiting, or a fixed number of operations under Python's lock."""

    def __init__(self, count: int, seconds: float, operations: int) -> None:
        self.count, self.seconds, self.operations = count, seconds, operations

    def __len__(self):
        return self.count

    def __getitem__(self, indices):
        for _ in indices:
            if self.operations:
                total = 0
                for number in range(self.operations):
                    total += number & 3
            else:
                time.sleep(self.seconds)
        return np.zeros((len(indices), 4), np.float32)


def seconds(batches, most: int | None = None) -> float:
    began = time.perf_counter()
    for _ in itertools.islice(batches, most):
        pass
    return time.perf_counter() - began


def ratio(mine, other, repeats: int) -> float:
    """Return how much longer the other takes."""
    ratios = []
    for repeat in range(repeats):
        first, second = (mine, other) if repeat % 2 else (other, mine)
        times = {id(side): side() for side in (first, second)}
        ratios.append(times[id(other)] / times[id(mine)])
    return statistics.median(ratios)


def numpy_loop(x, y, batch: int, rng):
    order = rng.permutation(len(x))
    for begin in range(0, len(order), batch):
        rows = order[begin : begin + batch]
        yield x[rows], y[rows]


def hand_loop(x, predict, batch: int) -> np.ndarray:
    return np.concatenate([predict(x[begin : begin + batch]) for begin in range(0, len(x), batch)])


def timed(call) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def shuffled(theirs, x, y, repeats: int) -> None:
    print(f"{'shuffled, batches penstock gives while the other gives one':66} {'NumPy loop':>12} {'BatchUp':>9}")
    rng = np.random.RandomState(1)
    mine = data_source.ArrayDataSource([x, y])
    for batch in BATCHES:
        for name, shuffle in (("RandomState", rng), ("seed", 7)):
            own = lambda b=batch, s=shuffle: seconds(mine.batch_iterator(b, shuffle=s))
            loop = lambda b=batch: seconds(numpy_loop(x, y, b, rng))
            found = [f"{ratio(own, loop, repeats):12.2f}"]
            if theirs:
                other = theirs[0].ArrayDataSource([x, y])
                found.append(
                    f"{ratio(own, lambda b=batch, o=other: seconds(o.batch_iterator(b, shuffle=rng)), repeats):9.2f}"
                )
            print(f"  batch {batch}, {name:50} {' '.join(found)}", flush=True)


def weighted(theirs, x, y, repeats: int) -> None:
    print(f"{'weighted, the same':66} {'':12} {'BatchUp':>9}")
    rng = np.random.RandomState(1)
    weights = np.where(y == 0, 20.0, 1.0)
    mine = data_source.ArrayDataSource([x, y], sampler=sampling.WeightedSampler(weights))
    for batch in BATCHES:
        for name, shuffle in (("RandomState", rng), ("seed", 7)):
            seconds(mine.batch_iterator(batch, shuffle=shuffle), 1)
            count = 128_000 // batch
            own = seconds(mine.batch_iterator(batch, shuffle=shuffle), count) / count
            if not theirs:
                print(f"  batch {batch}, {name:50} {1 / own:12,.0f} batches/s")
                continue
            other = theirs[0].ArrayDataSource([x, y], sampler=theirs[1].WeightedSampler(weights))
            found = ratio(
                lambda b=batch, s=shuffle, n=count: seconds(mine.batch_iterator(b, shuffle=s), n) / n,
                lambda b=batch, o=other: seconds(o.batch_iterator(b, shuffle=rng), 20) / 20,
                repeats,
            )
            print(f"  batch {batch}, {name:50} {1 / own:8,.0f} b/s {found:9.1f}", flush=True)


def gathered(x, repeats: int) -> None:
    print(f"{'predictions gathered, the same':66} {'hand loop':>12}")
    weights = np.random.default_rng(2).random((COLUMNS, 10), dtype=np.float32)
    source = data_source.ArrayDataSource([x])
    for batch in (256, 1024):
        own = lambda b=batch: timed(lambda: source.batch_map_concat(lambda part: part @ weights, b))
        loop = lambda b=batch: timed(lambda: hand_loop(x, lambda part: part @ weights, b))
        print(f"  batch {batch:<54} {ratio(own, loop, repeats):12.2f}", flush=True)


def pools(theirs, repeats: int) -> None:
    title = "pools, times as fast as one after the other"
    print(f"{title:66} {'penstock':>12} {'BatchUp':>9} {'penstock / BatchUp':>20}")
    for name, wait, operations in LOADS:
        slow = Slow(1024, wait, operations)
        for kind, pool, count in WORKERS:
            found = speed_ups(theirs, slow, pool, count, 2 * repeats - 1)
            print(f"  {name}, {count} {kind:40} {' '.join(f'{number:9.2f}' for number in found)}", flush=True)


def speed_ups(theirs, slow, pool: str, count: int, rounds: int) -> list[float]:
    """Return the speed-up of each side, and how many times as fast penstock is as BatchUp.

    A round times all three, one after the other: the loop that both are compared with swings by a fifth by itself.
    """
    alone = data_source.ArrayDataSource([slow])
    sides = [(data_source, work_pool)] + ([(theirs[0], theirs[2])] if theirs else [])
    made = [getattr(workers, pool)(count) for _, workers in sides]
    ahead = [
        one.parallel_data_source(sources.ArrayDataSource([slow])) for one, (sources, _) in zip(made, sides, strict=True)
    ]
    for source in ahead:
        seconds(source.batch_iterator(8), 4 * count)
    timed_rounds = []
    for number in range(rounds):
        order = [alone, *ahead] if number % 2 else [*ahead, alone]
        taken = {id(source): seconds(source.batch_iterator(64)) for source in order[:: 1 if number % 4 < 2 else -1]}
        timed_rounds.append([taken[id(source)] for source in (alone, *ahead)])
    for one in made:
        if hasattr(one, "close"):
            one.close()
    found = [statistics.median(serial / times[at] for serial, *times in timed_rounds) for at in range(len(sides))]
    if theirs:
        found.append(statistics.median(other / own for _, own, other in timed_rounds))
    return found


def batchup(folder: str | None):
    """Return BatchUp's data_source, sampling and work_pool; None where it is not installed."""
    if folder:
        sys.path.append(folder)
    try:
        from batchup import data_source, sampling, work_pool
    except ImportError as error:
        print(f"without BatchUp: {error}")
        return None
    return data_source, sampling, work_pool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batchup", metavar="FOLDER", help="where batchup, joblib and six are installed")
    told = parser.parse_args()
    theirs = batchup(told.batchup)
    x = np.random.default_rng(0).random((told.rows, COLUMNS), dtype=np.float32)
    y = np.random.default_rng(1).integers(0, 10, told.rows).astype(np.int32)
    print(f"{told.rows:,} rows of {COLUMNS} float32 and a label")
    shuffled(theirs, x, y, told.repeats)
    weighted(theirs, x, y, told.repeats)
    gathered(x, told.repeats)
    pools(theirs, told.repeats)


if __name__ == "__main__":
    main()
