"""Order, groups, joins and sets of rows, beside their plain definitions in Python."""

from __future__ import annotations

import math
from functools import cmp_to_key
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.table import ArrayTable
from penstock.tql import run
from penstock.tql.values import _values
from penstock.tql.values._values import TEXT, Value, constant
from penstock.tql.values.keys import _leading, _matching
from penstock.tql.values.keys._keys import groups_of, order_of

NAN = float("nan")
KINDS = {
    "int": ([0, 1, -1, 2**62, -(2**62)], np.int64),
    "byte": ([0, 1, 255], np.uint8),
    "float": ([0.0, -0.0, 1.5, -1.5, NAN, math.inf], np.float64),
    "float32": ([0.0, 0.1, -0.1, NAN], np.float32),
    "text": (["", "a", "b", "ab", "é"], TEXT),
    "bool": ([False, True], np.bool_),
}


@st.composite
def keys(draw: st.DrawFn, num_rows: int) -> tuple[Value, list[Any], bool, bool]:
    """A key of ORDER BY: the value, its rows as Python objects (None is NULL), descending, nulls first."""
    items, dtype = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    data = np.array(items, dtype)[rng.integers(0, len(items), num_rows)]
    valid = rng.random(num_rows) < 0.8 if draw(st.booleans()) else None
    rows = [item if valid is None or valid[row] else None for row, item in enumerate(data.tolist())]
    return Value(data=data, valid=valid), rows, draw(st.booleans()), draw(st.booleans())


def compared(one: Any, other: Any, descending: bool, nulls_first: bool) -> int:
    """The order of two values as the language defines it."""

    def rank(item: Any) -> int:
        is_nan = isinstance(item, float) and math.isnan(item)
        if nulls_first:
            return 0 if item is None else 1 if is_nan else 2
        return int(item is None or is_nan)

    if rank(one) != rank(other) or rank(one) != (2 if nulls_first else 0):
        return rank(one) - rank(other)
    return ((one > other) - (one < other)) * (-1 if descending else 1)


def sorted_rows(found: list[tuple[Value, list[Any], bool, bool]], num_rows: int) -> list[int]:
    def compare(a: int, b: int) -> int:
        steps = (compared(rows[a], rows[b], down, first) for _, rows, down, first in found)
        return next((step for step in steps if step), a - b)

    return sorted(range(num_rows), key=cmp_to_key(compare))


@settings(deadline=None, max_examples=150)
@given(st.data(), st.integers(0, 40), st.integers(1, 3))
def test_order_is_the_stable_order_of_the_definition(data, num_rows, num_keys):
    found = [data.draw(keys(num_rows)) for _ in range(num_keys)]
    order = order_of([(value, down, first) for value, _, down, first in found], num_rows)
    assert order.tolist() == sorted_rows(found, num_rows)


@settings(deadline=None, max_examples=200)
@given(st.data(), st.integers(1, 40), st.integers(1, 3))
def test_first_rows_are_those_of_the_whole_order(data, num_rows, num_keys):
    first = data.draw(st.integers(0, num_rows))
    found = [data.draw(keys(num_rows)) for _ in range(num_keys)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_leading, "_FEW", 0)
        patch.setattr(_leading, "_SHARE", 1)
        patch.setattr(_leading, "_BLOCK", 3)
        order = order_of([(value, down, nulls) for value, _, down, nulls in found], num_rows, first)
    assert order.tolist() == sorted_rows(found, num_rows)[:first]


