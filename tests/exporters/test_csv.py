from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import penstock
from penstock.errors import ExportError

CELLS = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), max_size=5),
    st.sampled_from(["", "007", "1.50", "1", "NA", "true", " a ", "a|b", "b|a", "a|a", '"q"', "1e3", "None", "ä"]),
)


def text_of(header, rows):
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    return stream.getvalue()


def imported(text, folder, **options):
    (folder / "in.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    return penstock.from_table(folder / "in.csv", folder / "ds", progress=False, **options)


def exported(source, path):
    report = penstock.to_csv(source, path, progress=False)
    return path.read_bytes().decode(), report


@pytest.mark.slow
@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=5))
def test_all_cells_come_back(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("csv")
    rows = [["x", *row] for row in rows]  # a line with empty cells alone is a blank line
    text = text_of(["id", "a b", "Label", "[c"], rows)
    ds = imported(text, folder, tensors={"labels": "Label"})
    assert exported(ds, folder / "out.csv")[0] == text


TABLE = text_of(
    ["Image Index", "Finding Labels", "Age", "Weight", "Seen", "note"],
    [
        ["a.png", "Mass|Edema", "007", "1.50", "true", ""],
        ["b.png", "Edema|Mass|Mass", "12", "2", "", "two\nlines"],
        ["c.png", "", "3", "NA", "FALSE", 'say "hi", bye'],
    ],
)


@pytest.fixture
def ds(tmp_path):
    return imported(TABLE, tmp_path, tensors={"findings": "Finding Labels"})


def test_every_column_is_kept(ds):
    assert {name: tensor.htype for name, tensor in ds.tensors.items()} == {
        "findings": "class_label",
        "Image Index": "text",
        "Age": "text",
        "Weight": "generic",
        "Seen": "generic",
        "note": "text",
        "cells_as_written": "json",
    }


def test_only_the_named_columns_are_kept_when_the_caller_says_so(tmp_path):
    ds = imported(TABLE, tmp_path, tensors={"findings": "Finding Labels"}, keep=False)
    assert list(ds.tensors) == ["findings"]


def test_a_table_comes_back(ds, tmp_path):
    text, report = exported(ds, tmp_path / "out.csv")
    assert text == TABLE
    assert (report.num_samples, report.num_objects, report.issues) == (3, 0, ())


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        (lambda ds: ds.findings.__setitem__(1, ["Edema"]), "Edema|Mass|Mass", "Edema"),
        (lambda ds: ds.findings.__setitem__(2, ["Mass"]), "c.png,,", "c.png,Mass,"),
        (lambda ds: ds["Weight"].__setitem__(0, 1.75), "1.50", "1.75"),
        (lambda ds: ds["Weight"].__setitem__(2, 4.0), "NA", "4.0"),
        (lambda ds: ds["note"].__setitem__(0, "x"), "1.50,true,\n", "1.50,true,x\n"),
        (lambda ds: ds.findings.rename_class("Mass", "Lump"), "Mass", "Lump"),
    ],
    ids=["labels", "empty labels", "number", "missing number", "text", "renamed class"],
)
def test_an_edit_changes_its_cells_alone(ds, tmp_path, edit, old, new):
    edit(ds)
    text = exported(ds, tmp_path / "out.csv")[0]
    expected = TABLE.replace(old, new)
    assert text == (expected.replace("Edema|Lump|Lump", "Lump|Edema") if new == "Lump" else expected)


@pytest.mark.parametrize(
    "content",
    [
        TABLE.replace("\n", "\r\n").replace('"two\r\nlines"', "two").encode(),
        b"\xef\xbb\xbf" + TABLE.encode(),
        TABLE.replace("Age", "note").encode(),
    ],
    ids=["CR LF", "byte order mark", "a name twice"],
)
def test_files_of_other_forms_come_back(tmp_path, content):
    ds = imported(content, tmp_path, tensors={"findings": "Finding Labels"})
    penstock.to_csv(ds, tmp_path / "out.csv", progress=False)
    assert (tmp_path / "out.csv").read_bytes() == content


def test_a_tensor_that_is_new_is_a_column_at_the_end_and_one_that_is_gone_is_not_written(ds, tmp_path):
    ds.create_tensor("score", htype="generic", dtype="float32")
    ds.score[0] = 0.1
    ds.delete_tensor("Age")
    text = exported(ds, tmp_path / "out.csv")[0]
    found = list(csv.reader(io.StringIO(text)))
    assert found[0] == ["Image Index", "Finding Labels", "Weight", "Seen", "note", "score"]
    assert [row[-1] for row in found[1:]] == ["0.1", "", ""]


def test_a_second_tensor_of_a_column_is_no_second_column(tmp_path):
    ds = imported("a,b\nx,1\n", tmp_path, tensors={"labels": "a", "words": ("a", "text")})
    text, report = exported(ds, tmp_path / "out.csv")
    assert text == "a,b\nx,1\n"
    assert report.issues == ("the tensor 'words' is not part of a CSV file",)


def test_a_data_frame_comes_back_as_text(tmp_path):
    frame = pd.DataFrame({"labels": ["a", None], "n": [1, 2], "x": [0.5, np.nan], "list": [[1, 2], [3]]})
    ds = penstock.from_table(frame, tmp_path / "ds", tensors={"labels": "labels"}, progress=False)
    assert exported(ds, tmp_path / "out.csv")[0] == 'labels,n,x,list\na,1,0.5,"[1, 2]"\n,2,,[3]\n'


def test_boxes_have_a_row_for_each_object(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("images", htype="image")
    ds.create_tensor("boxes", htype="bbox")
    ds.create_tensor("categories", htype="class_label", class_names=["cat", "dog"], aligned_with="boxes")
    ds.create_tensor("area", htype="generic", dtype="float32", aligned_with="boxes")
    ds.create_tensor("file", htype="text")
    ds.append(
        {"images": None, "boxes": [[1, 2, 3.5, 4], [5, 6, 7, 8]], "categories": [1, 0], "area": [1, 2], "file": "a"}
    )
    ds.append({"images": None, "boxes": [], "categories": [], "area": [], "file": "b"})
    text, report = exported(ds, tmp_path / "out.csv")
    assert text.splitlines() == [
        "file,categories,left,top,width,height,area",
        "a,dog,1,2,3.5,4,1.0",
        "a,cat,5,6,7,8,2.0",
        "b,,,,,,",
    ]
    assert (report.num_objects, report.issues) == (2, ("the tensor 'images' is not part of a CSV file",))


@pytest.mark.parametrize("name", ["out", "out.json", "out.csv.gz"])
def test_other_names_of_files_are_refused(ds, tmp_path, name):
    with pytest.raises(ExportError, match=r"Expected a \.csv or \.tsv file"):
        penstock.to_csv(ds, tmp_path / name, progress=False)


@pytest.mark.real_data
@pytest.mark.slow
def test_the_boxes_of_bccd_in_a_table_come_back(shared_data, tmp_path):
    source = shared_data / "bccd/test.csv"
    ds = penstock.from_table(source, tmp_path / "ds", tensors={"labels": "cell_type"}, progress=False)
    penstock.to_csv(ds, tmp_path / "out.csv", progress=False)
    assert (tmp_path / "out.csv").read_bytes() == source.read_bytes()
