"""Columns that are taken many rows at a time store what they store when each row is looked at by itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import ImporterError
from penstock.importers import from_arrays, from_table, import_report
from penstock.importers.building import _write as writing
from penstock.importers.building._packing import packed
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
