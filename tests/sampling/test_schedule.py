"""Schedules as values: what they hold, refuse, and write."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PenstockError, SamplingError
from penstock.sampling import Clause, SamplingSchedule, SamplingSpec, ScheduleEntry
from tests.sampling.conftest import spec_of

EXPRESSIONS = ("a", "b", "contains(labels, 'd\"''é')", "True")


@st.composite
def schedules(draw, modes=("iid", "deck", "once")):
    shared = {
        "mode": draw(st.sampled_from(modes)),
        "combine": draw(st.sampled_from(["max", "sum", "product"])),
        "seed": draw(st.integers(0, 2**128 - 1)),
        "size": draw(st.none() | st.integers(1, 50)),
        "interleave": draw(st.sampled_from(["shuffled", "smooth"])),
    }
    starts = [0, *sorted(draw(st.sets(st.integers(1, 10_000), max_size=4)))]
    weight = st.floats(0, 1e6, allow_nan=False)
    names = st.lists(st.sampled_from(EXPRESSIONS), max_size=4)
    specs = [SamplingSpec(clauses=tuple(Clause(n, draw(weight)) for n in draw(names)), **shared) for _ in starts]
    return SamplingSchedule(tuple(zip(starts, specs, strict=True)))


@given(schedules())
def test_json_gives_the_same_schedule_back(schedule):
    again = SamplingSchedule.from_json(schedule.to_json())
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert again.fingerprint == schedule.fingerprint
    assert SamplingSchedule.from_json(schedule.spec.to_json()).entries == schedule.entries[:1]


@given(schedules(), st.integers(0, 12_000))
def test_the_last_entry_that_has_started_holds(schedule, position):
    assert schedule.at(position) == [entry for entry in schedule.entries if entry.start <= position][-1]


@given(schedules())
def test_appending_entries_gives_the_schedule_made_of_them(schedule):
    made = SamplingSchedule(schedule.spec)
    for entry in schedule.entries[1:]:
        made = made.appended(entry.start, entry.spec)
    assert made == schedule
    last = schedule.entries[-1]
    assert schedule.appended(last.start, last.spec) == schedule


def weigh(spec, row):
    """The weight of a row that the clauses of a set match, by the words of the design."""
    matched = [clause.weight for clause in spec.clauses if clause.expression in row]
    if spec.combine == "max":
        return max(matched, default=0.0)
    return sum(matched) if spec.combine == "sum" else float(np.prod(matched))


@given(schedules(), st.sets(st.sampled_from(EXPRESSIONS)))
def test_the_union_weighs_every_row_as_the_entry_does(schedule, row):
    for entry in schedule.entries:
        union = schedule.of_union(entry)
        if entry.spec.clauses:
            assert tuple(clause.expression for clause in union.clauses) == schedule.clauses
        assert weigh(union, row) == pytest.approx(weigh(entry.spec, row), rel=1e-12)


def test_clauses_are_in_the_order_of_first_appearance():
    one, two = spec_of({"b": 1, "a": 2}, combine="product"), spec_of({"c": 3, "b": 4}, combine="product")
    schedule = SamplingSchedule([(0, one), (10, two)])
    assert schedule.clauses == ("b", "a", "c")
    assert schedule.of_union(schedule.entries[1]).weights == (4, 1, 3)


PLAIN = spec_of({"True": 1})
SHA = "0" * 64


@pytest.mark.parametrize(
    "entries",
    [
        (), None, 5, "spec", {0: PLAIN}, [PLAIN], [(1, PLAIN)], [(0, PLAIN), (0, PLAIN)], [(0, PLAIN), (9, PLAIN), (5, PLAIN)],
        [(0, "x")], [(0, PLAIN, "no digest")], [(0, PLAIN, SHA)], [(-1, PLAIN)], [(0.0, PLAIN)], [(True, PLAIN)],
        [(float("nan"), PLAIN)], [(1 << 80, PLAIN)], [(0, PLAIN), (9, PLAIN.with_options(seed=1))],
        [(0, PLAIN), (9, PLAIN.with_options(mode="deck"))], [(0, PLAIN), (9, PLAIN.with_options(combine="sum"))],
        [(0, PLAIN), (9, PLAIN.with_options(size=5))], [(0, PLAIN), (9, PLAIN.with_options(interleave="smooth"))],
        [(0, PLAIN, None, None)],
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_not_a_schedule_is_refused(entries):
    with pytest.raises(SamplingError, match="Expected"):
        SamplingSchedule(entries)


def changed(change):
    read = json.loads(SamplingSchedule([(0, PLAIN), (9, spec_of({"a": 2}))]).to_json())
    change(read)
    return json.dumps(read)


TEXTS = [
    None, 7, b"\xff", "", "{", "[]", "null", "3", '"x"', "[" * 100_000, '{"entries": 5}', '{"entries": []}', '{"entries": [5]}',
    '{"entries": [{}]}', '{"entries": [{"start": 0, "spec": []}]}', '{"entries": [{"start": 0, "spec": "x"}]}',
    '{"entries": [{"start": 0, "spec": {"clauses": 5}}]}', '{"entries": [{"start": 0, "spec": {"clauses": [5]}}]}',
    '{"entries": [{"start": 0, "spec": {"clauses": [{"expression": 5, "weight": 1}]}}]}',
    '{"entries": [{"start": 0, "spec": {"clauses": [{"expression": "a", "weight": NaN}]}}]}',
    '{"entries": [{"start": 0, "spec": {"clauses": [{"expression": "a", "weight": -1}]}}]}',
    '{"entries": [{"start": 0, "spec": {"clauses": [{"expression": "a", "weight": [1]}]}}]}',
    '{"entries": [{"start": 0, "spec": {"tables": [5]}}]}', '{"entries": [{"start": 0, "spec": {"tables": [["a", 5]]}}]}',
    '{"entries": [{"start": 0, "spec": {"tables": [["a", [1], 2]]}}]}',
    '{"entries": [{"start": 0, "spec": {"tables": [["a", [NaN]]]}}]}',
    '{"entries": [{"start": 0, "spec": {"expression": 5}}]}', '{"entries": [{"start": 0, "spec": {"replace": "no"}}]}',
    '{"entries": [{"start": 0, "spec": {"seed": 1.5}}]}', '{"entries": [{"start": 0, "spec": {"size": NaN}}]}',
    '{"entries": [{"start": 0, "spec": {"mode": ["iid"]}}]}', '{"entries": [{"start": 0, "spec": {"unknown": 1}}]}',
    '{"entries": [{"start": "0", "spec": {}}]}', '{"entries": [{"start": NaN, "spec": {}}]}',
    '{"entries": [{"start": Infinity, "spec": {}}]}', '{"entries": [{"start": 0, "spec": {}, "weights_sha256": 5}]}',
    '{"entries": [{"start": 0, "spec": {}, "more": 5}]}', '{"entries": [], "more": 5}',
    changed(lambda read: read["entries"].reverse()), changed(lambda read: read["entries"][1].update(start=0)),
    changed(lambda read: read["entries"][1]["spec"].update(seed=1)),
    changed(lambda read: read["entries"][0].update(start=3)),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_text_that_is_no_schedule_is_refused(number):
    with pytest.raises(SamplingError, match=r"Expected|not a sampling|is not valid"):
        SamplingSchedule.from_json(TEXTS[number])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["entries", "start", "spec", "clauses", "weight", "expression", "seed"]), inner
        )
    ),
    max_leaves=8,
)


@given(json_values)
def test_no_other_error_than_the_package_s_own_comes_of_any_json(value):
    for read in (SamplingSchedule.from_json, SamplingSpec.from_json):
        with contextlib.suppress(PenstockError):
            read(json.dumps(value))


def test_an_entry_may_name_an_array_in_place_of_clauses():
    entry = ScheduleEntry(0, SamplingSpec(), SHA)
    schedule = SamplingSchedule((entry,))
    assert SamplingSchedule.from_json(schedule.to_json()).entries == (entry,)
    assert schedule.of_union(entry) == entry.spec


def test_an_entry_that_starts_before_the_last_is_not_appended():
    schedule = SamplingSchedule([(0, PLAIN), (64, PLAIN)])
    with pytest.raises(SamplingError, match="ascending"):
        schedule.appended(63, PLAIN)
    with pytest.raises(SamplingError, match="seed"):
        schedule.appended(64, PLAIN.with_options(seed=3))
    with pytest.raises(SamplingError, match="seed"):
        SamplingSchedule(PLAIN).appended(0, PLAIN.with_options(seed=3))


def test_a_schedule_says_from_where_which_weights_hold():
    plain, rare = SamplingSpec(clauses=(Clause("True", 1),)), SamplingSpec(clauses=(Clause("rare", 9),))
    assert repr(SamplingSchedule([(0, plain), (5000, rare)])).split("\n") == [
        "SamplingSchedule(2 entries, mode='iid', seed=0)",
        "  from 0: max_weight(True: 1)",
        "  from 5,000: max_weight(rare: 9)",
    ]
    many = repr(SamplingSchedule([(start, plain) for start in range(100)])).split("\n")
    assert (len(many), many[10], many[-1]) == (13, "  ...", "  from 99: max_weight(True: 1)")
