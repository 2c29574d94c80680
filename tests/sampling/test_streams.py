"""Streams: what they draw, whatever is asked first."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from penstock.errors import SamplingError
from penstock.sampling import ClassCounts, SequentialStream, ShuffledStream, Strata
from penstock.sampling.random._alias import alias_table
from penstock.sampling.random._keyed import keyed_places
from penstock.sampling.random._philox import uniforms, units, words
from tests.sampling.conftest import pick, plan_of, spec_of


@pytest.mark.parametrize("seed", range(20))
def test_deck_deals_the_article_out_in_two_epochs(article, seed):
    stream = article(mode="deck", seed=seed).stream()
    first, second = stream.slice(0, 175), stream.slice(175, 350)
    assert len(np.unique(first)) == 98
    assert ((first < 165).sum(), (second < 165).sum()) == (88, 87)
    assert len(np.unique(stream.slice(0, 350))) == 175
    assert set(np.bincount(first, minlength=175)[165:]) == {8, 9}


def test_deck_sees_every_row_of_a_stratum_equally_often(article):
    seen = np.bincount(article(mode="deck").stream().slice(0, 10 * 175), minlength=175)
    assert set(seen[:165]) <= {5, 6}
    assert set(seen[165:]) <= {87, 88}


def test_deck_draws_the_quotas(article):
    plan = article(mode="deck", size=333)
    stream = plan.stream()
    for epoch, given in enumerate(plan.quotas(4).tolist()):
        rows = stream.epoch(epoch)
        assert [(rows < 165).sum(), (rows >= 165).sum()] == given


@pytest.mark.parametrize("size", [175, 160, 7, 1])
def test_smooth_batches_keep_the_composition(article, size):
    plan = article(mode="deck", interleave="smooth", size=size * 16)
    rows = plan.stream().epoch(1)
    assert sorted(np.unique(rows >= 165, return_counts=True)[1]) == sorted(plan.quotas(2)[1])
    minority = [(rows[start : start + 16] >= 165).sum() for start in range(0, len(rows), 16)]
    assert set(minority) <= {7, 8, 9}


@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
def test_slices_do_not_depend_on_what_was_asked_before(article, mode):
    stream = article(mode=mode, seed=5).stream()
    whole = stream.slice(0, 1750)
    rng = np.random.default_rng(0)
    for _ in range(50):
        start, stop = sorted(rng.integers(0, 1750, 2).tolist())
        assert np.array_equal(article(mode=mode, seed=5).stream().slice(start, stop), whole[start:stop])
        assert np.array_equal(stream.slice(start, stop), whole[start:stop])


def test_once_of_all_rows_is_the_raw_histogram(article):
    plan = article(mode="once")
    rows = plan.stream().epoch(2)
    assert sorted(rows.tolist()) == list(range(175))
    bars = plan.histogram()
    assert bars.expected.tolist() == bars.low.tolist() == bars.high.tolist() == [165, 10]


@pytest.mark.statistical
def test_once_includes_rows_as_often_as_promised():
    labels = ClassCounts.from_labels([0] * 165 + [1] * 10)
    plan = plan_of(labels, {"1": 4, "0": 1}, mode="once", size=60)
    stream = plan.stream()
    drawn = np.array([np.bincount(stream.epoch(epoch), minlength=175) for epoch in range(2000)])
    assert drawn.max() == 1
    minority = drawn[:, 165:].sum(axis=1)
    bars = plan.histogram()
    assert minority.mean() == pytest.approx(bars.expected[1], abs=0.05)
    assert minority.var() == pytest.approx(bars.variance[1], rel=0.1)
    assert plan.inclusion @ plan.strata.sizes == pytest.approx(60, abs=1e-9)


@pytest.fixture
def plan_of_too_many():
    return plan_of(ClassCounts.from_labels([0, 0, 1, 1, 1]), {"1": 1}, mode="once", size=5)


def test_once_warns_of_more_draws_than_rows_with_weight(plan_of_too_many):
    with pytest.warns(UserWarning, match="5 draws without replacement were asked for, but only 3 samples"):
        plan_of_too_many.stream()


@pytest.mark.filterwarnings("ignore:5 draws without replacement")
def test_once_is_capped_at_the_rows_with_weight(plan_of_too_many):
    assert sorted(plan_of_too_many.stream().epoch(0).tolist()) == [2, 3, 4]


def test_philox_words_are_the_ones_numpy_advances_to():
    key = np.array([7, 0], np.uint64)
    counter = np.array([0, 2, 3, 1], np.uint64)
    whole = np.random.Philox(key=key, counter=counter).random_raw(40)
    assert np.array_equal(words(7, (1, 2, 3), 0, 40), whole)
    for start in range(12):
        assert np.array_equal(words(7, (1, 2, 3), start, 9), whole[start : start + 9])
    skipped = np.random.Philox(key=key, counter=counter)
    skipped.advance(1)
    assert np.array_equal(skipped.random_raw(4), whole[4:8])


def philox_block(key, counter):
    """Philox4x64-10 word by word, after J. K. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011."""
    mask = (1 << 64) - 1
    keys, block = list(key), list(counter)
    for _ in range(10):
        first, second = 0xD2E7470EE14C6C93 * block[0], 0xCA5A826395121157 * block[2]
        block = [(second >> 64) ^ block[1] ^ keys[0], second & mask, (first >> 64) ^ block[3] ^ keys[1], first & mask]
        keys = [(keys[0] + 0x9E3779B97F4A7C15) & mask, (keys[1] + 0xBB67AE8584CAA73B) & mask]
    return block


def test_words_are_philox_by_the_paper():
    zero = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    assert philox_block((0, 0), (0, 0, 0, 0)) == zero
    seed = (5 << 64) | 11
    assert words(seed, (1, 2, 3), 8, 4).tolist() == philox_block((11, 5), (3, 2, 3, 1))


@pytest.mark.parametrize("count", [2, 3, 10, 64, 1000, 65_537, 200_000])
def test_keyed_places_are_a_permutation(count):
    keys = words(3, (9, 0, 0), 0, 6)
    assert np.array_equal(np.sort(keyed_places(keys, count, np.arange(count))), np.arange(count))


@pytest.mark.statistical
@pytest.mark.parametrize("count", [65_537, 100_000, 131_072])
def test_keyed_places_look_like_a_shuffle(count):
    cells, runs = 16, 60
    places = np.zeros((cells, cells))
    pairs = np.zeros((cells, cells))
    for run in range(runs):
        taken = keyed_places(words(run, (9, 1, 0), 0, 6), count, np.arange(count)) * cells // count
        np.add.at(places, (np.arange(count) * cells // count, taken), 1)
        np.add.at(pairs, (taken[:-1], taken[1:]), 1)
    for table in (places, pairs):
        expected = table.sum() / cells**2
        statistic = ((table - expected) ** 2 / expected).sum()
        assert statistic < 255 + 4 * np.sqrt(2 * 255)


def test_plain_streams_visit_every_row_once_an_epoch():
    assert SequentialStream(4).slice(3, 9).tolist() == [3, 0, 1, 2, 3, 0]
    for rows in (1, 100, 70_000):
        stream = ShuffledStream(rows, seed=1)
        first, second = stream.epoch(0), stream.epoch(1)
        assert np.array_equal(np.sort(first), np.arange(rows))
        assert rows == 1 or not np.array_equal(first, second)
        assert np.array_equal(stream.slice(rows - 1, rows + 1), [first[-1], second[0]])


def test_positions_out_of_order_are_named():
    with pytest.raises(SamplingError, match=r"slice\(5, 3\)"):
        SequentialStream(4).slice(5, 3)


@pytest.mark.parametrize("chunked", [True, False])
def test_a_long_deck_deals_every_row_once_a_deal(chunked):
    """Strata above the shuffle limit, tiny ones with many deals, and single rows."""
    sizes = [150_000, 3, 1, 40]
    ids = np.repeat(np.arange(4), sizes)
    masks = {str(number): ids == number for number in range(4)}
    weights = {"0": 1.0, "1": 20_000.0, "2": 30_000.0, "3": 500.0}
    plan = Strata.from_masks(masks).with_spec(spec_of(weights, mode="deck", size=260_000))
    stream, given = plan.stream(), plan.quotas(3)
    seen = np.zeros(len(ids), np.int64)
    for epoch in range(3):
        whole = stream.epoch(epoch)
        if chunked:
            begin = epoch * 260_000
            cuts = [begin, begin + 5, begin + 60_000, begin + 130_000, begin + 260_000]
            pieces = [stream.slice(first, last) for first, last in pairwise(cuts)]
            assert np.array_equal(np.concatenate(pieces), whole)
        seen += np.bincount(whole, minlength=len(ids))
        owner = plan.strata.ids[whole]
        assert np.bincount(owner, minlength=4).tolist() == given[epoch].tolist()
    for number in range(4):
        times = seen[plan.strata.ids == number]
        assert times.max() - times.min() <= 1


@pytest.mark.statistical
def test_ten_million_draws_follow_their_law():
    sizes = np.array([3, 700, 41, 1, 5000, 90])
    weights = np.array([4.0, 1.0, 0.25, 100.0, 0.5, 0.0])
    ids = np.repeat(np.arange(6), sizes)
    plan = Strata.from_weights(weights[ids]).with_spec(spec_of({}, size=10_000_000))
    seen = np.bincount(plan.stream().epoch(0), minlength=len(ids))
    law = weights[ids] / weights[ids].sum() * 10_000_000
    statistic = ((seen - law)[law > 0] ** 2 / law[law > 0]).sum()
    freedom = (law > 0).sum() - 1
    assert abs(statistic - freedom) < 4 * np.sqrt(2 * freedom)
    pairs = np.bincount(
        6 * ids[plan.stream().slice(0, 2_000_000)[:-1]] + ids[plan.stream().slice(1, 2_000_000)], minlength=36
    )
    share = weights * sizes / (weights @ sizes)
    expected = 1_999_999 * np.outer(share, share).ravel()
    statistic = ((pairs - expected)[expected > 0] ** 2 / expected[expected > 0]).sum()
    assert abs(statistic - 24) < 4 * np.sqrt(48)


@pytest.mark.statistical
@pytest.mark.parametrize("mode", ["iid", "deck"])
def test_draws_follow_their_law(mode):
    sizes = [3, 700, 41, 1, 5000, 90]
    weights = [4.0, 1.0, 0.25, 100.0, 0.5, 0.0]
    ids = np.repeat(np.arange(6), sizes)
    masks = {str(number): ids == number for number in range(6)}
    spec = spec_of(dict(zip(masks, weights, strict=True)), size=1_000_000, mode=mode)
    plan = Strata.from_masks(masks).with_spec(spec)
    seen = np.bincount(plan.stream().epoch(3), minlength=len(ids))
    law = np.repeat(weights, sizes) / np.dot(weights, sizes) * 1_000_000
    assert seen[law == 0].sum() == 0
    statistic = ((seen - law)[law > 0] ** 2 / law[law > 0]).sum()
    freedom = (law > 0).sum() - 1
    assert statistic < freedom + 4 * np.sqrt(2 * freedom)
    assert mode == "deck" or statistic > freedom - 4 * np.sqrt(2 * freedom)


@pytest.mark.parametrize("processors", [1, 2, 4])
@pytest.mark.parametrize("start", [0, 1, 2, 12_345])
def test_long_epochs_draw_by_the_formula_however_many_threads_draw(monkeypatch, processors, start):
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    rng = np.random.default_rng(1)
    strata = Strata.from_masks({"a": rng.random(5000) < 0.01, "b": rng.random(5000) < 0.3, "True": np.ones(5000, bool)})
    plan = strata.with_spec(spec_of({"a": 20, "b": 3, "True": 1}, seed=9))
    count = 150_001
    drawn = plan.stream().slice(start, start + count)
    mass = plan.probabilities * plan.strata.sizes
    threshold, alias = alias_table(mass)
    told = units(words(9, (1, 0, 0), 2 * start, 2 * count)).reshape(-1, 2)
    stratum = pick(told[:, 0], threshold, alias)
    members = [np.flatnonzero(plan.strata.ids == number) for number in range(plan.strata.num_strata)]
    by_hand = [members[one][int(len(members[one]) * unit)] for one, unit in zip(stratum, told[:, 1], strict=True)]
    assert drawn.tolist() == by_hand


def test_filling_doubles_gives_the_units_of_the_words():
    for start in range(6):
        filled = np.empty(50)
        uniforms(3, (1, 2, 3), start).random(out=filled)
        assert np.array_equal(filled, units(words(3, (1, 2, 3), start, 50)))
