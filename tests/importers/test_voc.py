from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from penstock.errors import ImporterError
from penstock.importers.boxes._detections import judge_boxes
from penstock.importers.boxes._frames import frame_of
from penstock.importers.building._report import IssueLog
from penstock.importers.voc._layout import is_voc
from penstock.importers.voc._voc import gather_voc
from penstock.tensors import encode_image

OBJECT = "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"


PNG = encode_image(np.zeros((48, 64, 3), np.uint8), "png")


@pytest.fixture
def root(tmp_path):
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def write(xml, image, *objects, size="<size><width>64</width><height>48</height></size>", filename=None):
    """Write an annotation file and its image, 64 × 48."""
    body = "".join(one if isinstance(one, str) else OBJECT.format(*one) for one in objects)
    for path in (xml, image):
        path.parent.mkdir(parents=True, exist_ok=True)
    image.write_bytes(PNG)
    xml.write_text(f"<annotation><filename>{filename or image.name}</filename>{size}{body}</annotation>")


def usual(root, name, *objects, **options):
    write(root / f"Annotations/{name}.xml", root / f"JPEGImages/{name}.png", *objects, **options)


def parsed(root, on_error="raise", **options):
    log = IssueLog(on_error)
    gathered = gather_voc(root, log, **options)
    frames = [None if image is None else frame_of(image) for image in gathered.images]
    return judge_boxes(gathered.found, frames, log)[0], log.issues


@pytest.fixture
def two(root):
    usual(root, "b", ("Cat", 1, 2, 11, 22))
    usual(root, "a", ("Dog", 3, 4, 5, 10), ("Cat", 1, 1, 64, 48))
    return parsed(root)


@pytest.mark.parametrize("folder", ["images/", "labels/", "set/image/", "xml/images/"])
def test_an_annotation_gets_the_image_of_its_own_folders_whatever_these_are_called(root, folder):
    for split in ("train", "val"):
        usual(root, f"{folder}{split}/a", ("Cat", 1, 2, 11, 22))
    found, issues = parsed(root)
    assert sorted(found.images) == [f"JPEGImages/{folder}{split}/a.png" for split in ("train", "val")]
    assert issues == []


def test_files_come_by_name(two):
    found, issues = two
    assert found.images == ("JPEGImages/a.png", "JPEGImages/b.png")
    assert found.offsets.tolist() == [0, 2, 3]
    assert issues == []


def test_classes_come_by_first_appearance(two):
    found, _ = two
    assert found.class_names == ("Dog", "Cat")
    assert found.labels.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("corners", "box"),
    [
        ((1, 1, 64, 48), [0, 0, 64, 48]),
        ((3, 4, 5, 10), [2, 3, 3, 7]),
        ((64, 1, 64, 48), [63, 0, 1, 48]),
        ((1, 48, 64, 48), [0, 47, 64, 1]),
        ((1.5, 2, 3.5, 4), [0.5, 1, 3, 3]),
    ],
    ids=["whole image", "inside", "last column", "last row", "fractions"],
)
def test_both_corners_belong_to_the_box(root, corners, box):
    usual(root, "a", ("Dog", *corners))
    found, issues = parsed(root)
    assert found.boxes_xywh.tolist() == [box]
    assert issues == []


def test_edges_from_0_are_taken_where_the_caller_says_so(root):
    usual(root, "a", ("Dog", 0, 0, 64, 48), ("Dog", 3, 4, 5, 10))
    found, issues = parsed(root, one_based=False)
    assert found.boxes_xywh.tolist() == [[0, 0, 64, 48], [3, 4, 2, 6]]
    assert issues == []
    assert [issue.action for issue in parsed(root)[1]] == ["repaired"]


def test_boxes_are_judged_by_the_image_whatever_the_file_states(root):
    usual(root, "a", ("Dog", 41, 5, 264, 30), ("Dog", 401, 401, 450, 430), size="")
    usual(root, "b", ("Dog", 41, 5, 264, 30), size="<size><width>500</width><height>500</height></size>")
    found, issues = parsed(root, "skip")
    assert found.boxes_xywh.tolist() == [[40, 4, 24, 26], [40, 4, 24, 26]]
    assert [issue.action for issue in issues] == ["noted", "rejected", "repaired", "repaired"]
    assert (
        issues[0].problem
        == "the annotations state 500 × 500 pixels, but the image is 64 × 48; its boxes were not scaled"
    )


