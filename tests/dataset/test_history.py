"""The edits of one sample, across commits, branches and merges."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import penstock
from penstock.errors import DatasetError, SampleIndexError


@pytest.fixture
def ds(tmp_path, monkeypatch):
    monkeypatch.setenv("PENSTOCK_AUTHOR", "ann")
    dataset = penstock.empty(tmp_path / "pets")
    dataset.create_tensor("images", "image")
    dataset.create_tensor("boxes", "bbox")
    dataset.create_tensor("kinds", "class_label", class_names=["cat", "dog"], aligned_with="boxes")
    dataset.create_tensor("note", "text")
    dataset.create_tensor("age")
    for row in range(4):
        dataset.append(_sample(row))
    dataset.commit("four")
    return dataset


def _sample(row):
    two = [[0, 0, 9, 9], [20, 0, 9, 9]]
    return {"images": _image(row), "boxes": two, "kinds": ["cat", "cat"], "note": f"note {row}", "age": row}


def _image(shade):
    return np.full((4, 4, 3), shade, np.uint8)


def _told(history):
    return [(edit.message, edit.words) for edit in history]


EDITS = {
    "a class": (lambda ds: ds.kinds.__setitem__(0, ["dog", "cat"]), ["- cat", "+ dog"], "kinds", ["cat", "cat"]),
    "a box moved": (
        lambda ds: ds.boxes.__setitem__(0, [[0, 0, 9, 9], [24, 0, 9, 9]]),
        ["box 2 moved 4 px right"],
        "boxes",
        [[0, 0, 9, 9], [20, 0, 9, 9]],
    ),
    "a box resized": (
        lambda ds: ds.boxes.__setitem__(0, [[0, 0, 9, 9], [20, 0, 12, 9]]),
        ["box 2 resized 9 × 9 → 12 × 9"],
        "boxes",
        [[0, 0, 9, 9], [20, 0, 9, 9]],
    ),
    "a text": (lambda ds: ds.note.__setitem__(0, "new"), ["note note 0 → new"], "note", "note 0"),
    "a number": (lambda ds: ds.age.__setitem__(0, 7), ["age 0 → 7"], "age", 0),
    "an image": (
        lambda ds: ds.images.__setitem__(0, _image(9)),
        ["image replaced"],
        "images",
        "image of shape (4, 4, 3)",
    ),
    "nothing left": (lambda ds: ds.note.__setitem__(0, None), ["note note 0 → empty"], "note", "note 0"),
}


@pytest.mark.parametrize(("edit", "words", "tensor", "before"), EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "uncommitted"])
def test_an_edit_is_told_field_by_field(ds, edit, words, tensor, before, committed):
    edit(ds)
    if committed:
        ds.commit("fixed")
    found = ds.history(0)
    assert len(found) == 2
    newest = found[0]
    assert newest.words == ", ".join(words)
    assert [(change.tensor, change.before) for change in newest.changes] == [(tensor, before)]
    told = (newest.commit, newest.author, newest.message, newest.time is None)
    assert told == ((ds.commit_id, "ann", "fixed", False) if committed else (None, "", "", True))
    assert _told(found)[1:] == [("four", "sample added")]
    assert _told(ds.history(1)) == [("four", "sample added")]


def test_objects_added_and_removed_are_counted(ds):
    ds["boxes"][0], ds["kinds"][0] = [[0, 0, 9, 9]], ["cat"]
    ds.commit("one less")
    ds["boxes"][0], ds["kinds"][0] = [[0, 0, 9, 9], [5, 5, 3, 4]], ["cat", "dog"]
    ds.commit("one more")
    assert [edit.words for edit in ds.history(0)][:2] == [
        "+ dog, box 3 × 4, 1 → 2 boxes",
        "- cat, 2 → 1 box",
    ]


def test_a_sample_is_named_by_position_from_the_end_or_by_uid(ds):
    ds.note[3] = "the last"
    ds.commit("last")
    uid = ds[3].uid
    told = [("last", "note note 3 → the last"), ("four", "sample added")]
    assert _told(ds.history(3)) == _told(ds.history(-1)) == _told(ds.history(uid=uid)) == told
    assert _told(ds[1:].history(2)) == told
    assert _told(ds.query("select * where age = 3").history(0)) == told
    assert ds.history(3).uid == uid


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda ds: ds.history(4), SampleIndexError),
        (lambda ds: ds.history(-5), SampleIndexError),
        (lambda ds: ds.history(True), SampleIndexError),
        (lambda ds: ds.history("0"), SampleIndexError),
        (lambda ds: ds.history(uid=12), SampleIndexError),
        (lambda ds: ds.history(uid="x"), SampleIndexError),
        (lambda ds: ds.history(), DatasetError),
        (lambda ds: ds.history(0, uid=ds[0].uid), DatasetError),
        (lambda ds: ds.query("select note, count(*) as n group by note").history(0), DatasetError),
    ],
    ids=["too large", "too small", "bool", "text", "unknown uid", "uid of text", "none", "both", "a table"],
)
def test_what_names_no_sample_is_refused(ds, call, error):
    with pytest.raises(error):
        call(ds)


def test_a_deleted_sample_is_found_by_its_uid(ds):
    uid = ds[1].uid
    ds.age[1] = 50
    ds.commit("fifty")
    ds.pop(1)
    assert _told(ds.history(uid=uid))[:2] == [("", "sample deleted"), ("fifty", "age 1 → 50")]
    ds.commit("one less")
    ds.age[0] = 9
    ds.commit("another")
    assert [edit.kind for edit in ds.history(uid=uid)] == ["deleted", "edited", "added"]


def test_appended_samples_that_are_not_committed_have_a_history(ds):
    ds.append(_sample(9))
    assert _told(ds.history(-1)) == [("", "sample added")]
    ds.reset()
    assert len(ds) == 4


def test_a_dataset_without_commits_has_a_history(tmp_path):
    ds = penstock.empty(tmp_path / "new")
    ds.create_tensor("age")
    ds.append({"age": 1})
    assert _told(ds.history(0)) == [("", "sample added")]
    assert "uncommitted" in repr(ds.history(0))


def test_a_view_ends_at_its_version(ds):
    view = ds[:]
    saved = view.save_view()
    ds.note[0] = "later"
    ds.commit("later")
    assert _told(view.history(0)) == [("four", "sample added")]
    assert _told(penstock.load(ds.path).load_view(saved, optimize=True).history(0)) == [("four", "sample added")]
    assert len(ds.history(0)) == 2


def test_class_names_are_those_of_the_time_and_renaming_is_no_edit(ds):
    ds.kinds.rename_class("dog", "hound")
    ds.commit("hounds")
    ds.kinds[0] = ["hound", "cat"]
    ds.commit("a hound")
    ds.kinds.merge_classes(["cat", "hound"], "pet")
    ds.commit("pets")
    assert _told(ds.history(0))[0][0] == "pets"
    assert ds.history(0)[0].changes[0].before == ["hound", "cat"]
    assert ds.history(0)[0].changes[0].after == ["pet", "pet"]
    assert _told(ds.history(0))[1:] == [("a hound", "- cat, + hound"), ("four", "sample added")]


def test_new_and_deleted_tensors_are_no_edits(ds):
    ds.create_tensor("score", dtype="float64")
    ds.commit("scores")
    ds.score[0] = 0.5
    ds.commit("a score")
    ds.delete_tensor("note")
    assert [edit.words for edit in ds.history(0)] == ["score empty → 0.5", "sample added"]


# ---- branches ----------------------------------------------------------------------------------------


@pytest.fixture
def forked(ds):
    """Sample 0 edited on both branches, 1 here, 2 there and deleted here, one appended there."""
    ds.checkout("ann", create=True)
    ds.kinds[0] = ["dog", "cat"]
    ds.commit("a dog there")
    ds.append({**_sample(7), "note": "from ann"})
    ds.note[2] = "edited there"
    ds.commit("more there")
    ds.checkout("main")
    ds.boxes[0] = [[0, 0, 9, 9], [21, 0, 9, 9]]
    ds.age[1] = 11
    ds.commit("moved here")
    ds.uid_of_two = ds[2].uid
    ds.pop(2)
    ds.commit("one less here")
    return ds


def test_a_merged_branch_is_part_of_the_history(forked):
    uid = forked.uid_of_two
    forked.merge("ann", prefer="theirs")
    assert _told(forked.history(0)) == [
        ("merge ann", "- cat, + dog"),
        ("moved here", "box 2 moved 1 px right"),
        ("a dog there", "- cat, + dog"),
        ("four", "sample added"),
    ]
    assert _told(forked.history(1)) == [("moved here", "age 1 → 11"), ("four", "sample added")]
    assert [(edit.message, edit.kind, edit.branch) for edit in forked.history(-1)] == [("more there", "added", "ann")]
    restored = forked.history(uid=uid)
    assert [(edit.message, edit.kind) for edit in restored] == [
        ("merge ann", "restored"),
        ("one less here", "deleted"),
        ("more there", "edited"),
        ("four", "added"),
    ]


def test_an_edit_taken_over_whole_is_that_of_its_commit(ds):
    ds.checkout("ann", create=True)
    ds.age[0] = 30
    ds.commit("thirty there")
    ds.checkout("main")
    ds.age[1] = 31
    ds.commit("here")
    ds.merge("ann")
    assert _told(ds.history(0)) == [("thirty there", "age 0 → 30"), ("four", "sample added")]


def test_a_branch_has_the_history_from_before_it_began(ds):
    ds.age[0] = 5
    ds.commit("five")
    ds.checkout("side", create=True)
    ds.age[0] = 6
    ds.commit("six")
    ds.checkout("main")
    assert [edit.message for edit in ds.history(0)] == ["five", "four"]
    ds.checkout("side")
    assert [(edit.message, edit.branch) for edit in ds.history(0)] == [
        ("six", "side"),
        ("five", "main"),
        ("four", "main"),
    ]


# ---- what it costs -----------------------------------------------------------------------------------

_OPENED: list[str] = []
_COUNTING = [False]


def _count(event, args):
    if _COUNTING[0] and event == "open" and isinstance(args[0], str):
        _OPENED.append(args[0])


def _files_opened(call):
    """Return how many files Python opens in a call."""
    if not getattr(_count, "added", False):
        sys.addaudithook(_count)  # it stays, and only counts when told to
        _count.added = True
    _OPENED.clear()
    _COUNTING[0] = True
    try:
        call()
    finally:
        _COUNTING[0] = False
    return len(_OPENED)


def _with_commits(path, number):
    ds = penstock.empty(path)
    ds.create_tensor("age")
    ds.extend({"age": list(range(4))})
    ds.commit("first")
    for value in range(number):
        ds.age[1 + value % 3] = value + 10
        ds.commit(f"{value}")
    return ds


def test_the_log_reads_each_commit_once(tmp_path):
    ds = _with_commits(tmp_path / "ds", 12)
    again = penstock.load(ds.path)
    assert _files_opened(again.log) <= 13 + 3
    assert _files_opened(again.log) <= 3
    ds.age[0] = 1
    ds.commit("one more")
    again.refresh()
    assert _files_opened(lambda: len(again.log())) <= 3
    assert len(again.log()) == 14


class _Counted:
    """How often a version's content was looked at."""

    def __init__(self, monkeypatch):
        from penstock.storage import SampleStates

        self.number = 0
        whole = SampleStates.stamp

        def counted(states, *args):
            self.number += 1
            return whole(states, *args)

        monkeypatch.setattr(SampleStates, "stamp", counted)


@pytest.mark.slow
def test_the_cost_grows_with_the_edits_of_the_sample_not_with_the_commits(tmp_path, monkeypatch):
    """A run of n equal marks is passed by doubled steps and halved: 2 log2(n) + 2 looks at most."""
    ds = _with_commits(tmp_path / "ds", 24)
    looks = _Counted(monkeypatch)
    assert _told(ds.history(0)) == [("first", "sample added")]
    assert looks.number <= 2 * np.log2(25) + 2
