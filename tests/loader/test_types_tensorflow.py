"""Tensors whose type their first value fixed, read as TensorFlow batches: None has no elements."""

from __future__ import annotations

import numpy as np
import pytest

import penstock

pytestmark = [pytest.mark.slow, pytest.mark.tensorflow]  # tensorflow takes seconds to import

KINDS = {
    "int": [3, 7, None, 2**53 + 1],
    "float": [0.5, None, 2.0, -1.0],
    "bool": [True, None, False, True],
    "None first": [None, 5, None, 6],
    "vector": [[1.0, 2.0], [3.0, 4.0], None, [5.0, 6.0]],
    "ragged": [[1, 2], [3], [], None],
    "array": [np.arange(6).reshape(2, 3), None, np.ones((2, 3), int), np.zeros((2, 3), int)],
    "no value": [None, None, None, None],
}


@pytest.mark.parametrize("assigned", [False, True], ids=["appended", "assigned"])
@pytest.mark.parametrize("values", KINDS.values(), ids=[kind.replace(" ", "_") for kind in KINDS])
def test_tensorflow_batches_give_back_what_was_written(tmp_path, values, assigned):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("b")
    ds.extend({"b": [None] * len(values) if assigned else values})
    if assigned:
        with ds:
            ds.b[:] = values
    read = [value.numpy() for batch in ds.dataloader().batch(3).tensorflow() for value in batch["b"]]
    assert len(read) == len(values)
    for found, value in zip(read, values, strict=True):
        wanted = np.empty(0) if value is None else np.atleast_1d(value)  # rows of numbers have 0 of them or 1
        assert np.size(found) == np.size(wanted)
        np.testing.assert_array_equal(np.ravel(found), np.ravel(wanted))
