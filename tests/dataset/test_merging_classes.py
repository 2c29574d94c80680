"""Merges of branches whose classes were renamed, merged or added: classes are followed by their identity."""

from __future__ import annotations

import pytest

import penstock


@pytest.fixture
def ds(tmp_path):
    ds = penstock.empty(tmp_path / "animals")
    ds.create_tensor("labels", htype="class_label")
    ds.extend({"labels": [["cat"], ["kitten"], ["dog"]]})
    ds.commit("start")
    return ds


def _labels(ds):
    return penstock.load(ds.path).labels.data()["text"]


def test_a_class_merged_there_takes_our_new_samples_with_it(ds):
    ds.checkout("tidy", create=True)
    ds.labels.merge_classes(["kitten"], "cat")
    ds.labels.rename_class("dog", "hound")
    ds.commit("tidy")
    ds.checkout("main")
    ds.extend({"labels": [["kitten"], ["dog"], ["kitten", "dog"]]})
    ds.commit("three more")
    assert ds.merge("tidy") == []
    assert _labels(ds) == [["cat"], ["cat"], ["hound"], ["cat"], ["hound"], ["cat", "hound"]]
    assert ds.labels.info.class_names == ["cat", "hound"]
    assert ds.verify().ok


def test_a_class_merged_here_takes_their_new_samples_with_it(ds):
    ds.checkout("more", create=True)
    ds.append({"labels": ["kitten"]})
    ds.labels[2] = ["dog", "kitten"]
    ds.commit("more")
    ds.checkout("main")
    ds.labels.merge_classes(["kitten"], "cat")
    ds.commit("tidy")
    assert ds.merge("more") == []
    assert _labels(ds) == [["cat"], ["cat"], ["dog", "cat"], ["cat"]]


def test_both_sides_add_a_class_and_label_one_sample_is_a_conflict(ds):
    ds.checkout("side", create=True)
    ds.labels.add_class("y")
    ds.labels[0] = ["y"]
    ds.commit("y")
    ds.checkout("main")
    ds.labels.add_class("x")
    ds.labels[0] = ["x"]
    ds.commit("x")
    (conflict,) = ds.merge("side")
    assert (conflict.tensor, conflict.row, conflict.ours, conflict.theirs) == ("labels", 0, ["x"], ["y"])
    assert len(ds.log()) == 2
    ds.merge("side", prefer="theirs")
    assert _labels(ds) == [["y"], ["kitten"], ["dog"]]
    assert ds.labels.info.class_names == ["cat", "kitten", "dog", "x", "y"]


def test_a_class_of_one_name_that_both_sides_added_is_one_class(ds):
    ds.checkout("side", create=True)
    ds.labels.add_class("ape")
    ds.append({"labels": ["bird"]})
    ds.commit("bird and ape")
    ds.checkout("main")
    ds.append({"labels": ["bird"]})
    ds.commit("bird")
    assert ds.merge("side") == []
    assert _labels(ds)[3:] == [["bird"], ["bird"]]
    assert ds.labels.info.class_names == ["cat", "kitten", "dog", "bird", "ape"]


def test_a_name_used_anew_after_a_rename_is_another_class(ds):
    ds.checkout("side", create=True)
    ds.labels.rename_class("dog", "hound")
    ds.labels.add_class("dog")
    ds.labels[0] = ["dog"]
    ds.commit("a new dog")
    ds.checkout("main")
    ds.append({"labels": ["dog"]})
    ds.commit("an old dog")
    assert ds.merge("side") == []
    assert _labels(ds) == [["dog"], ["kitten"], ["hound"], ["hound"]]


def test_a_class_renamed_on_both_sides_is_a_conflict_of_names(ds):
    ds.checkout("side", create=True)
    ds.labels.rename_class("dog", "hound")
    ds.commit("hound")
    ds.checkout("main")
    ds.labels.rename_class("dog", "canine")
    ds.commit("canine")
    (conflict,) = ds.merge("side")
    assert conflict.uid is None
    assert conflict.reason == "class 'dog' is called 'canine' here and 'hound' there"
    ds.merge("side", prefer="theirs")
    assert _labels(ds)[2] == ["hound"]


def test_a_merge_of_what_is_here_already_does_nothing(ds):
    ds.checkout("side", create=True)
    ds.labels[0] = ["dog"]
    ds.commit("side")
    ds.checkout("main")
    assert ds.merge("side") == []
    before = [commit.id for commit in ds.log()]
    assert ds.merge("side") == []
    assert [commit.id for commit in ds.log()] == before


