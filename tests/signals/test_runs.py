"""Runs beside a dataset: names, replacement, resuming, kills, full disks, object stores."""

from __future__ import annotations

import errno
import json
import signal as signals_of_the_system
import subprocess
import sys
import textwrap
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import penstock
from penstock.errors import DatasetError, RunNotFoundError, SignalError, StorageError
from penstock.signals import KINDS, Runs, stored_run
from penstock.storage import Location, RunFolder
from tests.s3 import Bucket


def losses(ds: penstock.Dataset, run: str | None = None) -> list[float]:
    return ds.signals(run).values("loss").tolist()


def record(run: Any, rows: list[int], values: list[float], first: int | None = None) -> None:
    positions = None if first is None else np.arange(first, first + len(rows))
    run.record(np.array(rows), positions, {"loss": np.array(values)})


@pytest.mark.parametrize(
    "name",
    ["", "..", ".", "a/b", "a\\b", "x" * 101, " a", "a ", "a.", "a\nb", "a\x00b", "e\u0301", "\U0001f600" * 60, 3],
)
def test_names_that_are_not_folders_everywhere_are_refused(ages: penstock.Dataset, name: Any) -> None:
    with pytest.raises(DatasetError, match="not a valid run name"):
        ages.start_run(name)


@pytest.mark.parametrize("name", ["lr=0.1, adam+aug", "été", "运行", "_a", "CON", "a.b.c", "50 %", "x" * 100])
def test_other_names_are_kept(ages: penstock.Dataset, name: str) -> None:
    with ages.start_run(name) as run:
        record(run, [1], [7.0])
    assert list(ages.runs)[-1] == name
    assert losses(ages, name)[1] == 7.0


def test_a_name_that_differs_in_case_alone_is_refused(ages: penstock.Dataset) -> None:
    with pytest.raises(DatasetError, match="case of letters"):
        ages.start_run("Newer")


def test_a_run_without_numbers_leaves_nothing(ages: penstock.Dataset) -> None:
    with ages.start_run("empty") as run:
        run.write_schedule("{}")
    assert list(ages.runs) == ["older", "newer"]


def test_two_runs_without_a_name_have_two_names(ages: penstock.Dataset) -> None:
    for value in (1.0, 2.0):
        with ages.start_run() as run:
            record(run, [0], [value])
    first, second = list(ages.runs)[-2:]
    assert (losses(ages, first)[0], losses(ages, second)[0]) == (1.0, 2.0)


def test_a_new_run_takes_the_place_of_one_of_its_name_when_it_has_numbers(ages: penstock.Dataset) -> None:
    run = ages.start_run("newer")
    record(run, [0], [9.0])
    assert losses(ages, "newer")[2] == 3.0  # the old one is whole until then
    run.write()
    np.testing.assert_equal(losses(ages, "newer"), [9.0, *[np.nan] * 5])
    assert ages.runs["newer"].num_epochs == 1
    record(run, [1], [8.0])
    run.close()
    assert losses(ages, "newer")[:2] == [9.0, 8.0]


def test_two_runs_of_one_name_in_one_process_do_not_mix(ages: penstock.Dataset) -> None:
    first, second = ages.start_run("both"), ages.start_run("both")
    record(first, [0], [1.0])
    record(second, [1], [2.0])
    first.write()
    second.write()
    with pytest.warns(UserWarning, match="goes on as 'both-2'"):
        first.write()
    np.testing.assert_equal(losses(ages, "both")[:2], [np.nan, 2.0])
    np.testing.assert_equal(losses(ages, "both-2")[:2], [1.0, np.nan])


def test_a_resumed_run_equals_one_that_was_not_interrupted(ages: penstock.Dataset) -> None:
    with ages.start_run("whole") as run:
        for epoch in range(3):
            record(run, [0, 1, 2], [epoch, epoch + 0.25, 4.0], 3 * epoch)
            run.write(epoch)
    run = ages.start_run("killed")
    for epoch in range(2):
        record(run, [0, 1, 2], [epoch, epoch + 0.25, 4.0], 3 * epoch)
        run.write(epoch)
    record(run, [0], [77.0], 6)  # is lost
    with ages.start_run("killed", resumed=True) as run:  # from a checkpoint in the middle of the second epoch
        record(run, [1, 2], [1.25, 4.0], 4)
        run.write(1)
        record(run, [0, 1, 2], [2.0, 2.25, 4.0], 6)
        run.write(2)
    for what in KINDS:
        one, two = (ages.signals(name).values("loss", what) for name in ("whole", "killed"))
        np.testing.assert_array_equal(one, two)
    assert ages.runs["killed"].num_epochs == 3


