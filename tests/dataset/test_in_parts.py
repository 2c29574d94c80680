"""What changes in one file is read, written and compared in that file alone, however many others there are."""

from __future__ import annotations

import json

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.storage.reading._snapshot import Snapshot
from penstock.storage.reading._stored_version import StoredVersion

PARTS, ROWS = 6, 4  # files, and samples in each


@pytest.fixture
def ds(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("labels", htype="class_label", class_names=["cat", "dog", "fox"])
    ds.create_tensor("age", dtype="float64")
    for part in range(PARTS):
        labels = [[row % 3] * (1 + (part == 0 and row == 0)) for row in range(ROWS)]  # only the first has two
        ds.extend({"labels": labels, "age": [float(part * ROWS + row) for row in range(ROWS)]})
        ds.flush()
    ds.commit("first")
    return ds


def parts(ds):
    return content_of(ds).table.stored.snapshot.parts


@pytest.fixture
def read(monkeypatch):
    """The columns that are read whole, and the parts that are read by themselves."""
    found = []
    whole, alone = StoredVersion.to_table, Snapshot.read_parts

    def to_table(version, columns, *, with_row_id=False):
        found.extend([*columns, "_rowid"] if with_row_id else columns)
        return whole(version, columns, with_row_id=with_row_id)

    def read_parts(snapshot, places, columns):
        found.extend((place, tuple(columns)) for place in places)
        return alone(snapshot, places, columns)

    monkeypatch.setattr(StoredVersion, "to_table", to_table)
    monkeypatch.setattr(Snapshot, "read_parts", read_parts)
    return found


def test_a_commit_of_one_edit_writes_one_file_of_one_column(ds):
    before = parts(ds)
    ds.labels[9] = [2]
    ds.commit("edit")
    changed = [
        (place, name)
        for place, (one, two) in enumerate(zip(before, parts(ds), strict=True))
        for name in one.files
        if one.files[name] != two.files[name]
    ]
    assert changed == [(2, "labels")]


def test_a_deletion_marks_one_file(ds):
    before = parts(ds)
    ds.pop(9)
    after = parts(ds)
    assert [one.marks != two.marks for one, two in zip(before, after, strict=True)] == [n == 2 for n in range(PARTS)]
    assert [part.num_rows for part in after] == [4, 4, 3, 4, 4, 4]


def test_a_diff_reads_the_files_that_changed(ds, read):
    first = ds.commit_id
    ds.labels[9] = [2]
    ds.pop(21)
    second = ds.commit("second")
    fresh = penstock.load(ds.path)
    read.clear()
    diff = fresh.diff(first, second)
    assert (diff.edited["labels"].tolist(), diff.removed.tolist(), len(diff.added)) == ([9], [21], 0)
    assert not {"labels", "age", "uid"} & set(read)  # no column is read whole
    assert {entry[0] for entry in read if isinstance(entry, tuple)} == {5}


def test_a_commit_reads_the_labels_of_the_files_that_changed(ds, read):
    ds.labels[9] = [2]
    read.clear()
    ds.commit("edit")
    assert not {"labels", "age", "_rowid"} & set(read)
    assert {entry[0] for entry in read if isinstance(entry, tuple)} <= {0, 2}  # the first, where two labels still are


@pytest.mark.parametrize(
    ("change", "interval"),
    [
        (lambda ds: ds.pop(0), (1, 1)),
        (lambda ds: ds.labels.__setitem__(0, [1]), (1, 1)),
        (lambda ds: ds.labels.__setitem__(23, []), (0, 2)),
        (lambda ds: ds.append({"labels": [0, 1, 2], "age": 0.0}), (1, 3)),
        (lambda ds: ds.age.__setitem__(5, 7.0), (1, 2)),
    ],
    ids=["the only one with two is deleted", "it is edited", "one has none", "one has three", "another tensor"],
)
def test_a_commit_records_the_exact_interval_of_labels(ds, change, interval):
    change(ds)
    ds.commit("changed")
    spec = content_of(penstock.load(ds.path)).table.stored.specs["labels"]
    assert (spec.length_min, spec.length_max) == interval


def test_the_interval_of_labels_follows_edits_before_they_are_committed(ds):
    ds.query("select * where contains(labels, 'dog')")
    ds.labels[0] = [1]
    spec = content_of(ds).table.tensors["labels"]
    assert (spec.length_min, spec.length_max) == (1, 1)


# ---- saved views -----------------------------------------------------------------------------------


@pytest.fixture
def view_id(ds):
    return ds.query("select * where age > 4 order by age desc").save_view(id="old")


def test_a_view_opens_without_looking_for_its_samples(ds, view_id, read):
    view = penstock.load(ds.path).load_view(view_id)
    assert view.indices.tolist() == list(range(23, 4, -1))
    assert read == []


def without_rows(folder, view_id):
    """Leave a saved view as earlier releases wrote it."""
    (folder / "views" / f"{view_id}.places.npy").unlink()
    file = folder / "views" / f"{view_id}.json"
    record = json.loads(file.read_text())
    del record["places_sha256"], record["sha256"]
    file.write_text(json.dumps(record))


def flipped(folder, view_id):
    file = folder / "views" / f"{view_id}.places.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def of_another_commit(folder, view_id):
    file = folder / "views" / f"{view_id}.json"
    record = json.loads(file.read_text())
    del record["sha256"]
    file.write_text(json.dumps({**record, "commit": "0" * 24}))


@pytest.mark.parametrize("change", [without_rows, flipped, of_another_commit], ids=lambda change: change.__name__)
def test_a_view_without_trusted_rows_opens_by_identity(ds, view_id, change, tmp_path):
    change(tmp_path / "ds", view_id)
    view = penstock.load(ds.path).load_view(view_id)
    assert view.indices.tolist() == list(range(23, 4, -1))


def test_a_deleted_view_leaves_no_rows(ds, view_id, tmp_path):
    ds.delete_view(view_id)
    assert list((tmp_path / "ds" / "views").iterdir()) == []


# ---- the loader ------------------------------------------------------------------------------------


def test_a_live_query_draws_nothing_before_the_first_batch(ds, monkeypatch):
    from penstock.sampling.streams._stream import Stream

    monkeypatch.setattr(Stream, "epoch", lambda *_: pytest.fail("an epoch is drawn"))
    loader = ds.dataloader().query("select * sample by max_weight(contains(labels, 'dog'): 3, True: 1)")
    monkeypatch.undo()
    assert len(list(loader.batch(4).numpy())) == PARTS


def test_rows_of_few_finds_each_and_no_other():
    from penstock.table._stored import rows_of_few

    everything = np.array([7, 7 + 65536, 9, 2**62 + 9, 5], np.int64)  # some end alike
    sought = np.array([9, 2**62 + 9, 65536 * 3 + 7, 7, 9], np.int64)
    assert rows_of_few(everything, sought).tolist() == [2, 3, -1, 0, 2]
