"""How queries and splits grow: processor seconds and memory at 1M and 10M rows of labels, in memory.

python -m benchmarks.growth_queries [--rows 1000000 10000000] [--only order join ...]

Processor seconds of one process are counted, so that other work on the machine does not disturb the figures. Each work
is done twice and the second time is shown: the first reads columns into the form that queries use. numpy's own stable
``argsort`` of the same keys stands beside the works that order, group or join.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from functools import partial

import numpy as np

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
NAMES = [f"class {number}" for number in range(80)]
TEXT = np.dtypes.StringDType()


def table(rows: int):
    """Return a table of one and of several labels a row, a number, a key, 10 rows a patient, and 40 sites as text."""
    from penstock.table import ArrayTable, Ragged

    rng = np.random.default_rng(0)
    chances = 1 / np.arange(1, 81) ** 1.1
    lengths = rng.integers(0, 4, rows)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    labels = rng.choice(80, int(offsets[-1]), p=chances / chances.sum())
    sites = np.array([f"site {number:02}" for number in range(40)], TEXT)
    site = Ragged(
        values=sites[rng.integers(0, 40, rows)], offsets=np.arange(rows + 1), shapes=np.zeros((rows, 0), np.int64)
    )
    return ArrayTable(
        {
            "labels": Ragged(values=labels, offsets=offsets),
            "label": rng.choice(80, rows, p=chances / chances.sum()),
            "score": rng.random(rows),
            "key": rng.permutation(rows),
            "patient": rng.integers(0, rows // 10, rows),
            "site": site,
        },
        class_names={"labels": NAMES, "label": NAMES},
    )


QUERIES = {
    "order": "select * order by score limit 100",
    "order desc": "select * order by score desc limit 100 offset 1000",
    "order text": "select * order by site, score limit 100",
    "order label": "select * order by label desc limit 100",
    "order all": "select * order by score",
    "group": "select patient, count(*) as n, avg(score) as s group by patient",
    "group few": "select label, count(*) as n group by label",
    "group text": "select site, label, count(*) as n group by site, label",
    "distinct": "select distinct labels",
    "union": "(select * where score > 0.7) union (select * where contains(labels, 3)) union (select * where label = 1)",
    "join": "select a.score as x, b.label as y from data as a join data as b on a.key = b.key",
    "join float": "select a.key as x, b.key as y from data as a join data as b on a.score = b.score",
    "join groups": "select a.score as x, b.n as n from data as a "
    "join (select patient, count(*) as n group by patient) as b on a.patient = b.patient",
}
SPLITS = {
    "split": {"stratify": "label"},
    "split sets": {"stratify": "labels"},
    "split labels": {"stratify": "labels", "method": "iterative"},
    "split group": {"group": "patient"},
    "split both": {"group": "patient", "stratify": "labels"},
}


def works(rows: int) -> dict[str, Callable[[], object]]:
    """Return what is measured, by name."""
    from penstock.dataset import View
    from penstock.dataset.views._fixed_content import FixedContent
    from penstock.tql import run

    data = table(rows)
    view = View(FixedContent(table=data, rows=np.arange(rows)))
    found: dict[str, Callable[[], object]] = {
        "(argsort)": partial(np.argsort, data.column("key").values, kind="stable")
    }
    for name, text in QUERIES.items():
        found[name] = partial(run, text, data, resolve=lambda name, at: data)  # noqa: ARG005  of any name
    for name, options in SPLITS.items():
        found[name] = partial(view.split, SHARES, **options)
    return found


def measured(work: Callable[[], object]) -> float:
    """Return the processor seconds of the second of two calls."""
    work()
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--only", nargs="+", help=f"some of {', '.join(['(argsort)', *QUERIES, *SPLITS])}")
    options = parser.parse_args()
    before: dict[str, float] = {}
    for rows in options.rows:
        for name, work in works(rows).items():
            if options.only and name not in options.only:
                continue
            taken = measured(work)
            growth = f"x{taken / before[name]:5.1f}" if name in before else ""
            before[name] = taken
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            print(
                f"{name:14} {rows:>12,} rows {taken:8.3f} s {growth:7} most memory so far {most:5.2f} GiB", flush=True
            )


if __name__ == "__main__":
    main()
