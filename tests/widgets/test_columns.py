"""Profiles of columns: counts against plain Python, and conditions that select exactly the rows that are counted."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import tql
from penstock.table import ArrayTable, Ragged
from penstock.widgets.columns._filtering import selected_bars, with_bars
from penstock.widgets.columns._profile import bars_of

EXAMPLES = settings(max_examples=25, deadline=None)
AWKWARD = ["", " ", "'", "''", 'it"s', "a\nb", "a  b", "--", "/*", "😀", "é", "\u202e", "%_*?", "\\", "null", "x" * 999]


def scalars(values, valid=None):
    """Return a column of one value a row, as datasets store it: a NULL row has no number, but an empty text."""
    values = np.asarray(values)
    valid = np.ones(len(values), bool) if valid is None else np.asarray(valid, bool)
    shapes = np.zeros((len(values), 0), np.int64)
    if values.dtype.kind == "T" or valid.all():
        kept, lengths = values, np.ones(len(values), np.int64)
    else:
        kept, lengths = values[valid], valid.astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Ragged(values=kept, offsets=offsets, shapes=shapes, valid=None if valid.all() else valid)


def texts(values):
    return np.array(values, np.dtypes.StringDType())


def bars_and_rows(column, *, name="a", htype="generic", class_names=None):
    """Return the bars of a column, and for each bar and some spans of bars the rows TQL selects by its condition."""
    names = None if class_names is None else {name: class_names}
    table = ArrayTable({name: column}, class_names=names, htypes=None if htype == "generic" else {name: htype})
    stored = table.column(name)
    bars = bars_of(stored, tql.quote_name(name), "class_label" if class_names is not None else htype)
    found = {}
    number = len(bars.bars)
    spans = {(i, i) for i in range(number)} | {(i, number - 1 - i) for i in range(number // 2)}
    for first, last in sorted(spans | {(i, i + 1) for i in range(0, number - 1, 5)}):
        text = with_bars("select *", bars, first, last)
        if text is not None:
            found[first, last] = tql.run(text, table).pool
    return bars, found


def assert_exact(column, **options):
    """Every bar selects as many rows as it counts, no row twice; neighboring bars select what each of them does."""
    bars, found = bars_and_rows(column, **options)
    counts = bars.counts(None)
    of_bar = {first: rows for (first, last), rows in found.items() if first == last}
    assert {first: len(rows) for first, rows in of_bar.items()} == {first: counts[first] for first in of_bar}
    for (first, last), rows in found.items():
        each = [of_bar[number] for number in range(first, last + 1)]
        assert rows.tolist() == sorted(set(np.concatenate(each).tolist()))
    return bars, counts, of_bar


def partitioned(bars, counts, of_bar, num_rows):
    """Every row is in exactly one bar, and every bar can be selected."""
    assert len(of_bar) == len(bars.bars)
    assert counts.sum() == num_rows
    every = np.concatenate([*of_bar.values(), np.zeros(0, np.int64)])
    assert len(set(every.tolist())) == num_rows - counts[-1]


integers = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.integers(-40, 40), st.sampled_from([2**53, 2**53 + 1, -(2**63), 2**63 - 1])
)
unsigned = st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1, 0]))


@EXAMPLES
@given(st.lists(st.one_of(st.none(), integers), min_size=1, max_size=90))
def test_bars_of_integers_select_what_they_count(values):
    column = scalars(np.array([value or 0 for value in values], np.int64), [value is not None for value in values])
    partitioned(*assert_exact(column), len(values))


@EXAMPLES
@given(st.lists(unsigned, min_size=1, max_size=90))
def test_bars_of_unsigned_integers_select_what_they_count(values):
    partitioned(*assert_exact(scalars(np.array(values, np.uint64))), len(values))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32"])
def test_bars_of_a_small_type_reach_from_its_smallest_to_its_largest(dtype):
    info = np.iinfo(dtype)
    values = np.linspace(info.min, info.max, 100).astype(dtype)
    partitioned(*assert_exact(scalars(values)), 100)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@EXAMPLES
@given(data=st.data())
def test_bars_of_floats_select_what_they_count(dtype, data):
    width = int(dtype[5:])
    values = data.draw(st.lists(st.floats(width=width), min_size=1, max_size=90))
    partitioned(*assert_exact(scalars(np.array(values, dtype))), len(values))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@EXAMPLES
@given(data=st.data())
def test_values_at_a_round_edge_are_above_it(dtype, data):
    tenths = data.draw(st.lists(st.integers(-300, 300), min_size=30, max_size=90))
    values = (np.array(tenths) / 10).astype(dtype)
    partitioned(*assert_exact(scalars(values)), len(values))


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(-1, 1, 60) * 1.7e308,
        np.linspace(0, 5e-324 * 60, 61),
        1e15 + np.linspace(0, 1, 60),
        np.nextafter(1.0, 2) + np.arange(60) * np.finfo(float).eps,
        np.array([-np.finfo(np.float32).max, *np.linspace(0, 1, 60), np.finfo(np.float32).max], np.float32),
        np.array([*np.linspace(-65504, 65504, 60)], np.float16),
        np.full(70, -0.0),
        np.array([np.nan, np.inf, -np.inf, *np.linspace(0, 1, 60)], np.float32),
    ],
    ids=[
        "whole range",
        "denormal",
        "far from zero",
        "next floats",
        "float32 limits",
        "float16 limits",
        "zero",
        "special",
    ],
)
def test_bars_are_exact_at_the_limits_of_floats(values):
    partitioned(*assert_exact(scalars(values)), len(values))


@EXAMPLES
@given(st.lists(st.one_of(st.none(), st.booleans()), min_size=1, max_size=20))
def test_bars_of_booleans_select_what_they_count(values):
    column = scalars(np.array([bool(value) for value in values]), [value is not None for value in values])
    bars, counts, of_bar = assert_exact(column)
    partitioned(bars, counts, of_bar, len(values))


words = st.one_of(st.sampled_from(AWKWARD), st.text(st.characters(exclude_categories=["Cs"]), max_size=4))


@EXAMPLES
@given(st.lists(st.one_of(st.none(), words), min_size=1, max_size=60))
def test_bars_of_text_select_what_they_count(values):
    column = scalars(texts([value or "" for value in values]), [value is not None for value in values])
    bars, counts, _ = assert_exact(column)
    expected = Counter(value for value in values if value is not None)
    if any(value is not None for value in values):
        assert bars.distinct == len(expected)
    assert counts.sum() == len(values)
    shown = [int(count) for bar, count in zip(bars.bars, counts, strict=False) if bar.special is None]
    assert shown == sorted(expected.values(), reverse=True)[: len(shown)]


@EXAMPLES
@given(st.lists(st.one_of(st.none(), st.datetimes()), min_size=1, max_size=60))
def test_bars_of_times_select_what_they_count(values):
    column = scalars(
        texts(["" if value is None else value.isoformat() for value in values]), [value is not None for value in values]
    )
    partitioned(*assert_exact(column), len(values))


@pytest.mark.parametrize(
    ("step", "number"),
    [
        (dt.timedelta(milliseconds=1), 90), (dt.timedelta(seconds=1), 90), (dt.timedelta(minutes=7), 90),
        (dt.timedelta(hours=5), 90), (dt.timedelta(days=1), 90), (dt.timedelta(days=40), 90), (dt.timedelta(days=9000), 90),
    ],
    ids=lambda value: str(value),
)  # fmt: skip
def test_bars_of_times_are_whole_units_and_few(step, number):
    start = dt.datetime.fromisoformat("1999-12-31T23:59:58")
    column = scalars(texts([(start + step * i).isoformat(" ") for i in range(number)]))
    bars, counts, of_bar = assert_exact(column)
    partitioned(bars, counts, of_bar, number)
    assert bars.kind == "date"
    assert len(bars.bars) <= 24


def test_times_of_a_zone_are_counted_as_queries_read_them():
    column = scalars(texts(["2024-01-01T00:30:00+02:00", "2024-01-01T00:30:00"]))
    bars, counts, of_bar = assert_exact(column)
    partitioned(bars, counts, of_bar, 2)


def test_text_that_is_not_all_dates_is_text():
    assert bars_of(scalars(texts(["2024-01-01", "2024-13-01"])), "a", "text").kind == "category"


@EXAMPLES
@given(st.lists(st.lists(st.integers(0, 29), max_size=5), min_size=1, max_size=60))
def test_bars_of_classes_select_the_samples_that_have_them(rows):
    names = [*AWKWARD[4:], *(f"class {i}" for i in range(18))][:30]
    bars, counts, of_bar = assert_exact([np.array(row, np.int64) for row in rows], class_names=names)
    expected = Counter(index for row in rows for index in set(row))
    assert bars.distinct == len(expected)
    assert [int(counts[i]) for i in of_bar if bars.bars[i].special is None] == sorted(expected.values(), reverse=True)[
        :24
    ]
    empty = [int(counts[i]) for i in of_bar if bars.bars[i].special == "empty"]
    assert sum(empty) == sum(not row for row in rows)


@EXAMPLES
@given(st.lists(st.one_of(st.none(), st.integers(0, 70)), min_size=1, max_size=60))
def test_bars_of_lists_are_their_lengths(lengths):
    column = [None if length is None else np.arange(length) for length in lengths]
    if all(length is None for length in lengths):
        return
    bars, counts, of_bar = assert_exact(column)
    partitioned(bars, counts, of_bar, len(lengths))


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (scalars(np.zeros(4), [False] * 4), "presence"),
        (scalars(texts([""] * 4), [False] * 4), "presence"),
        (scalars(np.zeros(0)), "presence"),
        (scalars(np.full(4, np.nan)), "number"),
    ],
    ids=["no number", "no text", "no row", "only NaN"],
)
def test_a_column_without_values_has_only_special_bars(column, kind):
    bars, counts, of_bar = assert_exact(column)
    partitioned(bars, counts, of_bar, len(column))
    assert bars.kind == kind
    assert all(bar.special is not None for bar in bars.bars)


def test_texts_that_all_differ_have_no_bars():
    bars = bars_of(scalars(texts([f"file {i}.png" for i in range(100)])), "a", "text")
    assert (len(bars.bars), bars.distinct, bars.counts(None).tolist()) == (0, 100, [100])


def test_a_long_text_is_counted_but_cannot_be_selected():
    bars = bars_of(scalars(texts(["x" * 5000] * 3 + ["y"])), "a", "text")
    assert [(bar.condition, len(bar.label)) for bar in bars.bars] == [(None, 80), ("a = 'y'", 1)]
    assert bars.counts(None).tolist() == [3, 1, 0]
    assert with_bars("select *", bars, 0, 0) is None


def test_few_values_have_a_bar_each_with_gaps_of_integers_shown():
    bars = bars_of(scalars(np.array([3, 5, 5, 9])), "a", "generic")
    assert [bar.label for bar in bars.bars] == ["3", "4", "5", "6", "7", "8", "9"]
    assert bars.counts(None).tolist() == [1, 0, 2, 0, 0, 0, 1, 0]


def test_ages_are_counted_in_round_ranges():
    ages = np.arange(96)
    bars = bars_of(scalars(ages), "age", "generic")
    assert [bar.label for bar in bars.bars][:2] == ["0 – 4", "5 – 9"]
    assert bars.bars[1].condition == "age between 5 and 9"
    assert bars.condition(1, 3) == "age between 5 and 19"
    assert bars.counts(None).tolist() == [5] * 19 + [1, 0]
    assert dict(bars.facts) == {"min": "0", "max": "95", "mean": "47.5"}


@EXAMPLES
@given(st.data())
def test_counts_of_a_pool_are_those_of_its_rows(data):
    values = np.array(data.draw(st.lists(st.integers(0, 200), min_size=1, max_size=80)))
    rows = np.array(data.draw(st.lists(st.integers(0, len(values) - 1), max_size=80)), np.int64)
    column = scalars(values)
    expected = np.zeros(len(bars_of(column, "a", "generic").bars) + 1, np.int64)
    bars, found = bars_and_rows(column)
    for number in range(len(bars.bars)):
        expected[number] = sum(1 for row in rows if row in set(found[number, number].tolist()))
    assert bars.counts(rows).tolist() == expected.tolist()


@pytest.mark.parametrize("name", ["a b", 'say "x"', "when", "größe", "select", "a'b", "a.b"])
def test_conditions_quote_the_name_of_the_column(name):
    partitioned(*assert_exact(scalars(np.arange(60)), name=name), 60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select *", "select * where age between 5 and 9"),
        ("select * where view = 'PA'", "select * where view = 'PA' and age between 5 and 9"),
        ("select * where a = 1 or b = 2", "select * where (a = 1 or b = 2) and age between 5 and 9"),
        ("select * where age between 0 and 4", "select * where age between 5 and 9"),
        ("select * where age between 5 and 9 and b", "select * where b"),
        ("select * where age > 18", "select * where age > 18 and age between 5 and 9"),
        ("select * order by age limit 3", "select * from (select * order by age limit 3) where age between 5 and 9"),
        ("select * sample by 1", "select * where age between 5 and 9 sample by 1"),
    ],
    ids=["no WHERE", "AND", "OR", "another bar", "the same bar", "by hand", "LIMIT", "SAMPLE BY"],
)
def test_a_bar_becomes_a_condition_of_the_query(text, expected):
    assert with_bars(text, bars_of(scalars(np.arange(96)), "age", "generic"), 1, 1) == expected


@pytest.mark.parametrize("span", [(0, 0), (3, 7), (0, 9)], ids=str)
def test_selected_bars_are_found_in_the_query(span):
    bars = bars_of(scalars(np.linspace(0, 1, 60)), "x", "generic")
    text = with_bars("select * where a = 1 order by b", bars, *span)
    assert selected_bars(text, bars) == span
    assert with_bars(text, bars, *span) == "select * where a = 1 order by b"
    assert selected_bars(with_bars(text, bars, 1, 2), bars) == (1, 2)


def test_the_mean_of_the_largest_floats_is_a_number():
    values = np.array([1.7e308, 1.7e308, *np.linspace(0, 1, 0)])
    facts = dict(bars_of(scalars(values), "a", "generic").facts)
    assert math.isfinite(float(facts["mean"]))
