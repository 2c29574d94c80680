"""Names and rows that a table is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import DatasetError, SampleIndexError, TensorNotFoundError
from penstock.table._checks import checked_column, checked_rows, checked_tensor
from penstock.tensors import make_spec

SPECS = {"labels": make_spec("labels", "class_label"), "images": make_spec("images", "image")}


def test_a_tensor_is_found_by_its_name():
    assert checked_tensor(SPECS, "labels") is SPECS["labels"]


def test_a_name_that_does_not_exist_has_the_nearest_one_beside_it():
    with pytest.raises(TensorNotFoundError, match="did you mean 'labels'"):
        checked_tensor(SPECS, "label")


def test_images_are_no_column():
    with pytest.raises(DatasetError, match=r"'images' \(image\) as a column"):
        checked_column(SPECS, "images")


@pytest.mark.parametrize("rows", [[2, 0, 2], np.array([[2], [0]]), np.array([], np.int8), 1], ids=repr)
def test_rows_come_as_one_list_of_int64(rows):
    found = checked_rows(np.asarray(rows), 3)
    assert found.dtype == np.int64
    assert found.tolist() == np.asarray(rows).reshape(-1).tolist()


@pytest.mark.parametrize(("rows", "wrong"), [([0, 3, 7], 3), ([-1], -1), ([2, -5, 9], -5)], ids=str)
def test_the_first_row_that_does_not_exist_is_named(rows, wrong):
    with pytest.raises(SampleIndexError, match=f"row {wrong} does not exist. Expected 0 to 2"):
        checked_rows(np.array(rows), 3)


def test_a_table_without_rows_says_so():
    with pytest.raises(SampleIndexError, match=r"row 0 does not exist. The table has no rows"):
        checked_rows(np.array([0]), 0)