def test_a_second_merge_starts_from_the_first(ds):
    ds.checkout("side", create=True)
    ds.labels[0] = ["dog"]
    ds.commit("one")
    ds.checkout("main")
    ds.merge("side")
    ds.labels[0] = ["kitten"]
    ds.commit("kitten after all")
    ds.checkout("side")
    ds.labels[1] = ["cat"]
    ds.commit("two")
    ds.checkout("main")
    assert ds.merge("side") == []
    assert _labels(ds) == [["kitten"], ["cat"], ["dog"]]


def test_merging_main_back_into_a_branch_is_no_conflict_with_itself(ds):
    ds.checkout("side", create=True)
    ds.labels[1] = ["dog"]
    ds.commit("side")
    ds.checkout("main")
    ds.labels[0] = ["dog"]
    ds.commit("main")
    ds.checkout("side")
    assert ds.merge("main") == []
    ds.labels[0] = ["kitten"]
    ds.commit("on side")
    ds.checkout("main")
    assert ds.merge("side") == []
    assert _labels(ds) == [["kitten"], ["dog"], ["dog"]]


def test_a_tag_on_a_branch_names_the_commit_it_was_given(ds):
    start = ds.log()[0].id
    ds.checkout("side", create=True)
    for turn in range(3):
        ds.append({"labels": ["dog"]})
        ds.commit(f"side {turn}")
    ds.checkout("main")
    ds.append({"labels": ["cat"]})
    main = ds.commit("main")
    ds.checkout("side")
    ds.tag("release", main)
    ds.tag("first", start)
    assert ds.tags == {"first": start, "release": main}
    assert penstock.load(ds.path, version="release").labels.data()["text"][3:] == [["cat"]]


def test_a_view_made_on_a_branch_opens_the_rows_of_its_branch(ds):
    ds.checkout("side", create=True)
    ds.extend({"labels": [["dog"]] * 3})
    ds.commit("side")
    ds.checkout("main")
    ds.extend({"labels": [["cat"]] * 3})
    main = ds.commit("main")
    view_id = penstock.load(ds.path, version=main)[3:].save_view("main's")
    ds.checkout("side")
    assert ds.load_view(view_id).labels.data()["text"] == [["cat"]] * 3


def test_reset_on_a_branch_goes_back_to_where_it_was_made(ds):
    ds.append({"labels": ["dog"]})
    ds.flush()
    ds.reset()
    ds.checkout("side", create=True)
    ds.append({"labels": ["dog"]})
    ds.flush()
    ds.reset()
    assert ds.labels.data()["text"] == [["cat"], ["kitten"], ["dog"]]
    assert not ds.has_changes
    ds.checkout("main")
    assert len(ds) == 3


@pytest.mark.parametrize(("prefer", "name"), [("ours", "kitten"), ("theirs", "cat")])
def test_two_classes_each_merged_into_the_other_stay_one_class(ds, prefer, name):
    ds.checkout("side", create=True)
    ds.labels.merge_classes(["kitten"], "cat")
    ds.commit("side")
    ds.checkout("main")
    ds.labels.merge_classes(["cat"], "kitten")
    ds.commit("main")
    (conflict,) = ds.merge("side")
    assert conflict.reason == "the classes 'kitten' and 'cat' are the same class, called 'kitten' here and 'cat' there"
    ds.merge("side", prefer=prefer)
    assert _labels(ds) == [[name], [name], ["dog"]]
    assert set(ds.labels.info.class_names) == {name, "dog"}
    ds.append({"labels": [name]})
    ds.commit("one more")
    assert ds.verify().ok


def test_three_classes_merged_in_a_circle_become_one(ds):
    ds.checkout("side", create=True)
    ds.labels.merge_classes(["dog"], "cat")
    ds.commit("side")
    ds.checkout("main")
    ds.labels.merge_classes(["cat"], "kitten")
    ds.labels.merge_classes(["kitten"], "dog")
    ds.commit("main")
    assert len(ds.merge("side")) == 1
    ds.merge("side", prefer="ours")
    assert _labels(ds) == [["dog"]] * 3
    assert ds.labels.info.class_names == ["dog"]


def test_a_class_renamed_to_one_that_exists_says_how_to_merge_them(ds):
    with pytest.raises(penstock.errors.DatasetError, match=r"merge_classes\(\['kitten'\], into='cat'\)"):
        ds.labels.rename_class("kitten", "cat")
