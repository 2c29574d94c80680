"""Label tables of 100,000 to 100 million rows: what each step of a session costs, and how it grows.

    python -m benchmarks.growth [--rows 100000 1000000 10000000] [--folder DIR] [--json FILE]

A table of three columns (one class label a row, two numbers) is imported with `from_arrays`, opened by a fresh process,
queried, edited, committed, deleted from, compared, saved as a view and loaded. Each size runs in a process of its own.
An Explorer is opened on it by a fresh process, up to what the browser has before it first draws.
The figures are processor seconds of all threads, the least of three runs where a step can be repeated, and the clock
beside it; the growth is that of processor seconds from one size to the next. What follows from the number of rows that
change should not grow with the number of rows there are; what reads every row should grow with it, and no faster.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import penstock
from penstock.widgets.operations._describe import display_state
from penstock.widgets.operations.images._tiles import tiles

QUERY = "select * where contains(labels, '3')"
SAMPLED = "select * sample by max_weight(contains(labels, '40'): 20, True: 1)"
STEPS = {
    "import": "from_arrays",
    "open": "open, fresh session",
    "first query": "first query (reads the column)",
    "query": "the same query again",
    "edit": "assign one sample",
    "edit, query": "query after an edit",
    "commit": "commit one edit",
    "commit, query": "query after a commit",
    "pop": "delete one sample",
    "pop, query": "query after a deletion",
    "diff": "differences of two commits",
    "save_view": "save a view",
    "load_view": "open a saved view, fresh session",
    "first batch": "new loader to first batch",
    "first sampled batch": "new weighted loader to first batch",
    "explore": "explore, fresh session, to the first page of the grid",
}
EXPLORE_LIMITS = (1.5, 64)  # processor seconds, and bytes of memory a row, at 10 million rows
EXPLORED_FROM = 1_000_000  # rows from which on bytes a row are told: below, they are those of the modules


class Clock:
    """Seconds of each step: of the processor and of the clock."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[float, float]] = {}

    def run(self, step: str, do: Callable[[], object], *, repeats: int = 1) -> object:
        for _ in range(repeats):
            used, began = time.process_time(), time.perf_counter()
            made = do()
            seconds = (time.process_time() - used, time.perf_counter() - began)
            self.found[step] = min(seconds, self.found.get(step, seconds))
        return made


def arrays(rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "labels": rng.integers(0, 80, rows, dtype=np.uint8),
        "age": rng.integers(0, 100, rows, dtype=np.int16),
        "score": rng.random(rows, dtype=np.float32),
    }


def first_batch(ds: penstock.Dataset, query: str | None) -> object:
    loader = ds.dataloader() if query is None else ds.dataloader().query(query)
    return next(iter(loader.batch(64).shuffle(query is None).numpy()))


def imported(rows: int, folder: Path) -> dict[str, Any]:
    clock, given = Clock(), arrays(rows)
    penstock.empty(str(folder / "warm")).create_tensor("labels", "class_label")  # the engine is loaded before
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    clock.run("import", lambda: penstock.from_arrays(given, folder / "ds", progress=False))
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    size = sum(file.stat().st_size for file in (folder / "ds").rglob("*") if file.is_file())
    arrays_size = sum(array.nbytes for array in given.values())
    return {"seconds": clock.found, "peak": peak, "arrays": arrays_size, "disk": size}


