"""Corners of the language that people meet once: what they give, by hand, and what they say."""

from __future__ import annotations

import re

import numpy as np
import pytest

from penstock import tql
from penstock.errors import TQLError
from penstock.table import ArrayTable
from penstock.tql import run

WHERE = {
    "variance of an array": ("var(v) > 4", [4]),  # of 0 and 9: 20.25
    "deviation of an array": ("std(v) = 0", [2, 3, 5]),  # of one element, or of equal ones
    "variance of a number": ("var(id) = 0", [0, 1, 2, 3, 4, 5]),
    "mean of a number": ("avg(id) = 2", [2]),
    "sum of a number": ("sum(id) = 2", [2]),
    "most of a number": ("max(id) = 2", [2]),
    "count of a number": ("count(id) = 1", [0, 1, 2, 3, 4, 5]),
    "contains NULL in text": ("contains(name, null)", []),
    "contains NULL in numbers": ("contains(v, null)", []),
    "contains NULL in labels": ("contains(findings, null)", []),
    "contains in one number": ("contains(id, 1)", [1]),
    "contains of another column": ("contains(boxes[0], id * 5 + 10)", [0]),  # the 10 in 0, 0, 10, 10
    "class and text": ("label = name", [0, 5]),
    "class and itself": ("label = label", [0, 1, 2, 3, 4, 5]),
    "classes of other names": ("findings[0] = label", []),
    "class in texts": ("label in (select name)", [0, 3, 5]),
    "json in numbers": ("meta['a'] in (1, 2)", [0, 1]),
    "json in a query": ("meta['a'] in (select id)", [0, 1, 2, 5]),
    "in NULL": ("id in (null)", []),
    "class or text": ("coalesce(label, name) = 'car'", [0, 3, 5]),
    "case of class and text": ("case when id = 1 then label else name end = 'car'", [0, 5]),
    "is_null": ("is_null(name)", [3]),
    "len": ("len(v) = 2", [3, 4]),
    "length of rows of boxes": ("length(boxes) = 2", [0]),
    "length of text": ("length(name) = 3", [0, 4, 5]),
    "logical_not": ("logical_not(id > 2)", [0, 1, 2]),
    "text of NULL": ("lower(null) = 'x'", []),
    "text of json": ("lower(meta['b']['c']) = 'x'", [0]),
    "element of a constant": ("[1, 2, 3][1] = 2", [0, 1, 2, 3, 4, 5]),
    "element by a column": ("[1, 2, 3][id] = 2", [1]),
    "element that is not there": ("v[9] = 1", []),
    "last element": ("v[-1] = 9", [4]),
}


@pytest.mark.parametrize(("where", "rows"), WHERE.values(), ids=WHERE)
def test_odd_conditions_keep_the_rows_counted_by_hand(table, where, rows):
    assert run(f"select * where {where}", table).selection.rows.tolist() == rows


def test_the_deviation_of_a_group_is_that_of_its_rows(table):
    """Cars have the ids 0, 3 and 5, dogs 1 and 4, the cat 2."""
    found = run("select label, std(id) as s group by label order by label", table).columns["s"]
    assert found.values.tolist() == pytest.approx([np.std([0, 3, 5]), 1.5, 0])


def test_an_index_of_all_columns_is_of_each(table):
    result = run("select *[0] from (select v, findings) as t where length(v) > 0", table)
    assert result.columns["v"].values.tolist() == [1, 5, 2, 0, 7]


SAYS = {
    "arrays of other lengths": ("where any([1, 2] + [1, 2, 3] = 1)", "arrays of 2 and 3 elements cannot be combined"),
    "arrays of other lengths in a row": (
        "where any(v + [1, 2] = 3)",
        "arrays of 3 and 2 elements cannot be combined in row 0",
    ),
    "ragged constant": ("where [[1], [1, 2]] = 1", "the rows of an array must have equal lengths"),
    "column in an array": ("where [id, 1] = 1", "an array can contain only constants"),
    "star alone": ("where *", "* can be used only in a select list or in count(*)"),
    "slice of json": ("where meta[0:1] = 1", "JSON can be indexed by a key or a number, not by a slice"),
    "column as key": ("where meta[id] = 1", "a JSON key must be text in single quotes or an integer"),
    "axis": ("where max(v, 0.5) > 1", "the axis must be an integer"),
    "distinct": ("where max(distinct v) > 1", "DISTINCT can be used in count(distinct x), not in max"),
    "digits": ("where round(score, 400) > 1", "round takes at most 300 digits"),
    "bounds": ("where clip(score, v, 1) > 0", "the bounds of clip must be single values"),
    "text of a number": ("where lower(id) = 'x'", "id is an integer. Expected text"),
    "length of a number": ("where length(id) = 1", "id is an integer, which has no length"),
    "number in text": ("where contains(name, 3)", "contains on text takes text, but 3 is an integer"),
    "text in numbers": ("where contains(v, 'x')", "cannot compare array of integers with text"),
    "norm of text": ("where l2_norm(name) > 1", "name is text. Expected an array of numbers"),
    "number in a list for text": ("where name in (1)", "cannot compare text with integer"),
    "text of a query for a number": ("where id in (select name)", "cannot compare integer with text"),
    "number or text": ("where coalesce(id, name) = 1", "cannot compare integer with text"),
    "limit": ("limit 1.5", "LIMIT must be an integer, not 1.5"),
    "time of a number": (
        "where cast(id as time) > '2024-01-01'",
        "id is an integer. Expected text to convert to a time",
    ),
    "not a time": (
        "where cast(name as time) > 'soon'",
        "is not a time. Expected a value such as '2024-01-31 12:00:00'",
    ),
}


@pytest.mark.parametrize(("rest", "message"), SAYS.values(), ids=SAYS)
def test_odd_queries_are_refused_in_words(table, rest, message):
    with pytest.raises(TQLError, match=re.escape(message)):
        run(f"select * {rest}", table)


WHOLE = {
    "both groupings": (
        "select label group by label ungroup by v",
        "GROUP BY and UNGROUP BY cannot be used in the same SELECT",
    ),
    "version of a query": ("with t as (select *) select * from t at 'x'", "'t' is a query, which has no versions"),
    "one side twice": (
        "select a.id as i from data as a join data as b on a.id = a.id",
        "each side of an equality in ON must use one source",
    ),
    "join of two types": (
        "select a.id as i from data as a join data as b on a.id = b.name",
        "cannot join integer with text",
    ),
}


@pytest.mark.parametrize(("query", "message"), WHOLE.values(), ids=WHOLE)
def test_clauses_that_do_not_fit_are_refused_in_words(table, query, message):
    with pytest.raises(TQLError, match=re.escape(message)):
        run(query, table, resolve=lambda *_: table)


def test_sides_of_a_join_may_be_written_in_any_order(table):
    query = "select a.id as i from data as a join data as b on b.id = a.id where a.id < 2"
    assert run(query, table, resolve=lambda *_: table).columns["i"].values.tolist() == [0, 1]


def test_a_function_returns_a_type_of_the_language():
    def odd(value):
        return value

    with pytest.raises(ValueError, match=r"returns='date' is not valid. Expected one of: "):
        tql.function(returns="date")(odd)


def test_statistics_of_pixels_are_those_of_each_image():
    images = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
    table = ArrayTable({"images": images})
    assert run("select * where mean(images) < 10", table).selection.rows.tolist() == [0]  # means 5.5 and 17.5
