"""Classes changed in the browser: renamed, merged, deleted, colored; what shows them follows."""

from __future__ import annotations

import time

import numpy as np
import pytest

import penstock
from penstock.widgets import Explorer
from tests.widgets.conftest import FrontEnd, RpcError

QUERY = (
    "select * where contains(labels, 'Cross') or contains(labels, 'Ring') "
    "sample by max_weight(contains(labels, 'Cross'): 20, contains(labels, 'Ring'): 3, True: 1)"
)


def names_of(ds):
    names = ds.labels.info.class_names
    return [sorted(names[label] for label in sample) for sample in ds.labels.numpy(aslist=True)]


def wait_until(condition, limit_s=10):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "never"
        time.sleep(0.01)


@pytest.fixture
def front(ds):
    return FrontEnd(penstock.explore(ds, query=QUERY))


def test_a_class_is_counted_before_it_is_changed(front, ds):
    labels = ds.labels.numpy(aslist=True)
    classes = [ds.labels.info.class_names.index(name) for name in ("Ring", "Circle")]
    hits = [int(np.isin(sample, classes).sum()) for sample in labels]
    counted = front.ask("classes.count", classes=classes)[0]
    assert counted == {"objects": sum(hits), "samples": sum(hit > 0 for hit in hits)}


def test_a_rename_is_followed_by_query_weights_history_and_filter(front, ds):
    cross = ds.labels.info.class_names.index("Cross")
    front.ask("weights.set", weights=[7, 3, 1], text=QUERY.replace("20", "7"))
    front.ask("grid.filter", classes=[cross], how="any", states=[])
    pool = front.ask("hello")[0]["query"]["pool_size"]
    result = front.ask("classes.rename", old="Cross", new="It's a plus")[0]
    assert result["done"] == "renamed Cross to It's a plus"
    assert result["query"]["text"] == QUERY.replace("'Cross'", "'It''s a plus'").replace("20", "7")
    assert result["query"]["pool_size"] == pool > 0
    assert [clause["weight"] for clause in result["query"]["clauses"]] == [7, 3, 1]
    assert [clause["class_index"] for clause in result["query"]["clauses"]] == [cross, 4, None]
    assert result["grid"]["filter"]["classes"] == [cross]
    assert "'Cross'" not in front.ask("hello")[0]["history"][0]
    assert result["query"]["followed"] == {"number": 1, "renames": [["Cross", "It's a plus"]], "classes": None}


@pytest.mark.parametrize("by", ["Python", "another Explorer"])
def test_a_rename_made_elsewhere_is_followed(front, ds, by):
    if by == "Python":
        ds.labels.rename_class("Cross", "Plus")
    else:
        FrontEnd(penstock.explore(ds), "ef01").ask("classes.rename", old="Cross", new="Plus")
    wait_until(lambda: "'Plus'" in front.widget.query)
    assert front.ask("hello")[0]["dataset"]["behind"] is None


def test_a_rename_by_another_process_is_followed_at_the_next_action(front, ds):
    penstock.load(ds.path).labels.rename_class("Cross", "Plus")
    front.ask("dataset.update")
    assert front.widget.query == QUERY.replace("Cross", "Plus")


def test_a_slider_that_was_moved_during_a_rename_keeps_its_weight(front, ds):
    ds.labels.rename_class("Cross", "Plus")
    front.ask("dataset.update")
    front.ask("weights.set", weights=[5, 3, 1], text=QUERY.replace("20", "5"))
    assert front.widget.query == QUERY.replace("Cross", "Plus").replace("20", "5")


def test_names_that_change_places_are_followed(front, ds):
    for old, new in (("Cross", "x"), ("Ring", "Cross"), ("x", "Ring")):
        ds.labels.rename_class(old, new)
    front.ask("dataset.update")
    assert front.widget.query == QUERY.replace("Cross", "x").replace("Ring", "Cross").replace("x'", "Ring'")


def test_a_merge_is_one_step_that_can_be_undone_and_redone(front, ds):
    before, names = names_of(ds), ds.labels.info.class_names
    result = front.ask("classes.merge", names=["Ring"], into="Circle")[0]
    assert result["done"] == "merged Ring into Circle"
    merged = [sorted("Circle" if name == "Ring" else name for name in sample) for sample in before]
    assert names_of(ds) == merged
    assert result["query"]["text"] == QUERY.replace("Ring", "Circle")
    undone = front.ask("edit.undo")[0]
    assert (names_of(ds), ds.labels.info.class_names) == (before, names)
    assert undone["query"]["text"] == QUERY
    front.ask("edit.redo")
    assert names_of(ds) == merged


def test_a_merge_is_undone_after_it_was_committed(front, ds):
    before = names_of(ds)
    front.ask("classes.merge", names=["Ring", "Star"], into="Circle")
    front.ask("edit.commit", message="merged")
    assert front.ask("edit.undo")[0]["done"] == "undone: merged Ring and Star into Circle"
    assert names_of(ds) == before


def test_edits_before_and_after_a_merge_are_undone_one_by_one(front, ds):
    before = names_of(ds)
    front.ask("query.run", text="select *")
    sample = front.ask("sample.get", position=0)[0]["sample"]
    ring = ds.labels.info.class_names.index("Ring")
    front.ask("edit.labels", uid=sample["uid"], labels=[ring] * len(sample["labels"]), boxes=sample["boxes"])
    edited = names_of(ds)
    front.ask("classes.merge", names=["Ring"], into="Star")
    star = ds.labels.info.class_names.index("Star")
    other = front.ask("sample.get", position=1)[0]["sample"]
    front.ask("edit.labels", uid=other["uid"], labels=[star] * len(other["labels"]), boxes=other["boxes"])
    front.ask("edit.undo")
    front.ask("edit.undo")
    assert names_of(ds) == edited
    front.ask("edit.undo")
    assert names_of(ds) == before


