from __future__ import annotations

import gzip
import json
from collections import Counter

import numpy as np
import pytest

from penstock.errors import ImporterError
from penstock.importers._coco import is_coco, parse_coco, read_coco
from penstock.importers._report import IssueLog


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
    return parse_coco(data, "some.json", log), log.issues


def test_images_come_by_ascending_id_and_boxes_in_the_order_of_the_file():
    found, issues = parsed(coco())
    assert found.images == ("a.jpg", "b.jpg")
    assert found.offsets.tolist() == [0, 1, 3]
    assert found.boxes_xywh.tolist() == [[5, 6, 7, 8], [1, 2, 3, 4], [9, 10, 11, 12]]
    assert issues == []


def test_classes_follow_the_order_of_the_categories_not_their_ids():
    found, _ = parsed(coco())
    assert found.class_names == ("dog", "cat")
    assert found.labels.tolist() == [0, 1, 0]


def test_crowds_are_kept_and_marked():
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
        (annotation(bbox=[1, 2, float("nan"), 4]), "no finite number"),
        (annotation(bbox=[100, 2, 5, 4]), "outside its image"),
    ],
    ids=["category", "image", "three numbers", "no box", "negative", "nan", "outside"],
)
def test_a_wrong_annotation_raises_or_is_left_out(changed, said):
    data = coco(annotations=[annotation(id=5), changed])
    with pytest.raises(ImporterError, match=r"some.json, annotation 1") as caught:
        parsed(data)
    assert said in str(caught.value)
    found, issues = parsed(data, "skip")
    assert found.boxes_xywh.tolist() == [[5, 6, 7, 8]]
    assert [issue.action for issue in issues] == ["refused"]


def test_a_box_without_area_is_widened_and_one_past_the_edge_clipped():
    found, issues = parsed(
        coco(
            annotations=[annotation(bbox=[5, 6, 0, 8]), annotation(bbox=[-1, 6, 7, 80]), annotation(bbox=[5, 6, 7, 8])]
        )
    )
    assert found.boxes_xywh.tolist() == [[5, 6, 1, 8], [0, 6, 6, 74], [5, 6, 7, 8]]
    assert [issue.action for issue in issues] == ["repaired", "repaired"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"images": [', "no complete JSON"),
        ("[1, 2]", "no COCO instances file"),
        ('{"images": []}', "no list of annotations"),
        ('{"images": [], "annotations": []}', "take the instances file"),
        ('{"images": [1], "annotations": [], "categories": []}', "no list of images"),
    ],
    ids=["truncated", "a list", "no annotations", "captions", "images are no objects"],
)
def test_a_file_that_is_no_coco_says_so(tmp_path, text, said):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ImporterError, match=said):
        read_coco(path)
    assert not is_coco(path)


def test_a_missing_or_cut_gzip_file_says_so(tmp_path):
    with pytest.raises(ImporterError, match="no annotations file"):
        read_coco(tmp_path / "none.json")
    cut = tmp_path / "cut.json.gz"
    cut.write_bytes(gzip.compress(json.dumps(coco()).encode())[:-20])
    with pytest.raises(ImporterError, match="cannot be read as JSON"):
        read_coco(cut)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"categories": [{"id": 1, "name": "dog"}, {"id": 1, "name": "cat"}]}, "category id 1 occurs twice"),
        ({"categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "dog"}]}, "category name 'dog' occurs twice"),
        ({"categories": [{"id": 1}]}, "no id or no name"),
        ({"images": [{"id": 1}]}, "no id or no file_name"),
        ({"images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}]}, "image id occurs twice"),
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
def test_taco_reads_as_counted_and_reports_its_boxes_out_of_bounds(shared_data):
    found, issues = parsed(read_coco(shared_data / "taco/annotations.json.gz"))
    assert (len(found), len(found.labels), len(found.class_names)) == (1500, 4784, 60)
    counts = np.bincount(found.labels, minlength=60)
    by_name = dict(zip(found.class_names, counts.tolist(), strict=True))
    assert (by_name["Cigarette"], by_name["Battery"], by_name["Plastified paper bag"]) == (667, 2, 0)
    assert found.images[0] == "batch_1/000006.jpg"
    assert [issue.action for issue in issues] == ["repaired"] * 7


@pytest.mark.real_data
def test_captions_are_no_instances(shared_data):
    with pytest.raises(ImporterError, match="take the instances file"):
        read_coco(shared_data / "coco_mini/annotations/captions_train2017.json")
