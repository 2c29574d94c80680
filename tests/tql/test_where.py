"""Conditions of WHERE: found, dropped and added in the text itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import penstock
from penstock import tql
from penstock.errors import QuerySyntaxError

FOUND = {
    "none": ("select * limit 3", []),
    "one": ("select * where a > 1", ["a > 1"]),
    "several": ("select * where a > 1 and b and not c limit 5", ["a > 1", "b", "not c"]),
    "or in parentheses": ("select * where (a or b) and c", ["(a or b)", "c"]),
    "or outside": ("select * where a or b and c", ["a or b and c"]),
    "between": ("select * where a between 1 and 2 and b", ["a between 1 and 2", "b"]),
    "two betweens": ("select * where a between 1 and 2 and b not between 3 and 4", ["a between 1 and 2", "b not between 3 and 4"]),
    "case": ("select * where case when a and b then 1 else 0 end = 1 and c", ["case when a and b then 1 else 0 end = 1", "c"]),
    "text with and": ("select * where a = 'x and y' and b", ["a = 'x and y'", "b"]),
    "name in quotes": ('select * where "and" > 1 and b', ['"and" > 1', "b"]),
    "lists and indices": ("select * where a in (1, 2) and b[0] > 2", ["a in (1, 2)", "b[0] > 2"]),
    "several lines": ("select *\nwhere a\n   > 1\n  and b", ["a > 1", "b"]),
    "comments": ("select * where a -- and z\n and b # x\n limit 2", ["a", "b"]),
    "everything in parentheses": ("select * where ((a and b))", ["((a and b))"]),
    "a subquery's own": ("select * from (select * where z) where a and b", ["a", "b"]),
    "with": ("with t as (select * where z) select * from t where a", ["a"]),
    "union": ("(select * where a) union (select * where b)", []),
    "sampled": ("select * where a and b sample by max_weight(c and d: 2, True: 1)", ["a", "b"]),
    "semicolon": ("select * where a and b ;", ["a", "b"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), list(FOUND.values()), ids=list(FOUND))
def test_conditions_are_what_and_joins(text, expected):
    assert [one.text for one in tql.conditions(text)] == expected


@pytest.mark.parametrize(("text", "expected"), list(FOUND.values()), ids=list(FOUND))
def test_a_query_without_a_condition_has_the_others(text, expected):
    for number in range(len(expected)):
        left = tql.without_condition(text, number)
        assert [one.text for one in tql.conditions(left)] == expected[:number] + expected[number + 1 :]
        assert (tql.parse(left).limit is None) == (tql.parse(text).limit is None)
        assert (tql.parse(left).sample is None) == (tql.parse(text).sample is None)


def test_places_are_in_utf16_units():
    text = "select * where '😀' = a and b"
    first, second = tql.conditions(text)
    units = text.encode("utf-16-le")
    assert units[2 * first.start : 2 * first.end].decode("utf-16-le") == "'😀' = a"
    assert units[2 * second.start : 2 * second.end].decode("utf-16-le") == "b"


@pytest.mark.parametrize("number", [-1, 2])
def test_a_condition_that_does_not_exist_is_refused(number):
    with pytest.raises(IndexError, match="2"):
        tql.without_condition("select * where a and b", number)


@pytest.mark.parametrize("bad", ["select * whre a", ""])
def test_a_text_that_is_no_query_is_refused(bad):
    for change in (
        tql.conditions,
        lambda text: tql.without_condition(text, 0),
        lambda text: tql.with_condition(text, "a"),
    ):
        with pytest.raises(QuerySyntaxError):
            change(bad)


def test_a_condition_that_is_no_expression_is_refused():
    with pytest.raises(QuerySyntaxError):
        tql.with_condition("select *", "a >")


POOLS = [
    "select *",
    "select * where n > 2 or n = 0",
    "select * where n between 1 and 8 and not n = 4",
    "select * order by n desc",
    "select * order by n desc limit 5",
    "select * where n > 1 limit 4 offset 1",
    "select * limit 6 -- a few\n",
    "(select * where n < 4) union (select * where n > 7)",
    "with t as (select * where n > 1) select * from t where n < 9",
    "with t as (select * limit 7) (select * from t) except (select * where n = 2)",
    "select * from (select * limit 8) where n > 1",
    "select * where n in (select n where n > 3)",
    "select * arrange by n % 2 limit 5",
    "select * where n > 0;",
]
CONDITIONS = ["n % 2 = 0", "n = 3 or n = 5", "not n = 6"]


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    ds = penstock.empty(str(tmp_path_factory.mktemp("where") / "a.penstock"))
    with ds:
        ds.create_tensor("n", htype="generic", dtype="int64")
        ds.extend({"n": np.arange(10)})
    return ds


@pytest.mark.parametrize(("pool", "condition"), list(itertools.product(POOLS, CONDITIONS)))
def test_a_condition_leaves_those_samples_of_the_pool_that_fulfill_it(numbers, pool, condition):
    rows = numbers.query(pool).indices.tolist()
    fulfilled = {
        "n % 2 = 0": lambda n: n % 2 == 0,
        "n = 3 or n = 5": lambda n: n in {3, 5},
        "not n = 6": lambda n: n != 6,
    }[condition]
    assert numbers.query(tql.with_condition(pool, condition)).indices.tolist() == list(filter(fulfilled, rows))


def test_sampling_stays_after_the_condition():
    text = "select * limit 5 /* five */ sample by max_weight(n > 2: 3, True: 1) replace false limit 4"
    narrowed = tql.with_condition(text, "n > 1")
    assert narrowed.endswith("sample by max_weight(n > 2: 3, True: 1) replace false limit 4")
    assert tql.parse(narrowed).sample is not None


# ---- uid() -----------------------------------------------------------------------------


def test_a_uid_names_a_sample_after_rows_before_it_are_gone(tmp_path):
    ds = penstock.empty(str(tmp_path / "a.penstock"))
    with ds:
        ds.create_tensor("n", htype="generic", dtype="int64")
        ds.extend({"n": np.arange(6)})
    ds.commit("six")
    uids = ds.query("select uid() as u").u.numpy().reshape(-1).tolist()
    text = f"select * where uid() in ({uids[2]}, {uids[5]})"
    assert ds.query(text).indices.tolist() == [2, 5]
    ds.pop(0)
    ds.commit("five")
    assert ds.query(text).n.numpy().reshape(-1).tolist() == [2, 5]
    assert ds.query(text).indices.tolist() == [1, 4]


@pytest.mark.parametrize("text", ["select uid() as u from (select count(*) as c)", "select uid(1) as u"])
def test_a_uid_of_no_sample_is_refused(numbers, text):
    with pytest.raises(penstock.errors.TQLError):
        numbers.query(text)


def test_a_uid_stays_through_subqueries(numbers):
    uids = numbers.query("select uid() as u").u.numpy().reshape(-1)
    found = numbers.query("select uid() as u from (select * order by n desc limit 3)").u.numpy().reshape(-1)
    assert found.tolist() == uids[[9, 8, 7]].tolist()