def test_an_edit_can_be_undone_after_its_class_was_renamed_in_python(front, ds):
    before = names_of(ds)
    front.ask("query.run", text="select *")
    sample = front.ask("sample.get", position=0)[0]["sample"]
    ring = ds.labels.info.class_names.index("Ring")
    front.ask("edit.labels", uid=sample["uid"], labels=[ring] * len(sample["labels"]), boxes=sample["boxes"])
    ds.labels.rename_class("Ring", "Torus")
    assert front.ask("edit.undo")[0]["done"].startswith("undone")
    assert names_of(ds) == [[name.replace("Ring", "Torus") for name in sample] for sample in map(sorted, before)]


def test_a_merge_whose_labels_changed_since_is_not_undone(front, ds):
    front.ask("classes.merge", names=["Ring"], into="Circle")
    circle = ds.labels.info.class_names.index("Circle")
    row = next(row for row, labels in enumerate(ds.labels.numpy(aslist=True)) if circle in labels)
    ds.labels[row] = ["Star"] * len(ds.labels[row].numpy())
    assert front.ask("edit.undo")[0]["done"].startswith("nothing to undo")
    assert "Ring" not in ds.labels.info.class_names


def test_empty_classes_are_added_deleted_and_restored(front, ds):
    names = ds.labels.info.class_names
    front.ask("edit.new_class", name="  A ")
    front.ask("edit.new_class", name="B")
    assert front.ask("classes.remove", names=["A", "B"])[0]["dataset"]["class_names"] == names
    assert front.ask("edit.undo")[0]["dataset"]["class_names"] == [*names, "A", "B"]
    front.ask("edit.undo")
    assert front.ask("edit.undo")[0]["dataset"]["class_names"] == names
    assert front.ask("edit.redo")[0]["dataset"]["class_names"] == [*names, "A"]


def test_a_color_is_kept_by_the_dataset_and_undone(front, ds):
    ring = str(ds.labels.info.class_names.index("Ring"))
    assert front.ask("classes.recolor", name="Ring", color="#AABB00")[0]["dataset"]["class_colors"] == {ring: "#aabb00"}
    front.ask("edit.commit", message="color")
    assert penstock.load(ds.path).labels.info.class_colors == {"Ring": "#aabb00"}
    assert front.ask("edit.undo")[0]["dataset"]["class_colors"] == {}


REFUSED = {
    "rename to one that exists": ("classes.rename", {"old": "Ring", "new": "Circle"}, "already exists"),
    "rename to nothing": ("classes.rename", {"old": "Ring", "new": " "}, "empty or longer"),
    "rename what is gone": ("classes.rename", {"old": "Rong", "new": "x"}, "not a class"),
    "merge into itself": ("classes.merge", {"names": ["Ring"], "into": "Ring"}, "nothing to merge"),
    "merge into what is gone": ("classes.merge", {"names": ["Ring"], "into": "x"}, "not a class"),
    "delete one with labels": ("classes.remove", {"names": ["Ring"]}, "cannot be removed"),
    "delete nothing": ("classes.remove", {"names": []}, "no class"),
    "add one that exists": ("edit.new_class", {"name": "Ring"}, "already exists"),
    "color by a word": ("classes.recolor", {"name": "Ring", "color": "red"}, "must be text like"),
}


@pytest.mark.parametrize(("op", "args", "words"), REFUSED.values(), ids=REFUSED)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(front, ds, op, args, words):
    before = ds.labels.info.class_names
    with pytest.raises(RpcError, match=words):
        front.ask(op, **args)
    assert ds.labels.info.class_names == before
    assert front.ask("hello")[0]["dataset"]["can_undo"] is None


FIXED = {
    "a view": (lambda ds: ds[:20], "a view is open"),
    "read-only": (lambda ds: penstock.load(ds.path, read_only=True), "read-only"),
    "an older version": (lambda ds: penstock.load(ds.path, version=ds.version), "opened at version"),
}


@pytest.mark.parametrize(("opened", "reason"), FIXED.values(), ids=FIXED)
def test_where_classes_are_fixed_the_reason_is_reported_before_and_after(ds, opened, reason):
    front = FrontEnd(Explorer(opened(ds)))
    assert reason in front.ask("hello")[0]["dataset"]["classes_fixed"]
    for op, args in (
        ("classes.rename", {"old": "Ring", "new": "x"}),
        ("classes.merge", {"names": ["Ring"], "into": "Star"}),
        ("classes.recolor", {"name": "Ring", "color": "#112233"}),
        ("edit.new_class", {"name": "x"}),
    ):
        with pytest.raises(RpcError, match=reason):
            front.ask(op, **args)


def test_classes_without_names_are_fixed(open_front, tmp_path):
    ds = penstock.empty(tmp_path / "ds.penstock")
    ds.create_tensor("labels", htype="class_label")
    ds.extend({"labels": [[0], [2]]})
    ds.commit("numbers")
    front = open_front(ds)
    assert "no names" in front.ask("hello")[0]["dataset"]["classes_fixed"]
    with pytest.raises(RpcError, match="no names"):
        front.ask("edit.new_class", name="x")
