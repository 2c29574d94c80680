from __future__ import annotations

import gzip
import json
from collections import Counter

import numpy as np
import pytest

from penstock.errors import ImporterError
from penstock.importers.boxes._detections import judge_boxes
from penstock.importers.building._report import IssueLog
from penstock.importers.coco._file import image_name, is_coco, read_coco
from penstock.importers.coco._parse import parse_coco


def coco(**changes):
    data = {
        "images": [
            {"id": 20, "file_name": "b.jpg", "width": 100, "height": 80},
            {"id": 10, "file_name": "a.jpg", "width": 100, "height": 80},
        ],
        "categories": [{"id": 7, "name": "dog"}, {"id": 2, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 20, "category_id": 2, "bbox": [1, 2, 3, 4], "iscrowd": 0},
            {"id": 2, "image_id": 10, "category_id": 7, "bbox": [5, 6, 7, 8], "iscrowd": 1},
            {"id": 3, "image_id": 20, "category_id": 7, "bbox": [9, 10, 11, 12]},
        ],
    }
    return {**data, **changes}


def annotation(**changes):
    return {"id": 1, "image_id": 10, "category_id": 7, "bbox": [5, 6, 7, 8], **changes}


def parsed(data, on_error="raise"):
    log = IssueLog(on_error)
    found = parse_coco(data, "some.json", log)
    return judge_boxes(found, [None] * len(found), log)[0], log.issues


def test_images_come_by_ascending_id():
    found, issues = parsed(coco())
    assert found.images == ("a.jpg", "b.jpg")
    assert issues == []


def test_boxes_of_an_image_come_in_the_order_of_the_file():
    found, _ = parsed(coco())
    assert found.offsets.tolist() == [0, 1, 3]
    assert found.boxes_xywh.tolist() == [[5, 6, 7, 8], [1, 2, 3, 4], [9, 10, 11, 12]]


def test_classes_follow_the_order_of_the_categories_not_their_ids():
    found, _ = parsed(coco())
    assert found.class_names == ("dog", "cat")
    assert found.labels.tolist() == [0, 1, 0]


def test_crowds_are_marked():
    found, _ = parsed(coco())
    assert found.iscrowd.tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (annotation(category_id=99), "no category has id 99"),
        (annotation(image_id=99), "no image has id 99"),
        (annotation(bbox=[1, 2, 3]), "bbox is [1, 2, 3]"),
        (annotation(bbox=None), "bbox is None"),
        (annotation(bbox=[1, 2, -3, 4]), "negative width or height"),
        (annotation(bbox=[1, 2, float("nan"), 4]), "not a finite number"),
        (annotation(bbox=[100, 2, 5, 4]), "outside its image"),
        (annotation(category_id=[7]), "no category has id [7]"),
        (annotation(image_id={"$oid": "10"}), "no image has id {'$oid': '10'}"),
        (annotation(image_id=True), "no image has id True"),
        (annotation(bbox=[10**400, 2, 5, 4]), "Expected finite numbers"),
        (annotation(bbox=["1", 2, 5, 4]), "bbox is ['1', 2, 5, 4]. Expected numbers"),
        (annotation(bbox=[1, 2, 5, 4, 0.5]), "Expected [left, top, width, height]"),
        (annotation(iscrowd="yes"), "iscrowd is 'yes'. Expected 0 or 1"),
        (annotation(iscrowd=[1]), "iscrowd is [1]. Expected 0 or 1"),
    ],
    ids=[
        "category",
        "image",
        "three numbers",
        "no box",
        "negative",
        "nan",
        "outside",
        "a list as id",
        "a dict as id",
        "a bool as id",
        "a huge number",
        "text in the box",
        "a rotated box",
        "text as crowd",
        "a list as crowd",
    ],
)
def test_a_wrong_annotation_raises_or_is_left_out(changed, said):
    data = coco(annotations=[annotation(id=5), changed])
    with pytest.raises(ImporterError, match=r"some.json, annotation 1") as caught:
        parsed(data)
    assert said in str(caught.value)
    found, issues = parsed(data, "skip")
    assert found.boxes_xywh.tolist() == [[5, 6, 7, 8]]
    assert [issue.action for issue in issues] == ["rejected"]


