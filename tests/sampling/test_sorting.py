"""Rows in order, and equal rows side by side, by digits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from penstock.sampling.pool._sorting import (
    Digits,
    digits_of_numbers,
    equal_rows,
    first_of_each,
    grouped_rows,
    stable_order,
)
from penstock.tql.values.keys import _text_codes
from penstock.tql.values.keys._text_codes import array_codes, digits_of_text

TEXT = np.dtypes.StringDType()
DTYPES = (np.int8, ">i8", ">f8", np.uint8, np.int32, np.int64, np.uint64, np.float16, np.float32, np.float64, np.bool_)


@st.composite
def columns(draw: st.DrawFn) -> np.ndarray:
    """Numbers of a type, with many ties and with the ends of the type's range."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    if dtype.kind == "f":
        ends = [np.inf, -np.inf, 0.0, -0.0, 1.0, -1.5, np.finfo(dtype).tiny, np.finfo(dtype).max, np.finfo(dtype).min]
    elif dtype.kind == "b":
        ends = [False, True]
    else:
        ends = [np.iinfo(dtype).min, np.iinfo(dtype).max, 0, 1, 2]
    return np.array(draw(st.lists(st.sampled_from(ends), min_size=6, max_size=6)), dtype)


def several(draw_columns: list[np.ndarray]) -> list[Digits]:
    return [digits_of_numbers(column) for column in draw_columns]


@settings(deadline=None)
@given(st.lists(columns(), min_size=1, max_size=4), st.lists(st.booleans(), min_size=4, max_size=4))
@example([np.array([np.iinfo(np.int64).min, np.iinfo(np.int64).max, 0, -1, 1, 0])] * 3, [False, True, False, False])
def test_order_is_that_of_python_with_ties_in_order_of_rows(found, descending):
    digits = [digits_of_numbers(one, descending=down) for one, down in zip(found, descending, strict=False)]
    expected = list(range(6))
    for one, down in reversed(list(zip(found, descending, strict=False))):
        expected.sort(key=one.tolist().__getitem__, reverse=down)  # Python's sort is stable in both directions
    assert stable_order(digits, 6).tolist() == expected


@settings(deadline=None)
@given(st.lists(columns(), min_size=1, max_size=3))
def test_groups_are_those_of_a_dictionary_in_order_of_first_appearance(found):
    groups: dict[tuple[object, ...], list[int]] = {}
    for row, key in enumerate(zip(*(one.tolist() for one in found), strict=True)):
        groups.setdefault(key, []).append(row)
    order, offsets = grouped_rows(several(found), 6)
    assert [order[a:b].tolist() for a, b in pairwise(offsets.tolist())] == list(groups.values())
    assert first_of_each(several(found), 6).tolist() == [rows[0] for rows in groups.values()]


@pytest.mark.parametrize("num_rows", [0, 1, 2])
def test_few_rows_and_no_keys_are_in_order_of_rows(num_rows):
    assert stable_order([], num_rows).tolist() == list(range(num_rows))
    assert stable_order([digits_of_numbers(np.zeros(num_rows))], num_rows).tolist() == list(range(num_rows))
    order, offsets = grouped_rows([], num_rows)
    assert order.tolist() == list(range(num_rows))
    assert offsets.tolist() == ([0, num_rows] if num_rows else [0])


def test_rows_of_equal_hash_and_different_keys_are_told_apart(monkeypatch):
    wide = np.array([5, -(2**62), 5, 2**62, -(2**62), 7, 2**62, 5])
    keys = [digits_of_numbers(wide), digits_of_numbers(-wide)]
    monkeypatch.setattr("penstock.sampling.pool._sorting._hashed", lambda keys: np.zeros(len(keys[0].words), np.uint64))
    order, starts = equal_rows(keys, 8)
    runs = sorted(run.tolist() for run in np.split(order, starts[1:]))
    assert runs == [[0, 2, 7], [1, 4], [3, 6], [5]]


@pytest.mark.parametrize("few", [0, 4096], ids=["by Arrow", "by numpy"])
@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=4), min_size=1, max_size=8), descending=st.booleans())
@example(texts=["a\0", "a", "", "a\0b", "\U0001f600", "\uffff"], descending=False)
def test_texts_are_in_order_of_code_points(few, texts, descending):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_text_codes, "_FEW", few)
        check_texts(texts, descending)


def check_texts(texts, descending):
    digits = digits_of_text(np.array(texts, TEXT), descending=descending)
    expected = sorted(range(len(texts)), key=texts.__getitem__, reverse=descending)
    assert stable_order([digits], len(texts)).tolist() == expected
    equal = digits_of_text(np.array(texts, TEXT), ordered=False).words.tolist()
    assert [[a == b for b in texts] for a in texts] == [[a == b for b in equal] for a in equal]


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from([0.0, -0.0, 1.0, float("nan")]), max_size=3), min_size=1, max_size=8))
def test_arrays_are_equal_where_their_bytes_are(rows):
    arrays = [np.array(row, np.float64) for row in rows]
    offsets = np.cumsum([0, *map(len, rows)])
    codes = array_codes(np.concatenate(arrays), offsets).tolist()
    written = [array.tobytes() for array in arrays]
    assert [[a == b for b in written] for a in written] == [[a == b for b in codes] for a in codes]
