"""Bands of classes that one sample brings several times, against laws counted out."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.sampling import ClassCounts, Clause, SamplingSpec, Strata

ONES, TENS, MIXED = [1] * 9 + [0] * 11, [10] * 39 + [0], [1, 2, 3, 5, 8, 0, 0, 0, 0, 0, 0, 13, 40, 1, 1]
BESIDE = [1] * 6 + [7] * 3 + [0] * 21


def plan_of(counts, weights, **options):
    """One class; a weight for each third row after the other."""
    labels = ClassCounts.from_lists([[0] * count for count in counts], class_names=("box",))
    groups = np.arange(len(counts)) % len(weights)
    masks = {str(number): groups == number for number in range(len(weights))}
    clauses = tuple(Clause(str(number), weight) for number, weight in enumerate(weights))
    return Strata.from_masks(masks, labels=labels).with_spec(SamplingSpec(clauses=clauses, **options))


def independent(counts, weights, draws):
    """Masses of the sum of independent draws, draw by draw."""
    chances = np.array([weights[row % len(weights)] for row in range(len(counts))])
    one = np.bincount(counts, chances / chances.sum())
    law = np.ones(1)
    for _ in range(draws):
        law = np.convolve(law, one)
    return law


def chosen(counts, taken):
    """Masses of the sum of some of the rows, each set of them as likely, row by row."""
    law = np.zeros((taken + 1, sum(counts) + 1))
    law[0, 0] = 1.0
    for count in counts:
        with_it = np.zeros_like(law)
        with_it[1:, count:] = law[:-1, : law.shape[1] - count]
        law = law + with_it
    return law[taken] / law[taken].sum()


def inside(law, bars):
    counts = np.arange(len(law))
    return float(law[(counts >= bars.low[0]) & (counts <= bars.high[0])].sum())


def quantiles(law):
    reached = np.cumsum(law)
    return [int(np.argmax(reached >= 0.025)), int(np.argmax(reached >= 0.975))]


def test_the_band_of_a_class_in_tens_ends_at_tens():
    bars = plan_of(TENS, (1,), size=5).histogram()
    assert (bars.low[0], bars.high[0]) == (40.0, 50.0)  # 39 of 40 rows, P(at most one draw without) = 0.994


@pytest.mark.parametrize("draws", [1, 2, 7, 25])
@pytest.mark.parametrize("counts", [TENS, MIXED, BESIDE], ids=["tens", "heavy tail", "seven beside one"])
@pytest.mark.parametrize("weights", [(1,), (1, 5, 20)], ids=["equal", "three weights"])
def test_the_band_of_independent_draws_has_the_quantiles_of_their_sum(counts, weights, draws):
    bars = plan_of(counts, weights, size=draws).histogram()
    assert [bars.low[0], bars.high[0]] == quantiles(independent(counts, weights, draws))


@pytest.mark.parametrize("draws", [1, 4, 9, 13, 33])
@pytest.mark.parametrize("counts", [TENS, MIXED, BESIDE], ids=["tens", "heavy tail", "seven beside one"])
@pytest.mark.parametrize("mode", ["deck", "once"])
def test_the_band_of_equally_likely_rows_holds_what_it_says(mode, counts, draws):
    if mode == "once" and draws >= len(counts):
        draws = len(counts) - 1
    bars = plan_of(counts, (1,), size=draws, mode=mode).histogram()
    whole, rest = divmod(draws, len(counts))
    law = np.concatenate([np.zeros(whole * sum(counts)), chosen(counts, rest)])
    assert inside(law, bars) >= 0.95 - 1e-9
    least, most = quantiles(law)
    assert bars.high[0] - bars.low[0] <= 2 * (most - least)


def test_the_band_of_rows_with_equally_many_instances_is_exact_in_a_deck():
    bars = plan_of(TENS, (1,), size=13, mode="deck").histogram()
    assert [bars.low[0], bars.high[0]] == quantiles(chosen(TENS, 13))


@pytest.mark.statistical
def test_the_band_without_replacement_holds_what_it_says_of_weighted_rows():
    weights = (1, 5, 20)
    bars = plan_of(MIXED, weights, size=6, mode="once").histogram()
    rng = np.random.default_rng(0)
    slow = 1 / np.array([weights[row % 3] for row in range(len(MIXED))])
    first = np.argsort(rng.exponential(size=(20_000, len(MIXED))) * slow, axis=1)[:, :6]
    sums = np.array(MIXED)[first].sum(axis=1)
    assert ((sums >= bars.low[0]) & (sums <= bars.high[0])).mean() >= 0.932


def test_a_band_of_few_rows_among_many_draws_counts_the_many_as_normal():
    counts = [1] * 300 + [100] + [0] * 699
    bars = plan_of(counts, (1,), size=1000).histogram()
    assert inside(independent(counts, (1,), 1000), bars) == pytest.approx(0.95, abs=0.006)


def test_statistics_tell_rows_by_number_of_instances_where_they_differ():
    arrays = plan_of([1, 2, 2, 0, 3, 3], (1,), size=2).statistics()
    assert [arrays[name].tolist() for name in ("value_offsets", "value_counts", "value_rows")] == [
        [0, 3],
        [1, 2, 3],
        [1, 2, 2],
    ]


@pytest.mark.parametrize("counts", [[2, 2, 2, 0], [1, 1, 0]], ids=["equally many", "one each"])
def test_statistics_tell_no_numbers_of_instances_where_all_are_equal(counts):
    arrays = plan_of(counts, (1,), size=2).statistics()
    assert len(arrays.get("value_counts", ())) == 0
