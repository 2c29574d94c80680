"""Webster's apportionment against a queue of exact fractions."""

from __future__ import annotations

import heapq
from fractions import Fraction

import numpy as np
import pytest

from penstock.errors import SamplingError
from penstock.sampling import ClassCounts
from penstock.sampling.streams._quotas import integer_masses, quotas
from tests.sampling.conftest import plan_of


def dealt_one_by_one(masses, totals):
    total = int(masses.sum())
    had = [0] * len(masses)
    queue = [(Fraction(total, 2 * int(mass)), number) for number, mass in enumerate(masses) if mass]
    heapq.heapify(queue)
    rows = []
    for draw in range(1, totals[-1] + 1):
        _, number = heapq.heappop(queue)
        had[number] += 1
        heapq.heappush(queue, (Fraction((2 * had[number] + 1) * total, 2 * int(masses[number])), number))
        if draw in totals:
            rows.append(list(had))
    return rows


def random_masses(rng):
    count = rng.integers(1, 30)
    weights = rng.dirichlet(np.full(count, 0.1))
    weights[rng.random(count) < 0.1] = 0
    weights[0] = max(weights[0], 0.01)
    weights[(weights > 0) & (weights < 1e-8)] = 1e-8  # further apart they are refused
    return integer_masses(rng.integers(1, 1000, count), weights)


@pytest.mark.parametrize("seed", range(40))
def test_quotas_equal_an_exact_queue_of_events(seed):
    rng = np.random.default_rng(seed)
    masses = random_masses(rng)
    totals = sorted({int(number) for number in rng.integers(1, 2000, 6)})
    assert quotas(masses, np.array(totals)).tolist() == dealt_one_by_one(masses, totals)


def quotas_under_stress():
    """Yield totals and quotas of 500 Dirichlet draws of masses."""
    rng = np.random.default_rng(1)
    for _ in range(500):
        masses = random_masses(rng)
        totals = np.arange(40) * int(rng.integers(1, 5000))
        yield totals, quotas(masses, totals)


def test_quotas_sum_exactly_under_dirichlet_stress():
    assert all((given.sum(axis=1) == totals).all() for totals, given in quotas_under_stress())


def test_quotas_never_fall_under_dirichlet_stress():
    assert all((np.diff(given, axis=0) >= 0).all() for _, given in quotas_under_stress())


def test_quotas_stay_exact_at_four_million_draws_and_500_strata():
    rng = np.random.default_rng(2)
    masses = integer_masses(rng.integers(1, 10_000, 495), rng.choice([1.0, 2.0, 5.0, 8.0, 20.0], 495))
    totals = np.array([10**6, 4 * 10**6, 4 * 10**6 + 1, 10**12])
    given = quotas(masses, totals)
    assert (given.sum(axis=1) == totals).all()
    exact = [[total * Fraction(int(mass), int(masses.sum())) for mass in masses] for total in totals.tolist()]
    assert (
        max(abs(g - e) for row, want in zip(given.tolist(), exact, strict=True) for g, e in zip(row, want, strict=True))
        < 3.2
    )


def test_a_stratum_without_weight_gets_nothing():
    labels = ClassCounts.from_labels([0, 0, 1])
    assert plan_of(labels, {"1": 1}, mode="deck").quotas(3).tolist() == [[0, 3], [0, 3], [0, 3]]


def test_weights_too_far_apart_for_a_deck_are_refused_with_the_reason():
    with pytest.raises(SamplingError, match=r"weights from 1e-14 to 1 are too far apart for mode 'deck'.*2e\+14 draws"):
        integer_masses(np.array([1, 2]), np.array([1e-14, 1.0]))
    assert integer_masses(np.array([1, 1]), np.array([2.0**-40, 1.0])).tolist()[0] == 1