def test_an_annotation_that_is_not_an_object_is_left_out():
    data = coco(annotations=[7, annotation(id=5)])
    with pytest.raises(ImporterError, match="annotation 7: is not an object"):
        parsed(data)
    assert len(parsed(data, "skip")[0].labels) == 1


@pytest.mark.parametrize(
    ("entry", "others"),
    [(20.0, 20), ("20", 20), (20, "20"), (20, 20.0)],
    ids=["a float in images", "text in images", "text in annotations", "a float in annotations"],
)
def test_ids_of_another_type_are_the_same_ids(entry, others):
    data = coco()
    data["images"][0]["id"] = entry
    for one in data["annotations"][::2]:
        one["image_id"] = others
    found, issues = parsed(data)
    assert dict(zip(found.images, np.diff(found.offsets).tolist(), strict=True)) == {"a.jpg": 1, "b.jpg": 2}
    assert issues == []


@pytest.mark.parametrize(
    ("value", "crowd"),
    [(None, 0), ("0", 0), ("1", 1), (True, 1), (1.0, 1), (0, 0), ("", 0), ("False", 0)],
    ids=repr,
)
def test_crowds_are_read_however_the_flag_is_written(value, crowd):
    assert parsed(coco(annotations=[annotation(iscrowd=value)]))[0].iscrowd.tolist() == [crowd]


RLE = {"size": [80, 100], "counts": [0, 8000]}


@pytest.mark.parametrize(
    ("segmentation", "box"),
    [
        ([[10, 10, 30, 10, 30, 25, 10, 25]], [10, 10, 20, 15]),
        ([10, 10, 30, 10, 30, 25], [10, 10, 20, 15]),
        ([[10, 10, 30, 10, 30, 25], [50, 60, 52, 60, 52, 70]], [10, 10, 42, 60]),
        # column by column: 4 rows of 5 columns; the second column's rows 1 and 2, and the third's rows 1 and 2
        ({"size": [4, 5], "counts": [5, 2, 2, 2, 9]}, [1, 1, 2, 2]),
        ({"size": [4, 5], "counts": "52209"}, [1, 1, 2, 2]),
        (RLE, [0, 0, 100, 80]),
    ],
    ids=["polygon", "flat polygon", "two polygons", "run lengths", "compressed", "whole image"],
)
def test_an_annotation_without_a_box_gets_that_of_its_segmentation(segmentation, box):
    one = annotation(segmentation=segmentation)
    del one["bbox"]
    assert parsed(coco(annotations=[one]))[0].boxes_xywh.tolist() == [box]


@pytest.mark.parametrize(
    ("segmentation", "said"),
    [
        ([], "there is no segmentation"),
        ([[1, 2, 3, 4]], "a polygon of the segmentation is [1, 2, 3, 4]"),
        ([[1, 2, 3, 4, 5, 6, 7]], "Expected [x1, y1"),
        ([[1, 2, 3, "4", 5, 6]], "Expected numbers"),
        ([[1, 2], 3], "a polygon of the segmentation"),
        ("abc", "Expected polygons or a run-length encoding"),
        ({"size": [0, 5], "counts": [0]}, "the size of the segmentation"),
        ({"size": [4, 5], "counts": [5, 2]}, "sum to 7. Expected 20"),
        ({"size": [4, 5], "counts": [-5, 25]}, "Expected integers"),
        ({"size": [4, 5], "counts": "5 \x7f"}, "Expected a list or COCO's compressed text"),
        ({"size": [4, 5], "counts": "5R"}, "Expected a list or COCO's compressed text"),
        ({"size": [4, 5], "counts": [20]}, "is empty"),
    ],
    ids=[
        "none",
        "two corners",
        "odd",
        "text",
        "not a list",
        "text alone",
        "no size",
        "too few",
        "negative",
        "no code",
        "cut code",
        "empty mask",
    ],
)
def test_a_segmentation_that_gives_no_box_is_left_out_by_name(segmentation, said):
    data = coco(annotations=[annotation(bbox=None, segmentation=segmentation), annotation(id=2)])
    with pytest.raises(ImporterError, match="annotation 1") as caught:
        parsed(data)
    assert said in str(caught.value)
    assert len(parsed(data, "skip")[0].labels) == 1


