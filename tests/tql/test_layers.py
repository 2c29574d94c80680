"""`contains` over the first elements of all rows and over the others, against a loop over the rows."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.table import ArrayTable
from penstock.tql import run
from penstock.tql.values._layers import Layers
from penstock.tql.values._memo import memo_of

rows = st.lists(st.lists(st.integers(0, 4), max_size=4), min_size=1, max_size=40)


@settings(max_examples=150, deadline=None)
@given(rows, st.integers(0, 3), st.integers(0, 3), st.integers(0, 4))
def test_rows_with_an_element_are_found_behind_any_others(rows, before, after, wanted):
    data = np.array([9] * before + [value for row in rows for value in row] + [wanted] * after, np.uint8)
    offsets = before + np.cumsum([0, *map(len, rows)])
    found = Layers.of(data, offsets).rows_with(lambda elements: elements == wanted)
    assert found.tolist() == [wanted in row for row in rows]


@settings(max_examples=60, deadline=None)
@given(rows)
def test_contains_answers_alike_however_often_it_is_asked(rows):
    names = list("abcde")
    table = ArrayTable({"tags": [np.array(row, np.int64) for row in rows]}, class_names={"tags": names})
    for query, holds in {
        "contains(tags, 'c')": lambda row: 2 in row,
        "contains(tags, 3)": lambda row: 3 in row,
        "contains(tags, '*')": lambda row: bool(row),
        "contains(tags + 1, 3)": lambda row: 2 in row,
        "contains(tags, 7.5)": lambda _: False,
    }.items():
        for _ in range(4):
            memo_of(table).forget("contains")
            found = run(f"select * where {query}", table).selection.rows.tolist()
            assert found == [number for number, row in enumerate(rows) if holds(row)], query
