"""Flat chains of a thousand operands and more: what is not nested has no limit but the length of the text."""

from __future__ import annotations

import pytest

from penstock import tql
from penstock.table import ArrayTable

LONG = 1_000
LONGER = 5_000
TABLE = ArrayTable(
    {"a": list(range(300)), "name": ["x", "y", "z"] * 100, "label": [0, 1] * 150},
    class_names={"label": ["car", "dog"]},
)


def many(joint: str, one: str, count: int = LONG) -> str:
    return joint.join([one] * count)


CHAINS = {
    "or": ("select * where " + " or ".join(f"a = {i}" for i in range(290, 290 + LONG)), 10),
    "and": ("select * where " + " and ".join(f"a != {i}" for i in range(10, 10 + LONG)), 10),
    "and not": ("select * where " + " and ".join(f"not a = {i}" for i in range(10, 10 + LONG)), 10),
    "and in or": ("select * where " + many(" or ", "a = 3 and label = 'dog'"), 1),
    "plus": (f"select * where {many(' + ', 'a')} = 7 * {LONG}", 1),
    "plus and minus": (f"select * where {many(' - ', 'a + 2')} = 1", 0),
    "times": (f"select * where {many(' * ', 'a')} = 1", 1),
    "text": (f"select * where length({many(' || ', 'name')}) = {LONG}", 300),
    "union": (" union ".join(f"select * where a = {i}" for i in range(LONG)), 300),
    "union all": (many(" union all ", "select * where a = 1"), LONG),
    "union of columns": (" union ".join(f"select a where a = {i}" for i in range(LONG)), 300),
    "union and union all": ("select * where a = 0" + " union all select * where a = 0 union select *" * 400, 300),
    "intersect": (many(" intersect ", "select *"), 300),
    "except": ("select * " + " ".join(f"except select * where a = {i % 299}" for i in range(LONG)), 1),
    "case": ("select * where case " + " ".join(f"when a = {i} then {i}" for i in range(LONG)) + " end = 42", 1),
    "case of": ("select * where case a " + " ".join(f"when {i} then {i}" for i in range(LONG)) + " end = 42", 1),
    "in": (f"select * where a in ({', '.join(map(str, range(290, 290 + LONG)))})", 10),
    "in of columns": (f"select * where a in ({many(', ', 'a + 1')}, a)", 300),
    "array": (f"select *, [{many(', ', '1')}] as v", 300),
    "arguments": (f"select * where coalesce({many(', ', 'a')}) = 1", 1),
    "select list": ("select " + ", ".join(f"a as a{i}" for i in range(LONG)), 300),
    "keys of order": (f"select * order by {many(', ', 'a')}", 300),
    "groups": (f"select label, {many(' + ', 'count(*)')} as n group by label having n = {150 * LONG}", 2),
    "key of groups": (f"select 1{' + a' * LONG} as k, 1{' + a' * LONG} + 1 as more group by 1{' + a' * LONG}", 300),
    "limit": (f"select * limit {many(' + ', '1', 7)}{' + 0' * LONG}", 7),
    "queries of with": (
        "with t0 as (select *), " + ", ".join(f"t{i} as (select * from t{i - 1})" for i in range(1, LONG))
        + f" select * from t{LONG - 1}", 300,
    ),
}  # fmt: skip


SOME_TEXTS = [
    pytest.param(text, marks=pytest.mark.exhaustive if number % 3 else ())
    for number, (text, _) in enumerate(CHAINS.values())
]


@pytest.mark.parametrize(("text", "count"), CHAINS.values(), ids=CHAINS)
def test_a_long_chain_runs(text, count):
    assert tql.run(text, TABLE).num_rows == count


@pytest.mark.parametrize("text", [text for text, _ in CHAINS.values()], ids=CHAINS)
def test_a_long_chain_is_written_as_the_same_tree(text):
    tree = tql.parse(text)
    assert tql.parse(tql.unparse(tree)) == tree


@pytest.mark.parametrize("text", SOME_TEXTS, ids=CHAINS)
def test_a_long_chain_is_laid_out_as_the_same_tree(text):
    assert tql.parse(tql.format_query(text)) == tql.parse(text)


@pytest.mark.parametrize("text", SOME_TEXTS, ids=CHAINS)
def test_a_long_chain_has_a_tree_like_any_other(text):
    tree = tql.parse(text)
    assert hash(tree) == hash(tql.parse(text))
    assert len(repr(tree)) > LONG


@pytest.mark.parametrize("text", SOME_TEXTS, ids=CHAINS)
def test_a_long_chain_is_linted(text):
    assert tql.lint(text, TABLE) == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("joint", "one"),
    [(" or ", "a = 1"), (" and ", "a = 1"), (" + ", "a"), (" union ", "select * where a = 1")],
    ids=["or", "and", "plus", "union"],
)
def test_five_thousand_operands_run(joint, one):
    head = "" if "union" in joint else "select * where "
    assert tql.run(head + many(joint, one, LONGER), TABLE).num_rows in {1, 299}


def test_a_long_chain_of_weights_is_a_number():
    spec = tql.parse_sampling(f"max_weight(a = 1: {' + '.join(['1'] * LONG)}, True: 1)")
    assert spec.weights == (1_000.0, 1.0)


def test_a_chain_with_an_ambiguous_part_names_that_part():
    table = ArrayTable({"a": [1, 2], "v": [[1], [2, 3]]})
    (found,) = tql.lint("select * where " + "a = 1 and " * 2_000 + "v > 1", table)
    assert "any(v > 1)" in found.message


@pytest.mark.parametrize(
    ("one", "other"),
    [("a or b or c", "a or (b or c)"), ("a + b + c", "a + b - c"), ("a and b and c", "a and b"), ("a - b", "a")],
)
def test_chains_that_differ_are_not_equal(one, other):
    assert tql.parse(f"select * where {one}") != tql.parse(f"select * where {other}")


def test_operands_of_one_nested_between_are_bound_once():
    text = "select * where " + "(" * 60 + "a" + " between 0 and 1)" * 60
    assert tql.run(text, TABLE).num_rows == 300


def test_both_bounds_of_between_see_the_same_random_number():
    assert tql.run("select * where random() between 0.5 and 1 or random() < 0.5", TABLE).num_rows > 0
    kept = tql.run("select * where random() between 0.25 and 0.75", TABLE, seed=3).num_rows
    one = tql.run("select *, random() as r", TABLE, seed=3).columns["r"].values
    assert kept == int(((one >= 0.25) & (one <= 0.75)).sum())
