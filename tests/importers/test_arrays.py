from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import ImporterError
from penstock.importers._arrays import parse_arrays

IMAGES = np.zeros((3, 4, 5, 3), np.uint8)


def labels(values, **kwargs):
    column = parse_arrays({"labels": values}, **kwargs)[0]
    return [sample.tolist() for sample in column.samples], column.class_names


def test_kinds_come_from_name_and_type():
    columns = parse_arrays(
        {"images": IMAGES, "labels": [0, 1, 0], "note": ["a", "b", "c"], "vector": np.zeros((3, 8)), "age": [1, 2, 3]}
    )
    assert [column.htype for column in columns] == ["image", "class_label", "text", "embedding", "generic"]


def test_labels_may_be_numbers_names_lists_or_multi_hot():
    assert labels([2, 0]) == ([[2], [0]], ("0", "1", "2"))
    assert labels(["b", "a", "b"]) == ([[0], [1], [0]], ("b", "a"))
    assert labels([["a", "b"], []], class_names=["b", "a"]) == ([[1, 0], []], ("b", "a"))
    assert labels(np.array([[True, False, True]]), class_names=["x", "y", "z"]) == ([[0, 2]], ("x", "y", "z"))
    assert labels(np.array([[1], [0]])) == ([[1], [0]], ("0", "1"))
    assert labels([None, 1]) == ([[], [1]], ("0", "1"))


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"images": IMAGES, "labels": [0]}, "unequal length: images 3, labels 1"),
        ({}, "none given"),
        ({"images": IMAGES.transpose(0, 3, 1, 2)}, "channels come last"),
        ({"images": IMAGES / 255}, "multiply by 255"),
        ({"images": IMAGES.astype(np.int64) + 7}, "expected uint8"),
        ({"images": np.zeros((3, 4), np.uint8)}, r"shape \(4,\)"),
        ({"labels": [-1]}, "label -1"),
        ({"labels": [0.5]}, "label 0.5"),
        ({"labels": np.zeros(2, bool)}, "bool of shape"),
    ],
)
def test_what_fits_no_tensor_is_refused(arrays, said):
    with pytest.raises(ImporterError, match=said):
        parse_arrays(arrays)


def test_labels_outside_the_class_names_and_unknown_kinds_are_refused():
    with pytest.raises(ImporterError, match="label 2; expected 0 to 1 or one of a, b"):
        labels([2], class_names=["a", "b"])
    with pytest.raises(ImporterError, match="label 'c'"):
        labels(["c"], class_names=["a", "b"])
    with pytest.raises(ImporterError, match="htype 'picture'"):
        parse_arrays({"x": IMAGES}, htypes={"x": "picture"})