def test_a_run_resumed_after_pops_keeps_the_numbers_of_samples_that_are_gone(ages: penstock.Dataset) -> None:
    with ages.start_run("a") as run:
        record(run, [0, 1, 2], [1.0, 2.0, 3.0])
    commit = ages.commit_id
    ages.pop(0)
    ages.commit("without the first")
    with ages.start_run("a", resumed=True) as run:
        record(run, [0], [5.0])
    np.testing.assert_equal(losses(ages, "a"), [5.0, 3.0, np.nan, np.nan, np.nan])
    then = penstock.load(ages.path, version=commit, read_only=True)
    np.testing.assert_equal(losses(then, "a"), [1.0, 5.0, 3.0, np.nan, np.nan, np.nan])


def test_a_run_belongs_to_the_dataset_whatever_the_branch(ages: penstock.Dataset) -> None:
    ages.checkout("other", create=True)
    assert losses(ages, "newer")[2] == 3.0
    with ages.start_run("on other") as run:
        record(run, [0], [1.0])
    ages.checkout("main")
    assert losses(ages, "on other")[0] == 1.0


def test_schedule_and_weights_are_kept(ages: penstock.Dataset) -> None:
    weights = np.array([0.5, 2.0, 1.0])
    with ages.start_run("a") as run:
        sha = run.keep_weights(weights)
        run.write_schedule('{"entries": []}')
        record(run, [0], [1.0])
    found = ages.runs["a"]
    assert found.schedule == '{"entries": []}'
    assert found.weights(sha).tolist() == weights.tolist()
    with pytest.raises(StorageError, match="has no weights"):
        found.weights("../run")
    path = Path(ages.path, "runs", "a", "weights", f"{sha}.npy")
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(StorageError, match="damaged"):
        found.weights(sha)


# ---- stale ---------------------------------------------------------------------------------------


def test_stale_are_samples_whose_labels_were_edited_since(ages: penstock.Dataset) -> None:
    assert not ages.signals().stale.any()
    ages.kind[2], ages.note[3] = ["dog"], "a note"
    assert ages.signals().stale.tolist() == [False, False, True, False, False, False]
    ages.commit("a label and a note")
    assert ages.signals().stale.tolist() == [False, False, True, False, False, False]
    ages.pop(0)
    assert ages[[1, 0]].signals().stale.tolist() == [True, False]
    with ages.start_run("newer", resumed=True) as run:
        record(run, [1], [1.0])
    assert not ages.signals("newer").stale.any()
    ages.kind[1] = ["cat"]
    assert ages.signals("newer").stale.tolist() == [False, True, False, False, False]
    ages.discard_edits()
    assert not ages.signals("newer").stale.any()


def test_edits_that_were_trained_on_before_they_were_committed_are_not_stale(ages: penstock.Dataset) -> None:
    ages.kind[0], ages.kind[1] = ["dog"], ["cat"]
    with ages.start_run("draft") as run:
        record(run, [0, 1], [1.0, 1.0])
    assert not ages.signals("draft").stale.any()
    ages.kind[1] = ["dog"]
    ages.commit("both")
    assert ages.signals("draft").stale.tolist() == [False, True, False, False, False, False]


def test_cleanup_keeps_runs_and_the_versions_they_trained_on(ages: penstock.Dataset) -> None:
    ages.append({"age": 7, "kind": [1], "note": "g"})
    with ages.start_run("between commits") as run:
        record(run, [6], [1.0])
    ages.kind[6] = ["cat"]
    ages.commit("seven")
    freed = ages.cleanup(timedelta(0))
    assert freed.kept["training runs"] == 1
    assert ages.signals("between commits").stale.tolist() == [False] * 6 + [True]
    ages.signals("between commits").delete()
    assert "between commits" not in ages.runs
    assert "training runs" not in ages.cleanup(timedelta(0)).kept


