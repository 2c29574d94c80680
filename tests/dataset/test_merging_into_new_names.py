"""Classes merged into one of a name that was not there."""

from __future__ import annotations

import pytest

import penstock
from penstock.errors import DatasetError, UnknownClassError


@pytest.fixture
def ds(tmp_path):
    ds = penstock.empty(tmp_path / "animals")
    ds.create_tensor("labels", htype="class_label")
    ds.extend({"labels": [["cat"], ["kitten", "dog"], ["dog"], []]})
    ds.commit("start")
    return ds


def test_merged_classes_may_get_a_new_name(ds):
    before = ds[:]
    ds.labels[2] = ["kitten"]
    ds.labels.merge_classes(["kitten", "cat"], "feline")
    assert ds.labels.info.class_names == ["dog", "feline"]
    assert ds.labels.data()["text"] == [["feline"], ["feline", "dog"], ["feline"], []]
    assert before.labels.data()["text"] == [["cat"], ["kitten", "dog"], ["dog"], []]
    ds.commit("merged")
    assert penstock.load(ds.path).labels.data()["text"] == ds.labels.data()["text"]
    assert ds.verify().ok


def test_another_branch_follows_into_the_new_name(ds):
    ds.checkout("side", create=True)
    ds.labels[3] = ["cat"]
    ds.commit("a cat more")
    ds.checkout("main")
    ds.labels.merge_classes(["kitten", "cat"], "feline")
    ds.commit("merged")
    assert ds.merge("side") == []
    assert ds.labels.data()["text"] == [["feline"], ["feline", "dog"], ["dog"], ["feline"]]


@pytest.mark.parametrize(
    ("names", "into", "kind"),
    [
        (["puppy"], "young", UnknownClassError),
        (["dog"], "", DatasetError),
        (["dog"], None, DatasetError),
        ([], "young", DatasetError),
    ],
    ids=["unknown", "empty", "none", "nothing"],
)
def test_what_is_no_class_or_no_name_is_refused_and_changes_nothing(ds, names, into, kind):
    with pytest.raises(kind):
        ds.labels.merge_classes(names, into)
    assert ds.labels.info.class_names == ["cat", "kitten", "dog"]
