"""`distributed=True` under torch.distributed with gloo: real processes, two and three."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.errors import LoaderError
from penstock.loader import Loader

pytestmark = [pytest.mark.torch, pytest.mark.slow]
RANK = Path(__file__).with_name("rank.py")

spec = importlib.util.spec_from_file_location("penstock_rank", RANK)
ranks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ranks)


def run(folder, world, state=""):
    out = [folder / f"{world}-{rank}.json" for rank in range(world)]
    started = [
        subprocess.Popen([sys.executable, RANK, str(rank), str(world), str(folder / f"store{world}"), out[rank], state])
        for rank in range(world)
    ]
    assert [process.wait(120) for process in started] == [0] * world
    return [json.loads(path.read_text()) for path in out]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    two = run(folder, 2)
    state = folder / "state.json"
    state.write_text(json.dumps(two[0]["state"]))
    return {2: two, 3: run(folder, 3, str(state))}


def together(parts):
    """Put the ranks' batches of each step behind one another."""
    return [[row for part in step for row in part["index"]] for step in zip(*parts, strict=True)]


def alone(kind, epochs, **batch):
    loader = ranks.loader(kind, 1, **batch).pytorch()
    return [[batch["index"].tolist() for batch in loader] for _ in range(epochs)]


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("kind", ["plain", "iid", "deck", "once"])
def test_global_batches_are_those_of_one_process_when_the_tail_is_dropped(results, world, kind):
    for epoch, expected in enumerate(alone(kind, 2, drop_last=True)):
        parts = [result[f"{kind}-True"][epoch] for result in results[world]]
        assert together(parts) == expected
        assert {len(part) for part in parts} == {8}


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("kind", ["iid", "deck"])
def test_padded_epochs_continue_one_stream(results, world, kind):
    stream = ranks.loader(kind, 1)._pool.plan.stream()
    rows = [
        row
        for epoch in range(2)
        for step in together([result[f"{kind}-False"][epoch] for result in results[world]])
        for row in step
    ]
    assert len(rows) == 2 * 108
    assert rows == stream.slice(0, 216).tolist()


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("kind", ["iid", "deck"])
def test_padding_of_a_drawn_stream_is_not_marked(results, world, kind):
    assert all("valid" not in batch for result in results[world] for batch in result[f"{kind}-False"][0])


@pytest.mark.parametrize("world", [2, 3])
def test_padding_of_a_plain_pass_wraps(results, world):
    rows = [row for step in together([result["plain-False"][0] for result in results[world]]) for row in step]
    assert len(rows) == 108
    assert sorted(rows[:100]) == list(range(100))
    assert rows[100:] == rows[:8]


@pytest.mark.parametrize("world", [2, 3])
def test_padding_of_a_plain_pass_is_marked_in_the_batch(results, world):
    parts = [result["plain-False"][0] for result in results[world]]
    valid = [flag for step in zip(*parts, strict=True) for part in step for flag in part["valid"]]
    assert valid == [True] * 100 + [False] * 8


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("sampler", ["rows", "batches"])
def test_a_dataloader_of_ones_own_loop_has_the_stream(results, world, sampler):
    parts = [result[f"own {sampler}"] for result in results[world]]
    rows = [row for step in zip(*parts, strict=True) for part in step for row in part]
    assert rows == ranks.loader("deck", 1)._pool.plan.stream().slice(0, 216).tolist()


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("sampler", ["rows", "batches"])
def test_a_dataloader_of_ones_own_loop_resumes(results, world, sampler):
    for result in results[world]:
        assert result[f"own {sampler} resumed"] == [result[f"own {sampler}"]] * 5


def test_three_ranks_go_on_where_two_stopped(results):
    stream = ranks.loader("iid", 1)._pool.plan.stream()
    rows = [row for epoch in range(2) for step in together([r["resumed"][epoch] for r in results[3]]) for row in step]
    assert results[2][0]["state"]["consumed"] == 36
    assert results[2][0]["state"] == results[2][1]["state"]
    assert rows == stream.slice(36, 216).tolist()


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize(
    ("case", "what"), [("disagree", "the dataset's version"), ("shape", "drop_last")], ids=["version", "drop_last"]
)
def test_every_rank_says_in_what_they_disagree(results, world, case, what):
    assert all(f"the ranks disagree on {what}" in result[case] for result in results[world])


def test_distributed_in_one_process_is_a_world_of_one(table):
    shared, alone = (Loader(table).batch(8).pytorch(distributed=flag) for flag in (True, False))
    assert [b["index"].tolist() for b in shared] == [b["index"].tolist() for b in alone]


def test_distributed_under_a_launcher_without_a_process_group_is_refused(table, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(LoaderError, match="init_process_group"):
        next(iter(Loader(table).pytorch(distributed=True)))