# ---- what goes wrong -----------------------------------------------------------------------------


def test_unknown_names(ages: penstock.Dataset) -> None:
    with pytest.raises(RunNotFoundError, match="did you mean 'newer'"):
        ages.signals("newr")
    with pytest.raises(RunNotFoundError):
        ages.runs["../ages"]
    with pytest.raises(SignalError, match="did you mean 'loss'"):
        ages.signals().values("los")
    unknown: Any = "median"
    with pytest.raises(SignalError, match="'median'"):
        ages.signals().values("loss", unknown)
    with pytest.raises(RunNotFoundError):
        ages.runs.delete("..")


def test_a_record_that_names_files_outside_is_damaged(ages: penstock.Dataset) -> None:
    path = Path(ages.path, "runs", "older", "run.json")
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "file": "../../samples.lance/_versions/1.manifest"}))
    with pytest.raises(StorageError, match="damaged"):
        losses(ages, "older")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 9}', b'{"format": 1}'])
def test_a_damaged_record_hides_no_other_run(ages: penstock.Dataset, content: bytes) -> None:
    Path(ages.path, "runs", "older", "run.json").write_bytes(content)
    assert set(ages.runs) == {"older", "newer"}
    assert losses(ages)[2] == 3.0
    with pytest.raises(StorageError):
        losses(ages, "older")
    ages.runs.delete("older")
    assert list(ages.runs) == ["newer"]


