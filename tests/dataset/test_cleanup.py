"""What cleanup frees, and what holds a version."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest

import penstock
from penstock.errors import ConflictError, DatasetError, ReadOnlyError
from penstock.storage import new_staging, staging_lock

NOW = timedelta(0)
DAY = 86_400


@pytest.fixture
def ds(tmp_path):
    dataset = penstock.empty(tmp_path / "ages")
    dataset.create_tensor("age")
    dataset.extend({"age": list(range(8))})
    dataset.commit("eight")
    return dataset


def _edit(ds, row, value):
    ds.age[row] = value
    return ds.commit(f"age {row} is {value}")


def _add(ds, value):
    """Add a sample that is not committed: a version of its own."""
    ds.append({"age": value})
    ds.flush()


def _files(path):
    return {str(file): file.stat().st_size for file in Path(path).rglob("*") if file.is_file()}


def _ages(ds):
    return [int(age) for age in ds.age.numpy()]


def test_a_dry_run_says_what_goes_and_deletes_nothing(ds):
    for value in range(3):
        _add(ds, value)
        _edit(ds, 0, value + 50)
    before = _files(ds.path)
    told = ds.cleanup(NOW, dry_run=True)
    assert _files(ds.path) == before
    done = ds.cleanup(NOW)
    assert (told.versions, told.files, told.bytes) == (done.versions, done.files, done.bytes)
    assert done.versions >= 3
    gone = {name: size for name, size in before.items() if name not in _files(ds.path)}
    assert (len(gone), sum(gone.values())) == (done.files, done.bytes)
    assert repr(told).startswith("would free ")
    assert repr(done).startswith("freed ")
    assert repr(ds.cleanup(NOW)).startswith("nothing to free\nkept: ")


def test_two_weeks_are_kept_by_default(ds):
    _add(ds, 1)
    _edit(ds, 0, 9)
    assert not ds.cleanup()
    assert ds.cleanup().kept["too young"] > 0


@pytest.mark.parametrize("age", [7, timedelta(-1), "7 days"], ids=["a number", "negative", "text"])
def test_an_age_that_is_none_is_refused(ds, age):
    with pytest.raises(DatasetError, match="Expected a timedelta of at least 0"):
        ds.cleanup(age)


def test_a_read_only_dataset_is_not_cleaned_up(ds):
    with pytest.raises(ReadOnlyError):
        penstock.load(ds.path, read_only=True).cleanup(NOW)


def test_commits_tags_branches_and_views_read_as_before(ds):
    first = ds.version
    ds.tag("start")
    view = ds.query("select * where age > 3").save_view()
    for value in range(4):
        _add(ds, value)
        _edit(ds, 0, value + 50)
    ds.checkout("side", create=True)
    _add(ds, 77)
    ds.checkout("main")
    commits = {commit.id: _ages(penstock.load(ds.path, version=commit.id)) for commit in ds.log()}
    ds.cleanup(NOW)
    again = penstock.load(ds.path)
    assert {commit.id: _ages(penstock.load(ds.path, version=commit.id)) for commit in again.log()} == commits
    assert again.tags == {"start": first}
    assert _ages(again.load_view(view)) == [4, 5, 6, 7]
    assert _ages(penstock.load(ds.path, version="side"))[-1] == 77


def test_other_branches_are_cleaned_up_too(ds):
    ds.checkout("side", create=True)
    for value in range(3):
        _add(ds, value)
    ds.commit("three more")
    ds.checkout("main")
    assert ds.cleanup(NOW).versions >= 2


@pytest.mark.parametrize("branch", ["main", "side"])
def test_reset_goes_back_to_the_start_after_a_cleanup(tmp_path, branch):
    ds = penstock.empty(tmp_path / "ages")
    if branch == "side":
        ds.create_tensor("age")
        ds.append({"age": 1})
        ds.commit("one")
        ds.checkout("side", create=True)
    else:
        ds.create_tensor("age")
    for value in range(3):
        _add(ds, value)
    ds.cleanup(NOW)
    ds.reset()
    assert len(ds) == (1 if branch == "side" else 0)


def test_a_view_of_a_version_that_is_no_commit_reads_on(ds):
    _add(ds, 99)
    view = ds[:]
    ds.age[0] = 50
    ds.commit("committed")
    _edit(ds, 1, 51)
    assert ds.cleanup(NOW).kept["open readers"] >= 1
    assert _ages(view) == [0, 1, 2, 3, 4, 5, 6, 7, 99]


_READER = """
import sys, penstock
ds = penstock.load(sys.argv[1])
for _ in sys.stdin:
    print([int(age) for age in ds[:].age.numpy()], flush=True)
