from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from penstock.errors import ImporterError
from penstock.importers._table import parse_labels, read_table, table_column

NIH = "nih/Data_Entry_2017_v2020.csv.gz"
NIH_COUNTS = {
    "No Finding": 60361,
    "Infiltration": 19894,
    "Effusion": 13317,
    "Atelectasis": 11559,
    "Nodule": 6331,
    "Mass": 5782,
    "Pneumothorax": 5302,
    "Consolidation": 4667,
    "Pleural_Thickening": 3385,
    "Cardiomegaly": 2776,
    "Emphysema": 2516,
    "Edema": 2303,
    "Fibrosis": 1686,
    "Pneumonia": 1431,
    "Hernia": 227,
}


def rows(cells, **kwargs):
    found = parse_labels(pd.Series(cells, name="c"), **kwargs)
    return [[found.class_names[label] for label in found.row(row)] for row in range(len(found))]


def test_cells_split_into_names_in_order_of_first_appearance():
    found = parse_labels(pd.Series(["b|a", "a", "c"]))
    assert found.class_names == ("b", "a", "c")
    assert rows(["b|a", "a", "c"]) == [["b", "a"], ["a"], ["c"]]


def test_cells_with_the_same_names_are_equal_however_they_list_them():
    assert rows(["a", "b", "b|a", "a| b", "a|b|a"])[2:] == [["a", "b"]] * 3


def test_missing_and_empty_cells_have_no_label():
    assert rows(["a", None, "", float("nan"), "|"]) == [["a"], [], [], [], []]


def test_names_are_renamed_and_merged():
    assert rows(["Infiltrate", "Infiltration|Infiltrate"], rename={"Infiltrate": "Infiltration"}) == [
        ["Infiltration"],
        ["Infiltration"],
    ]


def test_given_class_names_fix_the_index_and_refuse_others():
    assert rows(["a", "b"], class_names=["b", "a"]) == [["a"], ["b"]]
    assert parse_labels(pd.Series(["a", "b"]), class_names=["b", "a"]).row(0).tolist() == [1]
    with pytest.raises(ImporterError, match="did you mean 'Hernia'"):
        parse_labels(pd.Series(["Hernai"]), class_names=["Mass", "Hernia"])


def test_a_categorical_column_brings_its_order():
    cells = pd.Series(pd.Categorical(["x", "y"], categories=["z", "y", "x"]))
    found = parse_labels(cells)
    assert found.class_names == ("z", "y", "x")
    assert [found.row(0).tolist(), found.row(1).tolist()] == [[2], [1]]


def test_a_column_of_free_text_is_refused_with_the_way_out():
    with pytest.raises(ImporterError, match=r"\('c', 'text'\)"):
        rows([f"note {number}" for number in range(10_001)])


def test_an_unknown_column_gets_the_nearest():
    with pytest.raises(ImporterError, match="did you mean 'Finding Labels'"):
        table_column(pd.DataFrame({"Finding Labels": ["a"]}), "finding label")


@pytest.mark.parametrize("content", ["", 'a,b\n"1,2'], ids=["empty", "open quote"])
def test_a_broken_csv_says_so(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(ImporterError, match="cannot be read as CSV"):
        read_table(path)
    with pytest.raises(ImporterError, match="no table"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(ImporterError, match="expected a pandas DataFrame"):
        read_table(42)


@pytest.mark.real_data
def test_nih_reads_as_counted_in_seconds(shared_data):
    start = time.perf_counter()
    table = read_table(shared_data / NIH)
    found = parse_labels(table_column(table, "Finding Labels"), rename={"Infiltrate": "Infiltration"})
    assert time.perf_counter() - start < 20
    counts = np.bincount(found.values, minlength=15)
    assert dict(zip(found.class_names, counts.tolist(), strict=True)) == NIH_COUNTS
    assert len(found) == 112_120
    assert table["Finding Labels"].nunique() == 836
    assert len({tuple(found.row(row)) for row in range(len(found))}) == 801


@pytest.mark.real_data
def test_the_box_file_reads_in_spite_of_its_split_header(shared_data):
    table = read_table(shared_data / "nih/BBox_List_2017.csv")
    labels = parse_labels(table_column(table, "Finding Label"), rename={"Infiltrate": "Infiltration"})
    counts = np.bincount(labels.values)
    assert (len(table), counts[labels.class_names.index("Infiltration")]) == (984, 123)
