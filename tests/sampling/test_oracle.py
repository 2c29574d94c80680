"""A hundred random plans against `oracle`: what is told before a draw, and what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import SamplingError
from penstock.sampling import ClassCounts, SamplingSpec, Strata
from tests.sampling import oracle

RUNS = 400
SEEDS = 40
EPOCHS = 2
MORE = pytest.mark.exhaustive  # the first 36 have each mode with each unit and each way to interleave thrice


def random_pool(rng):
    num_classes = int(rng.integers(2, 5))
    rows = [
        {label: int(rng.integers(1, 4)) for label in range(num_classes) if rng.random() < 0.5 / (label + 1)}
        for _ in range(int(rng.integers(8, 120)))
    ]
    by_row = rng.choice([0.5, 1.0, 2.0, 7.25], len(rows)) * (rng.random(len(rows)) > 0.05)
    by_row[0] = 1.0
    if rng.random() < 0.4:  # a view with repeats, each position with its own weight
        view = rng.integers(0, len(rows), len(rows) + int(rng.integers(0, 40)))
        weights = rng.choice([0.5, 1.0, 2.0], len(view))
        return oracle.Pool([rows[row] for row in view], weights.tolist(), view.tolist(), num_classes)
    return oracle.Pool(rows, by_row.tolist(), list(range(len(rows))), num_classes)


def strata_of(pool):
    lists = [[label for label, number in row.items() for _ in range(number)] for row in pool.rows]
    names = [str(label) for label in range(pool.num_classes)]
    labels = ClassCounts.from_lists(lists, class_names=names)
    return Strata.from_weights(pool.weights, labels=labels, rows=np.array(pool.identity))


def delivered(rng, mode, size):
    """Whole, short, or (not without replacement) longer epochs."""
    kinds = [size, max(1, size * int(rng.integers(40, 100)) // 100)]
    if mode != "once":
        kinds.append(size + int(rng.integers(1, size + 2)))
    return int(rng.choice(kinds))


@pytest.mark.statistical
@pytest.mark.parametrize("seed", [*range(36), *(pytest.param(seed, marks=MORE) for seed in range(36, 100))])
def test_a_random_plan_tells_what_an_independent_derivation_finds(seed):
    rng = np.random.default_rng([seed, 77])
    pool = random_pool(rng)
    mode, unit = ["iid", "deck", "once"][seed % 3], ["instances", "samples"][seed // 3 % 2]
    strata = strata_of(pool)
    size = int(rng.integers(3, 2 * len(pool.rows)))
    if len(set(pool.identity)) < len(pool.identity) and mode != "iid":
        with pytest.raises(SamplingError, match="twice"):
            strata.with_spec(SamplingSpec(mode=mode, size=size))
        mode = "iid"
    interleave = ["shuffled", "smooth"][seed // 6 % 2]
    spec = SamplingSpec(mode=mode, size=min(size, np.count_nonzero(pool.weights)), interleave=interleave)
    plan = strata.with_spec(spec)
    draws = delivered(rng, mode, plan.num_draws)
    epochs, mean, unique = _drawn(pool, plan, unit, draws, rng)
    _bars_agree(plan.histogram(draws, unit), pool.counts(unit), epochs[:, 0], mean)
    _coverage_agrees(plan.coverage(EPOCHS, draws), pool, epochs, unique)
    _stream_agrees(plan, mode, pool.counts(unit), draws, plan.histogram(draws, unit))


def _drawn(pool, plan, unit, draws, rng):
    """Epochs drawn (run, epoch, draw), the exact mean of the first and of the unique rows, where there is one."""
    mode = plan.spec.mode
    if mode == "iid":
        epochs = np.stack([oracle.independent_epochs(pool, draws, EPOCHS, rng) for _ in range(RUNS)])
        unique = [oracle.independent_unique(pool, draws * epoch) for epoch in range(1, EPOCHS + 1)]
        return epochs, oracle.independent_mean(pool, unit, draws), unique
    if mode == "once":
        epochs = np.stack([oracle.once_epochs(pool, plan.num_draws, draws, EPOCHS, rng) for _ in range(RUNS)])
        return epochs, None, None
    deck = oracle.Deck(pool, [float(weight) for weight in pool.weights], plan.num_draws, plan.spec.interleave)
    runs = [deck.draws(draws * EPOCHS, rng).reshape(EPOCHS, draws) for _ in range(RUNS)]
    return np.stack(runs), deck.mean(unit, 0, draws), None


def _bars_agree(bars, counts, epochs, mean):
    sums = counts[epochs].sum(axis=1)
    if mean is not None:
        assert bars.expected.tolist() == pytest.approx([float(value) for value in mean], rel=1e-9, abs=1e-9)
    error = 5 * sums.std(axis=0) / np.sqrt(RUNS) + (1e-9 if mean is not None else 0.03 * sums.mean(axis=0) + 0.02)
    assert (np.abs(bars.expected - sums.mean(axis=0)) <= error).all()
    spread = sums.var(axis=0)
    tolerance = (0.45 if mean is not None else 0.6) * np.maximum(spread, bars.variance) + 0.05
    assert (np.abs(bars.variance - spread) <= tolerance).all(), (bars.variance, spread)
    inside = ((sums >= bars.low - 1e-9) & (sums <= bars.high + 1e-9)).mean(axis=0)
    assert (inside >= (0.90 if mean is not None else 0.85)).all(), inside


def _coverage_agrees(coverage, pool, epochs, unique):
    identity = np.array(pool.identity)
    for epoch in range(EPOCHS):
        seen = np.array([len(np.unique(identity[run[: epoch + 1]])) for run in epochs])
        if unique is not None:
            assert coverage.unique[epoch] == pytest.approx(unique[epoch], rel=1e-9)
        error = 5 * seen.std() / np.sqrt(RUNS) + (0.03 * seen.mean() + 0.02 if unique is None else 1e-9)
        assert abs(coverage.unique[epoch] - seen.mean()) <= error
        inside = ((seen >= coverage.low[epoch] - 1e-9) & (seen <= coverage.high[epoch] + 1e-9)).mean()
        assert inside >= 0.88, (epoch, inside, seen.mean(), seen.std(), coverage.low[epoch], coverage.high[epoch])
    if coverage.certificate is not None and coverage.certificate <= EPOCHS:
        seen = [len(np.unique(identity[run[: coverage.certificate]])) for run in epochs]
        assert min(seen) == coverage.num_drawable


def _stream_agrees(plan, mode, counts, draws, bars):
    """The package's own stream, over seeds: first epochs as delivered."""
    sums = []
    for seed in range(SEEDS):
        stream = plan.strata.with_spec(plan.spec.with_options(seed=seed)).stream()
        sums.append(counts[stream.slice(0, draws)].sum(axis=0))
    error = 5 * np.sqrt(bars.variance / SEEDS) + (1e-9 if mode != "once" else 0.05 * bars.expected + 0.1)
    assert (np.abs(np.mean(sums, axis=0) - bars.expected) <= error).all()
