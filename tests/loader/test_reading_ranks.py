"""Under torch.distributed a rank reads the images of its own batches and of no others: two real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of

pytestmark = [pytest.mark.torch, pytest.mark.slow]
RANK = Path(__file__).with_name("reading_rank.py")


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    ds = penstock.demo(str(folder / "ds"), num_samples=96)
    out = [folder / f"{rank}.json" for rank in range(2)]
    started = [
        subprocess.Popen([sys.executable, RANK, str(rank), "2", str(folder / "store"), out[rank], ds.path])
        for rank in range(2)
    ]
    assert [process.wait(120) for process in started] == [0, 0]
    return ds, [json.loads(path.read_text()) for path in out]


def test_a_rank_reads_the_rows_it_delivers_each_once(ranks):
    _, found = ranks
    for rank in found:
        assert len(rank["delivered"]) == 48
        assert sorted(rank["read"]) == sorted(rank["delivered"])


def test_ranks_together_read_every_row_once(ranks):
    ds, found = ranks
    images = content_of(ds).table.take(np.arange(96), ["images"])["images"]
    assert sorted(found[0]["read"] + found[1]["read"]) == list(range(96))
    assert found[0]["bytes"] + found[1]["bytes"] == sum(map(len, images))