def test_a_full_disk_loses_nothing(ages: penstock.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ages.start_run("full")
    record(run, [0], [1.0])
    run.write()
    record(run, [1], [2.0])

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for target in ("write_columns", "write_record"):
        with monkeypatch.context() as patch:
            patch.setattr(RunFolder, target, refuse)
            with pytest.raises(OSError, match="No space"):
                run.write()
        np.testing.assert_equal(losses(ages, "full")[:2], [1.0, np.nan])
    run.write()
    assert losses(ages, "full")[:2] == [1.0, 2.0]
    assert len(list(Path(ages.path, "runs", "full").glob("numbers-*"))) == 2  # the one before may be being read


def test_a_file_that_the_disk_cut_short_is_not_named(ages: penstock.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ages.start_run("cut")
    record(run, [0], [1.0])
    run.write()
    secure = RunFolder._secure

    def cut(self: RunFolder, name: str) -> None:
        path = Path(self._path(name))
        path.write_bytes(path.read_bytes()[:-20])
        secure(self, name)

    record(run, [0], [2.0])
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "_secure", cut)
        with pytest.raises(StorageError, match="did not save"):
            run.write()
    assert losses(ages, "cut")[0] == 1.0
    run.close()
    assert losses(ages, "cut")[0] == 2.0


_LOOP = textwrap.dedent("""
    import sys, numpy as np, penstock
    path, name, kill = sys.argv[1:]
    ds = penstock.load(path)
    run = ds.start_run(name)
    if kill != "-":
        import os, signal
        from penstock.storage import RunFolder
        count = 0
        for method in ("write_columns", "write_record", "delete"):
            real = getattr(RunFolder, method)
            def killing(self, *given, real=real):
                global count
                count += 1
                if count == int(kill):
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(self, *given)
            setattr(RunFolder, method, killing)
    print("ready", flush=True)
    sys.stdin.readline()
    for epoch in range(3):
        run.record(np.arange(6), None, {"loss": np.full(6, epoch + 1.0)})
        run.write()
        print(epoch, flush=True)
    sys.stdin.readline()
    run.close()
""")


def loop(path: str, name: str, kill: str = "-") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _LOOP, path, name, kill],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("kill", [*(pytest.param(one, marks=pytest.mark.exhaustive) for one in (2, 3, 5)), 6])
def test_a_killed_run_keeps_the_epochs_it_finished(ages: penstock.Dataset, kill: int) -> None:
    """Each epoch writes numbers (1, 4, 7), then the record (2, 5, 8), then deletes the file before (3, 6, 9)."""
    process = loop(ages.path, "killed", str(kill))
    output, _ = process.communicate("\n\n", timeout=280)
    assert process.returncode == -signals_of_the_system.SIGKILL
    finished = (kill - 1) // 3 + (kill % 3 == 0)  # the record of the epoch was written
    assert output.split()[1:] == [str(epoch) for epoch in range((kill - 1) // 3)]
    if finished:
        assert losses(ages, "killed") == [float(finished)] * 6
    else:
        assert "killed" not in ages.runs
    with ages.start_run("killed", resumed=True) as run:
        record(run, list(range(6)), [9.0] * 6)
        run.write()
    assert losses(ages, "killed") == [9.0] * 6
    assert ages.signals("killed").values("loss", "count").tolist() == [finished + 1.0] * 6
    left = 0 if finished else 1  # by a kill before the first record; the next run of this name deletes it
    assert len(list(Path(ages.path, "runs", "killed").glob("numbers-*"))) <= 2 + left


def test_a_name_that_another_process_records_is_left_to_it(ages: penstock.Dataset) -> None:
    process = loop(ages.path, "same")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert [process.stdout.readline().strip() for _ in range(4)] == ["ready", "0", "1", "2"]
    run = ages.start_run("same")
    record(run, [0], [50.0])
    with pytest.warns(UserWarning, match="goes on as 'same-2'"):
        run.close()
    process.communicate("\n", timeout=280)
    assert losses(ages, "same") == [3.0] * 6
    assert losses(ages, "same-2")[0] == 50.0
    with ages.start_run("same") as run:  # which has ended
        record(run, [0], [60.0])
    assert losses(ages, "same")[0] == 60.0


def test_a_bucket(bucket: Bucket) -> None:
    ds = penstock.empty(f"{bucket.url}/set")
    ds.create_tensor("age")
    ds.extend({"age": [1, 2, 3]})
    run = ds.start_run("a b")
    for epoch in range(3):
        record(run, [0, 2], [epoch, 2.0])
        run.keep_weights(np.arange(3) + epoch)
        run.write()
    run.close()
    np.testing.assert_equal(losses(ds), [2.0, np.nan, 2.0])
    assert ds.query("select * where signal('loss', 'count') = 3").indices.tolist() == [0, 2]
    uids = np.arange(5)
    ranks = [Runs(Location(f"{bucket.url}/set")).start("two", lambda: uids, {}, rank=r, world=2) for r in range(2)]
    for number, rank in enumerate(ranks):
        rank.record(np.array([number]), None, {"loss": np.array([1.0])})
        rank.write()
    ranks[0].close()
    assert stored_run(Runs(Location(f"{bucket.url}/set"))["two"]).state().at(uids).signals["loss"].count.tolist() == [
        1,
        1,
        0,
        0,
        0,
    ]
    for name in ("a b", "two"):
        ds.runs.delete(name)
    assert [name for name in bucket.names() if "/runs/" in name] == []
    assert list(ds.runs) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("started", "yesterday"),
        ("started", "9999-99-99"),
        ("started", None),
        ("epochs", float("inf")),
        ("versions", [[0, {"version": "../x"}]]),
        ("versions", [[0, {"version": float("inf")}]]),
    ],
)
def test_a_record_with_other_values_is_damaged(ages: penstock.Dataset, field: str, value: Any) -> None:
    path = Path(str(ages.path)) / "runs" / "newer" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    signals = ages.runs
    for use in (lambda: losses(ages, "newer"), lambda: ages.signals("newer").stale, lambda: signals["newer"].version):
        with pytest.raises(StorageError, match="damaged"):
            use()
    ages.runs.delete("newer")


def test_a_record_that_is_nested_too_deeply_is_damaged(ages: penstock.Dataset) -> None:
    (Path(str(ages.path)) / "runs" / "newer" / "run.json").write_text("[" * 100_000)
    with pytest.raises(StorageError, match="damaged"):
        losses(ages, "newer")
    assert list(ages.runs) == ["newer", "older"]


def test_a_signal_that_went_while_it_was_looked_for_is_an_error_of_signals(
    ages: penstock.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ages.start_run("newer") as run:
        run.record(np.array([0]), None, {"hit": np.array([1.0])})
    stored = stored_run(ages.runs["newer"])
    monkeypatch.setattr(type(stored), "names", ["hit", "loss"])  # as the run that was here had them
    with pytest.raises(SignalError, match="'loss' is not a signal of run 'newer'"):
        stored.numbers("loss")
