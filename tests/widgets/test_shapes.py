"""Outlines, masks and keypoints reach the browser as typed arrays, and come back edited."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.table import class_keys
from penstock.widgets.shapes._outlines import rings_of_mask, rle_mask
from tests.widgets.conftest import FrontEnd, RpcError

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "shapes.json").read_text())
CAT, DOG = 0, 1
TRIANGLE, SQUARE = [1, 1, 9, 1, 9, 9.125], [20, 20, 30, 20, 30, 30, 20, 30]
POINTS = [3, 4, 2, 5, 6, 1, 0, 0, 0]
RUNS = {"size": [40, 60], "counts": [40 * 10 + 5, 10, 2400 - 415]}  # column 10, rows 5 to 14


def make(path, *, segmentation=None, keypoints=None, masks=None, labels=(CAT, DOG, CAT), group="aligned_with"):
    ds = penstock.empty(str(path))
    ds.create_tensor("images", htype="image")
    ds.create_tensor("boxes", htype="bbox")
    aligned = {group: "boxes"} if group else {}
    ds.create_tensor("categories", htype="class_label", class_names=["cat", "dog"], **aligned)
    ds.create_tensor("area", dtype="float64", **aligned)
    columns = {
        "images": [np.zeros((40, 60, 3), np.uint8)] * 2,
        "boxes": [[[1, 1, 8, 8], [20, 20, 10, 10], [0, 0, 5, 5]][: len(labels)], np.zeros((0, 4))],
        "categories": [list(labels), []],
        "area": [[32.5, 100, 25][: len(labels)], []],
    }
    for name, value in (("segmentation", segmentation), ("keypoints", keypoints)):
        if value is not None:
            ds.create_tensor(name, htype="json", **aligned)
            columns[name] = [value, []]
    for name, value in (masks or {}).items():
        ds.create_tensor(name, htype="binary_mask" if value.dtype == bool else "segment_mask")
        columns[name] = [value, None]
    ds.extend(columns)
    ds.commit("two")
    return ds


@pytest.fixture
def ds(tmp_path):
    return make(
        tmp_path / "pets.penstock",
        segmentation=[[TRIANGLE], [SQUARE, [40, 30, 44, 30, 44, 34]], None],
        keypoints=[POINTS, None, None],
    )


@pytest.fixture
def front(ds):
    return FrontEnd(penstock.explore(ds))


def records(raw, *, exact):
    """Return longest side, and kind, object, label and points of each shape."""
    numbers = np.frombuffer(raw, np.float64 if exact else np.int16).tolist()
    found, at = [], 1
    while at < len(numbers):
        kind, place, label, count = (int(value) for value in numbers[at : at + 4])
        width = 3 if kind == 1 else 2
        found.append((kind, place, label, numbers[at + 4 : at + 4 + width * count]))
        at += 4 + width * count
    return numbers[0], found


def drawn(front, row=0):
    result, buffers = front.ask("sample.get", position=row)
    shapes = result["sample"]["shapes"]
    return [] if shapes < 0 else records(buffers[shapes], exact=True)[1]


def edit(front, *shapes, **change):
    shown = front.ask("sample.get", position=0)[0]["sample"]
    args = {"uid": shown["uid"], "state": shown["state"], "labels": shown["labels"], "boxes": shown["boxes"]}
    args["sources"] = list(range(len(shown["labels"])))
    return front.ask("edit.labels", **args | change, shapes=list(shapes))[0]


def values(ds, name):
    value = ds[name][0]
    return value.data()["value"] if name in {"segmentation", "keypoints"} else value.numpy().tolist()


def test_one_sample_has_its_shapes_as_they_are_written(front):
    assert drawn(front) == [
        (0, 0, -1, TRIANGLE),
        (0, 1, -1, SQUARE),
        (0, 1, -1, [40, 30, 44, 30, 44, 34]),
        (1, 0, -1, POINTS),
    ]
    assert drawn(front, 1) == []


def test_a_page_has_shapes_in_half_pixels_of_the_thumbnail(front):
    result, buffers = front.ask("grid.page", start=0, stop=2, size=30)  # half the image: one step is a pixel of it
    longest, found = records(buffers[result["tiles"][0]["shapes"]], exact=False)
    assert longest == 60
    assert sorted(np.reshape(found[0][3], (-1, 2)).tolist()) == [[1, 1], [9, 1], [9, 9]]
    assert found[3] == (1, 0, -1, POINTS)
    assert result["tiles"][1]["shapes"] == -1


def test_vertices_that_make_no_difference_in_a_thumbnail_are_left_out(tmp_path):
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    circle = np.stack([20 + 10 * np.cos(angles), 20 + 10 * np.sin(angles)], 1).ravel().tolist()
    front = FrontEnd(penstock.explore(make(tmp_path / "round.penstock", segmentation=[[circle], None, None])))
    result, buffers = front.ask("grid.page", start=0, stop=1, size=60)
    ((_, _, _, ring),) = records(buffers[result["tiles"][0]["shapes"]], exact=False)[1]
    assert 8 <= len(ring) / 2 <= 40
    assert np.allclose(np.hypot(*(np.reshape(ring, (-1, 2)) / 2 - 20).T), 10, atol=0.8)


def test_polygons_of_a_page_run_the_same_way_round(tmp_path):
    other = np.reshape(SQUARE, (-1, 2))[::-1].ravel().tolist()
    front = FrontEnd(penstock.explore(make(tmp_path / "turned.penstock", segmentation=[[SQUARE, other], None, None])))
    result, buffers = front.ask("grid.page", start=0, stop=1, size=60)
    rings = [np.reshape(one[3], (-1, 2)) for one in records(buffers[result["tiles"][0]["shapes"]], exact=False)[1]]
    x, y = np.moveaxis(rings, -1, 0)
    assert np.unique(np.sign((x * np.roll(y, -1, 1) - y * np.roll(x, -1, 1)).sum(1))).size == 1


@pytest.mark.parametrize("case", GOLDEN, ids=[case["name"] for case in GOLDEN])
def test_shapes_are_packed_as_the_browser_reads_them(tmp_path, case):
    kept = case["sample"]
    ds = make(tmp_path / "golden.penstock", segmentation=kept["segmentation"], keypoints=kept["keypoints"])
    front = FrontEnd(penstock.explore(ds))
    result, buffers = front.ask("sample.get", position=0)
    assert np.frombuffer(buffers[result["sample"]["shapes"]], np.float64).tolist() == case["numbers"]


def test_a_run_length_mask_is_an_outline_around_its_pixels(tmp_path):
    front = FrontEnd(penstock.explore(make(tmp_path / "rle.penstock", segmentation=[RUNS, None, None])))
    ((kind, place, _, ring),) = drawn(front)
    points = np.reshape(ring, (-1, 2))
    assert (kind, place) == (2, 0)
    assert points.min(0).tolist() == [10.5, 5.5]
    assert points.max(0).tolist() == [10.5, 14.5]


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (33, 1), (60, 80)], ids=str)
@pytest.mark.parametrize("share", [0, 0.5, 1], ids=["empty", "noise", "full"])
def test_compressed_run_lengths_are_read_as_pycocotools_writes_them(shape, share):
    from pycocotools import mask

    pixels = (np.random.default_rng(3).random(shape) < share).astype(np.uint8)
    encoded = mask.encode(np.asfortranarray(pixels))
    assert (rle_mask({"size": list(shape), "counts": encoded["counts"].decode()}) == pixels).all()


@pytest.mark.parametrize(
    "value",
    [
        {"size": [4, 4], "counts": [3, 4]},
        {"size": [4, 4], "counts": [20, -4]},
        {"size": [4, 4], "counts": "zzzz"},
        {"size": [4, 4], "counts": ""},
        {"size": [4, 4], "counts": "é"},
        {"size": [4, 4], "counts": "o" * 200},
        {"size": [10**6, 10**6], "counts": [10**12]},
        {"size": [4], "counts": [16]},
        {"size": [4, 4]},
        "polygon",
        [["a", "b", "c", "d", "e", "f"]],
        [[1, 2, 3]],
        [[1, 2, 3, 4, 5, 1e300]],
        [7],
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_a_shape_that_cannot_be_drawn_is_reported_and_the_others_are_drawn(tmp_path, value):
    front = FrontEnd(penstock.explore(make(tmp_path / "odd.penstock", segmentation=[value, [SQUARE], None])))
    shown = front.ask("sample.get", position=0)[0]["sample"]
    assert shown["note"].startswith("1 shape is not drawn: ")
    assert drawn(front) == [(0, 1, -1, SQUARE)]


def test_holes_of_a_mask_are_rings_of_their_own():
    pixels = np.ones((20, 20), bool)
    pixels[5:15, 5:15] = False
    assert len(rings_of_mask(pixels, 20, 1.0)) == 2


def test_masks_of_classes_and_instances_are_drawn_in_their_classes(tmp_path):
    classes = np.zeros((40, 60), np.uint8)
    classes[5:10, 5:10], classes[20:30, 20:30] = 1, 255
    instances = np.zeros((40, 60), np.uint8)
    instances[0:4, 0:4], instances[30:40, 50:60] = 2, 3
    front = FrontEnd(
        penstock.explore(make(tmp_path / "m.penstock", masks={"masks": classes, "instance_masks": instances}))
    )
    assert [(kind, place, label) for kind, place, label, _ in drawn(front)] == [
        (3, -1, DOG),  # value 1 of a mask is class 1; 0 and 255 are no class
        (3, -1, DOG),  # instance 2 is the second object, a dog
        (3, -1, CAT),
    ]


def test_a_binary_mask_has_the_class_of_a_sample_with_one_class(tmp_path):
    pixels = np.zeros((40, 60), bool)
    pixels[3:20, 3:20] = True
    front = FrontEnd(penstock.explore(make(tmp_path / "b.penstock", masks={"mask": pixels}, labels=(DOG,))))
    assert [(kind, place, label) for kind, place, label, _ in drawn(front)] == [(3, -1, DOG)]


def test_a_mask_of_half_size_lies_over_the_whole_image(tmp_path):
    pixels = np.ones((20, 30), bool)
    front = FrontEnd(penstock.explore(make(tmp_path / "h.penstock", masks={"mask": pixels})))
    ((_, _, _, ring),) = drawn(front)
    assert np.reshape(ring, (-1, 2)).max(0).tolist() == [59, 39]


def test_a_moved_vertex_takes_the_box_and_the_area_along(ds, front):
    reply = edit(front, {"object": 0, "polygons": [[1, 1, 11, 1, 9, 9.125]]})
    assert reply["done"] == "moved a vertex of cat in sample 0"
    assert values(ds, "segmentation") == [[[1, 1, 11, 1, 9, 9.125]], [SQUARE, [40, 30, 44, 30, 44, 34]], None]
    assert values(ds, "boxes") == [[1, 1, 10, 8.125], [20, 20, 10, 10], [0, 0, 5, 5]]
    assert values(ds, "area") == [40.625, 100, 25]  # 10 × 8.125 / 2
    assert reply["sample"]["boxes"][:4] == [1, 1, 10, 8.125]


@pytest.mark.parametrize(
    ("ring", "words"),
    [
        ([1, 1, 9, 1, 9, 9.125, 2, 8], "added a vertex to"),
        ([1, 1, 9, 2, 9, 9.125], "moved a vertex of"),
    ],
)
def test_an_edited_outline_is_named(front, ring, words):
    assert edit(front, {"object": 0, "polygons": [ring]})["done"] == f"{words} cat in sample 0"


def test_an_object_that_moved_whole_keeps_its_area(ds, front):
    moved = [2.5, 3, 10.5, 3, 10.5, 11.125]
    boxes = [2.5, 3, 8, 8, 20, 20, 10, 10, 0, 0, 5, 5]
    points = [4.5, 6, 2, 6.5, 8, 1, 0, 0, 0]
    reply = edit(front, {"object": 0, "polygons": [moved], "keypoints": points}, boxes=boxes)
    assert reply["done"] == "moved a box of sample 0"
    assert values(ds, "segmentation")[0] == [moved]
    assert values(ds, "keypoints")[0] == points
    assert values(ds, "boxes")[0] == [2.5, 3, 8, 8]
    assert values(ds, "area") == [32.5, 100, 25]


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([3.5, 4, 2, 5, 6, 1, 0, 0, 0], "moved a keypoint of"),
        ([3, 4, 1, 5, 6, 1, 0, 0, 0], "changed the visibility of a keypoint of"),
    ],
)
def test_edited_keypoints_leave_the_box_as_it_is(ds, front, points, words):
    assert edit(front, {"object": 0, "keypoints": points})["done"] == f"{words} cat in sample 0"
    assert values(ds, "keypoints") == [points, None, None]
    assert values(ds, "boxes")[0] == [1, 1, 8, 8]
    assert values(ds, "area")[0] == 32.5


def test_an_edited_outline_is_undone_redone_and_shown_before_and_after(ds, front):
    before = values(ds, "segmentation"), values(ds, "boxes"), values(ds, "area")
    edit(front, {"object": 1, "polygons": [SQUARE]})
    after = values(ds, "segmentation"), values(ds, "boxes"), values(ds, "area")
    assert after[0][1] == [SQUARE]
    result, buffers = front.ask("sample.get", position=0)
    assert len(records(buffers[result["sample"]["before"]["shapes"]], exact=True)[1]) == 4
    front.ask("edit.undo")
    assert (values(ds, "segmentation"), values(ds, "boxes"), values(ds, "area")) == before
    assert not ds.has_changes
    front.ask("edit.redo")
    assert (values(ds, "segmentation"), values(ds, "boxes"), values(ds, "area")) == after


def test_a_copied_object_has_an_outline_of_its_own(ds, front):
    copy = [5, 5, 15, 5, 15, 15]
    boxes = [1, 1, 8, 8, 20, 20, 10, 10, 0, 0, 5, 5, 5, 5, 10, 10]
    edit(front, {"object": 3, "polygons": [copy]}, labels=[CAT, DOG, CAT, DOG], boxes=boxes, sources=[0, 1, 2, -1])
    assert values(ds, "segmentation")[3] == [copy]
    assert values(ds, "area")[3] == 50


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ({"object": 0, "polygons": [[1, 1, 2, 2]]}, "at least 3 vertices"),
        ({"object": 0, "polygons": [[1, 1, 2, 2, 3, 3, 4]]}, "at least 3 vertices"),
        ({"object": 0, "polygons": []}, "at least 3 vertices"),
        ({"object": 9, "polygons": [SQUARE]}, "no outline"),
        ({"object": 0, "keypoints": [1, 2, 2]}, "Expected 9"),
        ({"object": 0, "keypoints": [3, 4, 2, 5, 6, 7, 0, 0, 0]}, "visibility of 0, 1 or 2"),
    ],
)
def test_a_shape_that_is_none_is_refused_and_changes_nothing(ds, front, shape, words):
    with pytest.raises(RpcError, match=words):
        edit(front, shape)
    assert not ds.has_changes


def test_a_run_length_mask_is_not_replaced_by_polygons(tmp_path):
    front = FrontEnd(penstock.explore(make(tmp_path / "rle.penstock", segmentation=[RUNS, None, None])))
    with pytest.raises(RpcError, match="run-length"):
        edit(front, {"object": 0, "polygons": [SQUARE]})


def test_keypoints_of_yolo_have_the_names_of_its_yaml(ds):
    header = {"kpt_shape": [2, 3], "kpt_names": {"1": ["nose", "tail"]}}
    files = [{"format": "yolo", "header": header, "classes": {"cat": 0, "dog": 1}}]
    keys = class_keys(content_of(ds).table.stored.snapshot.meta, "categories")
    ds.info["source"] = {"format": "yolo", "files": files, "class_keys": dict(zip(keys, ["cat", "dog"], strict=True))}
    ds.commit("noted")
    front = FrontEnd(penstock.explore(ds))
    assert front.ask("hello")[0]["dataset"]["skeletons"] == {"1": {"names": ["nose", "tail"], "edges": []}}


def test_skeletons_follow_a_renamed_class(tmp_path):
    category = {"id": 4, "name": "cat", "keypoints": ["nose", "tail"], "skeleton": [[1, 2], [2, 9], "x"]}
    annotation = {"id": 1, "image_id": 1, "category_id": 4, "bbox": [1, 1, 5, 5], "keypoints": [1, 2, 2, 3, 4, 2]}
    document = {
        "images": [{"id": 1, "file_name": "a.png", "width": 60, "height": 40}],
        "annotations": [annotation],
        "categories": [category, {"id": 5, "name": "cup"}],
    }
    from PIL import Image

    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "a.json").write_text(json.dumps(document))
    ds = penstock.from_coco(tmp_path / "a.json", tmp_path, tmp_path / "ds", progress=False)
    ds.categories.rename_class("cat", "kitten")
    front = FrontEnd(penstock.explore(ds))
    assert front.ask("hello")[0]["dataset"]["skeletons"] == {"0": {"names": ["nose", "tail"], "edges": [[0, 1]]}}
