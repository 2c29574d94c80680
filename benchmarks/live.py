"""What weights and numbers cost while a loader runs; each limit beside what was measured.

    python -m benchmarks.live [--rows 100000000] [--images 2000] [--repeats 7] [--folder DIR]

Times are of the processor. Sides that are compared run one after the other in turn, in the same process.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import penstock
from benchmarks.loading import make_dataset, make_jpegs, penstock_loader
from penstock.loader import Loader
from penstock.sampling import Clause, SamplingSpec, Strata
from penstock.table import ArrayTable

BATCH, EVERY, STEP = 64, 10, 50e-3
NUM_STRATA = 836


def records(folder: Path, repeats: int) -> list[float]:
    """Seconds of `record` with one signal of 64 losses, batch by batch."""
    ds = penstock.empty(str(folder / "numbers"), overwrite=True)
    ds.create_tensor("x")
    ds.extend({"x": np.arange(6400.0).reshape(-1, 1)})
    ds.commit("benchmark")
    loader, spent = ds.dataloader().sample_by("max_weight(True: 1)").batch(BATCH).numpy(run="benchmark"), []
    for _ in range(repeats):
        for batch in loader:
            losses = batch["x"].ravel() * 2
            before = time.thread_time()
            loader.record(batch, loss=losses)
            spent.append(time.thread_time() - before)
    loader.close()
    return spent


def re_arms(num_rows: int, repeats: int) -> tuple[list[float], int]:
    """Seconds of a re-arm in the middle of an epoch, and the number of strata."""
    code = np.random.default_rng(0).integers(0, NUM_STRATA, num_rows, dtype=np.int16)
    masks = {f"x == {bit}": (code >> bit & 1).astype(bool) for bit in range(NUM_STRATA.bit_length())}
    clauses = tuple(Clause(text, 1.0 + number) for number, text in enumerate(masks))
    strata = Strata.from_masks(masks)
    del masks, code
    spec = SamplingSpec(clauses=(*clauses,), combine="sum")
    table = ArrayTable({"x": np.zeros(num_rows, np.uint8)})
    loader = Loader(table, plan=strata.with_spec(spec)).batch(BATCH).numpy()
    iterator, spent = iter(loader), []
    for number in range(10 * repeats):
        next(iterator)
        changed = loader.weights.replace_weights({clauses[number % len(clauses)].expression: 2.0 + number})
        before = time.thread_time()
        loader.with_weights(changed, when="next_batch")
        spent.append(time.thread_time() - before)
    return spent, strata.num_strata


def epoch(loader, weights=()) -> float:
    """Seconds of an epoch, with other weights every ten batches where there are some."""
    before = time.process_time()
    for number, _ in enumerate(loader):
        if weights and number % EVERY == EVERY - 1:
            loader.with_weights(weights[number // EVERY % len(weights)], when="next_batch")
    return time.process_time() - before


def throughput(make, repeats: int) -> float:
    """Speed of epochs with re-arms as a share of that without, the median of pairs."""
    one, other = make(), make()
    clause = one.weights.clauses[0].expression
    weights = [one.weights.replace_weights({clause: weight}) for weight in (2.0, 9.0)]
    ratios = []
    for repeat in range(repeats + 1):
        plain, changed = epoch(one), epoch(other, weights)
        if repeat:
            ratios.append(plain / changed)
    return statistics.median(ratios)


def of_arrays():
    labels = (np.arange(200_000) % 10 == 0).astype(int)
    table = ArrayTable(
        {"x": np.zeros((len(labels), 32), np.float32), "labels": labels}, class_names={"labels": ["often", "rare"]}
    )
    return Loader(table).sample_by("max_weight(labels == 'rare': 5, True: 1)").batch(BATCH).numpy()


def told(what: str, measured: str, limit: str, *, holds: bool) -> bool:
    print(f"{what:62} {measured:>12} {limit:>12} {'' if holds else 'MISSED'}", flush=True)
    return holds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "penstock-benchmark-loading")
    options = parser.parse_args()
    folder = options.folder / str(options.images)
    print(f"{'':62} {'measured':>12} {'limit':>12}")
    spent = records(folder, options.repeats)
    typical = statistics.median(spent)
    held = [told("record, a batch of 64", f"{typical * 1e6:.0f} us", "50 us", holds=typical <= 50e-6)]
    held.append(told("record, share of a step of 50 ms", f"{typical / STEP:.2%}", "1 %", holds=typical <= STEP / 100))
    spent, num_strata = re_arms(options.rows, options.repeats)
    typical = statistics.median(spent)
    what = f"re-arm in the middle of an epoch, {num_strata} strata of {options.rows:,} rows"
    held.append(told(what, f"{typical * 1e3:.2f} ms", "1 ms", holds=typical <= 1e-3))
    ds = make_dataset(folder, make_jpegs(folder / "jpeg", options.images))
    share = throughput(lambda: penstock_loader(ds), options.repeats)
    held.append(told("speed with a re-arm every 10 batches, images", f"{share:.3f}", "0.98", holds=share >= 0.98))
    told(
        "the same, arrays in memory (0.3 ms for 10 batches)",
        f"{throughput(of_arrays, options.repeats):.3f}",
        "-",
        holds=True,
    )
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
