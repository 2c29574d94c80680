from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import DatasetError, SampleError
from penstock.tensors import Cell, encode_sample, make_spec, recast, same_type, with_type, with_type_of


@pytest.mark.parametrize(
    ("values", "dtype", "ndim"),
    [
        ([3], "int64", 0),
        ([None, None, 2.5], "float64", 0),
        ([True], "bool", 0),
        ([np.uint8(3)], "uint8", 0),
        ([[1, 2], [3]], "int64", 1),
        ([[], [1]], "int64", 1),
        ([[]], "float64", 1),
        ([1, 2.5], "float64", 0),
        ([np.zeros((2, 3), "float16")], "float16", 2),
        ([np.array([1, 2], ">i4")], "int32", 1),
        ([np.int64(2**53 + 1), np.uint64(1)], "int64", 0),
        ([np.int64(1), np.uint64(2**64 - 1)], "uint64", 0),
    ],
    ids=[
        "int", "None first", "bool", "uint8", "ragged", "empty first", "empty alone", "mixed", "float16",
        "big endian", "signed and unsigned", "large unsigned",
    ],
)  # fmt: skip
def test_first_values_fix_type(values, dtype, ndim):
    typed = with_type(make_spec("b"), values)
    assert (typed.dtype, typed.ndim, typed.is_typed) == (dtype, ndim, True)
    for value in values:
        encode_sample(typed, value)


@pytest.mark.parametrize(
    "values", [[], [None, None], ["x"], [[1, [2]]], [object()]], ids=["nothing", "None", "text", "ragged", "an object"]
)
def test_values_without_a_type_leave_it_open(values):
    spec = make_spec("b")
    assert with_type(spec, values) is spec


def test_type_that_is_fixed_stays():
    spec = with_type(make_spec("b"), [1])
    assert with_type(spec, [[2.5]]) is spec


@pytest.mark.parametrize("dtype", ["longdouble", "complex128", "datetime64[s]", "U3"])
def test_dtype_that_cannot_be_stored_is_refused(dtype):
    with pytest.raises(DatasetError, match="Expected"):
        make_spec("b", dtype=dtype)


@pytest.mark.parametrize(
    ("dtype", "value"),
    [("float64", 2**53 + 1), ("float64", -(2**53) - 1), ("float32", 2**24 + 1), ("float16", 2049), ("float16", 10**6)],
)
def test_whole_number_that_floats_would_round_is_refused(dtype, value):
    with pytest.raises(
        SampleError, match=f"^{value} is not valid for 'b'. Expected values that {dtype} can represent exactly"
    ):
        encode_sample(make_spec("b", dtype=dtype), value)


@pytest.mark.parametrize(("dtype", "value"), [("float64", 2**53 + 2), ("float64", -(2**60)), ("float16", 65504)])
def test_whole_number_that_floats_hold_is_kept(dtype, value):
    assert encode_sample(make_spec("b", dtype=dtype), value).value.tolist() == [value]


def test_open_type_is_taken_from_another_spec():
    untyped, typed = make_spec("b"), with_type(make_spec("b"), [[1, 2]])
    assert with_type_of(untyped, typed) == typed
    assert with_type_of(typed, untyped) == typed
    given = make_spec("b", dtype="float32")
    assert same_type(with_type_of(given, typed), with_type(given, [[1.0]]))


def test_cell_is_recast_where_the_other_type_holds_it():
    whole, fraction = with_type(make_spec("b"), [1]), with_type(make_spec("b"), [0.5])
    cell = encode_sample(fraction, 2.0)
    assert recast(cell, fraction, whole).value.tolist() == [2]
    assert recast(cell, fraction, fraction) is cell
    with pytest.raises(SampleError, match="that int64 can hold"):
        recast(encode_sample(fraction, 2.5), fraction, whole)
    with pytest.raises(SampleError, match="Expected text"):
        recast(cell, fraction, make_spec("b", "text"))
    assert recast(Cell(value=None), fraction, whole).value is None


def test_mask_is_recast_by_its_dimensions():
    flat, layered = with_type(make_spec("m", "binary_mask"), [np.ones((2, 2))]), make_spec("m", "binary_mask")
    cell = encode_sample(layered, np.ones((2, 2), bool))
    assert recast(cell, layered, flat).shape == (2, 2)
    with pytest.raises(SampleError, match="2 dimensions"):
        recast(encode_sample(layered, np.ones((2, 2, 1), bool)), layered, flat)
