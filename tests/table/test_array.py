"""ArrayTable: plain arrays as a table."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.table import ArrayTable


@pytest.fixture
def table() -> ArrayTable:
    return ArrayTable(
        {
            "id": np.arange(3),
            "labels": [[0], [1, 0], []],
            "boxes": [[[0, 0, 1, 1]], [], [[1, 2, 3, 4], [5, 6, 7, 8]]],
            "name": ["a", None, "b"],
            "meta": [{"k": 1}, None, {}],
        },
        class_names={"labels": ["car", "dog"]},
        htypes={"boxes": "bbox"},
    )


def test_array_table_keeps_scalars_as_they_are(table):
    column = table.column("id")
    assert column.values.dtype == np.int64
    assert column.ndim == 0


def test_array_table_gives_ragged_labels_their_names(table):
    column = table.column("labels")
    assert column.class_names == ("car", "dog")
    assert [column.row(i).tolist() for i in range(3)] == [[0], [1, 0], []]
    assert not table.tensors["labels"].single_valued


def test_array_table_shapes_an_empty_list_of_boxes_as_0_by_4(table):
    assert table.shapes("boxes").tolist() == [[1, 4], [0, 4], [2, 4]]


def test_array_table_takes_raw_samples_with_repeats(table):
    taken = table.take(np.array([1, 0, 0]), ["name", "meta"])
    assert taken["name"] == [None, "a", "a"]
    assert taken["meta"] == [None, {"k": 1}, {"k": 1}]


def test_array_table_refuses_columns_of_unequal_length():
    with pytest.raises(ValueError, match=r"\[2, 3\] rows"):
        ArrayTable({"a": [1, 2], "b": [1, 2, 3]})
