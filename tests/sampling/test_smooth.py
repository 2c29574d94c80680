"""Parts of the epochs of a smooth deck: by fractions over every turn of its blocks, and as the stream draws them."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from penstock.sampling import ClassCounts, SamplingSpec, Strata
from tests.sampling.oracle import step_of

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


def moments_over_turns(size, start, stop, sizes=SIZES):
    """Exact mean and variance of the count of each class between two positions."""
    means, own = [], []
    for had in outcomes(size, start, stop):
        mean, spread = [Fraction(0)] * (len(sizes) + 1), Fraction(0)
        for number, (n, (before, after)) in enumerate(zip(sizes, had, strict=True)):
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


@pytest.mark.parametrize(
    ("size", "start", "draws"),
    [(size, 0, draws) for size, draws in PARTS]
    + [
        (26, 3, 5),
        (26, 3, 20),
        (26, 3, 23),
        (26, 21, 31),
        (26, 52, 9),
        (26, 30, 13),
        (9, 4, 3),
        (9, 4, 27),
        (9, 7, 30),
    ],
)
def test_the_moments_of_a_smooth_part_are_those_over_all_turns(size, start, draws):
    mean, variance = moments_over_turns(size, start, start + draws)
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


@pytest.mark.statistical
@pytest.mark.parametrize(("size", "start", "draws"), [(26, 0, 13), (26, 3, 20), (60, 50, 31), (60, 21, 19)])
def test_a_smooth_part_has_the_moments_and_the_band_that_the_stream_draws(size, start, draws):
    table = np.zeros((sum(SIZES), len(SIZES) + 1), np.int64)
    table[:, 0] = np.concatenate([np.arange(n) % 3 for n in SIZES])
    table[np.arange(sum(SIZES)), np.repeat(np.arange(len(SIZES)), SIZES) + 1] = 1
    runs = [plan_of(size, seed).stream().slice(start, start + draws) for seed in range(RUNS)]
    sums = np.stack([table[rows].sum(axis=0) for rows in runs])
    bars = plan_of(size).histogram(draws, start=start)
    assert (np.abs(sums.mean(axis=0) - bars.expected) <= 4.5 * np.sqrt(bars.variance / RUNS) + 1e-9).all()
    assert (np.abs(sums.var(axis=0) - bars.variance) <= 0.4 * bars.variance + 1e-9).all()
    assert ((sums >= bars.low - 1e-9) & (sums <= bars.high + 1e-9)).mean(axis=0).min() >= 0.93


@pytest.mark.statistical
def test_the_coverage_of_a_smooth_part_has_the_band_that_the_stream_draws():
    """35 rows that match a clause and all 70 with weight 1 more: half of an epoch of 140 draws."""
    runs = [halves("smooth", seed)[1] for seed in range(RUNS)]
    unique = np.array([len(np.unique(rows)) for rows in runs])
    coverage = halves("smooth", 0)[0].coverage(1, num_draws=70)
    assert abs(unique.mean() - coverage.unique[0]) <= 4.5 * unique.std() / np.sqrt(RUNS)
    assert ((unique >= coverage.low[0]) & (unique <= coverage.high[0])).all()
    assert coverage.high[0] - coverage.low[0] <= 3


def halves(interleave, seed, draws=70):
    """A plan of 35 rows of weight 1 with three labels and 35 of as much with two, and draws of its epoch of 140."""
    labels = ClassCounts.from_lists([[0] * 3] * 35 + [[1] * 2] * 35, class_names=["a", "b"])
    strata = Strata.from_weights(np.repeat([1.0, 1.0 + 1e-9], 35), labels=labels)
    plan = strata.with_spec(SamplingSpec(mode="deck", size=140, seed=seed, interleave=interleave))
    return plan, plan.stream().slice(0, draws)


@pytest.mark.statistical
@pytest.mark.parametrize("draws", [69, 70, 71])
@pytest.mark.parametrize("interleave", ["shuffled", "smooth"])
def test_a_part_that_takes_about_whole_strata_has_a_band_of_instances(interleave, draws):
    """Of each stratum of 35 rows about 35 draws come on average: no deal, or hardly a row of one, is left open."""
    number = np.array([3 * (halves(interleave, seed, draws)[1] < 35).sum() for seed in range(RUNS)])
    bars = halves(interleave, 0)[0].histogram(draws)
    assert ((bars.low[0] <= number) & (number <= bars.high[0])).mean() >= 0.92
    assert bars.high[0] - bars.low[0] <= 5 * number.std() + 6


def turns_of(given, begin, taken, length):
    """Draws of a stratum among the first positions of a block, at each of its turns."""
    marks = np.zeros(length, np.int64)
    marks[np.arange(taken) * step_of(length) % length] = 1
    sums = np.concatenate([[0], np.cumsum(np.tile(marks, 3))])
    first = np.arange(length) + begin
    return sums[first + given] - sums[first]


@pytest.mark.parametrize(("num_strata", "rows"), [(40, 750), (300, 100)], ids=["few", "many"])
def test_the_coverage_of_a_long_smooth_part_is_that_over_all_turns(num_strata, rows):
    """An epoch of 60,000 draws deals each of so many equal strata twice; half of it about once."""
    size, taken = 2 * num_strata * rows, num_strata * rows
    weights = np.repeat(1 + np.arange(num_strata) * 1e-9, rows)
    plan = Strata.from_weights(weights).with_spec(SamplingSpec(mode="deck", size=size, interleave="smooth"))
    given = 2 * rows
    assert plan.quotas(1)[0].tolist() == [given] * num_strata
    seen = sum(
        np.minimum(turns_of(given, number * given, taken, size), rows).astype(float) for number in range(num_strata)
    )
    coverage = plan.coverage(1, num_draws=taken)
    assert coverage.unique[0] == pytest.approx(seen.mean())
    assert coverage.low[0] <= np.quantile(seen, 0.025)
    assert np.quantile(seen, 0.975) <= coverage.high[0]
    assert coverage.high[0] - coverage.low[0] <= 2 * (seen.max() - seen.min())
    assert coverage.certificate == 2


def test_a_smooth_epoch_of_several_blocks_is_as_even_as_its_turns():
    """An epoch of 160,000 draws has three blocks; 50,000 draws end inside the first, at about a row or two."""
    ids = np.repeat([0, 1], [90_000, 300])
    labels = ClassCounts.from_labels(ids)
    strata = Strata.from_weights(np.where(ids == 1, 100.0, 1.0), labels=labels)
    share = 300 * 100 / (300 * 100 + 90_000)
    for draws in (50_000, 70_000):
        bars = strata.with_spec(SamplingSpec(mode="deck", size=160_000, interleave="smooth")).histogram(draws)
        assert abs(bars.expected[1] - share * draws) <= 1
        assert bars.high[1] - bars.low[1] <= 8
        for seed in range(4):
            spec = SamplingSpec(mode="deck", size=160_000, interleave="smooth", seed=seed)
            rare = int(ids[strata.with_spec(spec).stream().slice(0, draws)].sum())
            assert bars.low[1] - 2 <= rare <= bars.high[1] + 2