@pytest.mark.parametrize("first", [0, 1, 99, 1000])
@pytest.mark.parametrize("order", ["x", "x desc", "name desc, x", "y nulls first", "y desc, name", "x * -1, name desc"])
def test_limit_takes_the_first_rows_of_the_order_without_it(order, first):
    rng = np.random.default_rng(3)
    columns = {
        "x": rng.integers(0, 50, 20_000),
        "y": np.where(rng.random(20_000) < 0.01, NAN, rng.integers(0, 9, 20_000) / 2),
        "name": np.array([f"n{number}" for number in range(20)], TEXT)[rng.integers(0, 20, 20_000)],
    }
    table = ArrayTable(columns)
    whole = run(f"select * order by {order}", table).selection.rows
    found = run(f"select * order by {order} limit $n offset 7", table, params={"n": first}).selection.rows
    assert found.tolist() == whole[7 : 7 + first].tolist()


def test_first_rows_of_an_order_do_not_sort_the_others(monkeypatch):
    sorted_sizes: list[int] = []
    plain = order_of.__globals__["stable_order"]
    monkeypatch.setitem(order_of.__globals__, "stable_order", lambda d, n: sorted_sizes.append(n) or plain(d, n))
    table = ArrayTable({"x": np.random.default_rng(0).integers(0, 5, 100_000)})
    run("select * order by x desc limit 100", table)
    assert sorted_sizes == [100]


@settings(deadline=None, max_examples=100)
@given(st.data(), st.integers(0, 30), st.integers(1, 3))
def test_groups_hold_rows_of_equal_values_in_order_of_appearance(data, num_rows, num_keys):
    found = [data.draw(keys(num_rows)) for _ in range(num_keys)]

    def key(row: int) -> tuple[Any, ...]:
        items = (rows[row] for _, rows, _, _ in found)
        return tuple(None if isinstance(item, float) and math.isnan(item) else item for item in items)

    groups: dict[tuple[Any, ...], list[int]] = {}
    for row in range(num_rows):
        groups.setdefault(key(row), []).append(row)
    order, offsets = groups_of([value for value, _, _, _ in found], num_rows)
    assert [order[a:b].tolist() for a, b in pairwise(offsets.tolist())] == list(groups.values())


def test_a_constant_key_leaves_rows_in_order_and_in_one_group():
    assert order_of([(constant(3), True, False)], 4).tolist() == [0, 1, 2, 3]
    assert groups_of([constant(None)], 4)[1].tolist() == [0, 4]


@pytest.mark.parametrize("kind", ["", "left ", "right ", "full "])
@settings(deadline=None, max_examples=25)
@given(
    left=st.lists(st.sampled_from([0, 1, 2, 3, None]), max_size=7),
    right=st.lists(st.sampled_from([0, 1, 2, 4, None]), max_size=7),
)
def test_join_pairs_rows_as_two_loops_do(kind, left, right):
    tables = {name: _numbered(rows) for name, rows in (("a", left), ("b", right))}
    text = f"select a.n as n, b.n as m from a {kind}join b on a.k = b.k"
    found = run(text, tables["a"], resolve=lambda name, at: tables[name])
    pairs = [(i, j) for i, x in enumerate(left) for j, y in enumerate(right) if x is not None and x == y]
    mine, others = {i for i, _ in pairs}, {j for _, j in pairs}
    if kind in {"left ", "full "}:
        pairs = sorted(pairs + [(i, None) for i in range(len(left)) if i not in mine], key=lambda pair: pair[0])
    if kind in {"right ", "full "}:
        pairs += [(None, j) for j in range(len(right)) if j not in others]
    assert list(zip(_items(found.columns["n"]), _items(found.columns["m"]), strict=True)) == pairs


def _numbered(rows: list[int | None]) -> ArrayTable:
    keys = [None if row is None else np.array(row) for row in rows]
    return ArrayTable(
        {"k": keys if any(row is not None for row in rows) else np.full(len(rows), NAN), "n": np.arange(len(rows))}
    )


