"""Points tried over several workers, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tests.faults import preload
from tests.faults.operations import ALL
from tests.faults.power import KINDS
from tests.faults.serving import shared_out

CRASHES = ("kill", "full", "broken")


@dataclass
class Row:
    """What came of one call under one kind of fault."""

    operation: str
    kind: str
    points: int = 0
    before: int = 0
    after: int = 0
    wrong: list = field(default_factory=list)
    litter: list = field(default_factory=list)
    raw: list = field(default_factory=list)

    def numbers(self):
        """Return points, before, after, anything else, those that left files, those with errors not of ours."""
        return self.points, self.before, self.after, len(self.wrong), len(self.litter), len(self.raw)

    def take(self, at, verdict, told):
        self.points += 1
        if verdict == "else":
            self.wrong.append((at, told))
            return
        if verdict == "after":
            self.after += 1
        else:
            self.before += 1
        if told:
            (self.raw if told.startswith("raw") else self.litter).append((at, told))


def all_points(counts, operation, kinds):
    """Return every point of a call: (question, kind, point)."""
    found = [(kind, at) for kind in CRASHES if kind in kinds for at in range(1, counts[kind] + 1)]
    for kind in KINDS:
        if "power" in kinds:
            found.append((kind, None))
            found += [(kind, at) for at in range(1, counts["kill"] + 1) if operation.durable]
    return found


def sampled(points, rng, most, last):
    """Return some of the points, half of them among the last few of each kind of fault."""
    ends = {}
    for kind, at in points:
        ends[kind] = max(ends.get(kind, 0), at or 0)
    late = [point for point in points if point[1] is None or point[1] > ends[point[0]] - last]
    late = [late[index] for index in sorted(rng.permutation(len(late))[: (most + 1) // 2])]
    rest = [point for point in points if point not in late]
    return late + [rest[index] for index in sorted(rng.permutation(len(rest))[: most - len(late)])]


def ask_point(worker, operation, kind, at):
    what = "power" if kind in KINDS else "point"
    return worker.ask(what, operation.name, kind, at)


def try_points(operations=ALL, *, kinds=(*CRASHES, "power"), num_workers=2, sample=None, seed=0, told=None):
    """Try points of calls; return a row for each call and kind of fault.

    `sample` is how many points of a call are tried (None: all); `told` is called with each row that is done.
    """

    def one(worker, operation):
        rows = _tried(worker, operation, kinds, sample, seed)
        for row in rows if told else ():
            told(row)
        return rows

    environment = preload.environment()
    rows = shared_out("tests.faults.worker", operations, one, num_workers=num_workers, environment=environment)
    return [row for made in rows for row in made]


def _tried(worker, operation, kinds, sample, seed):
    try:
        counts = worker.ask("expected", operation.name)
    except RuntimeError as error:
        return [Row(operation.name, "none", points=1, wrong=[(None, str(error))])]
    points = all_points(counts, operation, kinds)
    if sample is not None:
        rng = np.random.default_rng([seed, *operation.name.encode()])
        points = sampled(points, rng, sample, last=3)
    rows = {}
    for kind, at in points:
        row = rows.setdefault(kind, Row(operation.name, kind))
        row.take(at, *ask_point(worker, operation, kind, at))
    return list(rows.values())
