"""Coverage against exact laws, the article's set and the NIH table."""

from __future__ import annotations

import math

import numpy as np
import pytest

from penstock.errors import SamplingError
from penstock.sampling import ClassCounts, SamplingSpec, Strata
from tests.sampling.conftest import plan_of


def all_seen_exactly(num_epochs):
    """P(all of 165 + 10 seen by each epoch): occupancy of either class, mixed over the draws each gets."""

    def occupancy(rows, draws):
        distinct = np.zeros(rows + 1)
        distinct[0] = 1
        full = np.zeros(draws + 1)
        seen = np.arange(rows + 1)
        for draw in range(1, draws + 1):
            moved = distinct * seen / rows
            moved[1:] += distinct[:-1] * (rows - seen[:-1]) / rows
            distinct = moved
            full[draw] = distinct[-1]
        return full

    draws = 175 * num_epochs
    majority, minority = occupancy(165, draws), occupancy(10, draws)
    law = []
    for epoch in range(1, num_epochs + 1):
        total = 175 * epoch
        share = np.array(
            [
                math.exp(math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1) - total * math.log(2))
                for k in range(total + 1)
            ]
        )
        law.append(float((share * majority[: total + 1] * minority[total::-1]).sum()))
    return np.array(law)


def test_epochs_until_all_are_seen_follow_the_exact_occupancy_law(article):
    law = all_seen_exactly(40)
    coverage = article().coverage()
    told = np.array([coverage.probability_covered(1, epoch) for epoch in range(1, 41)])
    assert np.abs(told - law).max() <= 0.0021
    assert (1 - law).sum() + 1 == pytest.approx(11.220, abs=2e-3)
    assert (1 - told).sum() + 1 == pytest.approx(11.223, abs=5e-4)
    assert coverage.epochs_to_cover(1, (0.05, 0.5, 0.95, 0.99)).tolist() == [8, 11, 16, 19]


def test_unique_samples_have_the_exact_mean(article):
    coverage = article().coverage(10)
    assert coverage.unique[[0, 1, 4, 9]] == pytest.approx([77.99, 117.96, 163.41, 174.19], abs=0.005)
    assert 175 - coverage.unique[0] == pytest.approx(97.01, abs=0.005)
    assert 175 - article().coverage(1, num_draws=350).unique[0] == pytest.approx(57.04, abs=0.005)


def test_unique_samples_have_the_exact_spread(article):
    law = article().coverage(10)._law
    assert np.sqrt(law.unseen(np.array([1, 2, 5, 10]))[1]) == pytest.approx([4.99, 5.18, 3.11, 0.89], abs=0.005)


def test_epochs_to_cover_most_samples_are_those_of_the_exact_law(article):
    coverage = article().coverage(10)
    assert [coverage.epochs_to_cover(share, [0.5])[0] for share in (0.9, 0.95, 0.99)] == [5, 6, 9]


def test_variance_of_many_weights_is_close_to_the_exact_one():
    labels = ClassCounts.from_labels(np.arange(200) % 40)
    weights = {str(number): 1 + number / 10 for number in range(40)}
    law = plan_of(labels, weights).coverage()._law
    p = np.array([1 + number % 40 / 10 for number in range(200)])
    p /= p.sum()
    n = 200
    q = (1 - p) ** n
    exact = (q * (1 - q)).sum() + sum(
        (1 - a - b) ** n - x * y
        for i, (a, x) in enumerate(zip(p, q, strict=True))
        for j, (b, y) in enumerate(zip(p, q, strict=True))
        if i != j
    )
    assert law.unseen(np.array([1]))[1][0] == pytest.approx(exact, rel=3e-3)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("weights", "combine", "share"),
    [
        ({"True": 1}, "max", 0.63212),
        ({"Hernia": 20, "True": 1}, "max", 0.61901),
        ({"Hernia": 20, "Pneumonia": 5, "True": 1}, "max", 0.60642),
        ({"Hernia": 20, "Pneumonia": 5, "True": 1}, "sum", 0.60159),
        ({"Hernia": 20, "Pneumonia": 5}, "max", 0.01476),
    ],
    ids=["uniform", "one", "two", "sum", "no fallback"],
)
def test_nih_coverage_of_one_epoch(nih, weights, combine, share):
    coverage = plan_of(nih, weights, combine=combine).coverage(1)
    assert coverage.share[0] == pytest.approx(share, abs=5e-6)


