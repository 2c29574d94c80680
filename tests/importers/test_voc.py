from __future__ import annotations

from collections import Counter

import pytest

from penstock.errors import ImporterError
from penstock.importers._report import IssueLog
from penstock.importers._voc import is_voc, parse_voc

OBJECT = "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"


@pytest.fixture
def root(tmp_path):
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def write(root, name, *objects, size="<size><width>64</width><height>48</height></size>"):
    body = "".join(OBJECT.format(*entry) for entry in objects)
    text = f"<annotation><filename>{name}.jpg</filename>{size}{body}</annotation>"
    (root / "Annotations" / f"{name}.xml").write_text(text)


def parsed(root, on_error="raise", **kwargs):
    log = IssueLog(on_error)
    return parse_voc(root, log, **kwargs), log.issues


def test_files_come_by_name_and_classes_by_first_appearance(root):
    write(root, "b", ("Cat", 1, 2, 11, 22))
    write(root, "a", ("Dog", 3, 4, 5, 10), ("Cat", 0, 0, 64, 48))
    found, issues = parsed(root)
    assert found.images == ("JPEGImages/a.jpg", "JPEGImages/b.jpg")
    assert found.class_names == ("Dog", "Cat")
    assert found.labels.tolist() == [0, 1, 1]
    assert found.boxes_xywh.tolist() == [[3, 4, 2, 6], [0, 0, 64, 48], [1, 2, 10, 20]]
    assert found.offsets.tolist() == [0, 2, 3]
    assert issues == []


def test_a_split_takes_its_names_in_its_order(root):
    for name in "abc":
        write(root, name)
    (root / "ImageSets/Main/val.txt").write_text("c\na 1\n")
    assert parsed(root, split="val")[0].images == ("JPEGImages/c.jpg", "JPEGImages/a.jpg")
    with pytest.raises(ImporterError, match=r"no split 'vol'.*the splits are val"):
        parsed(root, split="vol")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<annotation>", "cannot be read as XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>', "cannot be read as XML"),
        ("<annotation></annotation>", "no filename"),
        ("<annotation><filename>a.jpg</filename><object><name>x</name></object></annotation>", "no bndbox/xmin"),
        ("<annotation><filename>a.jpg</filename>" + OBJECT.format("x", "one", 2, 3, 4) + "</annotation>", "'one'"),
    ],
    ids=["cut", "entity", "no file name", "no box", "no number"],
)
def test_a_broken_file_raises_or_is_left_out(root, text, said):
    write(root, "a", ("Dog", 3, 4, 5, 10))
    (root / "Annotations/b.xml").write_text(text)
    with pytest.raises(ImporterError, match=r"b.xml") as caught:
        parsed(root)
    assert said in str(caught.value)
    found, issues = parsed(root, "skip")
    assert found.images == ("JPEGImages/a.jpg",)
    assert [issue.source for issue in issues] == ["b.xml"]


def test_an_image_that_was_renamed_is_found_by_the_annotation(root):
    write(root, "a [1]")
    (root / "JPEGImages/a [1].png").write_bytes(b"")
    assert parsed(root)[0].images == ("JPEGImages/a [1].png",)


def test_the_other_usual_layout_is_read_as_well(tmp_path):
    for folder in ("Annotations", "images"):
        (tmp_path / folder).mkdir()
    write(tmp_path, "a", ("Dog", 3, 4, 5, 10))
    assert not is_voc(tmp_path)
    (tmp_path / "Annotations").rename(tmp_path / "annotations")
    assert parsed(tmp_path)[0].images == ("images/a.jpg",)


def test_an_unknown_image_size_bounds_nothing(root):
    write(root, "a", ("Dog", 3, 4, 500, 1000), size="")
    assert parsed(root)[0].boxes_xywh.tolist() == [[3, 4, 497, 996]]


def test_a_folder_that_is_no_voc_says_so(tmp_path):
    assert not is_voc(tmp_path)
    with pytest.raises(ImporterError, match="expected Annotations with XML files and JPEGImages"):
        parsed(tmp_path)


@pytest.mark.real_data
def test_bccd_reads_as_counted_and_its_two_empty_boxes_are_widened(shared_data):
    found, issues = parsed(shared_data / "bccd/BCCD")
    counts = Counter(found.class_names[label] for label in found.labels)
    assert counts == {"RBC": 4155, "WBC": 372, "Platelets": 361}
    assert len(found) == 364
    pairs = zip(found.offsets[:-1], found.offsets[1:], strict=True)
    sets = Counter(tuple(sorted({found.class_names[label] for label in found.labels[a:b]})) for a, b in pairs)
    assert sets[("Platelets", "RBC", "WBC")] == 190
    assert sets[("RBC", "WBC")] == 154
    assert len(sets) == 7
    assert [issue.source.split(",")[0] for issue in issues] == ["BloodImage_00338.xml", "BloodImage_00343.xml"]
    assert "[504, 337, 0, 0] has no area, widened to [504, 337, 1, 1]" in issues[0].problem
