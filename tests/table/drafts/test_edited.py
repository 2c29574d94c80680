from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.table import ArrayTable
from penstock.table.drafts._edited import with_rows_replaced

samples = {
    "labels": st.lists(st.integers(0, 9), max_size=4).map(lambda labels: np.array(labels, np.int64)),
    "boxes": st.integers(0, 3).map(lambda count: np.full((count, 4), count, np.float32)),
    "text": st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    "numbers": st.integers(-9, 9).map(np.int64),
}


def _column(kind, values):
    htypes = {"boxes": "bbox", "text": "text"}
    names = {"labels": [str(name) for name in range(10)]} if kind == "labels" else {}
    return ArrayTable({kind: values}, class_names=names, htypes={kind: htypes[kind]} if kind in htypes else {}).column(
        kind
    )


def _listed(column):
    valid = np.ones(len(column), bool) if column.valid is None else column.valid
    return [column.row(row).tolist() if valid[row] else None for row in range(len(column))]


@settings(max_examples=80, deadline=None)
@given(kind=st.sampled_from(sorted(samples)), data=st.data())
def test_a_column_with_rows_replaced_is_what_a_list_would_be(kind, data):
    base = data.draw(st.lists(samples[kind], min_size=1, max_size=8))
    rows = data.draw(st.lists(st.integers(0, len(base) - 1), min_size=1, max_size=len(base), unique=True))
    new = data.draw(st.lists(samples[kind], min_size=len(rows), max_size=len(rows)))
    replaced = with_rows_replaced(_column(kind, base), np.array(rows, np.int64), _column(kind, new))
    expected = list(base)
    for row, value in zip(rows, new, strict=True):
        expected[row] = value
    assert _listed(replaced) == _listed(_column(kind, expected))
    if kind == "boxes":
        assert replaced.shapes.tolist() == [list(boxes.shape) for boxes in expected]