@pytest.mark.real_data
def test_rows_that_cannot_be_drawn_are_a_ceiling(nih):
    coverage = plan_of(nih, {"Hernia": 20, "Pneumonia": 5}).coverage(3)
    assert coverage.num_drawable == 1655
    assert coverage.ceiling == 1655 / 112120
    assert coverage.epochs_to_cover(0.9).tolist() == [math.inf] * 4
    assert coverage.epochs_to_cover(1.0, (0.5,), of="drawable")[0] == 1


def test_deck_covers_the_article_in_two_epochs(article):
    coverage = article(mode="deck").coverage(3)
    assert coverage.unique.tolist() == [98, 175, 175]
    assert coverage.low.tolist() == coverage.high.tolist() == coverage.unique.tolist()
    assert coverage.certificate == 2
    assert coverage.epochs_to_cover().tolist() == [2, 2, 2, 2]


@pytest.mark.real_data
def test_deck_certificate_of_the_seed_query_is_two_epochs(nih):
    weights = {"Hernia": 20, "Pneumonia": 8, "Fibrosis": 5, "Edema": 5, "Emphysema": 2, "True": 1}
    assert plan_of(nih, weights, mode="deck").coverage(2).certificate == 2
    assert plan_of(nih, weights).coverage(2).certificate is None


