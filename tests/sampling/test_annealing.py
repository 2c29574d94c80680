"""Schedules ready made, against the formulas of the papers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from penstock.errors import SamplingError
from penstock.sampling import (
    ClassCounts,
    SamplingSpec,
    SchedulePlan,
    Strata,
    anneal,
    deferred,
    progressively_balanced,
    repeat_factor,
)
from tests.sampling.conftest import spec_of

LONG_TAIL = (60, 25, 10, 5)


@pytest.fixture
def long_tail():
    return ClassCounts.from_labels(np.repeat(np.arange(4), LONG_TAIL), class_names=tuple("abcd"))


def weights_by_epoch(schedule):
    return [dict(zip((clause.expression for clause in e.spec.clauses), e.spec.weights, strict=True)) for e in schedule.entries]  # fmt: skip


def test_linear_moves_by_equal_steps():
    schedule = anneal(spec_of({"a": 1, "True": 1}), spec_of({"a": 9, "True": 3}), 4, size=50)
    assert schedule.starts == (0, 50, 100, 150, 200)
    assert weights_by_epoch(schedule) == [{"a": 1 + 2 * e, "True": 1 + e / 2} for e in range(5)]


def test_cosine_is_slow_at_both_ends():
    schedule = anneal(spec_of({"a": 0}), spec_of({"a": 1}), 6, "cosine", size=1)
    values = [weights["a"] for weights in weights_by_epoch(schedule)]
    # cosines of multiples of 30 degrees, by hand
    root = math.sqrt(3) / 2
    assert values == pytest.approx([0, (1 - root) / 2, 0.25, 0.5, 0.75, (1 + root) / 2, 1], abs=1e-15)


def test_step_keeps_the_first_weights_until_the_last_epoch():
    one, two = spec_of({"a": 1}, size=7), spec_of({"b": 3}, size=7)
    assert [(entry.start, entry.spec) for entry in anneal(one, two, 3, "step").entries] == [(0, one), (21, two)]


@pytest.mark.parametrize(("combine", "neutral"), [("max", 0), ("sum", 0), ("product", 1)])
def test_a_clause_that_one_end_lacks_is_neutral_there(combine, neutral):
    schedule = anneal(spec_of({"a": 2}, combine=combine), spec_of({"b": 4}, combine=combine), 2, size=1)
    assert weights_by_epoch(schedule) == [
        {"a": 2, "b": neutral}, {"a": (2 + neutral) / 2, "b": (4 + neutral) / 2}, {"a": neutral, "b": 4}
    ]  # fmt: skip


@pytest.mark.parametrize("epochs", [1, 4])
def test_progressively_balanced_is_the_published_mixture(long_tail, epochs):
    schedule = progressively_balanced(long_tail, epochs)
    plan = SchedulePlan.of(Strata.from_labels(long_tail), schedule)
    for epoch in range(epochs + 3):
        t = min(Fraction(epoch, epochs), Fraction(1))
        # Kang et al., equation 3: p = (1 - t / T) n_j / N + (t / T) / C
        expected = [(1 - t) * n + t * Fraction(100, 4) for n in LONG_TAIL]
        assert plan.histogram(epoch=epoch).expected.tolist() == pytest.approx([float(x) for x in expected], rel=1e-12)


def test_progressively_balanced_mixes_samples_of_several_labels_and_of_none():
    labels = ClassCounts.from_lists([[0], [0], [0, 1], [], [0]], class_names=("a", "b"))
    halfway = progressively_balanced(labels, 2).entries[1].spec
    plan = Strata.from_labels(labels).with_spec(halfway)
    # by inverse frequency a weighs 1, b 4, and a sample without a label 1: of 8 in all
    expected = [Fraction(1, 2) * (Fraction(1, 5) + Fraction(weight, 8)) for weight in (1, 1, 4, 1, 1)]
    assert plan.probabilities[plan.strata.ids].tolist() == pytest.approx([float(x) for x in expected], rel=1e-12)


def test_the_background_is_balanced_too():
    labels = ClassCounts.from_lists([[0], [0], [0], [1], [], []], class_names=("a", "b"))
    last = progressively_balanced(labels, 3, background=0.25).entries[-1].spec
    plan = Strata.from_labels(labels).with_spec(last)
    share = plan.histogram(unit="samples", background=True).share
    assert share.tolist() == pytest.approx([0.375, 0.375, 0.25])


def test_deferred_draws_alike_until_its_epoch(long_tail):
    spec = repeat_factor(long_tail, 0.2, size=100)
    schedule = deferred(spec, 3)
    plan = SchedulePlan.of(Strata.from_labels(long_tail), schedule)
    for epoch in range(3):
        assert plan.histogram(epoch=epoch).expected.tolist() == pytest.approx(list(LONG_TAIL))
    # repeat factors: max(1, sqrt(0.2 / share))
    factors = [n * max(1, math.sqrt(0.2 / (n / 100))) for n in LONG_TAIL]
    assert plan.histogram(epoch=3).expected.tolist() == pytest.approx([100 * f / sum(factors) for f in factors])


@pytest.mark.parametrize("combine", ["max", "sum", "product"])
def test_deferred_reaches_samples_that_no_clause_matches(combine):
    strata = Strata.from_masks({"a": [True, False], "True": [True, True]})
    plan = SchedulePlan.of(strata, deferred(spec_of({"a": 4}, combine=combine, size=8), 1))
    assert plan.plans[0].probabilities.tolist() == [0.5]


PLAIN = spec_of({"a": 1})


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: anneal(PLAIN, PLAIN, 3), "draws an epoch"),
        (lambda: anneal(PLAIN, PLAIN, 0, size=5), "epochs is 0"),
        (lambda: anneal(PLAIN, PLAIN, 2.5, size=5), "epochs is 2.5"),
        (lambda: anneal(PLAIN, PLAIN, 3, size=0), "size is 0"),
        (lambda: anneal(PLAIN, PLAIN, 3, "cosinus", size=5), "cosine"),
        (lambda: anneal(PLAIN, PLAIN, 3, ["step"], size=5), "Expected one of"),
        (lambda: anneal(PLAIN, PLAIN.with_options(seed=1), 3, size=5), "seed is 1"),
        (lambda: anneal(PLAIN, None, 3, size=5), "None at position 1"),
        (lambda: anneal("a", PLAIN, 3, size=5), "'a' at position 0"),
        (lambda: anneal(PLAIN, SamplingSpec(expression="n"), 3, size=5), "kind='step'"),
        (lambda: deferred(None, 3, 5), "Expected a SamplingSpec"),
        (lambda: deferred(PLAIN, 0, 5), "after_epoch is 0"),
        (lambda: deferred(PLAIN, float("nan"), 5), "after_epoch is nan"),
        (lambda: progressively_balanced([0, 1], 3, kind="linar"), "linear"),
        (lambda: progressively_balanced([0, 1], 3, sed=4), "seed"),
    ],
)
def test_what_makes_no_schedule_is_refused(made, message):
    with pytest.raises(SamplingError, match=message):
        made()
