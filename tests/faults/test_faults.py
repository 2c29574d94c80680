"""Nothing is lost: a sample of the faults that ``python -m tests.faults`` tries in full."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.faults import preload
from tests.faults.damage import try_damages
from tests.faults.merges import wrong_in_merge
from tests.faults.operations import ALL
from tests.faults.points import CRASHES, try_points
from tests.faults.power import KINDS, lose_power
from tests.faults.races import RACES
from tests.faults.sequences import wrong_in_sequence
from tests.faults.serving import ROOT
from tests.faults.threeway import identified, renamed, three_way

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults"), pytest.mark.timeout(900)]
needs_counting = pytest.mark.skipif(preload.why_not() is not None, reason=str(preload.why_not()))
MANY_STEPS = ("commit", "merge", "save_view", "reset", "discard_edits", "empty (overwrite)", "load_view")


@pytest.fixture(scope="module", params=[0, pytest.param(1, marks=pytest.mark.exhaustive)], ids=["some", "more"])
def cut_short(request):
    of_many = [operation for operation in ALL if operation.name.startswith(MANY_STEPS)]
    others = [operation for operation in ALL if operation not in of_many]
    disks = [kind for kind in CRASHES if kind != "kill"]
    killed = [*of_many[3 * request.param :: 6], *others[3 * request.param :: 6]]
    full = of_many[1 + 4 * request.param :: 8]
    rows = [*try_points(killed, sample=1, kinds=("kill",)), *try_points(full, sample=1, kinds=disks)]
    assert {row.kind for row in rows} >= ({"kill", "broken"} if request.param else set(CRASHES))
    return rows


@needs_counting
@pytest.mark.parametrize("wrong", ["wrong", "litter", "raw"], ids=["another state", "litter", "a raw error"])
def test_a_call_that_is_cut_short_leaves_nothing_wrong(cut_short, wrong):
    assert [(row.operation, row.kind, found) for row in cut_short for found in getattr(row, wrong)] == []


LASTING = {"commit", "commit (some edits)", "merge (both sides)", "append"}
MORE_LASTING = {"pop (an edited one)", "discard_edits (not flushed)", "tag"}


@needs_counting
@pytest.mark.parametrize(
    "lasting", [LASTING, pytest.param(MORE_LASTING, marks=pytest.mark.exhaustive)], ids=["some", "more"]
)
def test_what_a_call_did_when_it_returned_outlives_a_power_loss(lasting):
    rows = try_points([operation for operation in ALL if operation.name in lasting], sample=3, kinds=("power",))
    assert {row.kind for row in rows} == set(KINDS)
    assert [(row.operation, row.kind, found) for row in rows for found in row.wrong] == []


@pytest.mark.parametrize("number", range(0, 300, 30))
def test_a_random_sequence_of_calls_gives_what_plain_python_gives(tmp_path, number):
    assert wrong_in_sequence(tmp_path / "ds", number) is None


@pytest.mark.parametrize("number", range(0, 450, 30))
def test_a_random_merge_is_right_cell_by_cell_or_a_conflict_that_is_told(tmp_path, number):
    assert wrong_in_merge(tmp_path / "ds", number) is None


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.exhaustive) for part in (1, 2))])
def test_a_damaged_file_reads_right_or_as_an_error_or_is_found(part):
    bad = [found for found in try_damages(1, part=(part, 3)) if found[2] in {"silent", "raw error", "crash"}]
    assert bad == []


@pytest.mark.parametrize("race", RACES)
def test_a_race_leaves_nothing_wrong(tmp_path, race):
    assert RACES[race](tmp_path / "ds") == []


# ---- the means themselves ----------------------------------------------------------------------


_FOUR_CHANGES = """
import os, sys
from tests.faults import preload
switch = preload.Switch()
switch.arm(sys.argv[1], preload.KILL, int(sys.argv[2]))
os.mkdir(sys.argv[1] + "/folder")
part = os.open(sys.argv[1] + "/folder/part", os.O_CREAT | os.O_WRONLY)
os.write(part, b"12345678")
os.fsync(part)
os.rename(sys.argv[1] + "/folder/part", sys.argv[1] + "/folder/whole")
print(*switch.disarm())
"""


def _four_changes(folder, at):
    command = [sys.executable, "-c", _FOUR_CHANGES, str(folder), str(at)]
    return subprocess.run(command, cwd=ROOT, env=preload.environment(), capture_output=True, text=True, check=False)


@needs_counting
def test_counting_finds_every_change_with_its_sync(tmp_path):
    assert _four_changes(tmp_path, preload.NEVER).stdout.split() == ["4", "1"]


@needs_counting
@pytest.mark.parametrize(
    ("at", "left"),
    [(1, {}), (2, {"folder": None}), (3, {"folder/part": b"1234"}), (4, {"folder/part": b"12345678"})],
    ids=["mkdir", "open", "write", "rename"],
)
def test_a_kill_stops_at_its_change(tmp_path, at, left):
    assert _four_changes(tmp_path, at).returncode == -9
    for path, content in left.items():
        assert (tmp_path / path).is_dir() if content is None else (tmp_path / path).read_bytes() == content
    assert len([*tmp_path.rglob("*")]) == len(left) + any("/" in path for path in left)


@pytest.mark.parametrize(
    ("kind", "left"),
    [("names lost", {"a": b"old", "b": b"new"}), ("contents lost", {"a": b"old", "b": b"new", "c": b""})],
    ids=KINDS,
)
def test_a_power_loss_takes_what_was_not_synced(tmp_path, kind, left):
    before, now, cut = (tmp_path / name for name in ("before", "now", "cut"))
    for folder in (before, now, cut):
        folder.mkdir()
    (before / "a").write_bytes(b"old")
    for name, content in {"a": b"old", "b": b"new", "c": b"newer"}.items():
        (now / name).write_bytes(content)
    steps = [("O", "/b"), ("W", "/b"), ("S", "/b"), ("S", ""), ("O", "/c"), ("W", "/c")]
    journal = "".join(f"{what}\t{now}{path}\t\n" for what, path in steps)
    lose_power(before, now, journal, kind, cut)
    assert {file.name: file.read_bytes() for file in cut.iterdir()} == left


def test_the_model_follows_classes_through_a_merge(tmp_path):
    from tests.faults.model import State

    base = State(
        order=[0, 1],
        stored={0: {"key": 0, "age": 1, "note": "", "labels": [1]}, 1: {"key": 1, "age": 1, "note": "", "labels": [2]}},
        classes={0: "cat", 1: "kitten", 2: "dog"},
    )
    ours, theirs = base.copy(), base.copy()
    ours.order.append(2)
    ours.stored[2] = {"key": 2, "age": 0, "note": "", "labels": [1, 2]}
    theirs.classes = {0: "cat", 2: "hound"}
    theirs.merged = {1: 0}
    theirs.stored[0]["labels"] = [0]
    found = three_way(base, ours, renamed(theirs, identified(base, ours, theirs)), None)
    assert [sample["labels"] for sample in found.state.samples()] == [["cat"], ["hound"], ["cat", "hound"]]
    assert (found.cells, found.classes) == (set(), set())
