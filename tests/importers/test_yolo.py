from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import ImporterError
from penstock.importers._report import IssueLog
from penstock.importers._yolo import is_yolo, parse_yolo
from penstock.tensors import encode_image


@pytest.fixture
def root(tmp_path):
    for folder in ("images/train", "images/val", "labels/train", "labels/val"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "data.yaml").write_text("train: images/train\nnames:\n  0: cat\n  1: dog\n")
    picture = encode_image(np.zeros((50, 100, 3), np.uint8), "png")
    for name in ("train/a.png", "train/b.png", "val/c.png"):
        (tmp_path / "images" / name).write_bytes(picture)
    (tmp_path / "labels/train/a.txt").write_text("1 0.5 0.5 0.2 0.4\n0 0.1 0.2 0.2 0.4\n")
    (tmp_path / "labels/val/c.txt").write_text("0 0.1 0.1 0.3 0.1 0.3 0.5\n")
    return tmp_path


def parsed(root, on_error="raise", **kwargs):
    log = IssueLog(on_error)
    return parse_yolo(root, log, **kwargs), log.issues


def test_normalised_boxes_become_pixels(root):
    found, issues = parsed(root, split="train")
    assert found.images == ("train/a.png", "train/b.png")
    assert found.boxes_xywh.tolist() == [[40, 15, 20, 20], [0, 0, 20, 20]]
    assert found.labels.tolist() == [1, 0]
    assert found.class_names == ("cat", "dog")
    assert issues == []


def test_an_image_without_label_file_has_no_boxes(root):
    assert parsed(root, split="train")[0].offsets.tolist() == [0, 2, 2]


def test_a_polygon_becomes_its_box(root):
    found, _ = parsed(root, split="val")
    np.testing.assert_allclose(found.boxes_xywh, [[10, 5, 20, 20]])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("7 .5 .5 .1 .1", "class 7; expected 0 to 1"),
        ("0.5 .5 .5 .1 .1", "class 0.5"),
        ("0 .5 .5 .1", "4 numbers"),
        ("cat .5 .5 .1 .1", "could not convert"),
        ("0 1.5 .5 .1 .1", "outside its image"),
    ],
)
def test_a_wrong_line_raises_or_is_left_out(root, line, said):
    (root / "labels/train/b.txt").write_text(f"{line}\n0 0.5 0.5 0.2 0.4\n")
    with pytest.raises(ImporterError, match=r"b.txt|b.png") as caught:
        parsed(root, split="train")
    assert said in str(caught.value)
    found, issues = parsed(root, "skip", split="train")
    assert found.labels.tolist() == [1, 0, 0]
    assert len(issues) == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [("classes.txt", "cat\ndog\n"), ("data.yaml", "names: [cat, dog]\n"), ("obj.names", "cat\ndog")],
)
def test_class_names_are_read_from(root, file, text):
    (root / "data.yaml").unlink()
    (root / file).write_text(text)
    assert parsed(root)[0].class_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("text", "said"), [("names: {1: cat}", "has no names"), ("nc: 2", "has no names"), ("names: [", "read as YAML")]
)
def test_a_wrong_yaml_says_so(root, text, said):
    (root / "data.yaml").write_text(text)
    with pytest.raises(ImporterError, match=said):
        parsed(root)


def test_folders_that_are_no_yolo_say_so(root):
    assert is_yolo(root)
    with pytest.raises(ImporterError, match="the splits are train, val"):
        parsed(root, split="test")
    with pytest.raises(ImporterError, match="expected images and labels"):
        parsed(root / "images")
    (root / "data.yaml").unlink()
    with pytest.raises(ImporterError, match="no class names"):
        parsed(root)


def test_an_image_that_cannot_be_read_is_refused(root):
    (root / "images/train/b.png").write_bytes(b"no image")
    with pytest.raises(ImporterError, match=r"b.png"):
        parsed(root)
    assert len(parsed(root, "skip")[0]) == 2
