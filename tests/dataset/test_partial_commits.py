"""The edits of some samples are committed; those of the others stay in the draft, whatever happens meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.errors import ConflictError, DatasetError, SampleIndexError

NAMES = ["cat", "dog", "bus"]
STARS = 8


@pytest.fixture
def path(tmp_path):
    ds = penstock.empty(tmp_path / "some")
    ds.create_tensor("age")
    ds.create_tensor("labels", htype="class_label", class_names=NAMES)
    ds.extend({"age": [0] * STARS, "labels": [["cat"]] * STARS})
    ds.commit("start")
    return ds.path


def _edit(ds, rng):
    """Edit most samples, some in one tensor, some in both."""
    for row in range(STARS):
        if rng.random() < 0.7:
            ds.age[row] = int(rng.integers(1, 100))
        if rng.random() < 0.5:
            ds.labels[row] = [str(rng.choice(NAMES[1:]))]


def _state(ds):
    return ds.age.numpy().tolist(), [each.tolist() for each in ds.labels.numpy(aslist=True)]


def _committed(path):
    """Return what the last commit holds, whatever the draft says."""
    ds = penstock.load(path)
    return _state(penstock.load(path, version=ds.commit_id))


@pytest.mark.parametrize("seed", range(6))
def test_a_random_part_and_then_the_rest_give_what_one_commit_of_all_gives(path, tmp_path, seed):
    ds = penstock.load(path)
    _edit(ds, np.random.default_rng(seed))
    wanted = _state(ds)
    ds.age[7], ds.age[0] = 107, 100  # at least one in each part
    wanted[0][7], wanted[0][0] = 107, 100
    part = [0, *(int(row) for row in np.random.default_rng(seed + 100).choice(range(1, 7), 3, replace=False))]
    ds.commit("a part", rows=part)
    assert _state(ds) == wanted
    ages, labels = _committed(path)
    assert [ages[row] for row in part] == [wanted[0][row] for row in part]
    assert [labels[row] for row in part] == [wanted[1][row] for row in part]
    others = [row for row in range(STARS) if row not in part]
    assert [ages[row] for row in others] == [0] * len(others)
    assert [labels[row] for row in others] == [[0]] * len(others)
    ds.commit("the rest")
    assert _committed(path) == wanted
    assert (ds.num_edits, ds.has_changes) == (0, False)


def test_the_rest_is_found_by_who_opens_the_dataset_next(path):
    ds = penstock.load(path)
    ds.age[1], ds.age[2] = 5, 7
    ds.commit("five", rows=[1])
    again = penstock.load(path)
    assert (again.num_edits, again.age.numpy().tolist()) == (1, [0, 5, 7, 0, 0, 0, 0, 0])
    again.discard_edits()
    assert again.age.numpy().tolist() == [0, 5, 0, 0, 0, 0, 0, 0]


def test_parts_can_be_committed_one_after_the_other(path):
    ds = penstock.load(path)
    ds.age[:] = list(range(10, 10 + STARS))
    for row in range(STARS):
        ds.commit(f"sample {row}", rows=[row])
        assert penstock.load(path).num_edits == STARS - 1 - row
    assert _committed(path)[0] == list(range(10, 10 + STARS))
    assert len(ds.log()) == STARS + 1


@pytest.mark.parametrize("rows", [2, -6, [2], np.array([2]), slice(2, 3), [row == 2 for row in range(STARS)]])
def test_rows_are_given_as_everywhere(path, rows):
    ds = penstock.load(path)
    ds.age[2], ds.age[3] = 2, 3
    ds.commit("two", rows=rows)
    assert _committed(path)[0] == [0, 0, 2, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([4], DatasetError, "none of the chosen samples is edited"),
        ([], DatasetError, "none of the chosen samples is edited"),
        ([99], SampleIndexError, "sample 99 does not exist"),
        ("two", SampleIndexError, "'two' is not a valid index"),
    ],
    ids=["not edited", "none", "out of range", "text"],
)
def test_what_cannot_be_committed_changes_nothing(path, rows, error, message):
    ds = penstock.load(path)
    ds.age[2] = 2
    with pytest.raises(error, match=message):
        ds.commit("nothing", rows=rows)
    assert (ds.num_edits, len(ds.log())) == (1, 1)
    assert penstock.load(path).num_edits == 1


def test_appended_samples_and_new_classes_are_part_of_every_commit(path):
    ds = penstock.load(path)
    ds.age[2] = 2
    ds.append({"age": 9, "labels": ["cat"]})
    ds.labels.add_class("boat")
    ds.commit("one more", rows=[])
    found = penstock.load(path, version=ds.commit_id)
    assert found.age.numpy().tolist() == [0] * STARS + [9]
    assert found.labels.info.class_names == [*NAMES, "boat"]
    assert ds.age.numpy().tolist() == [0, 0, 2, 0, 0, 0, 0, 0, 9]


def test_a_kept_edit_follows_its_class_through_a_merge(path):
    ds = penstock.load(path)
    ds.labels[1], ds.labels[2] = ["dog"], ["bus"]
    ds.commit("one", rows=[1])
    ds.labels.merge_classes(["cat", "dog"], "cat")
    again = penstock.load(path)
    assert again.labels[2].data()["text"] == ["bus"]
    assert again.labels[1].data()["text"] == ["cat"]


# ---- two sessions ------------------------------------------------------------------------------------


def test_only_what_is_committed_can_conflict(path):
    one, two = penstock.load(path), penstock.load(path)
    one.age[1] = 5
    one.commit("five")
    two.age[1], two.age[2] = 7, 8
    two.commit("eight", rows=[2])
    assert _committed(path)[0] == [0, 5, 8, 0, 0, 0, 0, 0]
    with pytest.raises(ConflictError, match=r"sample 1 of 'age' is 7 here and 5 in the stored dataset"):
        two.commit("seven")
    assert two.num_edits == 1


def test_a_kept_edit_still_conflicts_after_it_was_read_again(path):
    one, two = penstock.load(path), penstock.load(path)
    two.age[1], two.age[2] = 7, 8
    two.commit("eight", rows=[2])
    one.refresh()
    one.age[1] = 5
    one.commit("five")
    again = penstock.load(path)
    with pytest.raises(ConflictError, match=r"sample 1 of 'age' is 7 here and 5 in the stored dataset"):
        again.commit("seven")


@pytest.mark.parametrize(("keep", "age"), [("ours", 7), ("theirs", 5)])
def test_a_conflict_of_the_chosen_ones_is_settled_and_the_rest_stays(path, keep, age):
    one, two = penstock.load(path), penstock.load(path)
    one.age[1] = 5
    two.age[1], two.age[2], two.age[3] = 7, 8, 9
    one.commit("five")
    two.commit("mine", rows=[1, 2], on_conflict=keep)
    assert _committed(path)[0] == [0, age, 8, 0, 0, 0, 0, 0]
    assert (two.num_edits, two.age.numpy().tolist()) == (1, [0, age, 8, 9, 0, 0, 0, 0])


def test_a_refused_part_leaves_all_edits_on_show(path):
    one, two = penstock.load(path), penstock.load(path)
    one.age[1] = 5
    two.age[1], two.age[2] = 7, 8
    one.commit("five")
    with pytest.raises(ConflictError):
        two.commit("seven", rows=[1])
    assert two.age.numpy().tolist() == [0, 7, 8, 0, 0, 0, 0, 0]
    assert penstock.load(path).age.numpy().tolist() == [0, 7, 8, 0, 0, 0, 0, 0]


def test_an_edit_conflicts_with_what_came_before_others_were_discarded(path):
    """What is left of the draft is written anew when an edit is discarded; it stays an edit of the older version."""
    one, two = penstock.load(path), penstock.load(path)
    two.age[1], two.age[2] = 7, 8
    one.age[1] = 5
    one.commit("five")
    two.refresh()
    two.discard_edits(rows=[2])
    with pytest.raises(ConflictError, match=r"sample 1 of 'age' is 7 here and 5 in the stored dataset"):
        penstock.load(path).commit("seven")


def test_what_is_edited_after_the_commit_of_others_is_over_their_version(path):
    one, two = penstock.load(path), penstock.load(path)
    two.age[1] = 7
    two.discard_edits(rows=[1])
    one.age[1] = 5
    one.commit("five")
    two.refresh()
    two.age[1] = 6
    two.commit("six")
    assert _committed(path)[0][1] == 6


def test_a_reset_drops_kept_edits_for_good(path):
    ds = penstock.load(path)
    ds.age[1], ds.age[2] = 5, 7
    ds.commit("five", rows=[1])
    ds.append({"age": 3, "labels": ["cat"]})
    ds.reset()
    assert penstock.load(path).age.numpy().tolist() == [0, 5, 0, 0, 0, 0, 0, 0]


def test_a_part_committed_inside_a_with_block_keeps_the_rest(path):
    ds = penstock.load(path)
    with ds:
        ds.age[1], ds.age[2] = 5, 7
        ds.commit("five", rows=[1])
        ds.age[3] = 9
    assert _committed(path)[0] == [0, 5, 0, 0, 0, 0, 0, 0]
    assert penstock.load(path).age.numpy().tolist() == [0, 5, 7, 9, 0, 0, 0, 0]
