"""A plain torch loop in two processes draws by a schedule and records: the stream and the numbers of one process."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock.errors import DatasetError

pytestmark = [pytest.mark.torch, pytest.mark.slow]
RANK = Path(__file__).with_name("rank.py")

spec = importlib.util.spec_from_file_location("penstock_signals_rank", RANK)
ranks = importlib.util.module_from_spec(spec)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The dataset, and what one process and two were told."""
    spec.loader.exec_module(ranks)
    folder = tmp_path_factory.mktemp("ranks")
    ds = penstock.empty(str(folder / "ds"))
    ds.create_tensor("x")
    ds.extend({"x": [[row] for row in range(ranks.NUM_ROWS)]})
    ds.commit("made")
    settings = folder / "settings.json"
    settings.write_text(
        json.dumps({"dataset": ds.path, "folder": str(folder), "store": str(folder / "store"), "world": 2})
    )
    started = [subprocess.Popen([sys.executable, RANK, settings, str(rank)]) for rank in range(2)]
    assert [process.wait(240) for process in started] == [0, 0]
    return ds, ranks.run(ds, 1), [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


@pytest.mark.parametrize("mode", ["iid", "deck"])
def test_the_ranks_together_draw_the_stream_of_the_plan_also_after_a_resume(trained, mode):
    ds, alone, parts = trained
    stream = ds.plan(ranks.schedule(mode)).stream().slice(0, ranks.SIZE * ranks.EPOCHS).reshape(-1, ranks.GLOBAL_BATCH)
    for way in range(2):
        assert alone[mode][way] == stream.tolist()
        steps = zip(*(part[mode][way] for part in parts), strict=True)
        assert [first + second for first, second in steps] == stream.tolist()


@pytest.mark.parametrize("mode", ["iid", "deck"])
@pytest.mark.parametrize("run", ["cut 1", "whole 2", "cut 2"])
@pytest.mark.parametrize("kind", ["last", "mean", "count", "position"])
def test_the_numbers_are_those_of_one_process_that_never_stopped(trained, mode, run, kind):
    ds, _, _ = trained
    expected = ds.signals(f"{mode} whole 1").values("loss", kind)
    assert np.array_equal(ds.signals(f"{mode} {run}").values("loss", kind), expected, equal_nan=True)


def test_positions_are_those_of_the_stream(trained):
    ds, _, _ = trained
    drawn = ds.plan(ranks.schedule("deck")).stream().slice(0, ranks.SIZE * ranks.EPOCHS).tolist()
    found = ds.signals("deck whole 1").values("loss", "position")
    assert {row: int(found[row]) for row in set(drawn)} == {row: place for place, row in enumerate(drawn)}


def test_several_processes_need_a_name(trained):
    ds, _, _ = trained
    with pytest.raises(DatasetError, match="2 processes has no name"):
        ds.runs.start(None, lambda: np.arange(3), {}, rank=1, world=2)
