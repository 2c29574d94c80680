"""Columns that are taken many rows at a time store what they store when each row is looked at by itself."""

from __future__ import annotations

import decimal

import numpy as np
import pandas as pd
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import ImporterError
from penstock.importers import from_arrays, from_table, import_report
from penstock.importers.building import _write as writing
from penstock.importers.building._packing import packed
from penstock.importers.columns._array_labels import array_labels
from penstock.importers.columns._cells import read_cells
from penstock.importers.columns._csv import typed
from penstock.storage import UID

QUIET = {"progress": False}
ROWS = 700


def stored(ds):
    """The columns as they are in the files, NULL and empty told apart."""
    snapshot = content_of(ds).table.stored.snapshot
    names = sorted(name for name in snapshot.columns if name not in (UID, "_spare"))
    return {name: snapshot.read([name])[name].to_pylist() for name in names}


def specs(ds):
    return dict(content_of(ds).table.stored.specs)


@pytest.fixture
def row_by_row(monkeypatch):
    """Let importers look at each row by itself, as they do where one may not be valid."""

    def make(importer, *args, **options):
        with monkeypatch.context() as patch:
            patch.setattr(writing, "rows_at_once", lambda _, otherwise: otherwise)
            return importer(*args, **options)

    return make


def missing(values, share=7):
    return [None if row % share == 0 else value for row, value in enumerate(values)]


RNG = np.random.default_rng(0)
LABELS = {
    "by_index": RNG.integers(0, 5, ROWS),
    "small_indices": RNG.integers(0, 5, ROWS).astype(np.uint8),
    "some_without": RNG.integers(-1, 5, ROWS),
    "a_column": RNG.integers(0, 5, (ROWS, 1)),
    "names": RNG.choice(["cat", "dog", "größer"], ROWS).tolist(),
    "array_of_names": RNG.choice(["cat", "dog"], ROWS),
    "lists_of_names": [["cat"] * (row % 3) for row in range(ROWS)],
    "matrix_of_bool": RNG.random((ROWS, 4)) < 0.4,
}
NUMBERS = {
    "score": np.where(np.arange(ROWS) % 9, RNG.random(ROWS), np.nan),
    "float32": RNG.random(ROWS).astype(np.float32),
    "age": RNG.integers(-9, 9, ROWS).astype(np.int16),
    "large": RNG.integers(0, 9, ROWS).astype(np.uint64) + np.uint64(2**63),
    "seen": RNG.random(ROWS) < 0.5,
    "integers_and_none": missing(RNG.integers(0, 9, ROWS).tolist()),
    "floats_and_none": missing(RNG.random(ROWS).tolist()),
    "vector": RNG.random((ROWS, 3)),
    "matrix": RNG.integers(0, 9, (ROWS, 2, 3)),
    "note": missing([f"row {row}" for row in range(ROWS)]),
    "beyond_ascii": [f"größe {row} 猫" for row in range(ROWS)],
    "at": pd.date_range("2026-01-01", periods=ROWS, freq="h"),
}
LOOKED_AT = {
    "mixed": [row if row % 2 else row + 0.5 for row in range(ROWS)],
    "more": [{"row": row} for row in range(ROWS)],
}


@pytest.mark.parametrize("columns", [LABELS, NUMBERS, LOOKED_AT], ids=["labels", "numbers", "looked at"])
def test_arrays_store_what_they_store_row_by_row(tmp_path, row_by_row, columns):
    htypes = dict.fromkeys(columns, "class_label") if columns is LABELS else None
    many = from_arrays(columns, tmp_path / "many", htypes=htypes, **QUIET)
    each = row_by_row(from_arrays, columns, tmp_path / "each", htypes=htypes, **QUIET)
    assert repr(stored(many)) == repr(stored(each))  # as text: NaN is unlike itself
    assert specs(many) == specs(each)


def test_a_table_stores_what_it_stores_row_by_row(tmp_path, row_by_row):
    frame = pd.DataFrame(
        {
            "labels": [("Mass|Hernia", "Edema", "", None)[row % 4] for row in range(ROWS)],
            "age": pd.array(missing(list(range(ROWS))), dtype="Int64"),
            "score": RNG.random(ROWS),
            "kind": pd.Categorical([("b", "a")[row % 2] for row in range(ROWS)]),
            "file": [f"{row}.png" for row in range(ROWS)],
        }
    )
    options = {"tensors": {"labels": "labels", "kind": "kind"}, **QUIET}
    many = from_table(frame, tmp_path / "many", **options)
    each = row_by_row(from_table, frame, tmp_path / "each", **options)
    assert stored(many) == stored(each)
    assert specs(many) == specs(each)


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"labels": [["cat"]] * 600 + [[{"a": 1}]]}, "labels"),
        ({"note": ["fine"] * 600 + ["\ud800"]}, "surrogate"),
        ({"age": np.array([1.0] * 600 + [1e300]), "vector": np.array([[1.0]] * 600 + [[1e300]])}, "largest"),
    ],
    ids=["no class", "a surrogate", "beyond float32"],
)
def test_one_wrong_row_is_refused_and_the_others_are_kept(tmp_path, columns, problem):
    with pytest.raises(ImporterError, match=problem):
        from_arrays(columns, tmp_path / "raised", **QUIET)
    ds = from_arrays(columns, tmp_path / "skipped", on_error="skip", **QUIET)
    assert len(ds) == 600
    assert len(import_report(ds).rejected) == 1