@pytest.mark.parametrize(
    ("bbox", "repaired"),
    [([5, 6, 0, 8], [5, 6, 1, 8]), ([-1, 6, 7, 80], [0, 6, 6, 74])],
    ids=["without area", "past the edge"],
)
def test_a_box_is_repaired_by_its_image(bbox, repaired):
    found, issues = parsed(coco(annotations=[annotation(bbox=bbox), annotation(bbox=[5, 6, 7, 8])]))
    assert found.boxes_xywh.tolist() == [repaired, [5, 6, 7, 8]]
    assert [issue.action for issue in issues] == ["repaired"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"images": [', "not complete JSON"),
        ("[1, 2]", "not a COCO instances file: it is a list"),
        ('{"images": []}', "no list of annotations"),
        ('{"images": [], "annotations": []}', "use the instances file"),
        ('{"images": {}, "annotations": [], "categories": []}', "no list of images"),
        ("[" * 100_000, "nested too deep"),
        (f'{{"images": {"9" * 5000}}}', "cannot be read as JSON"),
    ],
    ids=["truncated", "a list", "no annotations", "captions", "images are no list", "nested", "a number too long"],
)
def test_a_file_that_is_no_coco_says_so(tmp_path, text, said):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ImporterError, match=said):
        read_coco(path)
    assert not is_coco(path)


def test_a_missing_or_cut_gzip_file_says_so(tmp_path):
    with pytest.raises(ImporterError, match=r"the annotations file .* does not exist"):
        read_coco(tmp_path / "none.json")
    cut = tmp_path / "cut.json.gz"
    cut.write_bytes(gzip.compress(json.dumps(coco()).encode())[:-20])
    with pytest.raises(ImporterError, match="cannot be read as JSON"):
        read_coco(cut)
    cut.write_bytes(gzip.compress(json.dumps(coco()).encode())[:12] + b"\xff" * 40)
    with pytest.raises(ImporterError, match="cannot be read as JSON"):
        read_coco(cut)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_passed_over(tmp_path, encoding):
    (tmp_path / "x.json").write_bytes(json.dumps(coco(), ensure_ascii=False).encode(encoding))
    data = read_coco(tmp_path / "x.json")
    assert {**data, "annotations": list(data["annotations"])} == coco()


@pytest.mark.parametrize(
    "entry", [{"id": 1}, {"file_name": "x"}, {"id": [1], "file_name": "x"}, 7, {"id": 1, "file_name": 3}]
)
def test_an_image_without_id_or_name_is_left_out(entry):
    data = coco(images=[*coco()["images"], entry])
    with pytest.raises(ImporterError, match="image 2: has no id or no file_name"):
        parsed(data)
    found, issues = parsed(data, "skip")
    assert found.images == ("a.jpg", "b.jpg")
    assert [issue.action for issue in issues] == ["rejected"]


def test_categories_of_one_name_are_one_class():
    found, issues = parsed(coco(categories=[{"id": 7, "name": "dog"}, {"id": 2, "name": "dog"}, {"id": 3, "name": 5}]))
    assert found.class_names == ("dog", "5")
    assert found.labels.tolist() == [0, 0, 0]
    assert [(issue.action, issue.problem) for issue in issues] == [
        ("noted", "the class name 'dog' occurs 2 times and is treated as one class")
    ]


def test_an_image_listed_twice_is_one_sample():
    data = coco()
    data["images"].append(dict(data["images"][0]))
    found, issues = parsed(data)
    assert found.images == ("a.jpg", "b.jpg")
    assert [issue.action for issue in issues] == ["noted"]


@pytest.mark.parametrize(
    ("width", "noted"),
    [(None, 0), (0, 0), ("wide", 1), ([64], 1), (10**400, 1), (-5, 1)],
    ids=["none", "zero", "text", "a list", "a huge number", "negative"],
)
def test_a_size_that_is_not_a_size_bounds_nothing(width, noted):
    data = coco(images=[{"id": 10, "file_name": "a.jpg", "width": width, "height": width}], annotations=[annotation()])
    found, issues = parsed(data)
    assert found.boxes_xywh.tolist() == [[5, 6, 7, 8]]
    assert [issue.action for issue in issues] == ["noted"] * noted


def test_boxes_that_may_be_fractions_are_noted():
    found, issues = parsed(coco(annotations=[annotation(bbox=[0.1, 0.2, 0.3, 0.4])]))
    assert len(found.labels) == 1
    assert [issue.action for issue in issues] == ["noted"]


