from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import time

import numpy as np
import pandas as pd
import pytest

from penstock.errors import ImporterError, PenstockError
from penstock.importers import from_table, import_report
from penstock.importers.columns._table import parse_labels, read_table, table_column
from penstock.tensors import HTYPES, encode_image

PNG = encode_image(np.full((4, 5, 3), 90, np.uint8), "png")
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


def test_cells_without_text_have_no_label():
    assert rows(["a", None, "", float("nan"), "|"]) == [["a"], [], [], [], []]


def test_names_that_are_renamed_alike_are_one():
    assert rows(["Infiltrate", "Infiltration|Infiltrate"], rename={"Infiltrate": "Infiltration"}) == [
        ["Infiltration"],
        ["Infiltration"],
    ]


def test_given_class_names_fix_the_index():
    assert rows(["a", "b"], class_names=["b", "a"]) == [["a"], ["b"]]
    assert parse_labels(pd.Series(["a", "b"]), class_names=["b", "a"]).row(0).tolist() == [1]


def test_a_name_beside_given_class_names_is_refused():
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
    with pytest.raises(ImporterError, match="does not exist"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(ImporterError, match="Expected a pandas DataFrame"):
        read_table(42)


def made(table, wanted, tmp_path, **options):
    return from_table(table, tmp_path / "out", tensors=wanted, progress=False, **options)


def named(ds, name):
    names = ds[name].info.class_names
    return [[names[label] for label in row] for row in ds[name].numpy(aslist=True)]


def csv(tmp_path, text):
    (tmp_path / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return tmp_path / "t.csv"


@pytest.mark.parametrize(
    "cells",
    [
        [["a1", "a2"], ["a1"], []],
        [("a1", "a2"), ("a1",), None],
        [{"a1", "a2"}, {"a1"}, set()],
        [np.array(["a1", "a2"]), np.array(["a1"]), np.array([], "U1")],
    ],
    ids=["list", "tuple", "set", "array"],
)
def test_cells_may_be_lists_of_names(tmp_path, cells):
    ds = made(pd.DataFrame({"tags": cells}), {"labels": "tags"}, tmp_path)
    assert named(ds, "labels") == [["a1", "a2"], ["a1"], []]


def test_names_in_lists_are_not_split():
    assert rows([["a|b"], ["c"]]) == [["a|b"], ["c"]]


@pytest.mark.parametrize("cells", [[{"a": 1}, "b"], [b"a", "b"], [["a", ["b"]], "c"], [[True, False], "c"]])
def test_a_cell_that_is_no_label_is_refused_alone(tmp_path, cells):
    table = pd.DataFrame({"x": cells})
    with pytest.raises(ImporterError, match=r"row 0: column 'x' has .* Expected class names"):
        made(table, {"labels": ("x", "class_label")}, tmp_path)
    ds = made(table, {"labels": ("x", "class_label")}, tmp_path, on_error="skip")
    assert len(ds) == 1


def test_a_name_that_is_no_class_is_refused_alone(tmp_path):
    table = pd.DataFrame({"x": ["a", "Hernai", "b|a"]})
    ds = made(table, {"labels": "x"}, tmp_path, class_names=["a", "b", "Hernia"], on_error="skip")
    assert named(ds, "labels") == [["a"], ["a", "b"]]
    assert "did you mean" not in import_report(ds).rejected[0].problem
    assert "has 'Hernai'" in import_report(ds).rejected[0].problem


@pytest.mark.parametrize("names", [["None", "Scratch", "NA", "null", "n/a", "nan", "NaN", "<NA>"]])
def test_names_of_a_csv_that_pandas_takes_for_missing_stay(tmp_path, names):
    ds = made(
        csv(tmp_path, "Label,x\n" + "".join(f"{name},1\n" for name in names) + ",1\n"), {"labels": "Label"}, tmp_path
    )
    assert named(ds, "labels") == [[name] for name in names] + [[]]


def test_numbers_of_a_csv_are_typed(tmp_path):
    text = "age,size,ok,id,big,huge,note\n61,1.5,True,007,9223372036854775808,99999999999999999999,\nNA,nan,,008,1,1,\n"
    wanted = {name: name for name in ("age", "size", "ok", "big")}
    ds = made(csv(tmp_path, text), wanted | {"id": ("id", "text"), "huge": ("huge", "text")}, tmp_path)
    assert [ds.age[0].numpy().tolist(), ds.age[1].numpy().size] == [61, 0]
    assert ds.size[0].numpy().tolist() == 1.5
    assert np.isnan(ds.size[1].numpy())
    assert [ds.ok[0].numpy().tolist(), ds.ok[1].numpy().size] == [True, 0]
    assert ds.big[0].numpy().tolist() == 2**63
    assert [ds[row].id.data()["value"] for row in range(2)] == ["007", "008"]
    assert ds[0].huge.data()["value"] == "99999999999999999999"


def test_a_column_with_leading_zeros_or_too_many_digits_is_text(tmp_path):
    ds = made(csv(tmp_path, "id,huge\n007,99999999999999999999\n1,2\n"), {"i": "id", "h": "huge"}, tmp_path)
    assert named(ds, "i") == [["007"], ["1"]]
    assert named(ds, "h") == [["99999999999999999999"], ["2"]]


@pytest.mark.parametrize("name", ["00012", "00012.png", "deep/00012", "deep\\00012.png"])
def test_images_are_found_by_the_name_as_it_is_written(tmp_path, name):
    (tmp_path / "img/deep").mkdir(parents=True)
    (tmp_path / "img/deep/00012.png").write_bytes(PNG)
    (tmp_path / "img/deep/._00012.png").write_bytes(b"")
    table = csv(tmp_path, f"id,label\n{name},cat\n")
    ds = made(table, {"label": "label"}, tmp_path, images="id", image_root=tmp_path / "img")
    assert ds.images[0].numpy().shape == (4, 5, 3)


def test_images_are_found_by_number_or_bytes(tmp_path):
    (tmp_path / "12.png").write_bytes(PNG)
    table = pd.DataFrame({"id": [12.0, np.nan, {"bytes": PNG, "path": None}, PNG], "x": [1, 2, 3, 4]})
    ds = made(table, {"x": "x"}, tmp_path, images="id", image_root=tmp_path, on_error="skip")
    assert ds.x.numpy().tolist() == [1, 3, 4]


@pytest.mark.parametrize(
    "series",
    [
        pd.Series([61, None, 33], dtype="Int64"),
        pd.Series([61, None, 33], dtype="UInt8"),
        pd.Series([61, None, 33], dtype=object),
        pd.Series([61, None, 33], dtype="Float32"),
    ],
    ids=["Int64", "UInt8", "object", "Float32"],
)
def test_a_missing_number_is_an_empty_sample(tmp_path, series):
    ds = made(pd.DataFrame({"age": series}), {"age": "age"}, tmp_path)
    assert [sample.tolist() for sample in ds.age.numpy(aslist=True)] in (
        [61, [], 33],
        [[61], [], [33]],
        [61.0, [], 33.0],
    )


@pytest.mark.parametrize(
    ("cells", "htype", "first"),
    [
        (pd.to_datetime(["2020-01-02 03:04", None]), "text", "2020-01-02T03:04:00"),
        (pd.to_datetime(["2020-01-02"]).tz_localize("UTC"), "text", "2020-01-02T00:00:00+00:00"),
        (pd.to_timedelta(["1 min", None]), "generic", 60.0),
        ([decimal.Decimal("1.50"), None], "generic", 1.5),
        (
            [{"a": [1, decimal.Decimal("0.5")], "t": dt.date(2020, 1, 2)}],
            "json",
            {"a": [1, 0.5], "t": "2020-01-02"},
        ),
        ([[1, 2], [3]], "generic", [1, 2]),
        (pd.arrays.SparseArray([1, 0]), "generic", 1),
        (pd.period_range("2020-01", periods=1, freq="M"), "text", "2020-01"),
        ([True, None], "generic", True),
        ([2**70, None], "class_label", [0]),
    ],
    ids=["time", "time zone", "duration", "decimal", "dictionary", "lists", "sparse", "period", "bool", "huge"],
)
def test_cells_become_the_tensor_that_holds_them(tmp_path, cells, htype, first):
    ds = made(pd.DataFrame({"x": cells}), {"x": "x"}, tmp_path)
    assert ds.x.htype == htype
    value = ds.x[0].data()["value"] if htype in ("text", "json") else ds.x[0].numpy().tolist()
    assert value == first


def test_text_of_a_column_of_numbers_has_no_point(tmp_path):
    ds = made(pd.DataFrame({"id": [12.0, None]}), {"id": ("id", "text")}, tmp_path)
    assert ds[0].id.data()["value"] == "12"


@pytest.mark.parametrize(
    "cells",
    [[1.0, np.nan, -1.0, 0.0], ["1", "", "-1", "0"], ["1.0", "", "-1.0", "0.0"]],
    ids=["floats", "text", "text with points"],
)
def test_numbers_that_are_not_names_are_indices(tmp_path, cells):
    ds = made(pd.DataFrame({"x": cells}), {"labels": "x"}, tmp_path, class_names=["cat", "dog"])
    assert named(ds, "labels") == [["dog"], [], [], ["cat"]]
    assert [str(issue) for issue in import_report(ds).issues] == ["noted: labels: -1 in 1 sample, treated as no label"]


def test_numbers_that_are_names_are_names():
    assert rows([1, 2, 1.0], class_names=["2", "1"]) == [["1"], ["2"], ["1"]]
    assert rows([1, -1]) == [["1"], ["-1"]]
    with pytest.raises(ImporterError, match="has '7'"):
        rows([7], class_names=["cat", "dog"])


def test_lists_with_a_number_for_each_class_are_refused():
    with pytest.raises(ImporterError, match="one number for each of 3 classes"):
        rows([[0, 1, 0], [1, 0, 0]], class_names=["a", "b", "c"])


def test_class_names_in_a_sequence_are_of_the_label_columns_alone(tmp_path):
    table = pd.DataFrame({"x": ["a"], "age": [3]})
    ds = made(table, {"labels": "x", "age": "age"}, tmp_path, class_names=["b", "a"])
    assert (ds.labels.info.class_names, ds.age.htype) == (["b", "a"], "generic")


def test_a_rename_that_meets_no_cell_is_noted(tmp_path):
    ds = made(pd.DataFrame({"x": ["a"]}), {"labels": "x"}, tmp_path, rename={"b": "c"})
    assert [issue.action for issue in import_report(ds).issues] == ["noted"]


def test_boxes_of_a_table_are_repaired(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    table = pd.DataFrame({"file": ["a.png"], "boxes": [[[3, 1, 9, 2], [1, 1, -1, 1]]]})
    wanted = {"boxes": ("boxes", "bbox")}
    ds = made(table, wanted, tmp_path, images="file", image_root=tmp_path, on_error="skip")
    assert ds.boxes[0].numpy().tolist() == [[3, 1, 2, 2]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tensors": {"x": ["a", "b"]}}, "Expected a column, or a column and an htype"),
        ({"tensors": {"x": ("a", "b", "c")}}, "Expected a column, or a column and an htype"),
        ({"tensors": {"x": ("a", "txt")}}, "did you mean 'text'"),
        ({"tensors": {"x": 5}}, "5 is not a column"),
        ({"tensors": "a"}, "Expected a mapping"),
        ({"tensors": {1: "a"}}, "Expected a mapping"),
        ({"tensors": {"x": "a"}, "separator": 5}, "separator=5 is not valid"),
        ({"tensors": {"x": "a"}, "rename": ["a"]}, "rename="),
        ({"tensors": {"x": "a"}, "rename": {"a": 1}}, "rename="),
        ({"tensors": {"x": "a"}, "class_names": "ab"}, "Expected a list of names"),
        ({"tensors": {"x": "a"}, "class_names": {"y": ["b"]}}, "class_names contains 'y'"),
        ({"tensors": {"x": "a"}, "image_root": "."}, "without images"),
        ({"tensors": {"x": "a"}, "images": "b"}, "'b' is not a column"),
        ({"tensors": {"x": "a"}, "num_workers": "2"}, "num_workers='2' is not valid"),
        ({"tensors": {"x": ("a", "generic")}}, "has 'u', string. Expected numbers"),
        ({"tensors": {"x": "a"}, "images": "a", "image_root": "nowhere"}, "does not exist"),
    ],
)
def test_wrong_options_are_refused(tmp_path, options, said):
    with pytest.raises(ImporterError, match=said):
        from_table(pd.DataFrame({"a": ["u"]}), tmp_path / "out", progress=False, **options)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2,3\n", "more cells than the header"),
        ("a\nmü\n".encode("latin-1"), "is not UTF-8"),
        (b"\x00\x01\x02", r"Expected one of: '.x00"),
    ],
    ids=["ragged", "latin", "binary"],
)
def test_a_csv_that_loses_something_is_refused(tmp_path, content, said):
    with pytest.raises(ImporterError, match=said):
        made(csv(tmp_path, content), {"x": "a"}, tmp_path)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    assert list(read_table(csv(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n")).columns) == ["a", "b"]


def test_a_file_that_pandas_reads_otherwise_says_how(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(ImporterError, match="read_parquet"):
        read_table(tmp_path / "t.parquet")


ODD_CELLS = {
    "objects": [object(), object()],
    "mixed": [1, "a"],
    "mixed lists": [[1, "a"], [None]],
    "bytes": [b"a", b"b"],
    "complex": [1j, 2j],
    "surrogates": ["\ud800", "a"],
    "all missing": [None, float("nan")],
    "types": [int, str],
    "frames": [pd.DataFrame({"a": [1]}), None],
    "infinite": [float("inf"), 1.0],
    "nested": [[[1], [2, 3]], []],
    "unicode": ["é|ü", "日本"],
    "blank": [" ", "|"],
}


@pytest.mark.parametrize("kind", ODD_CELLS)
@pytest.mark.parametrize("htype", [None, *HTYPES])
def test_odd_cells_never_raise_an_error_of_another_kind(tmp_path, kind, htype):
    table = pd.DataFrame({"x": pd.Series(ODD_CELLS[kind], dtype=object)})
    with contextlib.suppress(PenstockError):
        made(table, {"t": "x" if htype is None else ("x", htype)}, tmp_path, on_error="skip")


@pytest.mark.real_data
def test_nih_reads_as_counted_in_seconds(shared_data):
    start = time.process_time()
    table = read_table(shared_data / NIH)
    found = parse_labels(table_column(table, "Finding Labels"), rename={"Infiltrate": "Infiltration"})
    assert time.process_time() - start < 20
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
