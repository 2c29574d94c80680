"""The deterministic cases of the specification, one a line of data/cases.tsv."""

from __future__ import annotations

import json

import numpy as np
import pytest

from penstock import errors
from penstock.tql import run
from tests.tql.conftest import cases

CASES = cases("cases.tsv")


def _rows(text: str) -> list[int]:
    return [int(part) for part in text.split(",")] if text else []


def _values(column) -> list:
    """Return one value a row; a NULL row holds no element, or empty text."""
    rows = [column.row(number).reshape(-1).tolist() if column.lengths[number] else [] for number in range(len(column))]
    valid = np.ones(len(rows), bool) if column.valid is None else column.valid
    return [row[0] if row and there else None for row, there in zip(rows, valid, strict=True)]


def check(case, run_query) -> None:
    """Run one line of a data file and compare."""
    _, query, kind, *expected = case
    if kind == "error":
        with pytest.raises(getattr(errors, expected[0]), match=expected[1]) as caught:
            run_query(query)
        assert caught.value.start < caught.value.end
        return
    result = run_query(query)
    if kind == "rows":
        assert result.is_rows
        assert result.selection.rows.tolist() == _rows(expected[0] if expected else "")
    elif kind == "column":
        assert _values(result.columns[expected[0]]) == json.loads(expected[1])
    elif kind == "table":
        columns = [_values(result.columns[name]) for name in expected[0].split(",")]
        assert [list(row) for row in zip(*columns, strict=True)] == json.loads(expected[1])
    else:
        column = result.columns[expected[0]]
        assert [column.row(i).tolist() for i in range(len(column))] == json.loads(expected[1])


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_query_gives_the_stated_result(table, case):
    check(case, lambda query: run(query, table))


def test_groups_are_no_rows(table):
    assert not run("select label, count(*) as n group by label", table).is_rows


def test_every_case_of_the_specification_is_there():
    assert {case[0].rstrip("abc") for case in CASES} == {str(number) for number in range(1, 95)}