"""


@pytest.mark.slow
def test_what_another_process_reads_is_kept_until_it_dies(ds):
    _add(ds, 99)
    opened = [0, 1, 2, 3, 4, 5, 6, 7, 99]
    with _python(_READER, ds.path) as reader:
        assert _asked(reader) == f"{opened}\n"
        ds.age[0] = 50
        ds.commit("committed")
        _edit(ds, 1, 51)
        read = ds.cleanup(NOW).kept["open readers"]
        assert _asked(reader) == f"{opened}\n"
        marks = set(Path(ds.path, ".readers").iterdir())
        reader.kill()
    assert ds.cleanup(NOW).kept.get("open readers", 0) == read - 1
    assert len(marks - set(Path(ds.path, ".readers").iterdir())) == 1


def _python(program, *args):
    return subprocess.Popen(
        [sys.executable, "-c", program, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _asked(process):
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline()


def test_edits_over_a_version_still_find_their_conflicts(ds):
    _add(ds, 99)
    mine = penstock.load(ds.path)
    mine.age[0] = 1000
    ds.age[0] = 50
    ds.commit("theirs")
    mine.close()
    del mine
    ds.cleanup(NOW)
    with pytest.raises(ConflictError):
        penstock.load(ds.path).commit("mine")


def test_a_commit_that_lost_its_tag_is_kept_and_tagged_again(ds):
    lost = _edit(ds, 0, 50)
    _edit(ds, 0, 51)
    Path(ds.path, "samples.lance", "_refs", "tags", f"commit-{lost}.json").unlink()
    ds.cleanup(NOW)
    assert _ages(penstock.load(ds.path, version=lost))[0] == 50


def test_a_file_that_belongs_to_no_version_stays_for_a_week(ds):
    """As the engine's own rule says: a writer elsewhere may be about to commit it."""
    handle = lance.dataset(f"{ds.path}/samples.lance")
    columns = {name: handle.schema.field(name).type for name in handle.schema.names}
    rows = pa.table({name: pa.nulls(1, kind) for name, kind in columns.items()}, schema=handle.schema)
    fresh, old = (
        lance.fragment.write_fragments(rows, handle, mode="append", data_storage_version="2.2") for _ in range(2)
    )
    data = Path(ds.path, "samples.lance", "data")
    aged = data / old[0].files[0].path
    os.utime(aged, (time.time() - 8 * DAY,) * 2)
    ds.cleanup(NOW)
    assert not aged.exists()
    made = lance.LanceDataset.commit(handle, lance.LanceOperation.Append(fresh), read_version=handle.version)
    assert made.count_rows() == 9


def test_what_a_killed_import_left_beside_the_dataset_goes(ds):
    from filelock import FileLock

    dead, alive = new_staging(Path(ds.path)), new_staging(Path(ds.path))
    for staging in (dead, alive):
        shutil.copytree(Path(ds.path, "samples.lance"), staging / "samples.lance")
        staging_lock(staging).touch()
    with FileLock(staging_lock(alive)):
        told = ds.cleanup(dry_run=True)
        assert dead.exists()
        done = ds.cleanup()
    assert (told.leftovers, told.bytes) == (done.leftovers, done.bytes)
    assert done.bytes > 0
    assert not dead.exists()
    assert not staging_lock(dead).exists()
    assert alive.exists()


_WRITER = """
import sys, penstock
ds = penstock.load(sys.argv[1])
for value in range(int(sys.argv[2])):
    ds.append({"age": 100 + value})
    ds.age[value % 8] = 200 + value
    ds.commit(f"writer {value}")
    print(value, flush=True)
"""


@pytest.mark.slow
def test_nothing_is_lost_beside_a_live_writer(ds):
    """Either the upkeep or the commit is done again."""
    with _python(_WRITER, ds.path, "12") as writer:
        while writer.stdout.readline():
            ds.refresh()
            ds.compact()
            ds.cleanup(NOW)
    assert writer.returncode == 0
    again = penstock.load(ds.path)
    assert [commit.message for commit in again.log()][:12] == [f"writer {value}" for value in range(11, -1, -1)]
    assert _ages(again) == [*range(208, 212), *range(204, 208), *range(100, 112)]
    assert again.verify().ok
    for place, commit in enumerate(reversed(list(again.log())[:12])):
        assert _ages(penstock.load(ds.path, version=commit.id))[-1] == 100 + place


def test_compaction_keeps_order_identity_and_what_is_saved(ds):
    view = ds[[3, 6]].save_view()
    first = ds.version
    for value in range(5):
        ds.append({"age": 100 + value})
        _edit(ds, value, 50 + value)
    ds.pop([1, 9])
    last = ds.commit("two less")
    ages, uids = _ages(ds), [sample.uid for sample in ds]
    diff = repr(ds.diff(first, last))
    edits = [[edit.commit for edit in ds.history(row)] for row in range(len(ds))]
    made = ds.compact()
    assert made.after == 1
    assert not lance.dataset(f"{ds.path}/samples.lance").get_fragments()[0].num_deletions
    again = penstock.load(ds.path)
    for one in (ds, again):
        assert (_ages(one), [sample.uid for sample in one]) == (ages, uids)
        assert not one.has_changes
        assert repr(one.diff(first, last)) == diff
        assert [[edit.commit for edit in one.history(row)] for row in range(len(one))] == edits
        assert _ages(one.load_view(view)) == [3, 6]
    ds.cleanup(NOW)
    assert not penstock.load(ds.path).has_changes
    ds.append({"age": 1})
    ds.reset()
    assert _ages(ds) == ages
    assert not ds.compact()


def test_compaction_leaves_edits_where_they_are(ds):
    for value in range(3):
        ds.append({"age": value})
        ds.commit(f"{value}")
    ds.age[0] = 77
    ds.compact()
    assert (ds.num_edits, int(ds.age[0].numpy())) == (1, 77)
    assert penstock.load(ds.path).num_edits == 1
    ds.commit("after all")
    assert ds.verify().ok


def test_commits_leave_large_files_alone(tmp_path):
    """Merging what is of about one size: a commit of one sample does not write thousands again."""
    ds = penstock.empty(tmp_path / "many")
    ds.create_tensor("age")
    ds.extend({"age": np.arange(5000)})
    ds.commit("many")
    large = max(Path(ds.path, "samples.lance", "data").iterdir(), key=lambda file: file.stat().st_size)
    for value in range(40):
        ds.append({"age": value})
        ds.commit(f"{value}")
    handle = lance.dataset(f"{ds.path}/samples.lance")
    files = [data.path for fragment in handle.get_fragments() for data in fragment.metadata.files]
    assert large.name in files
    assert len(files) <= 20
