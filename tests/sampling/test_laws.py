"""Laws of counts against sums of binomial coefficients, and small exact laws counted by hand."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from penstock.sampling.laws._bands import band, binomial_quantiles
from penstock.sampling.laws._occupancy import unseen_masses
from penstock.sampling.random._binomial import binomial_cdf, normal_cdf
from penstock.sampling.random._hypergeometric import hypergeometric


def exact_binomial(trials, share, count):
    chance = Fraction(share)
    return float(sum(math.comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(count + 1)))


@pytest.mark.parametrize(("trials", "share"), [(1, 0.5), (10, 0.25), (60, 0.9), (300, 0.01), (300, 1e-9)], ids=str)
def test_a_binomial_law_is_the_sum_of_its_coefficients(trials, share):
    told = binomial_cdf(trials, share, trials)
    counts = sorted({0, trials // 3, trials // 2, trials})
    assert told[counts] == pytest.approx([exact_binomial(trials, share, count) for count in counts], abs=1e-12)


@pytest.mark.parametrize(
    ("trials", "share", "most", "expected"),
    [(0, 0.5, 2, [1, 1, 1]), (5, 0, 1, [1, 1]), (2, 1, 3, [0, 0, 1, 1]), (10_000, 0.5, 3, [0, 0, 0, 0])],
    ids=["no trials", "never", "always", "far below"],
)
def test_a_binomial_law_has_its_limits(trials, share, most, expected):
    assert binomial_cdf(trials, share, most).tolist() == expected


def test_counts_above_the_trials_are_certain():
    assert binomial_cdf(2, 0.5, 4).tolist() == [0.25, 0.75, 1, 1, 1]


@pytest.mark.parametrize(("value", "expected"), [(0, 0.5), (1.959963984540054, 0.975), (-40, 0), (40, 1)])
def test_the_normal_law_has_its_table(value, expected):
    assert normal_cdf(value) == pytest.approx(expected, abs=1e-15)


def test_hypergeometric_laws_are_ratios_of_binomial_coefficients():
    marked, taken, length = np.array([0, 2, 5, 9]), 4, 9
    owner, count, mass = hypergeometric(marked, taken, length)
    for one, k, told in zip(owner.tolist(), count.tolist(), mass.tolist(), strict=True):
        m = int(marked[one])
        expected = math.comb(m, k) * math.comb(length - m, taken - k) / math.comb(length, taken)
        assert told == pytest.approx(expected, rel=1e-12)
    assert np.bincount(owner, mass).tolist() == pytest.approx([1, 1, 1, 1])


def test_no_laws_have_no_outcomes():
    assert [len(part) for part in hypergeometric(np.zeros(0, np.int64), 4, 9)] == [0, 0, 0]


def test_unseen_rows_are_those_of_all_sequences_of_draws():
    """Rows of probability 1/2, 1/4 and 1/4, three draws: every one of the 27 sequences, by its probability."""
    shares = [0.5, 0.25, 0.25]
    expected = [0.0, 0.0, 0.0]
    for sequence in product(range(3), repeat=3):
        expected[3 - len(set(sequence))] += math.prod(shares[row] for row in sequence)
    told = unseen_masses(np.array([1.0, 2.0]), np.array([0.5, 0.25]), 3, 2)
    assert told.tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("trials", "share"), [(20, 0.1), (50, 0.3)], ids=str)
def test_quantiles_of_a_binomial_law_leave_no_more_than_the_tails(trials, share):
    low, high = binomial_quantiles(trials, trials * share, 0.9)
    assert (exact_binomial(trials, share, low - 1) if low else 0) < 0.05 <= exact_binomial(trials, share, low)
    assert exact_binomial(trials, share, high - 1) < 0.95 <= exact_binomial(trials, share, high)


def test_a_count_that_is_certain_has_no_band():
    assert binomial_quantiles(7, 7, 0.95) == (7, 7)


def test_the_band_of_a_large_count_is_normal():
    low, high = band(np.array([1000.0]), np.array([100.0]), 0.95)
    assert [*low, *high] == pytest.approx([1000 - 19.59964, 1000 + 19.59964])


def test_the_band_of_a_count_that_nearly_always_comes_is_rounded_outward():
    low, high = band(np.array([10.0]), np.array([1.0]), 0.95)
    assert [*low, *high] == [math.floor(10 - 1.96), math.ceil(10 + 1.96)]


def test_the_band_of_a_small_count_is_that_of_its_binomial_law():
    low, high = band(np.array([2.0]), np.array([1.8]), 0.9)  # 20 trials of 0.1
    assert (low[0], high[0]) == binomial_quantiles(20, 2, 0.9)


def test_a_count_without_variance_is_its_own_band():
    low, high = band(np.array([3.0, 400.0]), np.zeros(2), 0.95)
    assert (low.tolist(), high.tolist()) == ([3, 400], [3, 400])