def _items(column: Any) -> list[int | None]:
    present = column.valid_rows
    return [int(column.row(row)) if present[row] else None for row in range(len(column))]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 5), max_size=8),
    st.lists(st.integers(0, 5), max_size=8),
    st.sampled_from(["union", "intersect", "except"]),
    st.booleans(),
)
def test_sets_of_rows_are_those_of_counted_rows(left, right, operator, everything):
    from collections import Counter

    table = ArrayTable({"x": np.arange(500)})
    rows = np.array([*left, *(500 - 1 - row for row in left), *right], np.int64)
    text = f"(select * where row_number() >= 0 limit {2 * len(left)}) {operator} {'all' if everything else ''} (select * offset {2 * len(left)})"
    found = run(text, table, rows=rows).selection.rows.tolist()
    a, b = Counter(rows[: 2 * len(left)].tolist()), Counter(rows[2 * len(left) :].tolist())
    if not everything:
        a, b = Counter(set(a)), Counter(set(b))
    both = {"union": a + b, "intersect": a & b, "except": a - b}[operator]
    both = both if everything else Counter(set(both))
    assert found == sorted(both.elements())


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(KINDS["float"][0]), st.integers(-2, 2)), max_size=9),
    st.lists(st.tuples(st.sampled_from(KINDS["float"][0]), st.integers(-2, 2)), max_size=9),
    st.booleans(),
    st.sampled_from([(1 << 16, _matching._MIX), (1, _matching._MIX), (2, (np.uint64(0),)), (64, (np.uint64(0),))]),
)
def test_pairs_have_equal_keys_whatever_the_blocks_and_hashes(left, right, both, options):
    columns = [
        [
            (np.array([row[place] for row in side], dtype), np.array([math.isnan(row[0]) for row in side], bool))
            for side in (left, right)
        ]
        for place, dtype in ([(0, np.float64)] if not both else [(0, np.float64), (1, np.int8)])
    ]
    keys = [(mine[0], theirs[0]) for mine, theirs in columns]
    with pytest.MonkeyPatch.context() as patch:  # hashes of 0: all rows are in one run, and keys are told apart
        patch.setattr(_matching, "_BLOCK", options[0])
        patch.setattr(_matching, "_MIX", options[1])
        found = _matching.equal_pairs(keys, (columns[0][0][1], columns[0][1][1]), (len(left), len(right)), 100)
    assert not isinstance(found, int)
    assert list(zip(*(each.tolist() for each in found), strict=True)) == [
        (i, j) for i, x in enumerate(left) for j, y in enumerate(right) if x[0] == y[0] and (not both or x[1] == y[1])
    ]


@pytest.mark.parametrize(
    ("left", "right"), [(np.int64, np.uint8), (np.uint64, np.int32), (np.float32, np.float64), (bool, np.int8)]
)
def test_numbers_of_two_types_are_equal_as_the_wider_type_says(left, right):
    one, other = np.array([0, 1, 3, 2, 1], left), np.array([1, 0, 1, 7], right)
    keys, missing = _matching.matching_keys(Value(data=one), Value(data=other))
    found = _matching.equal_pairs(keys, missing, (len(one), len(other)), 100)
    assert not isinstance(found, int)
    expected = [(i, j) for i, x in enumerate(one.tolist()) for j, y in enumerate(other.tolist()) if x == y]
    assert list(zip(*(each.tolist() for each in found), strict=True)) == expected


def test_of_too_many_pairs_only_the_number_is_returned(monkeypatch):
    monkeypatch.setattr(_matching, "_BY_CHANCE", 0)
    same = np.zeros(40, np.int64)
    assert _matching.equal_pairs([(same, same)], (None, None), (40, 40), 1_599) == 1_600


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.booleans(), max_size=3), max_size=9), st.integers(1, 4))
def test_rows_with_a_true_element_whatever_the_blocks(rows, block):
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    flags = np.array([flag for row in rows for flag in row], bool)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_values, "_BLOCK", block)
        assert _values.rows_with(flags, offsets).tolist() == [any(row) for row in rows]
        one = _values.scalar(Value(data=np.arange(len(rows)), offsets=np.arange(len(rows) + 1)))
    assert one.valid is None
    assert one.data.tolist() == list(range(len(rows)))
