"""Pools that hold a sample at several positions, against an oracle of its own: exact fractions and Monte Carlo.

The oracle knows weights by position and the sample at each; nothing of the product is in it.
"""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import SamplingError
from penstock.sampling import (
    ClassCounts,
    Clause,
    SamplingSpec,
    Strata,
    TorchSampler,
    batch_composition,
    inverse_frequency,
    square_root,
    times_seen_table,
)
from penstock.tql import bind_sampling

EVERY = SamplingSpec(clauses=(Clause("True", 1.0),))


class IndependentOracle:
    """Positions drawn with replacement in proportion to whole-number weights."""

    def __init__(self, rows, weights):
        total = sum(weights)
        sums = Counter()
        for row, weight in zip(rows, weights, strict=True):
            sums[row] += weight
        self.shares = {row: Fraction(weight, total) for row, weight in sums.items()}

    def unseen(self, draws):
        """Return mean and variance of the drawable samples not seen."""
        shares = [share for share in self.shares.values() if share > 0]
        missed = [(1 - share) ** draws for share in shares]
        mean = sum(missed)
        pairs = itertools.permutations(range(len(shares)), 2)
        both = sum((1 - shares[i] - shares[j]) ** draws for i, j in pairs)
        return mean, mean + both - mean**2

    def seen_at_most(self, times, draws):
        """Return the mean share of all samples drawn at most so many times."""
        laws = [
            sum(math.comb(draws, k) * share**k * (1 - share) ** (draws - k) for k in range(times + 1))
            for share in self.shares.values()
        ]
        return sum(laws) / len(laws)


class PassOracle:
    """Each epoch `draws` of all positions, drawn without replacement; epochs are independent."""

    def __init__(self, rows, draws):
        self.times = Counter(rows)
        self.positions, self.draws = len(rows), draws

    def missed(self, count):
        return Fraction(math.comb(self.positions - count, self.draws), math.comb(self.positions, self.draws))

    def unseen(self, epochs):
        held = list(self.times.values())
        mean = sum(self.missed(m) ** epochs for m in held)
        both = sum(self.missed(m + n) ** epochs for m, n in itertools.permutations(held, 2))
        return mean, mean + both - mean**2

    def seen_at_most(self, times, epochs):
        return sum(self._cdf(m, times, epochs) for m in self.times.values()) / len(self.times)

    def _cdf(self, held, times, epochs):
        one = [
            Fraction(
                math.comb(held, k) * math.comb(self.positions - held, self.draws - k)
                if k <= self.draws and self.draws - k <= self.positions - held
                else 0,
                math.comb(self.positions, self.draws),
            )
            for k in range(held + 1)
        ]
        law = [Fraction(1)]
        for _ in range(epochs):
            law = [
                sum(law[i] * one[k - i] for i in range(len(law)) if 0 <= k - i < len(one))
                for k in range(len(law) + len(one) - 1)
            ]
        return sum(law[: times + 1])


