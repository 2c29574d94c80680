from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from penstock.errors import StorageError
from penstock.storage import Location
from penstock.table.drafts._draft import Draft
from penstock.table.drafts._draft_files import DraftNote, delete_drafts, draft_files, read_drafts, write_draft
from penstock.tensors import Cell, encode_sample, make_spec

SPECS = {
    "age": make_spec("age", dtype="int64"),
    "boxes": make_spec("boxes", "bbox"),
    "labels": make_spec("labels", "class_label"),
    "notes": make_spec("notes", "json"),
    "images": make_spec("images", "link[image]"),
}
SAMPLES = {
    "boxes": [[1, 2, 3, 4], [5, 6, 7, 8]],
    "labels": [3, 1],
    "notes": {"a": [1, None]},
    "images": "s3://bucket/x.png",
}


@pytest.fixture
def location(tmp_path):
    return Location(str(tmp_path / "ds"))


def aged(age: int) -> Draft:
    return Draft().with_edits("age", {7: Cell(value=np.array([age]), shape=())})


def written(location, counter: int, *, session: str = "aa", branch=None, draft=None, **note):
    draft = aged(counter) if draft is None else draft
    return write_draft(location, branch, SPECS, draft, DraftNote(**note), session=session, counter=counter)


def read(location, *, dataset: str = "", committed=None, branch=None):
    return read_drafts(location, branch, SPECS, dataset=dataset, committed=committed or {})


def ages(parts) -> list[int]:
    return [int(part.edits["age"][7].value[0]) for part in parts]


@pytest.mark.parametrize("name", SAMPLES)
def test_edits_come_back_as_they_were_written(location, name):
    cell = encode_sample(SPECS[name], SAMPLES[name])
    written(location, 1, draft=Draft().with_edits(name, {5: cell, 9: Cell(value=None)}))
    ((part,), _) = read(location)
    back = part.edits[name]
    assert list(back) == [5, 9]
    assert np.array_equal(back[5].value, cell.value)
    assert back[9].value is None or len(back[9].value) == 0


def test_note_comes_back_as_it_was_written(location):
    written(location, 1, dataset="d", version=4, keys={"labels": ("k1", "k2")}, replaces={"bb": 3})
    ((part,), _) = read(location, dataset="d")
    assert part.note == DraftNote(dataset="d", version=4, keys={"labels": ("k1", "k2")}, replaces={"bb": 3})


def test_files_are_in_the_order_of_their_counters(location):
    for counter in (10, 2, 1):
        written(location, counter)
    assert ages(read(location)[0]) == [1, 2, 10]


def test_files_of_another_branch_are_left_alone(location):
    written(location, 1)
    written(location, 2, branch="side")
    assert ages(read(location)[0]) == [1]
    assert ages(read(location, branch="side")[0]) == [2]


def test_files_of_another_name_are_left_alone(location):
    written(location, 1)
    location.write("drafts/main/notes.txt", b"mine")
    assert [file.counter for file in draft_files(location, None)] == [1]


def test_edits_that_are_committed_do_not_count(location):
    first, _, other = written(location, 1), written(location, 2), written(location, 1, session="bb")
    parts, stale = read(location, committed={"aa": 1, "bb": 5})
    assert ages(parts) == [2]
    assert stale == [first, other]


def test_edits_of_another_dataset_at_the_same_place_do_not_count(location):
    file = written(location, 1, dataset="an older one")
    assert read(location, dataset="this one") == ([], [file])


@pytest.mark.parametrize(
    ("replaces", "left"),
    [({"aa": 2}, [3, 9]), ({"aa": 3}, [9]), ({"bb": 9}, [1, 2, 3, 9])],
    ids=["two of three", "all", "of another session"],
)
def test_file_that_stands_for_others_replaces_them(location, replaces, left):
    for counter in (1, 2, 3):
        written(location, counter)
    written(location, 9, session="cc", replaces=replaces)
    assert ages(read(location)[0]) == left


def test_file_stands_for_no_later_ones(location):
    written(location, 2, session="cc", replaces={"aa": 9})
    written(location, 3)
    assert ages(read(location)[0]) == [2, 3]


def test_deleted_files_are_gone(location):
    files = [written(location, 1), written(location, 2)]
    assert delete_drafts(location, files[:1]) == []
    assert draft_files(location, None) == files[1:]


def packed(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


NOTE = json.dumps({"dataset": "", "version": 1, "keys": {}, "replaces": {}}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        packed({".draft.json": b"{"}),
        packed({".draft.json": b"{}"}),
        packed({".draft.json": b"[]"}),
        packed({".draft.json": NOTE.replace(b'"version": 1', b'"version": null')}),
        packed({".draft.json": NOTE, "age": b"no table"}),
        packed({".draft.json": NOTE}, zipfile.ZIP_DEFLATED),
    ],
    ids=["empty", "no archive", "cut note", "empty note", "list", "no version", "no table", "compressed"],
)
def test_damaged_file_is_named_with_what_to_do(location, content):
    location.write(f"drafts/main/{1:020d}-aa.set", content)
    with pytest.raises(StorageError, match=r"draft edits in .*aa\.set.* are damaged.*delete th.. file"):
        read(location)


def test_edits_of_a_tensor_that_is_gone_are_passed_over(location):
    written(location, 1)
    parts, _ = read_drafts(location, None, {"boxes": SPECS["boxes"]}, dataset="", committed={})
    assert [dict(part.edits) for part in parts] == [{}]
