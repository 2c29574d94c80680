from __future__ import annotations

import datetime as dt
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock
from penstock.dataset.shown._log import Log
from penstock.dataset.shown._report import Problem, Report
from penstock.dataset.shown._show import html_table, text_table
from penstock.storage import Commit

CELLS = st.text(
    st.characters(exclude_categories=["Cn", "Co"]), max_size=9
)  # what later versions of Unicode assign is shown
HOSTILE = "<b>\x1b[2J\n&"


def commits(count: int) -> list[Commit]:
    start = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    return [
        Commit(
            id=f"{number:024x}",
            version=number,
            branch=None,
            message=f"commit {number}",
            author="me",
            time=start,
            parent=None,
        )
        for number in range(count)
    ]


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_text_table_has_a_line_per_row(rows):
    lines = text_table(("a", "b"), rows).split("\n")
    assert len(lines) == 2 + len(rows)
    assert not [character for line in lines for character in line if unicodedata.category(character) == "Cc"]


def test_text_table_is_aligned():
    assert text_table(("name", "n"), [("a", "12"), ("longer", "3")]).split("\n") == [
        "name    n",
        "──────  ──",
        "a       12",
        "longer  3",
    ]


def test_html_table_has_no_markup_of_its_cells():
    found = html_table(("head",), [(HOSTILE,)])
    assert "<b>" not in found
    assert "&lt;b&gt;" in found
    assert "\x1b" not in found


def test_log_counts_from_the_newest():
    log = Log(commits(3))
    assert (len(log), log[0].message, log[-1].message) == (3, "commit 0", "commit 2")
    assert [commit.message for commit in log] == ["commit 0", "commit 1", "commit 2"]


def test_part_of_a_log_is_a_log():
    part = Log(commits(3))[1:]
    assert isinstance(part, Log)
    assert [commit.message for commit in part] == ["commit 1", "commit 2"]


def test_log_as_pandas_has_its_columns():
    frame = Log(commits(2)).to_pandas()
    assert frame.columns.tolist() == ["id", "time", "author", "message"]
    assert frame["message"].tolist() == ["commit 0", "commit 1"]


def test_empty_log_says_so():
    assert repr(Log([])) == "no commits yet"
    assert "no commits yet" in Log([])._repr_html_()


def test_log_in_a_notebook_has_a_row_per_commit():
    assert Log(commits(3))._repr_html_().count("<tr>") == 4


def test_report_counts_its_problems():
    report = Report(problems=(Problem(tensor="images", row=1234, reason="gone"),), num_samples=5000)
    assert not report.ok
    assert repr(report).split("\n")[0] == "5,000 samples read, 1 with problems"
    assert report.to_pandas().values.tolist() == [["images", 1234, "gone"]]


def test_report_of_a_whole_tensor_names_no_sample():
    report = Report(problems=(Problem(tensor="images", row=None, reason="gone"),), num_samples=1)
    assert report._rows() == [("images", "", "gone")]


def test_report_without_problems_is_one_line():
    report = Report(problems=(), num_samples=3)
    assert report.ok
    assert repr(report) == "3 samples read, 0 with problems"
    assert report._repr_html_() == "<div>3 samples read, 0 with problems</div>"


@pytest.fixture
def ds(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("images", htype="image")
    ds.create_tensor("boxes", htype="bbox")
    ds.create_tensor("labels", htype="class_label", class_names=["cat", HOSTILE])
    ds.create_tensor("area", aligned_with="boxes")
    for side in (2, 5):
        ds.append({"images": np.zeros((side, 4, 3), np.uint8), "boxes": [[0, 0, 1, 1]], "labels": [0], "area": [1.0]})
    ds.commit("two")
    return ds


def test_summary_shows_ranges_where_samples_differ(ds, capsys):
    ds.summary()
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert "(2, 2–5, 4, 3)" in lines["images"]
    assert "(2, 1, 4)" in lines["boxes"]


def test_summary_of_an_empty_view_has_zeros(ds, capsys):
    ds[0:0].summary()
    assert "(0, 0, 0, 0)" in capsys.readouterr().out


def test_summary_names_what_a_tensor_is_aligned_with(ds, capsys):
    ds.summary()
    assert "aligned with boxes" in capsys.readouterr().out


def test_summary_of_images_without_recorded_shapes_decodes_nothing(tmp_path, capsys):
    ds = penstock.empty(tmp_path / "other")
    ds.create_tensor("images", htype="image", create_shape_tensor=False)
    ds.append({"images": np.zeros((2, 2, 3), np.uint8)})
    ds.summary()
    assert "(1, …)" in capsys.readouterr().out


def test_difference_shows_eight_rows_of_many(ds):
    for _ in range(9):
        ds.append({"images": None, "boxes": None, "labels": None, "area": None})
    assert "9        2, 3, 4, 5, 6, 7, 8, 9, …" in repr(ds.diff())


def test_difference_names_classes_that_came_with_those_that_went(ds):
    ds.labels.rename_class("cat", "kitten")
    assert "+kitten -cat" in repr(ds.diff())


def test_difference_names_an_alignment(tmp_path):
    ds = penstock.empty(tmp_path / "other")
    for name in ("boxes", "area"):
        ds.create_tensor(name, htype="bbox" if name == "boxes" else "generic", dtype="float32")
    ds.commit("alone")
    ds.align("boxes", "area")
    assert "aligned: area" in repr(ds.diff())
    assert "with boxes" in repr(ds.diff())


def test_no_difference_is_said_in_text_or_html(ds):
    assert repr(ds.diff()).endswith("no difference")
    assert "no difference" in ds.diff()._repr_html_()


def test_difference_in_a_notebook_has_no_markup_of_class_names(ds):
    ds.labels.rename_class("cat", "<script>")
    assert "<script>" not in ds.diff()._repr_html_()
