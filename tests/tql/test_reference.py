"""The vectorised evaluator against the per-row one, on ragged, empty and NULL data."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import tql
from penstock.table import ArrayTable
from tests.tql.reference import Row, truth

NAMES = {"label": ["car", "dog", "cat"], "labels": ["a", "b", "it's"]}
ARRAYS = {"v", "w", "labels"}
small = st.integers(-3, 3)


@st.composite
def tables(draw) -> dict:
    count = draw(st.integers(0, 7))

    def column(values):
        return draw(st.lists(values, min_size=count, max_size=count))

    return {
        "id": list(range(count)),
        "n": column(st.one_of(st.none(), small)),
        "score": column(st.sampled_from([0.5, -1.0, float("nan"), 2.0, 0.0])),
        "v": column(st.one_of(st.none(), st.lists(small, max_size=4))),
        "w": column(st.lists(st.lists(small, min_size=4, max_size=4), max_size=3)),
        "label": [[index] for index in column(st.integers(0, 2))],
        "labels": column(st.lists(st.integers(0, 2), max_size=3)),
        "t": column(st.one_of(st.none(), st.sampled_from(["", "car", "cart", "a b", "it's"]))),
    }


def as_table(data: dict) -> ArrayTable:
    columns = {
        "id": np.array(data["id"], np.int64),
        "n": [np.int64(0), *data["n"]][1:] if any(x is not None for x in data["n"]) else [None] * len(data["n"]),
        "score": np.array(data["score"], float),
        "v": [None if row is None else np.array(row, np.int64) for row in data["v"]],
        "w": [np.array(row, np.int64).reshape(-1, 4) for row in data["w"]],
        "label": [np.array(row) for row in data["label"]],
        "labels": data["labels"],
        "t": [None if text is None else text for text in data["t"]],
    }
    return ArrayTable(columns, class_names=NAMES, htypes={"w": "bbox", "t": "text", "v": "embedding"})


integers = small.map(str)
comparisons = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])


def joined(template: str, *parts):
    return st.tuples(*parts).map(lambda values: template.format(*values))


def arrays(depth: int):
    leaves = st.sampled_from(["v", "v[1:]", "v[::-1]", "v[-2:]", "w[:, 1]", "w[0]", "w[:, -1]", "w[1, :2]"])
    if depth <= 0:
        return leaves
    return st.one_of(leaves, joined("({} + {})", leaves, numbers(depth - 1)), joined("(- {})", arrays(depth - 1)))


def numbers(depth: int):
    leaves = st.one_of(
        integers,
        st.sampled_from(
            ["id", "n", "v[0]", "v[-1]", "v[2]", "w[0, 1]", "w[-1, -1]", "shape(v)[0]", "shape(labels)[0]", "length(t)"]
        ),
    )
    if depth <= 0:
        return leaves
    inner = numbers(depth - 1)
    return st.one_of(
        leaves,
        joined("({} + {})", inner, inner),
        joined("({} * {})", inner, inner),
        joined("(- {})", inner),
        joined("abs({})", inner),
        joined("{}({})", st.sampled_from(["sum", "max", "min", "count", "avg"]), arrays(depth - 1)),
        joined("coalesce({}, {})", inner, inner),
        joined("(case when {} then {} else {} end)", conditions(depth - 1), inner, inner),
    )


def conditions(depth: int):
    number = numbers(max(depth - 1, 0))
    leaves = st.one_of(
        joined("{} {} {}", number, comparisons, number),
        joined("score {} {}", comparisons, integers),
        joined("label {} '{}'", st.sampled_from(["=", "!="]), st.sampled_from(NAMES["label"])),
        joined("labels[{}] = '{}'", st.sampled_from(["0", "1", "-1"]), st.sampled_from(["a", "b"])),
        joined("contains(labels, '{}')", st.sampled_from(["a", "b", "it''s"])),
        joined("contains(label, '{}')", st.sampled_from(NAMES["label"])),
        joined("contains(v, {})", integers),
        joined("contains(t, '{}')", st.sampled_from(["", "ar", "it''s", "z"])),
        joined("t {} '{}'", comparisons, st.sampled_from(["car", "", "it''s"])),
        joined("t {} '{}'", st.sampled_from(["like", "not like"]), st.sampled_from(["*ar*", "ca?", "car*", "*", "?"])),
        joined("{} {} null", st.sampled_from(["n", "t", "v", "v[1]"]), st.sampled_from(["is", "is not"])),
        joined("{} {} ({}, {})", number, st.sampled_from(["in", "not in"]), integers, integers),
        joined("label {} ('car', {})", st.sampled_from(["in", "not in"]), st.sampled_from(["2", "'dog'"])),
        joined("{} {} {} and {}", number, st.sampled_from(["between", "not between"]), integers, integers),
        joined("{}({} {} {})", st.sampled_from(["any", "all", "all_strict"]), arrays(1), comparisons, number),
        joined("{}(labels = '{}')", st.sampled_from(["any", "all", "all_strict"]), st.sampled_from(["a", "b"])),
        joined("any(v {} {} and v {} {})", comparisons, integers, comparisons, integers),
        joined("any(not w[:, 2] {} {} or w[:, 0] = 1)", comparisons, integers),
    )
    if depth <= 0:
        return leaves
    inner = conditions(depth - 1)
    return st.one_of(
        leaves, joined("not ({})", inner), joined("({}) and ({})", inner, inner), joined("({}) or ({})", inner, inner)
    )


@settings(max_examples=300, deadline=None)
@given(data=tables(), condition=conditions(2))
def test_where_keeps_the_rows_the_reference_keeps(data, condition):
    node = tql.parse(f"select * where {condition}").body.where
    rows = [Row({name: values[i] for name, values in data.items()}, NAMES, ARRAYS) for i in range(len(data["id"]))]
    expected = [number for number, row in enumerate(rows) if truth(row.of(node))]
    table = as_table(data)
    assert tql.run(f"select * where {condition}", table).selection.rows.tolist() == expected
    # the same over a view with repeats, where the rows are gathered before they are compared
    if data["id"]:
        view = np.array([0, len(data["id"]) - 1, 0])
        found = tql.run(f"select * where {condition}", as_table(data), rows=view).selection.rows.tolist()
        assert found == [row for row in view.tolist() if row in expected]


@settings(max_examples=100, deadline=None)
@given(
    data=tables(),
    key=st.sampled_from(["n", "t", "score", "label", "v[0]"]),
    descending=st.booleans(),
    first=st.booleans(),
)
def test_order_by_is_a_stable_sort_with_missing_values_where_told(data, key, descending, first):
    node = tql.parse(f"select * where {key} is null").body.where.operand
    rows = [Row({name: values[i] for name, values in data.items()}, NAMES, ARRAYS) for i in range(len(data["id"]))]
    keys = [row.of(node) for row in rows]
    present = [i for i, value in enumerate(keys) if value is not None and value == value]  # noqa: PLR0124  NaN differs from itself
    missing = [i for i in range(len(keys)) if i not in present]
    ordered = sorted(present, key=lambda i: keys[i])
    if descending:
        ordered = sorted(present, key=lambda i: keys[i], reverse=True)
    expected = missing + ordered if first else ordered + missing
    query = f"select * order by {key}{' desc' * descending} nulls {'first' if first else 'last'}"
    assert tql.run(query, as_table(data)).selection.rows.tolist() == expected