@pytest.mark.parametrize("size", ["0", "", "wide", "-4", "1e400"])
def test_a_size_that_is_no_size_stops_nothing(root, size):
    usual(root, "a", ("Dog", 3, 4, 5, 10), size=f"<size><width>{size}</width><height>48</height></size>")
    assert parsed(root)[0].boxes_xywh.tolist() == [[2, 3, 3, 7]]


@pytest.mark.parametrize(
    ("lines", "taken"),
    [
        ("c\na 1\n", "ca"),
        ("c 1\n\na -1\n", "ca"),
        ("\ufeffmy cat 1\r\n", "m"),
        ("my cat 1 -1\n", "m"),
        ("a.png\n", "a"),
    ],
    ids=["names", "flags", "spaces and a mark", "spaces and a flag", "file names"],
)
def test_a_split_takes_its_names_in_its_order(root, lines, taken):
    for name in ("a", "b", "c", "my cat 1"):
        usual(root, name)
    (root / "ImageSets/Main/val.txt").write_text(lines, encoding="utf-8")
    found, _ = parsed(root, split="val")
    assert "".join(name.removeprefix("JPEGImages/")[0] for name in found.images) == taken


def test_a_wrong_split_or_a_name_without_file_says_so(root):
    usual(root, "a")
    (root / "ImageSets/Main/val.txt").write_text("a\nnone\n")
    with pytest.raises(ImporterError, match=r"'vol' is not a split.*Expected one of: val"):
        parsed(root, split="vol")
    with pytest.raises(ImporterError, match=r"val.txt, 'none': there is no annotation file"):
        parsed(root, split="val")
    assert len(parsed(root, "skip", split="val")[0]) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<annotation>", "cannot be read as XML"),
        (b"", "cannot be read as XML"),
        (b"\x00\xff", "cannot be read as XML"),
        (b'<?xml version="1.0" encoding="klingon"?><annotation/>', "cannot be read as XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>', "cannot be read as XML"),
        (b"<annotation></annotation>", "has no filename"),
        (b"<annotations></annotations>", "its root is <annotations>"),
    ],
    ids=["cut", "empty", "bytes", "unknown encoding", "entity", "no file name", "another root"],
)
def test_a_broken_file_raises_or_is_left_out(root, content, said):
    usual(root, "a", ("Dog", 3, 4, 5, 10))
    (root / "Annotations/b.xml").write_bytes(content)
    with pytest.raises(ImporterError, match=r"b.xml") as caught:
        parsed(root)
    assert said in str(caught.value)
    found, issues = parsed(root, "skip")
    assert found.images == ("JPEGImages/a.png",)
    assert [issue.source for issue in issues] == ["b.xml"]


GOOD = ("Dog", 3, 4, 5, 10)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("", 3, 4, 5, 10), "the <object> has no name"),
        (("Dog", "one", 4, 5, 10), "bndbox/xmin: 'one' is not a number"),
        (("Dog", "", 4, 5, 10), "no bndbox/xmin"),
        (("Dog", "1_0", 4, 5, 10), "'1_0' is not a number"),
        (("Dog", 9, 4, 5, 10), "negative width or height"),
        (("Dog", "nan", 4, 5, 10), "not a finite number"),
        ("<object><name>Dog</name></object>", "the <object> has no bndbox"),
        ("<object><name>Dog</name><robndbox><cx>1</cx></robndbox></object>", "a rotated box"),
        ("<object><name>Dog</name><polygon><x1>1</x1></polygon></object>", "a polygon has 1 x and 0 y"),
    ],
    ids=["no name", "text", "empty", "underscore", "turned", "nan", "no box", "rotated", "half a polygon"],
)
def test_a_wrong_object_is_left_out_alone(root, wrong, said):
    usual(root, "a", GOOD, wrong, GOOD)
    with pytest.raises(ImporterError, match=r"a.xml, ") as caught:
        parsed(root)
    assert said in str(caught.value)
    found, issues = parsed(root, "skip")
    assert found.boxes_xywh.tolist() == [[2, 3, 3, 7]] * 2
    assert [issue.action for issue in issues] == ["rejected"]


def test_an_object_with_a_polygon_alone_gets_its_box(root):
    corners = "<x1>3</x1><y1>4</y1><x2>5</x2><y2>4</y2><x3>5</x3><y3>10</y3>"
    usual(root, "a", f"<object><name>Dog</name><polygon>{corners}</polygon></object>")
    assert parsed(root)[0].boxes_xywh.tolist() == [[2, 3, 3, 7]]


