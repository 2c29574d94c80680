from __future__ import annotations

import json

import pytest

from penstock.cli._recognise import recognise
from penstock.errors import ImporterError

COCO = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [], "categories": []}


def write(root, *names, text=""):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_coco_annotations_find_their_images(tmp_path):
    write(tmp_path, "annotations/instances_val.json", text=json.dumps(COCO))
    write(tmp_path, "val/a.jpg")
    for path in ("annotations/instances_val.json", "."):
        found = recognise(tmp_path / path)
        assert (found.kind, found.images) == ("coco", tmp_path / "val")
    assert found.root == tmp_path / "annotations/instances_val.json"


def test_images_given_are_taken(tmp_path):
    write(tmp_path, "x.json", text=json.dumps(COCO))
    assert recognise(tmp_path / "x.json", tmp_path / "else").images == tmp_path / "else"
    with pytest.raises(ImporterError, match="--images FOLDER"):
        recognise(tmp_path / "x.json")


def test_voc_yolo_and_image_folders(tmp_path):
    write(tmp_path, "voc/Annotations/a.xml", "voc/JPEGImages/a.jpg")
    write(tmp_path, "yolo/images/a.jpg", "yolo/labels/a.txt")
    write(tmp_path, "pets/cat/a.jpg")
    write(tmp_path, "wrapped/VOC2007/Annotations/a.xml", "wrapped/VOC2007/JPEGImages/a.jpg")
    assert [recognise(tmp_path / name).kind for name in ("voc", "yolo", "pets")] == ["voc", "yolo", "folder"]
    assert recognise(tmp_path / "wrapped").root == tmp_path / "wrapped/VOC2007"


def test_the_key_changes_with_the_source(tmp_path):
    write(tmp_path, "a/cat/1.jpg", "b/cat/1.jpg")
    keys = {recognise(tmp_path / name).key for name in ("a", "b", "a")}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none", None, "nothing at"),
        ("empty", "folder", "no COCO, VOC, YOLO or image folder"),
        ("x.csv", "a,b", "penstock import table"),
        ("x.json", "{}", "no COCO instances file"),
    ],
)
def test_what_is_nothing_says_so(tmp_path, name, text, said):
    if text == "folder":
        (tmp_path / name).mkdir()
    elif text:
        write(tmp_path, name, text=text)
    with pytest.raises(ImporterError, match=said):
        recognise(tmp_path / name)


def test_two_annotation_files_ask_for_one(tmp_path):
    write(tmp_path, "annotations/instances_a.json", "annotations/instances_b.json", text=json.dumps(COCO))
    with pytest.raises(ImporterError, match=r"name one: .*instances_a.json"):
        recognise(tmp_path)


@pytest.mark.real_data
def test_the_real_sets_are_recognised(shared_data):
    assert recognise(shared_data / "coco_mini").images == shared_data / "coco_mini/train2017"
    assert recognise(shared_data / "bccd").root == shared_data / "bccd/BCCD"
    assert recognise(shared_data / "nih/images64").kind == "folder"
