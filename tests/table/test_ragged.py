from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from penstock.table import Ragged

ROWS = st.lists(st.lists(st.integers(-9, 9), max_size=5), min_size=1, max_size=8)
FAST = settings(max_examples=80, deadline=None)


def column_of(rows: list[list[int]], **options) -> Ragged:
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Ragged(values=np.array([entry for row in rows for entry in row], np.int64), offsets=offsets, **options)


def listed(column: Ragged) -> list[list[int]]:
    return [column.row(index).tolist() for index in range(len(column))]


@FAST
@given(rows=ROWS)
def test_rows_of_a_column_are_those_it_was_made_of(rows):
    column = column_of(rows)
    assert (len(column), column.ndim) == (len(rows), 1)
    assert listed(column) == rows
    assert column.lengths.tolist() == [len(row) for row in rows]


@FAST
@given(rows=ROWS, data=st.data())
def test_take_of_a_column_is_take_of_a_list(rows, data):
    places = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=12))
    taken = column_of(rows).take(np.array(places, np.int64))
    assert listed(taken) == [rows[place] for place in places]


@FAST
@given(rows=ROWS, data=st.data())
def test_take_of_take_is_one_take(rows, data):
    first = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=6))
    second = data.draw(st.lists(st.integers(0, len(first) - 1), max_size=6))
    column = column_of(rows)
    twice = column.take(np.array(first, np.int64)).take(np.array(second, np.int64))
    assert listed(twice) == listed(column.take(np.array(first, np.int64)[np.array(second, np.int64)]))


def test_take_keeps_missing_values_with_class_names():
    column = column_of([[0], [], [1]], valid=np.array([True, False, True]), class_names=("a", "b"))
    taken = column.take(np.array([1, 2]))
    assert (taken.valid.tolist(), taken.class_names) == ([False, True], ("a", "b"))


def test_row_has_its_shape():
    boxes = Ragged(values=np.arange(12.0), offsets=np.array([0, 8, 8, 12]), shapes=np.array([[2, 4], [0, 4], [1, 4]]))
    assert [boxes.row(index).shape for index in range(3)] == [(2, 4), (0, 4), (1, 4)]
    assert boxes.row(2).tolist() == [[8, 9, 10, 11]]


def test_row_is_a_view_of_the_values():
    column = column_of([[1, 2], [3]])
    assert np.shares_memory(column.row(0), column.values)


@FAST
@given(
    samples=npst.arrays(np.float64, npst.array_shapes(min_dims=1, max_dims=4, max_side=4), elements=st.floats(-9, 9))
)
def test_samples_of_one_shape_are_stacked_without_a_copy(samples):
    count, shape = len(samples), samples.shape[1:]
    size = samples[0].size
    shapes = None if len(shape) == 1 else np.tile(np.array(shape, np.int64), (count, 1)).reshape(count, len(shape))
    column = Ragged(values=samples.reshape(-1), offsets=np.arange(count + 1) * size, shapes=shapes)
    stacked = column.stacked(shape)
    np.testing.assert_array_equal(stacked, samples)
    assert np.shares_memory(stacked, column.values)


@pytest.mark.parametrize(
    ("column", "shape"),
    [
        (column_of([[1, 2], [3]]), (2,)),
        (column_of([[1, 2], [3, 4]]), (3,)),
        (column_of([[1, 2], [3, 4]]), (1, 2)),
        (column_of([[1], [2]], valid=np.array([True, True])), (1,)),
        (column_of([[1, 2], [3, 4]], shapes=np.array([[1, 2], [2, 1]])), (1, 2)),
    ],
    ids=["unequal lengths", "another length", "another dimension", "may be missing", "another shape"],
)
def test_samples_that_are_not_alike_are_not_stacked(column, shape):
    assert column.stacked(shape) is None
