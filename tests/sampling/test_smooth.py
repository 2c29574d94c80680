"""Parts of the epochs of a smooth deck: by fractions over every turn of its blocks, and as the stream draws them."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from penstock.sampling import ClassCounts, SamplingSpec, Strata

SIZES, WEIGHTS, SIZE = (7, 4, 9, 1), (1.0, 2.0, 0.5, 3.0), 26
RUNS = 300

# size of the deck, draws delivered
PARTS = [(26, 5), (26, 13), (26, 25), (26, 30), (26, 17), (26, 61), (60, 19), (60, 44), (9, 4)]


def strata_of(sizes=SIZES, weights=WEIGHTS):
    """Row ``r`` of a stratum has ``r mod 3`` labels of class 0, and one of the class of its stratum."""
    lists = [[0] * (row % 3) + [number + 1] for number, size in enumerate(sizes) for row in range(size)]
    labels = ClassCounts.from_lists(lists, class_names=[str(name) for name in range(len(sizes) + 1)])
    own = np.repeat(np.array(weights), sizes)
    return Strata.from_weights(own, labels=labels)


def plan_of(size, seed=0, interleave="smooth", **options):
    return strata_of(**options).with_spec(SamplingSpec(mode="deck", size=size, seed=seed, interleave=interleave))


def events(size, stop, sizes=SIZES, weights=WEIGHTS):
    """Strata, by ascending weight, of the blocks up to a position: Webster's events in their order."""
    order = sorted(range(len(sizes)), key=lambda number: weights[number])
    masses = [Fraction(weights[number]) * sizes[number] for number in order]
    total, blocks = sum(masses), -(-stop // size)
    times = sorted(
        (
            (Fraction(2 * draw + 1) * total / mass / 2, number)
            for number, mass in enumerate(masses)
            for draw in range(2 * size * blocks)
        ),
    )[: size * blocks]
    return [sorted(number for _, number in times[block * size : (block + 1) * size]) for block in range(blocks)], order


def step_of(length):
    golden = round((math.sqrt(5) - 1) / 2 * length)
    return next(
        step
        for off in range(length + 1)
        for step in (golden - off, golden + off)
        if step >= 1 and math.gcd(step, length) == 1
    )


def outcomes(size, start, stop):
    """Each way the blocks that are cut may turn: what every stratum has had before `start` and before `stop`."""
    blocks, order = events(size, stop)
    cut = sorted({position // size for position in (start, stop) if position % size})
    for turns in product(range(size), repeat=len(cut)):
        turn = dict(zip(cut, turns, strict=True))
        owners = [
            [block[(place * step_of(size) + turn.get(number, 0)) % size] for place in range(size)]
            for number, block in enumerate(blocks)
        ]
        every = [owner for block in owners for owner in block]
        had = [Counter(every[:position]) for position in (start, stop)]
        yield [[one[place] for one in had] for place in sorted(range(len(order)), key=lambda place: order[place])]


def mean_of(values):
    values = list(values)
    return sum(values, Fraction(0)) / len(values)


def told(size, start, stop, sizes=SIZES):
    """Exact mean and variance of the count of each class between two positions."""
    means, own = [], []
    for had in outcomes(size, start, stop):
        mean, spread = [Fraction(0)] * (len(sizes) + 1), Fraction(0)
        for number, (n, (before, after)) in enumerate(zip(sizes, had, strict=True)):
            labels = [row % 3 for row in range(sum(sizes[:number]), sum(sizes[: number + 1]))]
            labels = [row % 3 for row in range(n)]
            share = Fraction(sum(labels), n)
            mean[0] += (after - before) * share
            mean[number + 1] += after - before
            rest = min(after - before, n - before % n)
            last = (after - before - rest) % n
            of_row = mean_of(Fraction(label) ** 2 for label in labels) - share**2
            spread += sum(Fraction(part * (n - part), max(n - 1, 1)) for part in (rest, last)) * of_row
        means.append(mean)
        own.append(spread)
    centers = [mean_of(mean[name] for mean in means) for name in range(len(sizes) + 1)]
    spreads = [mean_of((mean[name] - centers[name]) ** 2 for mean in means) for name in range(len(sizes) + 1)]
    spreads[0] += mean_of(own)
    return [float(value) for value in centers], [float(value) for value in spreads]


@pytest.mark.parametrize("start", [0, 3, 26, 33])
@pytest.mark.parametrize(("size", "draws"), PARTS)
def test_the_moments_of_a_smooth_part_are_those_over_all_turns(size, draws, start):
    mean, variance = told(size, start, start + draws)
    bars = plan_of(size).histogram(draws, start=start)
    assert bars.expected.tolist() == pytest.approx(mean, abs=1e-9)
    assert bars.variance.tolist() == pytest.approx(variance, abs=1e-9)


@pytest.mark.parametrize(("size", "draws"), PARTS)
def test_the_coverage_of_a_smooth_part_is_that_over_all_turns(size, draws):
    coverage = plan_of(size).coverage(3, num_draws=draws)
    for epoch in (1, 2, 3):
        seen = [
            sum(min(n, after) for n, (_, after) in zip(SIZES, had, strict=True))
            for had in outcomes(size, 0, epoch * draws)
        ]
        assert coverage.unique[epoch - 1] == pytest.approx(float(mean_of(seen)))
        assert min(seen) <= coverage.low[epoch - 1] <= coverage.high[epoch - 1] <= max(seen)
        for rows in range(1, 22):
            probability = Fraction(sum(number >= rows for number in seen), len(seen))
            assert coverage.probability_covered(rows / 21, epoch) == pytest.approx(float(probability))


@pytest.mark.parametrize(("size", "draws"), PARTS)
def test_the_certificate_of_a_smooth_part_is_the_first_epoch_that_no_turn_leaves_open(size, draws):
    epoch = 1
    while any(after < n for had in outcomes(size, 0, epoch * draws) for n, (_, after) in zip(SIZES, had, strict=True)):
        epoch += 1
    assert plan_of(size).coverage(1, num_draws=draws).certificate == epoch


@pytest.mark.parametrize(("size", "draws"), PARTS)
def test_how_often_rows_are_seen_after_a_smooth_part_is_that_over_all_turns(size, draws):
    times = plan_of(size).coverage(1, num_draws=draws).times_seen(1, max_times=6)
    for number, n in enumerate(SIZES):
        shares = [
            mean_of(
                Fraction(sum((after + row) // n <= most for row in range(n)), n)
                for _, after in (had[number] for had in outcomes(size, 0, draws))
            )
            for most in range(7)
        ]
        assert times.cdf[number + 1].tolist() == pytest.approx([float(share) for share in shares])