def session(rows: int, folder: Path) -> dict[str, Any]:
    clock, path = Clock(), str(folder / "ds")
    ds = clock.run("open", lambda: penstock.load(path))
    assert isinstance(ds, penstock.Dataset)
    view = clock.run("first query", lambda: ds.query(QUERY))
    clock.run("query", lambda: ds.query(QUERY), repeats=3)
    view_id = clock.run("save_view", view.save_view)
    clock.run("load_view", lambda: penstock.load(path).load_view(str(view_id)), repeats=3)
    ids = [str(ds.commit_id)]
    for number in range(3):
        row = (number + 1) * rows // 5

        def assign(row: int = row) -> None:
            ds.labels[row] = [3]

        clock.run("edit", assign)
        clock.run("edit, query", lambda: ds.query(QUERY))
        ids.append(str(clock.run("commit", lambda: ds.commit("edit"))))
        clock.run("commit, query", lambda: ds.query(QUERY))
    clock.run("diff", lambda: ds.diff(ids[-2], ids[-1]), repeats=3)
    for number in range(3):
        clock.run("pop", lambda number=number: ds.pop(number * rows // 7))
        clock.run("pop, query", lambda: ds.query(QUERY))
    clock.run("first batch", lambda: first_batch(ds, None), repeats=3)
    clock.run("first sampled batch", lambda: first_batch(ds, SAMPLED), repeats=3)
    return {"seconds": clock.found}


def explored(_rows: int, folder: Path) -> dict[str, Any]:
    clock = Clock()
    first_paint(penstock.demo(num_samples=20))  # modules are imported before
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    clock.run("explore", lambda: first_paint(penstock.load(str(folder / "ds"))))
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return {"seconds": clock.found, "explore_peak": peak}


def first_paint(ds: penstock.Dataset) -> object:
    """Make what a browser has before it first draws: the widget's state, the query with its charts, a page of 40."""
    widget = penstock.explore(ds)
    state = widget.get_state()
    display = display_state(widget.session, widget.session.display)
    page = tiles(widget.session, widget.session.display, range(40), 160, lambda: None)
    return state, display, page


def measured(rows: int, folder: str | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        found: dict[str, Any] = {"rows": rows, "seconds": {}}
        for part in PARTS:
            command = [
                sys.executable,
                "-m",
                "benchmarks.growth",
                "--part",
                part,
                "--rows",
                str(rows),
                "--folder",
                place,
            ]
            made = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            seconds = {**found.pop("seconds"), **made.pop("seconds")}
            found = {**found, **made, "seconds": seconds}
        shutil.rmtree(Path(place, "ds"))
    return found


def report(all_found: list[dict[str, Any]]) -> None:
    rows = [found["rows"] for found in all_found]
    print("| step | " + " | ".join(f"{count:,} rows" for count in rows) + " | growth |")
    print("| --- |" + " ---: |" * (len(rows) + 1))
    for step, words in STEPS.items():
        seconds = [found["seconds"][step] for found in all_found]
        cells = [f"{used:.3f} ({clock:.3f})" for used, clock in seconds]
        growth = " ".join(f"×{after[0] / max(before[0], 1e-4):.1f}" for before, after in itertools.pairwise(seconds))
        print(f"| {words} | " + " | ".join(cells) + f" | {growth} |")
    for found in all_found:
        count, used, clock = found["rows"], *found["seconds"]["import"]
        print(
            f"\n{count:,} rows: imported at {count / used:,.0f} rows per processor second ({count / clock:,.0f} by the "
            f"clock), at most {found['peak'] / 2**20:,.0f} MiB above the arrays, which have "
            f"{found['arrays'] / 2**20:,.0f} MiB; {found['disk'] / 2**20:,.0f} MiB on the disk."
        )
        if count >= EXPLORED_FROM:
            print(
                f"explore: {found['seconds']['explore'][0]:.2f} processor seconds (limit at 10 million rows "
                f"{EXPLORE_LIMITS[0]}), at most {found['explore_peak'] / count:.0f} bytes a row (limit "
                f"{EXPLORE_LIMITS[1]})."
            )


PARTS: dict[str, Callable[[int, Path], dict[str, Any]]] = {
    "imported": imported,
    "explored": explored,
    "session": session,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.growth", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="+", type=int, default=[100_000, 1_000_000])
    parser.add_argument("--folder")
    parser.add_argument("--json", help="where to keep the figures")
    parser.add_argument("--part", choices=tuple(PARTS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part](options.rows[0], Path(options.folder))))
        return 0
    found = [measured(rows, options.folder) for rows in options.rows]
    report(found)
    if options.json:
        Path(options.json).write_text(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
