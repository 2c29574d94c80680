"""Streams of schedules: position by position the stream of the entry that holds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import LoaderStateError, SamplingError
from penstock.sampling import (
    ClassCounts,
    SamplingSchedule,
    ScheduledStream,
    SchedulePlan,
    SequentialStream,
    Strata,
    weights_sha256,
)
from penstock.sampling.schedules._plan import stream_of_entry
from tests.sampling.conftest import plan_of, spec_of

LABELS = ClassCounts.from_labels([0] * 40 + [1] * 15 + [2] * 9, class_names=("a", "b", "c"))
SIZE = 64
MASKS = {"b": LABELS.values == 1, "c": LABELS.values == 2, "True": np.ones(SIZE, bool)}
SPECS = (
    {"b": 3, "c": 1, "True": 1},
    {"c": 5, "True": 2},
    {"True": 1},
    {"b": 2, "True": 1},
    {"c": 9, "b": 1, "True": 1},
)


def plan(starts, **options):
    specs = [spec_of(SPECS[number % 5], **options) for number in range(len(starts))]
    schedule = SamplingSchedule(tuple(zip(starts, specs, strict=True)))
    strata = Strata.from_masks({name: MASKS[name] for name in schedule.clauses}, labels=LABELS)
    return SchedulePlan.of(strata, schedule)


def own(number, start, **options):
    """The plain stream of an entry, made of strata of its own clauses alone."""
    alone = plan_of(LABELS, SPECS[number % 5], **options)
    return alone.strata.with_spec(SamplingSchedule([(0, alone.spec)]).appended(start, alone.spec).entries[-1].drawn)


@given(
    mode=st.sampled_from(["iid", "deck", "once"]),
    interleave=st.sampled_from(["shuffled", "smooth"]),
    steps=st.lists(st.integers(1, 4), max_size=4),
    inside=st.integers(0, SIZE - 1),
    cuts=st.lists(st.integers(0, 8 * SIZE), min_size=2, max_size=6),
)
def test_every_position_is_drawn_by_the_entry_that_holds(mode, interleave, steps, inside, cuts):
    starts = [0, *(int(end) * SIZE + (0 if mode == "once" else inside) for end in np.cumsum(steps))]
    options = {"mode": mode, "interleave": interleave, "seed": 5}
    stream = plan(starts, **options).stream()
    expected = np.zeros(8 * SIZE, np.int64)
    for number, start in enumerate(starts):
        begin = start if mode == "deck" else 0
        expected[start:] = (
            own(number, start, **options)
            .stream()
            .slice(start - begin, max(8 * SIZE, start) - begin)[: max(8 * SIZE - start, 0)]
        )
    for start, stop in pairwise(cuts):
        low, high = min(start, stop), max(start, stop)
        assert stream.slice(low, high).tolist() == expected[low:high].tolist()
    assert stream.epoch(3).tolist() == expected[3 * SIZE : 4 * SIZE].tolist()


@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
def test_one_entry_is_the_plain_stream(mode):
    alone = plan_of(LABELS, SPECS[0], mode=mode, seed=3)
    stream = SchedulePlan.of(alone.strata, alone.spec).stream()
    assert stream.slice(0, 300).tolist() == alone.stream().slice(0, 300).tolist()
    assert stream.fingerprint == alone.stream().fingerprint
    assert alone.stream().position(stream.state(77)) == 77


@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
def test_an_appended_entry_changes_nothing_before_it(mode):
    options = {"mode": mode, "seed": 8}
    before = plan([0, SIZE, 3 * SIZE], **options)
    more = own(3, 0, **options)
    after = before.appended(4 * SIZE, more)
    grown = before.stream().with_entry(4 * SIZE, stream_of_entry(more, 4 * SIZE))
    whole = plan([0, SIZE, 3 * SIZE, 4 * SIZE], **options).stream()
    assert before.stream().slice(0, 4 * SIZE).tolist() == whole.slice(0, 4 * SIZE).tolist()
    for stream in (after.stream(), grown):
        assert stream.fingerprint == whole.fingerprint != before.stream().fingerprint
        assert stream.slice(0, 7 * SIZE).tolist() == whole.slice(0, 7 * SIZE).tolist()


def test_an_entry_at_the_place_of_the_last_replaces_it():
    before = plan([0, 10])
    other = own(3, 0)
    assert before.stream().with_entry(10, other.stream()).starts == (0, 10)
    assert before.appended(10, other).plans == (before.plans[0], other)
    assert (
        before.stream().with_entry(10, other.stream()).slice(10, 40).tolist() == other.stream().slice(10, 40).tolist()
    )
    first = SchedulePlan.starting_with(own(0, 0)).stream().with_entry(0, other.stream())
    assert first.fingerprint == other.stream().fingerprint


def test_two_entries_of_equal_weights_deal_in_different_orders():
    alone = plan_of(LABELS, {"True": 1}, mode="deck")
    stream = SchedulePlan.of(alone.strata, SamplingSchedule([(0, alone.spec), (SIZE, alone.spec)])).stream()
    first, second = stream.epoch(0), stream.epoch(1)
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(SIZE))
    assert (first == second).sum() < SIZE / 4


def test_draws_without_replacement_change_between_epochs_only():
    with pytest.raises(SamplingError, match="inside an epoch"):
        plan([0, 10], mode="once").stream()
    with pytest.raises(SamplingError, match="inside an epoch"):
        plan([0], mode="once").stream().with_entry(10, own(1, 0, mode="once").stream())


def test_epochs_of_two_lengths_are_refused():
    some = plan_of(LABELS, {"b": 1, "True": 0}, mode="once")
    every = some.strata.with_spec(spec_of({"b": 1, "True": 1}, mode="once"))
    with pytest.raises(SamplingError, match="15 draws"):
        SchedulePlan.starting_with(every).appended(SIZE, some).stream()
    with pytest.raises(SamplingError, match="Expected a later start"):
        ScheduledStream([0, 5, 5], [SequentialStream(5)] * 3)
    for starts in ([], [0, 1], [1]):
        with pytest.raises(SamplingError, match="as many starts"):
            ScheduledStream(starts, [SequentialStream(5)])
    with pytest.raises(SamplingError, match="range of positions"):
        plan([0, 5]).stream().slice(5, 2)


def test_a_state_is_of_one_schedule():
    stream, other = plan([0, 10]).stream(), plan([0, 11]).stream()
    assert stream.position(stream.state(100)) == 100
    with pytest.raises(LoaderStateError):
        other.position(stream.state(100))


def test_strata_without_a_clause_of_the_schedule_are_refused():
    strata = Strata.from_masks({"b": MASKS["b"]}, labels=LABELS)
    with pytest.raises(SamplingError, match="'True'"):
        SchedulePlan.of(strata, SamplingSchedule([(0, spec_of({"b": 1})), (5, spec_of({"True": 1}))]))


def test_label_sets_serve_every_clause_about_classes():
    sets = Strata.from_labels(LABELS)
    names = {"c": "contains(labels, 'c')", "True": "True"}
    one, two = ({names[name]: weight for name, weight in own.items()} for own in ({"c": 5, "True": 2}, {"True": 1}))
    schedule = SamplingSchedule([(0, spec_of(one)), (50, spec_of(two))])
    alone = Strata.from_masks({names["c"]: MASKS["c"], "True": MASKS["True"]}).with_spec(spec_of(one))
    assert SchedulePlan.of(sets, schedule).stream().slice(0, 50).tolist() == alone.stream().slice(0, 50).tolist()


def test_an_array_of_weights_is_an_entry_by_its_digest():
    weights = np.linspace(0, 5, SIZE)
    sha256 = weights_sha256(weights)
    alone = plan_of(LABELS, {"True": 1})
    schedule = SamplingSchedule(alone.spec).appended(20, alone.spec.with_options(clauses=()), sha256)
    stream = SchedulePlan.of(alone.strata, schedule, weights={sha256: weights}).stream()
    array = Strata.from_weights(weights).with_spec(alone.spec.with_options(clauses=())).stream()
    assert stream.slice(0, 99).tolist() == [*alone.stream().slice(0, 20).tolist(), *array.slice(20, 99).tolist()]
    for arrays, message in (({}, "not passed"), ({sha256: weights + 1}, "another SHA-256")):
        with pytest.raises(SamplingError, match=message):
            SchedulePlan.of(alone.strata, schedule, weights=arrays)
    short = SamplingSchedule(alone.spec).appended(20, alone.spec.with_options(clauses=()), weights_sha256([1.0, 2.0]))
    with pytest.raises(SamplingError, match="2 weights for 64"):
        SchedulePlan.of(alone.strata, short, weights={weights_sha256([1.0, 2.0]): [1, 2]})
