"""Signals: the cost of recording, and of writing, reading and querying what was recorded.

Run ``python -m benchmarks.signals [--rows 10000000] [--repeats 3]``. Prints seconds of CPU (the machine may be loaded),
the least of the repeats, and bytes a row on the disk and in memory. ``--rows`` also bounds the memory: 10,000,000 rows
need about 3 GB.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

import penstock
from penstock.signals import Recorder

BATCH = 64
CALLS = 2000


def least(repeats, run, prepare=lambda: None):
    """Return the least seconds of CPU that a call takes, and what it returned last."""
    best, found = float("inf"), None
    for _ in range(repeats):
        prepare()
        begin = time.process_time()
        found = run()
        best = min(best, time.process_time() - begin)
    return best, found


def recording(repeats):
    rng = np.random.default_rng(0)
    rows, positions = rng.integers(0, 100_000, BATCH), np.arange(BATCH)
    sides = {"numpy": rng.random(BATCH)}
    try:
        import torch
    except ImportError:
        torch = None
    if torch is not None:
        sides["torch"] = torch.rand(BATCH, requires_grad=True) * 2
    for kind, loss in sides.items():
        for count in (1, 3):
            values = {f"signal {number}": loss for number in range(count)}
            recorder = Recorder(100_000)

            def loop(recorder=recorder, values=values):
                for _ in range(CALLS):
                    recorder.record(rows, positions, values)

            seconds, _ = least(repeats, loop, recorder.collect)
            print(f"record a batch of {BATCH}, {count} signal(s), {kind:5}  {1e6 * seconds / CALLS:8.1f} us")


def made(path, num_rows):
    return penstock.from_arrays({"age": np.zeros(num_rows, np.int16)}, path, progress=False)


def stored(ds, num_rows, repeats, names):
    rng = np.random.default_rng(1)
    order = rng.permutation(num_rows)
    values = {name: rng.gamma(1.0, 0.5, num_rows).astype(np.float32) for name in names}
    run = ds.start_run("bench")

    def epoch():
        for begin in range(0, num_rows, 1 << 20):
            some = slice(begin, begin + (1 << 20))
            run.record(order[some], None, {name: value[some] for name, value in values.items()})

    write, _ = least(repeats, run.write, epoch)
    run.close()
    files = sorted(Path(ds.path, "runs", "bench").glob("numbers-*.lance"), key=lambda file: file.stat().st_mtime)
    state = run._state  # noqa: SLF001  what is in memory while a loop runs
    memory = sum(one.last.nbytes + one.mean.nbytes + one.seen.nbytes for one in state.signals.values())
    size = files[-1].stat().st_size
    print(f"an epoch of {num_rows:,} records, {len(names)} signal(s): fold and write  {write:6.2f} s of CPU")
    print(f"  in memory, a row and signal  {memory / num_rows / len(names):6.2f} bytes")
    print(f"  on the disk, a row           {size / num_rows:6.2f} bytes, of which about 7.6 are the identity")


def read(ds, repeats):
    def values():
        return ds.signals("bench").values("signal 0")

    seconds, found = least(repeats, values)
    print(f"ds.signals().values  {seconds:6.2f} s of CPU ({np.isfinite(found).sum():,} values)")
    seconds, _ = least(1, lambda: ds.signals("bench").stale)
    print(f"ds.signals().stale   {seconds:6.2f} s of CPU")
    for clause in ("where signal('signal 0') > 1", "order by signal('signal 0') desc limit 100"):
        first, view = least(1, lambda clause=clause: ds.query(f"select * {clause}"))
        again, _ = least(repeats, lambda clause=clause: ds.query(f"select * {clause}"))
        print(f"{clause:45}  first {first:6.2f}, again {again:6.2f} s of CPU ({len(view):,} rows)")


def changed(ds, repeats):
    ds.age[5] = 3
    seconds, stale = least(repeats, lambda: ds.signals("bench").stale)
    print(f"stale, one edit in the draft           {seconds:6.3f} s of CPU ({stale.sum()} sample)")
    ds.commit("an edit")
    seconds, stale = least(repeats, lambda: ds.signals("bench").stale)
    print(f"stale, one edit committed              {seconds:6.3f} s of CPU ({stale.sum()} sample)")
    ds.pop([0, 7, 100])
    seconds, _ = least(1, lambda: ds.signals("bench").values("signal 0"))
    print(f"ds.signals().values after three pops   {seconds:6.2f} s of CPU")


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.signals", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    recording(options.repeats)
    with tempfile.TemporaryDirectory() as folder:
        ds = made(f"{folder}/set", options.rows)
        stored(ds, options.rows, options.repeats, ["signal 0", "signal 1", "signal 2"])
        stored(ds, options.rows, options.repeats, ["signal 0"])
        read(ds, options.repeats)
        changed(ds, options.repeats)


if __name__ == "__main__":
    main()