def test_rows_are_taken_whole(tmp_path, monkeypatch):
    """Count the rows that are looked at: none, however many there are."""
    looked_at = []
    value = writing._value
    monkeypatch.setattr(writing, "_value", lambda *args, **options: looked_at.append(1) or value(*args, **options))
    from_arrays({"labels": np.arange(ROWS) % 3, "score": np.arange(ROWS) / 2}, tmp_path / "ds", **QUIET)
    assert not looked_at


def test_packed_cells_are_the_cells_that_are_encoded():
    from penstock.importers.building._column import Column
    from penstock.tensors import TensorSpec, encode_sample

    values = [1, None, 3]
    column = Column(name="age", htype="generic", sample=values.__getitem__, options={"dtype": "int64"}, whole=values)
    cells, spec = packed(column, 0, 3), TensorSpec(name="age", dtype="int64", ndim=0)
    told = [encode_sample(spec, value) for value in values]
    assert [(cell.value is None) or cell.value.tolist() for cell in cells] == [[1], True, [3]]
    assert [cell.shape for cell in cells] == [cell.shape for cell in told]
    assert cells[-1].value.tolist() == [3]
    with pytest.raises(IndexError):
        cells[3]


def test_a_session_goes_on_from_an_import_of_many_rows(tmp_path):
    ds = from_arrays({"labels": np.arange(ROWS) % 3}, tmp_path / "ds", **QUIET)
    ds.append({"labels": [2]})
    ds.labels[0] = [1]
    ds.commit("one more")
    assert penstock.load(ds.path).labels.numpy()[[0, 1, -1], 0].tolist() == [1, 1, 2]


@pytest.mark.parametrize(
    ("given", "names", "values", "lengths", "known"),
    [
        ([["b", "a"], None, [], ("a",)], None, [0, 1, 1], [2, 0, 0, 1], ("b", "a")),
        ([["b"], ["a", "a"]], ("a", "b"), [1, 0, 0], [1, 2], ("a", "b")),
        ([[2, 0], None, [1]], None, [2, 0, 1], [2, 0, 1], ("0", "1", "2")),
        ([[1], [1, 0, 1]], ("x", "y"), [1, 1, 0, 1], [1, 3], ("x", "y")),
        ([[2, -1], [0]], None, [2, 0], [1, 1], ("0", "1", "2")),  # looked at one by one
        ([["b", float("nan")], "a"], None, [0, 1], [1, 1], ("b", "a")),
        ([[1.0], [0]], None, [1, 0], [1, 1], ("0", "1")),
        ([None, []], None, [], [0, 0], ()),
    ],
)
def test_lists_of_labels(given, names, values, lengths, known):
    found = array_labels("labels", given, names)
    assert found.labels.values.tolist() == values  # noqa: PD011  not of pandas
    assert found.labels.lengths.tolist() == lengths
    assert found.labels.class_names == known
    assert not found.problems


@pytest.mark.parametrize(
    ("given", "names", "message"),
    [
        ([["a"], ["z"]], ["a", "b"], None),
        ([[0], [2]], ["a", "b"], None),
        ([[0, 1], [1, 0]], ["a", "b"], "lists of 2 numbers, 0 and 1"),
        ([[-1, 1], [1]], None, "labels -1 and 1"),
    ],
)
def test_lists_of_labels_that_are_looked_at_one_by_one(given, names, message):
    if message:
        with pytest.raises(ImporterError, match=message):
            array_labels("labels", given, names)
    else:
        assert list(array_labels("labels", given, names).problems) == [1]


@pytest.mark.parametrize("dtype", [object, "string"])
@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_texts_and_missing_cells(dtype, missing):
    found = read_cells(pd.Series(["a", missing, "", "nan"], dtype=dtype), "t", "text", words="text")
    assert list(found.samples) == ["a", None, "", "nan"]


def test_texts_among_other_cells():
    given = [np.str_("a"), 1.0, 2.5, float("nan"), True, decimal.Decimal("NaN"), "b"]
    cells = pd.Series(given, dtype=object, name="t")
    assert list(read_cells(cells, "t", "text", words="text").samples) == ["a", "1", "2.5", None, "True", "NaN", "b"]
    assert list(read_cells(pd.Series(["a", 1.0], dtype=object), "t", "text", words="text").samples) == ["a", "1"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "x"], None),
        ([*["1"] * 150, "x"], None),  # behind the cells that are looked at first
        ([*["na"] * 150, "1.5"], "float64"),
        ([*["true"] * 150, "False"], "bool"),
        ([*["7"] * 150, "007"], None),
        ([*["7"] * 150, " -8 "], "int64"),
    ],
)
def test_a_column_of_text_is_numbers_if_all_cells_are(cells, expected):
    given = pd.Series(cells, dtype=object)
    found = typed(given)
    assert found is given if expected is None else found.dtype.name == expected