def pools(count):
    """Return pools of few positions: the sample at each, and a whole weight."""
    rng = random.Random(10)
    for _ in range(count):
        size = rng.randint(4, 14)
        rows = [rng.randint(0, size // 2) for _ in range(size - 1)]
        rows.append(rows[0])
        weights = [rng.choice([0, 1, 1, 2, 5]) for _ in rows]
        weights[1] += 1
        yield rows, weights


@pytest.mark.parametrize(("rows", "weights"), list(pools(20)))
def test_independent_draws_of_a_pool_with_repeats_follow_the_exact_law(rows, weights):
    oracle = IndependentOracle(rows, weights)
    draws = len(rows) + 3
    plan = Strata.from_weights(weights, rows=np.array(rows)).with_spec(SamplingSpec(size=draws))
    coverage = plan.coverage(3)
    drawable = sum(share > 0 for share in oracle.shares.values())
    assert (coverage.num_rows, coverage.num_drawable, plan.num_drawable) == (len(set(rows)), drawable, drawable)
    for epoch in (1, 2, 3):
        mean, variance = oracle.unseen(epoch * draws)
        assert coverage.unique[epoch - 1] == pytest.approx(drawable - float(mean), abs=1e-9)
        assert coverage._law.unseen(np.array([epoch]))[1][0] == pytest.approx(float(variance), abs=1e-9)
    seen = coverage.times_seen(2, max_times=4).overall
    assert seen.tolist() == pytest.approx([float(oracle.seen_at_most(k, 2 * draws)) for k in range(5)], abs=1e-9)
    squares = sum(share**2 for share in oracle.shares.values())
    assert plan.effective_sample_size == pytest.approx(float(1 / squares))


@pytest.mark.parametrize(("rows", "weights"), list(pools(12)))
@pytest.mark.parametrize("left_out", [0, 1, 3], ids=["whole", "one dropped", "three dropped"])
def test_a_pass_over_a_pool_with_repeats_follows_the_exact_law(rows, weights, left_out):
    draws = len(rows) - left_out
    oracle = PassOracle(rows, draws)
    coverage = Strata.from_masks([], num_rows=len(rows), rows=np.array(rows)).every_row().coverage(3, draws)
    for epoch in (1, 2, 3):
        mean, variance = oracle.unseen(epoch)
        assert coverage.unique[epoch - 1] == pytest.approx(len(set(rows)) - float(mean), abs=1e-9)
        assert coverage._law.unseen(np.array([epoch]))[1][0] == pytest.approx(float(variance), abs=1e-9)
    seen = coverage.times_seen(2, max_times=6).overall
    assert seen.tolist() == pytest.approx([float(oracle.seen_at_most(k, 2)) for k in range(7)], abs=1e-9)
    certain = oracle.missed(min(oracle.times.values())) == 0
    assert coverage.certificate == (1 if certain else None)


@pytest.mark.statistical
def test_the_stream_shows_as_many_distinct_samples_as_promised():
    rng = random.Random(3)
    rows = [rng.randint(0, 40) for _ in range(80)]
    weights = [rng.choice([1, 2, 9]) for _ in rows]
    mean, variance = IndependentOracle(rows, weights).unseen(80)
    drawable = len(set(rows))
    own = [len({rows[i] for i in rng.choices(range(80), weights, k=80)}) for _ in range(400)]
    plan = Strata.from_weights(weights, rows=np.array(rows)).with_spec(SamplingSpec())
    told = plan.simulate(1, 400).unique[:, 0]
    error = 4 * math.sqrt(float(variance) / 400)
    assert np.mean(own) == pytest.approx(drawable - float(mean), abs=error)
    assert told.mean() == pytest.approx(drawable - float(mean), abs=error)
    assert plan.coverage(1).unique[0] == pytest.approx(drawable - float(mean), abs=1e-9)


def test_a_simulated_pass_sees_every_sample_as_often_as_the_pool_holds_it():
    rows = np.array([4, 4, 4, 7, 9])
    labels = ClassCounts.from_labels([0, 0, 0, 0, 1], class_names=("a", "b"))
    simulated = Strata.from_masks([], labels=labels, rows=rows).every_row().simulate(2, 3)
    assert simulated.unique.tolist() == [[3, 3]] * 3
    assert simulated.num_drawable == 3
    assert simulated.times_seen[0].tolist() == pytest.approx([0, 0, 0.5, 0.5, 0.5, 0.5, 1])


# ---- every kind of weight, on views ------------------------------------------------------


@pytest.fixture(scope="module")
def repeating(demo_dataset):
    return demo_dataset[[0, 0, 1, 5, 5, 5]]


@pytest.fixture(scope="module")
def demo_dataset(tmp_path_factory):
    return penstock.demo(tmp_path_factory.mktemp("demo") / "demo", num_samples=60)


WEIGHTS = {
    "clauses": "max_weight(True: 1)",
    "expression": "shape(labels)[0] * 0 + 2",
    "constant": "3",
    "list": [1, 1, 1, 1, 1, 1],
    "array": np.ones(6),
    "empty spec": SamplingSpec(),
    "spec": EVERY,
}


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_coverage_of_any_weights_counts_distinct_samples(repeating, weights):
    coverage = repeating.plan(weights).coverage(1)
    mean, _ = IndependentOracle([0, 0, 1, 5, 5, 5], [1] * 6).unseen(6)
    assert coverage.num_rows == 3
    assert coverage.unique[0] == pytest.approx(3 - float(mean))


@pytest.mark.parametrize("mode", ["deck", "once"])
@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_modes_that_count_samples_refuse_a_pool_with_repeats(repeating, weights, mode):
    given = weights.with_options(mode=mode) if isinstance(weights, SamplingSpec) else weights
    with pytest.raises(SamplingError, match=r"the pool has some of them twice.*mode='iid'"):
        repeating.plan(given, mode=mode)


def test_loaders_refuse_them_as_well(repeating):
    with pytest.raises(SamplingError, match="twice"):
        repeating.dataloader().sample_by(np.ones(6), mode="deck")
    with pytest.raises(SamplingError, match="twice"):
        repeating.sample_by([1] * 6, replace=False)


QUERIES = {
    "a sampled subquery": "select * from (select * sample by max_weight(True: 1) limit 40)",
    "union all": "select * union all select *",
    "union all below": "select * from (select * union all select * where contains(labels, 'Cross'))",
    "with": "with few as (select * limit 5) select * from few union all select * from few",
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_queries_that_repeat_rows_are_told_apart(demo_dataset, query):
    view = demo_dataset.query(query)
    distinct = len(set(view.indices.tolist()))
    assert distinct < len(view)
    assert view.plan().coverage(1).unique.tolist() == [distinct]
    assert view.plan([1] * len(view)).coverage(1).num_rows == distinct

    assert view.dataloader().sample_by("max_weight(True: 1)")._pool.plan.coverage(1).num_rows == distinct


def test_a_frozen_view_is_a_pass_of_exact_counts(demo_dataset):
    view = demo_dataset.query("select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)")
    plan = view.plan()
    histogram = plan.histogram()
    counts = Counter(int(label) for labels in view.labels.numpy(aslist=True) for label in labels)
    exact = [counts[number] for number in range(len(histogram.class_names))]
    assert histogram.raw.tolist() == exact
    for bars in (histogram.expected, histogram.low, histogram.high):
        assert bars.tolist() == exact
    assert sorted(plan.stream().epoch(3).tolist()) == list(range(len(view)))
    assert sorted(TorchSampler(plan)) == list(range(len(view)))
    assert plan.coverage(1).certificate == 1


# ---- strata made in other ways -------------------------------------------------------------


def test_labels_of_a_view_know_its_rows(repeating):
    for strata in (Strata.from_labels(repeating), Strata.from_weights([1] * 6, labels=repeating.labels)):
        assert strata.identity.tolist() == [0, 0, 1, 2, 2, 2]
    for rule in (inverse_frequency, square_root):
        assert Strata.from_labels(repeating).with_spec(rule(repeating)).coverage(1).num_rows == 3
        with pytest.raises(SamplingError, match="twice"):
            Strata.from_labels(repeating).with_spec(rule(repeating, mode="deck"))


def test_concatenated_parts_know_a_row_that_is_in_two_of_them(demo_dataset):
    made = {
        "weights": lambda rows: Strata.from_weights(np.ones(len(rows)), rows=rows),
        "masks": lambda rows: Strata.from_masks({"True": np.ones(len(rows), bool)}, rows=rows),
        "views": lambda rows: Strata.from_weights(np.ones(len(rows)), labels=demo_dataset[rows]),
        "bound": lambda rows: bind_sampling(EVERY, content_of(demo_dataset).table, rows),
    }
    for make in made.values():
        joined = Strata.concatenate([make(np.arange(3)), make(np.arange(2, 6))])
        assert joined.identity.tolist() == [0, 1, 2, 2, 3, 4, 5]
    with pytest.raises(SamplingError, match="1 of 2 parts"):
        Strata.concatenate([Strata.from_weights([1.0]), Strata.from_weights([1.0], rows=np.array([3]))])


def test_targets_of_a_pool_with_repeats_tell_the_draws_of_samples():
    labels = ClassCounts.from_labels([0, 0, 0, 1, 1, 0], class_names=("a", "b"))
    strata = Strata.from_labels(labels, rows=np.array([1, 2, 3, 4, 4, 1]))
    plan = strata.every_row()
    targets = plan.solve_targets({"b": 0.5}, unit="samples")
    assert targets.spec.mode == "iid"
    assert targets.max_repeats == pytest.approx(6 * 0.5)  # sample 4 has both positions of class b
    assert targets.effective_sample_size == pytest.approx(1 / (0.5**2 + 0.25**2 + 2 * 0.125**2))
    with pytest.raises(SamplingError, match="several times"):
        plan.solve_targets({"b": 0.5}, max_repeats=2)


def test_tables_of_a_stream_count_distinct_samples():
    labels = ClassCounts(
        values=np.array([0, 0, 1]), offsets=np.arange(4), class_names=("a", "b"), row_numbers=np.array([8, 8, 9])
    )
    plan = Strata.from_masks([], labels=labels).every_row()
    assert times_seen_table(plan.stream(), labels, 2).times_seen.tolist() == [4, 2]
    composition = batch_composition(plan.stream(), labels, 3)
    assert (composition.num_seen, composition.num_rows) == (2, 2)


def test_a_browser_is_told_the_distinct_samples():
    labels = ClassCounts.from_lists([[0], [0], [1], [], [1]], class_names=("a", "b"))
    masks = {"x": np.array([True, True, False, False, False]), "True": np.ones(5, bool)}
    strata = Strata.from_masks(masks, labels=labels, rows=np.array([3, 3, 5, 6, 5]))
    arrays = strata.with_spec(SamplingSpec(clauses=(Clause("x", 2), Clause("True", 1)))).statistics()
    groups = {}
    for number, size in enumerate(arrays["fold_sizes"].tolist()):
        held = slice(*arrays["fold_offsets"][number : number + 2])
        classes = slice(*arrays["fold_class_offsets"][number : number + 2])
        key = tuple(zip(arrays["fold_strata"][held].tolist(), arrays["fold_times"][held].tolist(), strict=True))
        with_class = zip(
            arrays["fold_class_ids"][classes].tolist(), arrays["fold_rows_with_class"][classes].tolist(), strict=True
        )
        groups[key] = size, dict(with_class)
    assert groups == {((1, 2.0),): (1, {0: 1}), ((0, 2.0),): (1, {1: 1}), ((0, 1.0),): (1, {})}


def test_a_browser_is_told_nothing_more_where_no_sample_repeats():
    plan = Strata.from_masks([], num_rows=2, rows=np.array([5, 4])).with_spec(SamplingSpec())
    assert not [name for name in plan.statistics() if name.startswith("fold")]
