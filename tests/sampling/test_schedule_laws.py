"""What schedules forecast: by enumeration and by hand, and against runs of the stream itself."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from penstock.errors import SamplingError
from penstock.sampling import (
    ClassCounts,
    SamplingSchedule,
    SamplingSpec,
    SchedulePlan,
    Strata,
    weights_sha256,
)
from tests.sampling.conftest import plan_of, spec_of

NAMES = ("a", "b", "c", "True")


def plan_from(starts, weights, masks, labels=None, rows=None, **options):
    schedule = SamplingSchedule(tuple((s, spec_of(w, **options)) for s, w in zip(starts, weights, strict=True)))
    strata = Strata.from_masks({name: masks[name] for name in schedule.clauses}, labels=labels, rows=rows)
    return SchedulePlan.of(strata, schedule)


# ---- by enumeration and by hand ------------------------------------------------------------------


def enumerated(chances, value):
    """Mean and variance of a value of all sequences of draws; `chances` has the probability of each row at each draw."""
    law = Counter()
    for rows in product(range(len(chances[0])), repeat=len(chances)):
        mass = Fraction(1)
        for row, own in zip(rows, chances, strict=True):
            mass *= own[row]
        law[value(rows)] += mass
    mean = sum(number * mass for number, mass in law.items())
    return float(mean), float(sum(number**2 * mass for number, mass in law.items()) - mean**2), law


@pytest.fixture
def three_rows():
    """Rows 0, 1 (class 0 twice, class 0) and 2 (class 1); two draws by one entry, then two or more by another."""
    labels = ClassCounts.from_lists([[0, 0], [0], [1]])
    masks = {"a": np.array([True, False, False]), "c": np.array([False, False, True]), "True": np.ones(3, bool)}
    plan = plan_from([0, 2], [{"a": 2, "True": 1}, {"c": 3, "True": 1}], masks, labels, size=2)
    chances = [[Fraction(2, 4), Fraction(1, 4), Fraction(1, 4)]] * 2 + [
        [Fraction(1, 5), Fraction(1, 5), Fraction(3, 5)]
    ] * 2
    return plan, chances


def test_distinct_rows_of_independent_draws_by_enumeration(three_rows):
    plan, chances = three_rows
    coverage = plan.coverage(2)
    for epoch, draws in ((1, 2), (2, 4)):
        mean, variance, law = enumerated(chances[:draws], lambda rows: len(set(rows)))
        assert coverage.unique[epoch - 1] == pytest.approx(mean, abs=1e-12)
        known = coverage._law.unseen(np.array([epoch]))
        assert known.variance[0] == pytest.approx(variance, abs=1e-12)
    # few rows count as independent, which they nearly are
    assert coverage.probability_covered(1.0, 2) == pytest.approx(float(law[3]), abs=0.07)


@pytest.mark.parametrize("start", [0, 1, 2])
def test_counts_across_entries_by_enumeration(three_rows, start):
    plan, chances = three_rows
    instances = [(2, 0), (1, 0), (0, 1)]
    bars = plan.histogram(4 - start, start=start)
    mean, variance = plan.moments(4 - start, start=start)
    for label in (0, 1):
        expected = enumerated(chances[start:], lambda rows, label=label: sum(instances[row][label] for row in rows))
        assert (bars.expected[label], bars.variance[label]) == pytest.approx(expected[:2], abs=1e-12)
        assert (mean[label], variance[label]) == pytest.approx(expected[:2], abs=1e-12)
        inside = sum(mass for count, mass in expected[2].items() if bars.low[label] <= count <= bars.high[label])
        assert inside >= Fraction(95, 100)


def test_times_seen_by_enumeration(three_rows):
    plan, chances = three_rows
    cdf = plan.coverage(2).times_seen(2).overall
    for most in range(5):
        shares = [enumerated(chances, lambda rows, row=row, most=most: rows.count(row) <= most)[0] for row in range(3)]
        assert (cdf[most] if most < len(cdf) else 1) == pytest.approx(np.mean(shares), abs=1e-6)


def test_repeated_rows_are_seen_as_one(three_rows):
    plan, chances = three_rows
    labels = plan.strata.labels
    masks = dict(zip(plan.strata.expressions, plan.strata.matches[:, plan.strata.ids], strict=True))
    weights = [{"a": 2, "True": 1}, {"c": 3, "True": 1}]
    repeated = plan_from([0, 2], weights, masks, labels, rows=np.array([5, 7, 5]), size=2)
    mean, _, _ = enumerated(chances, lambda rows: len({row % 2 for row in rows}))
    assert repeated.coverage(2).unique[1] == pytest.approx(mean)
    assert repeated.num_drawable == 2


def test_two_decks_leave_what_two_random_halves_leave():
    plan = plan_from([0, 3], [{"True": 1}, {"True": 2}], {"True": np.ones(6, bool)}, mode="deck", size=3)
    known = plan.coverage(2)._law.unseen(np.array([1, 2]))
    # 3 of 6 rows are in each half at random: a hypergeometric number is in neither
    assert known.mean.tolist() == [3, 1.5]
    assert known.variance.tolist() == pytest.approx([0, 3 * 0.5 * 0.5 * 3 / 5])
    assert (known.fewest[1], known.most[1]) == (0, 3)


@pytest.mark.parametrize(
    ("starts", "weights", "epochs"),
    [
        ([0, 5], [{"True": 1}, {"True": 1}], 3),  # the second entry needs 10 draws of its own
        ([0, 10], [{"True": 1}, {"True": 1}], 2),  # the first has dealt all 10
        ([0, 12], [{"True": 1}, {"a": 1}], 2),  # what is never drawn again was
        ([0, 5], [{"True": 1}, {"a": 1}], None),  # some row outside a may have been missed
        ([0, 5], [{"a": 1}, {"True": 1}], 3),  # all that a has were dealt, the others in 10 draws
    ],
)
def test_certificate_by_hand(starts, weights, epochs):
    masks = {"a": np.arange(10) < 4, "True": np.ones(10, bool)}
    assert plan_from(starts, weights, masks, mode="deck", size=5).coverage(1).certificate == epochs


def test_draws_without_replacement_miss_a_row_with_the_product_of_chances():
    masks = {"a": np.arange(20) < 5, "True": np.ones(20, bool)}
    plan = plan_from([0, 8], [{"True": 1}, {"a": 1, "True": 0.5}], masks, mode="once", size=4)
    unseen = 20 - plan.coverage(4).unique
    assert unseen[:2].tolist() == pytest.approx([20 * 0.8, 20 * 0.8**2])
    included = plan.plans[1].inclusion[plan.plans[1].strata.ids]
    assert unseen[3] == pytest.approx(float((0.8**2 * (1 - included) ** 2).sum()))
    whole = plan_from([0, 20], [{"True": 1}, {"a": 1, "True": 1}], masks, mode="once")
    assert whole.coverage(2).certificate == 1


def test_many_groups_have_the_variance_of_pairs_to_first_order():
    rng = np.random.default_rng(3)
    arrays = [rng.uniform(0.5, 3, 90) for _ in range(2)]
    names = [weights_sha256(array) for array in arrays]
    spec = SamplingSpec(size=60)
    schedule = SamplingSchedule([(0, spec, names[0]), (90, spec, names[1])])
    pool = Strata.from_masks([], num_rows=90)
    plan = SchedulePlan.of(pool, schedule, weights=dict(zip(names, arrays, strict=True)))
    assert plan.strata.num_strata == 90
    known = plan.coverage(3)._law.unseen(np.array([3]))
    first, second = (array / array.sum() for array in arrays)
    missed = (1 - first) ** 90 * (1 - second) ** 90
    both = (1 - first[:, None] - first) ** 90 * (1 - second[:, None] - second) ** 90
    np.fill_diagonal(both, missed)
    assert known.mean[0] == pytest.approx(missed.sum())
    assert known.variance[0] == pytest.approx(both.sum() - missed.sum() ** 2, rel=0.03)


@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
def test_one_entry_forecasts_what_its_plan_does(mode):
    labels = ClassCounts.from_lists([[0, 0], [0], [1], [], [0, 1]] * 8)
    plan = plan_of(labels, {"1": 5, "True": 1}, mode=mode, size=30)
    alone = SchedulePlan.starting_with(plan)
    for epoch in (0, 2):
        mine, other = alone.histogram(epoch=epoch), plan.histogram(epoch=epoch)
        for name in ("expected", "variance", "low", "high"):
            assert getattr(mine, name).tolist() == pytest.approx(getattr(other, name).tolist())
    assert alone.coverage(4).unique.tolist() == plan.coverage(4).unique.tolist()
    start = 60 if mode == "once" else 7  # without replacement a plan's epochs are whole ones
    assert [own.tolist() for own in alone.moments(start=start)] == [own.tolist() for own in plan.moments(start=start)]


def test_an_entry_that_draws_nothing_is_refused():
    masks = {"a": np.zeros(4, bool), "True": np.ones(4, bool)}
    plan = plan_from([0, 5], [{"True": 1}, {"a": 1}], masks)
    for asked in (plan.histogram, plan.coverage, plan.stream):
        with pytest.raises(SamplingError):
            asked()


# ---- against the stream ---------------------------------------------------------------------------


def random_plan(case):
    """A schedule of 2 to 4 entries over 12 to 220 rows: every mode, every combine, clauses that some entries lack."""
    rng = np.random.default_rng(case)
    mode, combine = ("iid", "deck", "once")[case % 3], ("max", "sum", "product")[case // 3 % 3]
    count, classes = int(rng.integers(12, 220)), int(rng.integers(2, 5))
    lists = [rng.integers(0, classes, rng.integers(0, 4)).tolist() for _ in range(count)]
    labels = ClassCounts.from_lists(lists, class_names=tuple("wxyz")[:classes])
    masks = {name: rng.random(count) < rng.uniform(0.05, 0.6) for name in NAMES[:3]}
    masks["True"] = np.ones(count, bool)
    size = int(rng.integers(3, count + 1)) if mode == "once" else int(rng.integers(5, 2 * count))
    starts = [0]
    for _ in range(int(rng.integers(1, 4))):
        whole = mode == "once" or rng.random() < 0.3
        starts.append(starts[-1] + int(rng.integers(1, 3) * size if whole else rng.integers(1, 2 * size + 1)))
    weights = [
        {name: float(rng.choice([0.5, 1, 2, 5, 9])) for name in NAMES if name == "True" or rng.random() < 0.6}
        for _ in starts
    ]
    interleave = ("shuffled", "smooth")[int(rng.integers(2))]
    options = {"mode": mode, "combine": combine, "size": size, "interleave": interleave}
    return plan_from(starts, weights, masks, labels, **options), -(-starts[-1] // size) + 2


def counted(plan, start, draws, num_runs):
    """Instances of each class in a run of draws, for as many seeds."""
    labels = plan.strata.labels
    rows, classes, counts = labels.entries
    weights = np.ones(len(rows)) if counts is None else counts
    found = []
    for seed in range(num_runs):
        drawn = plan._with_seed(seed).stream().slice(start, start + draws)
        times = np.bincount(drawn, minlength=labels.num_rows)
        found.append(np.bincount(classes, weights * times[rows], labels.num_classes))
    return np.array(found)


def agrees(mean, simulated, slack):
    """Whether simulated means are within five standard errors, and what an approximation is off by."""
    error = simulated.std(axis=0, ddof=1) / np.sqrt(len(simulated))
    return bool((np.abs(simulated.mean(axis=0) - mean) <= 5 * error + slack + 1e-9).all())


def forecast_holds(case, num_runs):
    plan, num_epochs = random_plan(case)
    slack = 0.6 if plan.spec.mode == "once" else 0.0  # inclusion probabilities are right up to the order of a row
    simulation, coverage = plan.simulate(num_epochs, num_runs, seed=case), plan.coverage(num_epochs)
    assert agrees(coverage.unique, simulation.unique, slack)
    last = plan.schedule.starts[-1]
    start, draws = (0, plan.num_draws) if plan.spec.mode == "once" else (last // 2, last // 2 + plan.num_draws)
    counts, bars = counted(plan, start, draws, num_runs), plan.histogram(draws, start=start)
    assert agrees(bars.expected, counts, slack)
    certificate = coverage.certificate
    if certificate is not None and certificate <= num_epochs:
        assert (simulation.unique[:, certificate - 1] == simulation.num_drawable).all()
    return plan, num_epochs, simulation, coverage, counts, bars


@pytest.mark.parametrize("case", range(9))
def test_means_of_random_schedules_are_those_drawn(case):
    forecast_holds(case, num_runs=40)


@pytest.mark.exhaustive
@pytest.mark.statistical
@pytest.mark.parametrize("case", range(9, 45))
def test_random_schedules_stay_within_their_bands_in_2000_runs(case):
    plan, num_epochs, simulation, coverage, counts, bars = forecast_holds(case, num_runs=2000)
    # without replacement a plain plan takes few rows left for independent, which is off in a first epoch of nearly all
    plain = plan.schedule.starts[1] // plan.num_draws if plan.spec.mode == "once" else 0
    inside = (simulation.unique >= coverage.low - 1e-9) & (simulation.unique <= coverage.high + 1e-9)
    assert inside.mean(axis=0).min() >= 0.92
    within = (counts >= bars.low - 1e-9) & (counts <= bars.high + 1e-9)
    assert within.mean(axis=0).min() >= 0.92
    for share in (0.9, 1.0):
        wanted = np.ceil(share * simulation.num_drawable - 1e-9)
        drawn = (simulation.unique >= wanted).mean(axis=0)
        known = [coverage.probability_covered(share, e, of="drawable") for e in range(1, num_epochs + 1)]
        assert np.abs(drawn - known)[plain:].max() < 0.07
    known = coverage.times_seen(num_epochs).cdf
    width = min(known.shape[1], simulation.times_seen.shape[1])
    assert np.nanmax(np.abs(known[:, :width] - simulation.times_seen[:, :width])) < 0.02