def test_an_image_that_was_renamed_is_found_by_the_annotation(root):
    usual(root, "a [1]", filename="b.jpg")
    assert parsed(root)[0].images == ("JPEGImages/a [1].png",)


def test_of_two_images_that_a_file_may_mean_its_own_name_wins(root):
    usual(root, "a")
    usual(root, "b", filename="a.png")
    found, issues = parsed(root)
    assert found.images == ("JPEGImages/a.png", "JPEGImages/b.png")
    assert [(issue.action, issue.source) for issue in issues] == [("noted", "b.xml")]


def test_files_that_share_an_image_are_noted(root):
    usual(root, "a")
    (root / "Annotations/b.xml").write_text("<annotation><filename>C:\\x\\a.png</filename></annotation>")
    found, issues = parsed(root)
    assert found.images == ("JPEGImages/a.png", "JPEGImages/a.png")
    assert [issue.action for issue in issues] == ["noted", "noted"]


def test_masks_of_the_same_names_are_not_the_images(root):
    usual(root, "a")
    for folder in ("SegmentationClass", "SegmentationObject"):
        (root / folder).mkdir()
        (root / folder / "a.png").write_bytes(PNG)
    found, issues = parsed(root)
    assert found.images == ("JPEGImages/a.png",)
    assert issues == []


@pytest.mark.parametrize(
    ("xml", "image"),
    [
        ("annotations/a.xml", "images/a.png"),
        ("Annotations/a.xml", "images/a.png"),
        ("annotations/xmls/a.xml", "images/a.png"),
        ("a.xml", "a.png"),
        ("VOC2007/Annotations/a.xml", "VOC2007/JPEGImages/a.png"),
        ("Annotations/day/a.xml", "JPEGImages/day/a.png"),
    ],
)
def test_other_layouts_are_read_as_well(tmp_path, xml, image):
    write(tmp_path / xml, tmp_path / image, GOOD)
    assert is_voc(tmp_path)
    found, issues = parsed(tmp_path)
    assert (found.images, found.subsets, issues) == ((image,), ("",), [])


def test_folders_of_splits_are_subsets(tmp_path):
    for split in ("train", "valid"):
        write(
            tmp_path / split / "1.xml", tmp_path / split / "1.png", ("Dog" if split == "train" else "Cat", 3, 4, 5, 10)
        )
    found, issues = parsed(tmp_path)
    assert (found.images, found.subsets) == (("train/1.png", "valid/1.png"), ("train", "valid"))
    assert issues == []
    assert parsed(tmp_path, split="val")[0].images == ("valid/1.png",)


def test_an_image_without_annotation_file_is_ignored_by_name(root):
    usual(root, "a")
    (root / "JPEGImages/b.png").write_bytes(PNG)
    (root / "JPEGImages/._a.png").write_bytes(b"")
    _, issues = parsed(root)
    assert sorted(issue.source.removeprefix(f"{root}/JPEGImages/") for issue in issues) == ["._a.png", "b.png"]
    assert {issue.action for issue in issues} == {"ignored"}


def test_a_folder_that_is_no_voc_says_so(tmp_path):
    assert not is_voc(tmp_path)
    with pytest.raises(ImporterError, match="Expected a Pascal VOC folder: with Annotations"):
        parsed(tmp_path)
    with pytest.raises(ImporterError, match="does not exist"):
        parsed(tmp_path / "none")


@pytest.mark.real_data
def test_bccd_reads_as_counted(shared_data):
    found, issues = parsed(shared_data / "bccd/BCCD")
    counts = Counter(found.class_names[label] for label in found.labels)
    assert counts == {"RBC": 4155, "WBC": 372, "Platelets": 361}
    assert len(found) == 364
    pairs = zip(found.offsets[:-1], found.offsets[1:], strict=True)
    sets = Counter(tuple(sorted({found.class_names[label] for label in found.labels[a:b]})) for a, b in pairs)
    assert sets[("Platelets", "RBC", "WBC")] == 190
    assert sets[("RBC", "WBC")] == 154
    assert len(sets) == 7
    assert issues == []


@pytest.mark.real_data
def test_box_of_one_pixel_in_bccd_is_whole(shared_data):
    found, _ = parsed(shared_data / "bccd/BCCD")
    row = found.images.index("JPEGImages/BloodImage_00338.jpg")
    boxes = found.boxes_xywh[found.offsets[row] : found.offsets[row + 1]].tolist()
    assert [503, 336, 1, 1] in boxes  # xmin = xmax = 504, ymin = ymax = 337: one pixel
