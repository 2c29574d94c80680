"""Runs whose weights change and which are killed, in processes of their own: the schedule replays them to the bit."""

from __future__ import annotations

import importlib.util
import itertools
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.sampling import SamplingSchedule

RANK = Path(__file__).with_name("live_rank.py")

_spec = importlib.util.spec_from_file_location("penstock_live_rank", RANK)
live = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(live)

KILLED_AFTER = (4, 13, 15, 17, 14)
"""Batches that each process lives for: in every entry of the schedule there is a kill."""


def run_of(folder, *, mode, world, workers, gathered=False, killed_after=KILLED_AFTER):
    """Run to the end, killed on the way; return the rows by position and the schedule."""
    for number, batches in enumerate([*killed_after, 0]):
        told = folder / "told.json"
        settings = {"mode": mode, "world": world, "workers": workers, "gathered": gathered, "batches": batches}
        told.write_text(json.dumps({**settings, "folder": str(folder), "store": str(folder / f"store-{number}")}))
        started = [subprocess.Popen([sys.executable, RANK, told, str(rank)]) for rank in range(world)]
        ended = {process.wait(300) for process in started}
        assert ended == {-signal.SIGKILL if batches else 0}
    schedules = {(folder / f"schedule-{rank}.json").read_text() for rank in range(world)}
    assert len(schedules) == 1
    logs = [(folder / f"rows-{rank}.jsonl").read_text().splitlines() for rank in range(world)]
    steps = [[json.loads(line) for line in step] for step in zip(*logs, strict=True)]
    assert all(len({position for position, _ in step}) == 1 for step in steps)
    rows = {step[0][0]: [row for _, part in step for row in part] for step in steps}
    assert len(rows) == len(steps), "a batch came twice"
    return rows, SamplingSchedule.from_json(schedules.pop())


def replayed(schedule, *, workers=0, gathered=False):
    with live.loader_of(schedule, workers=workers, gathered=gathered) as loader:
        batches = itertools.chain.from_iterable(loader for _ in range(live.EPOCHS))
        return [batch["index"].tolist() for batch in batches]


def check(folder, **options):
    rows, schedule = run_of(folder, **options)
    assert [entry.spec.weights[0] for entry in schedule.entries] == list(live.RARE)
    assert sorted(rows) == list(range(live.GLOBAL_BATCH, live.EPOCHS * live.SIZE + 1, live.GLOBAL_BATCH))
    kills = [live.GLOBAL_BATCH * count for count in itertools.accumulate(options.get("killed_after", KILLED_AFTER))]
    given = [rows[position] for position in sorted(rows)]
    assert given == replayed(schedule)
    return kills, schedule, given


@pytest.mark.slow
def test_a_killed_run_is_replayed_by_its_schedule(tmp_path):
    check(tmp_path, mode="deck", world=1, workers=0, killed_after=(7, 30))


CASES = [
    (mode, world, workers, gathered)
    for mode in ("iid", "deck")
    for world in (1, 2, 3)
    for workers, gathered in ((0, False), (0, True), (2, False))
]


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.timeout(0)
@pytest.mark.parametrize(("mode", "world", "workers", "gathered"), CASES, ids=str)
def test_a_run_that_is_killed_in_every_entry_is_replayed_by_its_schedule(tmp_path, mode, world, workers, gathered):
    kills, schedule, given = check(tmp_path, mode=mode, world=world, workers=workers, gathered=gathered)
    borders = [*schedule.starts, live.EPOCHS * live.SIZE + 1]
    assert all(any(a < kill <= b for kill in kills) for a, b in itertools.pairwise(borders))
    assert given == replayed(schedule, workers=2)
    assert given == replayed(schedule, gathered=True)
