"""Whole objects are edited: what describes an object comes, moves and goes with it, in every tensor."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from tests.widgets.conftest import FrontEnd, RpcError

# sample 0: a car and two buses, the second bus a crowd; sample 1: nothing; sample 2: a car
LABELS = [["car", "bus", "bus"], [], ["car"]]
BOXES = [[[0, 0, 10, 10], [5, 5, 20, 30], [1, 2, 3, 4]], np.zeros((0, 4)), [[7, 7, 7, 7]]]
CROWD = [[0, 0, 1], [], [0]]
AREA = [[100.0, 600.0, 12.0], [], [49.0]]
KEYPOINTS = [np.arange(12).reshape(3, 4), np.zeros((0, 4), np.int64), [[9, 9, 9, 9]]]
ATTRIBUTES = [[{"color": "red"}, None, {"note": "é"}], [], [{}]]
CAR, BUS = 0, 1


def make(path, *, declared):
    ds = penstock.empty(str(path))
    ds.create_tensor("images", htype="image")
    ds.create_tensor("boxes", htype="bbox")
    group = {"aligned_with": "boxes"} if declared else {}
    ds.create_tensor("categories", htype="class_label", class_names=["car", "bus", "bike"], **group)
    ds.create_tensor("iscrowd", dtype="int64", **group)
    ds.create_tensor("area", dtype="float64", **group)
    if declared:
        ds.create_tensor("keypoints", dtype="int64", **group)
        ds.create_tensor("attributes", htype="json", **group)
    ds.create_tensor("file", htype="text")
    columns = {"categories": LABELS, "boxes": BOXES, "iscrowd": CROWD, "area": AREA}
    more = {"keypoints": KEYPOINTS, "attributes": ATTRIBUTES} if declared else {}
    images = [np.zeros((40, 40, 3), np.uint8)] * 3
    ds.extend({"images": images, **columns, **more, "file": ["a", "b", "c"]})
    ds.commit("three")
    return ds


@pytest.fixture(scope="module", params=[True, False], ids=["declared", "found by counts"])
def street(tmp_path_factory, request):
    """Make the dataset once; each test has a copy."""
    return make(tmp_path_factory.mktemp("street") / "street.penstock", declared=request.param).path


@pytest.fixture
def ds(street, tmp_path):
    return penstock.load(str(shutil.copytree(street, tmp_path / "street.penstock")))


@pytest.fixture
def front(ds):
    return FrontEnd(penstock.explore(ds))


def sample(front, row=0):
    return front.ask("sample.get", position=row)[0]["sample"]


def values(ds, row=0):
    """Return all that describes the objects of a sample, object by object."""
    found = {name: ds[name][row].numpy().tolist() for name in ("categories", "boxes", "iscrowd", "area")}
    if "keypoints" in content_of(ds).names():
        found["keypoints"] = ds.keypoints[row].numpy().tolist()
        found["attributes"] = ds.attributes[row].data()["value"]
    return [dict(zip(found, entry, strict=True)) for entry in zip(*found.values(), strict=True)]


def send(front, row=0, **change):
    shown = sample(front, row)
    args = {"uid": shown["uid"], "state": shown["state"], "labels": shown["labels"], "boxes": shown["boxes"]}
    return front.ask("edit.labels", **args | change)[0]


def blank(ds, **own):
    made = own | {"iscrowd": 0}
    return made | ({"keypoints": [0, 0, 0, 0], "attributes": None} if "keypoints" in content_of(ds).names() else {})


def test_the_browser_is_told_that_labels_have_boxes(front):
    assert front.ask("hello")[0]["dataset"]["paired"] is True


def test_a_deleted_object_goes_from_every_tensor(ds, front):
    car, _, crowd = values(ds)
    boxes = sample(front)["boxes"]
    send(front, labels=[CAR, BUS], boxes=boxes[:4] + boxes[8:], sources=[0, 2])
    assert values(ds) == [car, crowd]
    ds.commit("one less")
    assert values(penstock.load(ds.path)) == [car, crowd]


def test_a_drawn_object_has_a_value_in_every_tensor(ds, front):
    before = values(ds)
    boxes = sample(front)["boxes"]
    send(front, labels=[CAR, BUS, BUS, CAR], boxes=[*boxes, 10, 20, 4, 5], sources=[0, 1, 2, -1])
    new = blank(ds, categories=CAR, boxes=[10.0, 20.0, 4.0, 5.0], area=20.0)
    assert values(ds) == [*before, new]
    ds.commit("one more")


def test_a_drawn_object_in_a_sample_without_any(ds, front):
    send(front, row=1, labels=[BUS], boxes=[1, 1, 2, 3], sources=[-1])
    assert values(ds, 1) == [blank(ds, categories=BUS, boxes=[1.0, 1.0, 2.0, 3.0], area=6.0)]
    ds.commit("the first")


def test_a_moved_box_alone_has_its_area_computed_again(ds, front):
    before = values(ds)
    boxes = sample(front)["boxes"]
    send(front, boxes=[*boxes[:4], 6, 6, 10, 10, *boxes[8:]], sources=[0, 1, 2])
    assert values(ds) == [before[0], before[1] | {"boxes": [6.0, 6.0, 10.0, 10.0], "area": 100.0}, before[2]]


def test_objects_in_another_order_take_all_they_have_along(ds, front):
    one, two, three = values(ds)
    boxes = sample(front)["boxes"]
    send(front, labels=[BUS, CAR, BUS], boxes=boxes[8:] + boxes[:8], sources=[2, 0, 1])
    assert values(ds) == [three, one, two]


def test_the_right_one_of_two_equal_objects_is_deleted(ds, front):
    boxes = sample(front)["boxes"]
    twins = [*boxes[:4], *boxes[:4]]
    send(front, labels=[CAR, CAR], boxes=twins, sources=[0, 2])
    kept = values(ds)
    send(front, labels=[CAR], boxes=twins[:4], sources=[1])
    assert values(ds) == [kept[1]]
    assert kept[1]["iscrowd"] == 1


@pytest.fixture
def objects_before(ds, front):
    """Delete the first two objects of sample 0; return all three."""
    before = values(ds)
    send(front, labels=[BUS], boxes=sample(front)["boxes"][8:], sources=[2])
    return before


def test_undo_brings_whole_objects_back(ds, front, objects_before):
    front.ask("edit.undo")
    assert values(ds) == objects_before
    assert not ds.has_changes


def test_redo_takes_whole_objects_away(ds, front, objects_before):
    after = values(ds)
    front.ask("edit.undo")
    front.ask("edit.redo")
    assert values(ds) == after == objects_before[2:]


def test_discard_brings_whole_objects_back(ds, front, objects_before):
    front.ask("edit.discard")
    assert values(ds) == objects_before


def test_undo_of_a_discard_takes_whole_objects_away(ds, front):
    send(front, labels=[], boxes=[], sources=[])
    front.ask("edit.discard")
    front.ask("edit.undo")
    assert values(ds) == []


def test_a_label_without_a_box_is_refused(ds, front):
    before = values(ds)
    with pytest.raises(RpcError, match="4 labels and 3 boxes of sample 0"):
        send(front, labels=[CAR, BUS, BUS, BUS], boxes=None)
    assert values(ds) == before
    assert not ds.has_changes


def test_an_edit_of_what_changed_since_is_refused(ds, front):
    shown = sample(front)
    ds.iscrowd[0] = [1, 1, 1]
    with pytest.raises(RpcError, match="Outdated"):
        front.ask("edit.labels", uid=shown["uid"], labels=[CAR] * 3, state=shown["state"])
    assert values(ds)[0]["categories"] == CAR


def test_bulk_add_is_refused_with_the_reason(ds, front):
    front.ask("select.set", intervals=[[0, 3]])
    with pytest.raises(RpcError, match="cannot add bike: 2 of the 3 selected samples have boxes"):
        front.ask("edit.bulk", add=[2], remove=[])
    assert not ds.has_changes


def test_bulk_replace_relabels_objects(ds, front):
    before = values(ds)
    front.ask("select.set", intervals=[[0, 3]])
    done = front.ask("edit.bulk", add=[], remove=[], replace=[{"from": BUS, "to": CAR}])[0]["done"]
    assert done == "bus → car: 1 sample"
    assert values(ds) == [entry | {"categories": CAR} for entry in before]


def test_bulk_replace_may_swap_two_classes(ds, front):
    front.ask("select.set", intervals=[[0, 3]])
    front.ask("edit.bulk", add=[], remove=[], replace=[{"from": BUS, "to": CAR}, {"from": CAR, "to": BUS}])
    assert [entry["categories"] for entry in values(ds)] == [BUS, CAR, CAR]


def test_bulk_remove_removes_whole_objects(ds, front):
    car = values(ds)[0]
    front.ask("select.set", intervals=[[0, 3]])
    front.ask("edit.bulk", add=[], remove=[BUS])
    assert (values(ds, 0), values(ds, 1), len(values(ds, 2))) == ([car], [], 1)
    ds.commit("no buses")
    front.ask("edit.undo")
    assert [entry["categories"] for entry in values(ds)] == [CAR, BUS, BUS]


def test_a_sample_left_unequal_in_python_can_be_mended_label_by_label(ds, front):
    ds.categories[2] = ["car", "bike"]
    front.ask("dataset.update")
    assert sample(front, 2)["labels"] == [CAR, 2]
    front.ask("select.set", intervals=[[2, 3]])
    with pytest.raises(RpcError, match="sample 2 has"):
        front.ask("edit.bulk", add=[], remove=[CAR])
    send(front, row=2, labels=[CAR])
    assert len(values(ds, 2)) == 1


def test_an_edit_reaches_the_draft_whole_or_not_at_all(ds, front):
    boxes = sample(front)["boxes"]
    send(front, labels=[BUS], boxes=boxes[8:], sources=[2])
    drafts = [name for name in content_of(ds).store.location.names("drafts") if "part" not in name]
    assert len(drafts) == 1
    assert values(penstock.load(ds.path)) == values(ds)


def test_labels_of_images_beside_boxes_are_no_objects(tmp_path):
    ds = penstock.empty(str(tmp_path / "scenes.penstock"))
    ds.create_tensor("boxes", htype="bbox")
    ds.create_tensor("scene", htype="class_label", class_names=["day", "night"])
    ds.extend({"boxes": BOXES, "scene": [["day"], ["day"], ["day", "night"]]})
    ds.commit("three")
    front = FrontEnd(penstock.explore(ds))
    assert front.ask("hello")[0]["dataset"]["paired"] is False
    front.ask("select.set", intervals=[[0, 2]])
    front.ask("edit.bulk", add=[1], remove=[0])
    assert [labels.tolist() for labels in ds.scene.numpy(aslist=True)] == [[1], [1], [0, 1]]
    assert [len(boxes) for boxes in ds.boxes.numpy(aslist=True)] == [3, 0, 1]


@pytest.fixture
def plain(tmp_path):
    labels = [["a"], ["a", "b"], ["b", "c"], []]
    return penstock.from_arrays(
        {"x": [1.0, 2, 3, 4], "labels": labels}, tmp_path / "plain", class_names={"labels": ["a", "b", "c"]}
    )


BULK = {
    "add": ({"add": [2]}, [[0, 2], [0, 1, 2], [1, 2], [2]]),
    "remove": ({"remove": [1]}, [[0], [0], [2], []]),
    "replace": ({"replace": [{"from": 0, "to": 1}]}, [[1], [1], [1, 2], []]),
    "replace two": ({"replace": [{"from": 0, "to": 2}, {"from": 1, "to": 2}]}, [[2], [2], [2], []]),
    "remove and add": ({"add": [0, 0], "remove": [0]}, [[0], [1, 0], [1, 2, 0], [0]]),
}


@pytest.mark.parametrize(("change", "expected"), BULK.values(), ids=BULK)
def test_labels_alone_are_edited_in_bulk(plain, change, expected):
    front = FrontEnd(penstock.explore(plain))
    front.ask("select.set", intervals=[[0, 4]])
    front.ask("edit.bulk", **{"add": [], "remove": []} | change)
    assert [labels.tolist() for labels in plain.labels.numpy(aslist=True)] == expected


@pytest.mark.parametrize("change", [change for change, _ in BULK.values()], ids=BULK)
def test_edits_of_labels_alone_are_undone(plain, change):
    front = FrontEnd(penstock.explore(plain))
    front.ask("select.set", intervals=[[0, 4]])
    front.ask("edit.bulk", **{"add": [], "remove": []} | change)
    assert plain.has_changes
    front.ask("edit.undo")
    assert not plain.has_changes