def test_images_of_lvis_are_named_by_their_address():
    assert (
        image_name({"coco_url": "http://images.cocodataset.org/val2017/000000000139.jpg"}) == "val2017/000000000139.jpg"
    )
    assert image_name({"file_name": "a.jpg", "coco_url": "http://x/y/z.jpg"}) == "a.jpg"
    assert image_name({"file_name": None, "coco_url": 3}) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"categories": [{"id": 1, "name": "dog"}, {"id": 1, "name": "cat"}]}, "category id 1 occurs twice"),
        ({"categories": [{"id": 1}]}, "no id or no name"),
        ({"categories": [{"id": [1], "name": "x"}]}, "no id or no name"),
        ({"categories": [{"id": 1, "name": "\ud800"}]}, "no id or no name"),
        ({"images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}]}, "image id 1 occurs twice"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(changes, said):
    with pytest.raises(ImporterError, match=said):
        parsed(coco(**{"annotations": [], **changes}), "skip")


@pytest.mark.real_data
def test_coco_mini_reads_as_counted(shared_data):
    data = read_coco(shared_data / "coco_mini/annotations/instances_train2017.json")
    found, issues = parsed(data)
    assert issues == []
    assert (len(found), len(found.labels), len(found.class_names)) == (80, 739, 80)
    assert int(found.iscrowd.sum()) == 8
    counts = Counter(found.class_names[label] for label in found.labels)
    assert counts.most_common(5) == [("person", 172), ("book", 50), ("chair", 47), ("cup", 33), ("car", 33)]
    assert found.class_names[:3] == ("person", "bicycle", "car")
    sets = {tuple(np.unique(found.labels[a:b])) for a, b in zip(found.offsets[:-1], found.offsets[1:], strict=True)}
    assert len(sets) == 79


@pytest.mark.real_data
def test_taco_reads_as_counted(shared_data):
    found, issues = parsed(read_coco(shared_data / "taco/annotations.json.gz"))
    assert (len(found), len(found.labels), len(found.class_names)) == (1500, 4784, 60)
    counts = np.bincount(found.labels, minlength=60)
    by_name = dict(zip(found.class_names, counts.tolist(), strict=True))
    assert (by_name["Cigarette"], by_name["Battery"], by_name["Plastified paper bag"]) == (667, 2, 0)
    assert found.images[0] == "batch_1/000006.jpg"
    assert [issue.action for issue in issues] == ["repaired"] * 7


@pytest.mark.real_data
def test_captions_are_no_instances(shared_data):
    with pytest.raises(ImporterError, match="use the instances file"):
        read_coco(shared_data / "coco_mini/annotations/captions_train2017.json")


CAPTION = {"id": 48, "image_id": 20, "caption": "a dog on a sofa"}


@pytest.mark.parametrize("data", [coco(annotations=[CAPTION], categories=[]), coco(annotations=[CAPTION])])
def test_captions_are_called_captions(data, tmp_path):
    path = tmp_path / "captions.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ImporterError, match="its annotations are captions") as caught:
        read_coco(path)
    assert "instances file" in str(caught.value)
    assert not is_coco(path)


@pytest.mark.parametrize("window", [1, 7, 64, 4096], ids=lambda window: f"{window} bytes")
@pytest.mark.parametrize("indent", [None, 2], ids=["in a line", "indented"])
def test_a_file_is_read_the_same_in_windows_of_any_size(window, indent, tmp_path, monkeypatch):
    monkeypatch.setattr("penstock.importers.coco._spans._WINDOW", window)
    data = coco(info={"by": 'ä漢😀 "x" \\', "n": [-1.5e-7, 1e300, 120, True, None, []]}, licenses={})
    data["annotations"][0]["note"] = "é😀"
    path = tmp_path / "x.json"
    path.write_text(json.dumps(data, ensure_ascii=False, indent=indent), encoding="utf-8")
    found = read_coco(path)
    assert {**found, "annotations": list(found["annotations"])} == data
    assert [found["annotations"][at] for at in (2, 0)] == [data["annotations"][at] for at in (2, 0)]


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps(coco()))
    found = parse_coco(read_coco(path), "x.json", IssueLog("raise"))
    path.write_text(json.dumps(coco(), indent=2))
    with pytest.raises(ImporterError, match=r"'x.json' was changed while it was being imported"):
        found.source.of_objects(np.array([0]), np.zeros((1, 4), np.float32))