@pytest.mark.parametrize("rows", [1, 2, 5, 12, 30, 63])
def test_small_pools_are_covered_by_the_exact_law(rows):
    """Weights 1 and 3 in turn; the rows seen so far of either weight as a Markov chain, draw by draw."""
    weights = np.array([1.0, 3.0] * rows)[:rows]
    plan = Strata.from_weights(weights).with_spec(SamplingSpec(size=rows + 1))
    light, heavy = (rows + 1) // 2, rows // 2
    share = 1 / weights.sum()
    law = np.zeros((light + 1, heavy + 1))
    law[0, 0] = 1
    ones, threes = np.arange(light + 1)[:, None], np.arange(heavy + 1)[None]
    for draw in range(1, 3 * (rows + 1) + 1):
        after = law * (ones + 3 * threes) * share
        after[1:] += (law * (light - ones) * share)[:-1]
        after[:, 1:] += (law * (heavy - threes) * 3 * share)[:, :-1]
        law = after
        if draw % (rows + 1) == 0:
            for left in {0, rows // 3, rows - 1}:
                exact = law[ones + threes >= rows - left].sum()
                found = plan.coverage().probability_covered((rows - left) / rows, draw // (rows + 1))
                assert found == pytest.approx(exact, abs=1e-12)


def test_the_exact_law_of_small_pools_meets_the_one_of_larger_pools():
    """One more row than is told exactly: the change is that of a row more, not of another law."""
    told = [
        Strata.from_weights(np.ones(rows)).with_spec(SamplingSpec(size=300)).coverage().probability_covered(1.0, 1)
        for rows in (62, 63, 64, 65)
    ]
    steps = -np.diff(told)
    assert (steps > 0).all()
    assert steps[1] == pytest.approx((steps[0] + steps[2]) / 2, abs=0.006)


@pytest.fixture
def delivered_short(article):
    """Of the 175 draws of the first block 88 are of the majority; a hypergeometric part of them is among 160."""
    return article(mode="deck").coverage(3, num_draws=160)


def test_deck_delivered_short_keeps_its_certificate(delivered_short):
    coverage = delivered_short
    assert coverage.certificate == 3
    assert coverage.unique[2] == coverage.low[2] == coverage.high[2] == 175


def test_deck_delivered_short_has_the_hypergeometric_band(delivered_short):
    middle = 10 + 160 * 88 / 175
    spread = math.sqrt(160 * 15 / 174 * 88 / 175 * 87 / 175)
    assert delivered_short.unique[0] == pytest.approx(middle)
    assert delivered_short.low[0] == math.floor(middle - 1.96 * spread)
    assert delivered_short.high[0] == math.ceil(middle + 1.96 * spread)


def test_times_seen_of_a_class_is_the_binomial_law(article):
    stats = pytest.importorskip("scipy.stats")
    seen = article().coverage().times_seen(2)
    counts = np.arange(seen.cdf.shape[1])
    assert seen.cdf[0] == pytest.approx(stats.binom.cdf(counts, 350, 0.5 / 165), abs=1e-12)
    assert seen.cdf[1] == pytest.approx(stats.binom.cdf(counts, 350, 0.05), abs=1e-12)
    assert seen.overall == pytest.approx((165 * seen.cdf[0] + 10 * seen.cdf[1]) / 175, abs=1e-12)


def test_times_seen_under_deck_is_floor_or_ceil(article):
    seen = article(mode="deck").coverage().times_seen(1)
    assert seen.cdf[0].tolist()[:2] == [77 / 165, 1]
    assert seen.cdf[1][7:10].tolist() == pytest.approx([0, 0.3, 1])


@pytest.mark.parametrize("bad", [0, -1, 1.5, 90])
def test_a_share_that_is_none_is_named(article, bad):
    with pytest.raises(SamplingError, match="share is"):
        article().coverage().epochs_to_cover(bad)


def test_few_left_is_the_law_of_single_rows():
    """Sums of independent rows, worked out one row after the other."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(67, 0.5))
    plan = plan_of(ClassCounts.from_labels(np.arange(67)), {str(number): share for number, share in enumerate(shares)})
    coverage = plan.coverage()
    for epochs in (1, 3, 10, 40):
        law = np.zeros(68)
        law[0] = 1
        for share in shares / shares.sum():
            missed = math.exp(-67 * epochs * share)
            law = law * (1 - missed) + np.concatenate([[0], law[:-1]]) * missed
        for left in (0, 1, 5, 9):
            told = coverage.probability_covered((67 - left) / 67, epochs)
            assert told == pytest.approx(law[: left + 1].sum(), abs=1e-12)


@pytest.mark.statistical
@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
def test_many_distinct_weights_are_covered_in_little_memory(mode):
    rng = np.random.default_rng(1)
    weights = rng.lognormal(0, 1, 60_000)
    plan = Strata.from_weights(weights).with_spec(SamplingSpec(mode=mode, size=20_000))
    coverage = plan.coverage(20)
    drawn = plan.stream()
    margin = coverage.high[1] - coverage.low[1] + 1
    assert abs(len(np.unique(drawn.slice(0, 40_000))) - coverage.unique[1]) <= margin
    seen = np.bincount(drawn.slice(0, 40_000), minlength=60_000)
    told = coverage.times_seen(2).overall
    assert np.abs(np.cumsum(np.bincount(seen, minlength=len(told))[: len(told)]) / 60_000 - told).max() < 0.005
    assert (np.diff(coverage.epochs_to_cover(0.9)) >= 0).all()


def test_all_of_a_deck_delivered_short_are_seen_as_often_as_the_last_card_allows():
    """A row of weight 2 and two of weight 1: two draws each an epoch of four, and any of the four is left out."""
    plan = Strata.from_weights([2.0, 1.0, 1.0]).with_spec(SamplingSpec(mode="deck", size=4))
    assert plan.coverage(1, num_draws=3).probability_covered(1, 1) == pytest.approx(0.5)


def test_most_of_a_deck_delivered_short_are_seen_with_the_hypergeometric_probability(article):
    """Of the 88 majority draws among 175, those in the first 160 are of distinct rows; the minority is all seen."""
    exact = sum(math.comb(88, seen) * math.comb(87, 160 - seen) for seen in range(81, 89)) / math.comb(175, 160)
    told = article(mode="deck").coverage(1, num_draws=160).probability_covered(91 / 175, 1)
    assert told == pytest.approx(exact, abs=0.01)


def test_a_row_that_almost_never_comes_is_covered_after_no_epoch_that_counts():
    plan = Strata.from_weights([1.0, 1e-15]).with_spec(SamplingSpec(size=2))
    assert plan.coverage(1).epochs_to_cover(1, [0.5]).tolist() == [math.inf]


@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
def test_coverage_in_small_pieces_of_memory_is_the_same(article, mode, monkeypatch):
    options = {"mode": mode, "size": 60 if mode == "once" else 175}
    whole = article(**options).coverage(6, num_draws=50)
    monkeypatch.setattr("penstock.sampling.laws._unseen._CELLS", 1)
    monkeypatch.setattr("penstock.sampling.laws._deck_law._CELLS", 1)
    pieces = article(**options).coverage(6, num_draws=50)
    assert pieces.unique.tolist() == pytest.approx(whole.unique.tolist(), rel=1e-12)
    assert pieces.low.tolist() == pytest.approx(whole.low.tolist(), rel=1e-12)
    assert pieces.high.tolist() == pytest.approx(whole.high.tolist(), rel=1e-12)
