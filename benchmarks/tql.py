"""TQL beside Deep Lake 4 and DuckDB on the same labels, in interleaved repetitions.

A turn is two calls of which the second is timed, on every side: a processor that idled while another side worked takes
some 10 ms to come up to speed, which is as long as what is measured here.

python -m benchmarks.tql [--rows 112120 1000000 10000000] [--deeplake PYTHON] [--repeats 5]

--deeplake names an interpreter that has deeplake 4 (its own environment); without it that column is left out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

# findings of the NIH ChestX-ray14 table (2020), 112,120 images
COUNTS = {
    "Hernia": 227, "Pneumonia": 1431, "Fibrosis": 1686, "Edema": 2303, "Emphysema": 2516, "Cardiomegaly": 2776,
    "Pleural_Thickening": 3385, "Consolidation": 4667, "Pneumothorax": 5302, "Mass": 5782, "Nodule": 6331,
    "Atelectasis": 11559, "Effusion": 13317, "Infiltration": 19894, "No_Finding": 60361,
}  # fmt: skip
NAMES = list(COUNTS)
CONTAINS = "select * where contains(findings, 'Hernia')"
SEED = (
    "select * sample by max_weight(contains(findings, 'Hernia'): 20, contains(findings, 'Pneumonia'): 8, "
    "contains(findings, 'Fibrosis'): 5, contains(findings, 'Edema'): 5, contains(findings, 'Emphysema'): 2, True: 1)"
)
NIH_ROWS = 112_120


def labels(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return offsets and class indices with the table's frequencies; every row has at least one label."""
    rng = np.random.default_rng(0)
    shares = np.array([COUNTS[name] for name in NAMES]) / NIH_ROWS
    wanted = rng.multinomial(round(rows * shares.sum()), shares / shares.sum())
    flat = np.repeat(np.arange(len(NAMES), dtype=np.int64), wanted)
    rng.shuffle(flat)
    owners = np.sort(np.concatenate([np.arange(rows), rng.integers(0, rows, len(flat) - rows)]))
    offsets = np.zeros(rows + 1, np.int64)
    np.cumsum(np.bincount(owners, minlength=rows), out=offsets[1:])
    return offsets, flat


class Ours:
    """penstock; every repetition forgets the masks, so that the work is done each time."""

    def __init__(self, rows: int) -> None:
        from penstock.table import ArrayTable, Ragged
        from penstock.tql import run
        from penstock.tql.values._memo import memo_of

        offsets, flat = labels(rows)
        self.run, self.rows = run, rows
        self.table = ArrayTable({"findings": Ragged(values=flat, offsets=offsets)}, class_names={"findings": NAMES})
        self.memo = memo_of(self.table)
        run(CONTAINS, self.table)

    def measure(self, work: str) -> float:
        self.memo.forget("contains")
        started = time.perf_counter()
        found = self.run(CONTAINS if work == "contains" else SEED, self.table)
        elapsed = time.perf_counter() - started
        assert len(found.selection) == (self.rows if work == "sample" else len(found.selection))
        return elapsed * 1e3


class DuckDB:
    """DuckDB over the same labels as lists of integers in memory."""

    def __init__(self, rows: int) -> None:
        import duckdb
        import pyarrow as pa

        offsets, flat = labels(rows)
        column = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(flat))
        self.connection = duckdb.connect()
        self.connection.register("source", pa.table({"id": np.arange(rows), "findings": column}))
        self.connection.execute("create table data as select * from source")
        self.connection.unregister("source")

    def measure(self, work: str) -> float | None:
        if work != "contains":
            return None
        started = time.perf_counter()
        self.connection.execute("select id from data where list_contains(findings, 0)").fetchnumpy()
        return (time.perf_counter() - started) * 1e3


class Peer:
    """Deep Lake 4 in its own interpreter, asked one repetition at a time."""

    def __init__(self, interpreter: str, rows: int) -> None:
        command = [interpreter, str(Path(__file__).resolve()), "--serve", str(rows)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the peer's interpreter ended; run it with --serve to see why")
        return json.loads(line)

    def measure(self, work: str) -> float:
        self.process.stdin.write(work + "\n")
        self.process.stdin.flush()
        return self._answer()["ms"]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def serve(rows: int) -> None:
    """Answer the names of works on stdin with milliseconds on stdout, by Deep Lake."""
    import deeplake

    offsets, flat = labels(rows)
    values = flat.astype(np.uint8)
    data = deeplake.create("mem://bench")
    data.add_column("findings", deeplake.types.ClassLabel(deeplake.types.Array("uint8", 1)))
    data["findings"].metadata["class_names"] = NAMES
    for start in range(0, rows, 500_000):
        stop = min(rows, start + 500_000)
        data.append({"findings": [values[offsets[i] : offsets[i + 1]] for i in range(start, stop)]})
    data.commit()
    queries = {"contains": CONTAINS, "sample": f"{SEED} replace True limit {rows}"}
    len(data.query(CONTAINS))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        len(data.query(queries[line.strip()]))
        print(json.dumps({"ms": (time.perf_counter() - started) * 1e3}), flush=True)


def compare(rows: int, interpreter: str | None, repeats: int, works: list[str]) -> None:
    """Print one line a work: medians of interleaved repetitions, and ratios."""
    peers: dict[str, object] = {"penstock": Ours(rows), "DuckDB": DuckDB(rows)}
    if interpreter:
        peers["Deep Lake"] = Peer(interpreter, rows)
    for work in works:
        taken: dict[str, list[float]] = {name: [] for name in peers}
        for _ in range(repeats):
            for name, peer in peers.items():
                peer.measure(work)  # what slept while the others worked, clocks and caches, wakes up
                elapsed = peer.measure(work)
                if elapsed is not None:
                    taken[name].append(elapsed)
        medians = {name: statistics.median(values) for name, values in taken.items() if values}
        ours = medians.pop("penstock")
        others = "   ".join(f"{name} {ms:9.1f} ms = {ms / ours:6.0f}x" for name, ms in medians.items())
        print(f"{work:9} {rows:>11,} rows   penstock {ours:8.2f} ms   {others}", flush=True)
    if interpreter:
        peers["Deep Lake"].close()


def parse_and_bind(repeats: int = 200) -> None:
    """Print the time from text to a plan, and that of a changed weight."""
    from penstock.tql import bind_sampling, parse, parse_sampling
    from penstock.tql.pipeline._assembly import Assembler

    ours = Ours(NIH_ROWS)
    spec = parse_sampling(SEED)
    strata = bind_sampling(spec, ours.table)
    works = {
        "parse": lambda: parse(SEED),
        "parse + bind": lambda: Assembler(SEED, ours.table).query(parse(SEED), top=True),
        "changed weight": lambda: strata.with_spec(spec.replace_weights({0: 3.5})).weights,
    }
    for name, work in works.items():
        taken = []
        for _ in range(repeats):
            started = time.perf_counter()
            work()
            taken.append((time.perf_counter() - started) * 1e3)
        print(f"{name:15} {statistics.median(taken):7.3f} ms (best {min(taken):.3f})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[NIH_ROWS, 1_000_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--work", nargs="+", choices=("contains", "sample"), default=["contains", "sample"])
    parser.add_argument("--deeplake", help="interpreter that has deeplake 4")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    if not options.deeplake:
        print("Deep Lake is left out: name its interpreter with --deeplake")
    parse_and_bind()
    for rows in options.rows:
        compare(rows, options.deeplake, options.repeats, options.work)


if __name__ == "__main__":
    main()
