"""For any size, batch size, repeats and indices: every sample as often as it should come, in BatchUp's order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.batchup import data_source, sampling

SIZES = st.integers(1, 40)
BATCHES = st.integers(1, 100)
REPEATS = st.integers(1, 6)
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def pools(draw):
    """A length, and perhaps indices in it, repeats among them."""
    length = draw(SIZES)
    indices = draw(st.none() | st.lists(st.integers(0, length - 1), min_size=1, max_size=60))
    return length, None if indices is None else np.array(indices)


def sampler_of(pool, repeats):
    length, indices = pool
    return sampling.StandardSampler(length, repeats) if indices is None else sampling.SubsetSampler(indices, repeats)


def passes_of(pool):
    length, indices = pool
    return np.arange(length) if indices is None else indices


@given(pool=pools(), batch_size=BATCHES, repeats=REPEATS, seed=SEEDS)
@settings(max_examples=200, deadline=None)
def test_random_state_gives_one_permutation_a_pass(pool, batch_size, repeats, seed):
    rows, rng = passes_of(pool), np.random.RandomState(seed)
    expected = np.concatenate([rng.permutation(rows) for _ in range(repeats)])
    used = np.random.RandomState(seed)
    batches = list(sampler_of(pool, repeats).shuffled_indices_batch_iterator(batch_size, used))
    assert [len(batch) for batch in batches] == [len(part) for part in cut(expected, batch_size)]
    assert np.concatenate(batches).tolist() == expected.tolist()
    if repeats > 1:
        rng.permutation(rows)  # BatchUp begins one more pass when the last is over
    assert used.random_sample() == rng.random_sample()


def cut(rows, batch_size):
    return [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]


@given(pool=pools(), batch_size=BATCHES, repeats=REPEATS)
@settings(max_examples=100, deadline=None)
def test_in_order_is_pass_after_pass(pool, batch_size, repeats):
    batches = list(sampler_of(pool, repeats).in_order_indices_batch_iterator(batch_size))
    expected = np.tile(passes_of(pool), repeats)
    assert [batch.tolist() for batch in batches] == [part.tolist() for part in cut(expected, batch_size)]


@given(pool=pools(), batch_size=BATCHES, repeats=REPEATS, seed=SEEDS)
@settings(max_examples=100, deadline=None)
def test_stream_brings_every_sample_once_a_pass(pool, batch_size, repeats, seed):
    drawn = np.concatenate(list(sampler_of(pool, repeats).shuffled_indices_batch_iterator(batch_size, seed)))
    rows = np.sort(passes_of(pool))
    for begin in range(0, len(drawn), len(rows)):
        assert np.sort(drawn[begin : begin + len(rows)]).tolist() == rows.tolist()


@given(pool=pools(), batch_size=BATCHES, repeats=REPEATS, seed=SEEDS, shuffled=st.booleans(), named=st.booleans())
@settings(max_examples=150, deadline=None)
def test_source_gives_the_samples_of_its_indices(pool, batch_size, repeats, seed, *, shuffled, named):
    length, indices = pool
    x = np.arange(length) * 10
    source = data_source.ArrayDataSource([x, x + 1], indices=indices, repeats=repeats, include_indices=named)
    shuffles = [np.random.RandomState(seed) if shuffled else None for _ in range(2)]
    batches = list(source.batch_iterator(batch_size, shuffle=shuffles[0]))
    ids = list(source.batch_indices_iterator(batch_size, shuffle=shuffles[1]))
    assert sum(len(batch[-1]) for batch in batches) == source.num_samples()
    assert len(batches) == source.num_batches(batch_size)
    for batch, own in zip(batches, ids, strict=True):
        assert batch[-1].tolist() == (own * 10 + 1).tolist()
        again = source.samples_by_indices(own)
        assert [part.tolist() for part in again] == [part.tolist() for part in batch]


@given(
    weights=st.lists(st.floats(0, 1e6), min_size=1, max_size=50).filter(lambda weights: sum(weights) > 1e-3),
    batch_size=BATCHES,
    num_samples=st.integers(1, 300),
    seed=SEEDS,
)
@settings(max_examples=150, deadline=None)
def test_weights_draw_what_choice_draws(weights, batch_size, num_samples, seed):
    sampler = sampling.WeightedSampler(np.array(weights), num_samples)
    batches = list(sampler.shuffled_indices_batch_iterator(batch_size, np.random.RandomState(seed)))
    probabilities = np.array(weights) / np.array(weights).sum()
    expected = np.random.RandomState(seed).choice(len(weights), num_samples, p=probabilities)
    assert [len(batch) for batch in batches] == [len(part) for part in cut(expected, batch_size)]
    assert np.concatenate(batches).tolist() == expected.tolist()


@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=5), batch_size=st.integers(1, 12), seed=SEEDS)
@settings(max_examples=100, deadline=None)
@pytest.mark.parametrize("shuffled", [False, True])
def test_stratified_choice_brings_all_samples_of_all_sources(shuffled, sizes, batch_size, seed):
    sources = [data_source.ArrayDataSource([np.full(size, n)]) for n, size in enumerate(sizes)]
    source = data_source.ChoiceDataSource(sources, stratified=True)
    (drawn,) = source.batch_map_concat(
        lambda x: x, batch_size, shuffle=np.random.RandomState(seed) if shuffled else None
    )
    assert np.bincount(drawn).tolist() == sizes


@given(few=st.integers(1, 10), many=st.integers(1, 40), batch_size=st.integers(1, 15), seed=SEEDS)
@settings(max_examples=100, deadline=None)
def test_composite_goes_once_through_the_source_that_ends(few, many, batch_size, seed):
    labeled = data_source.ArrayDataSource([np.arange(few)], repeats=-1)
    source = data_source.CompositeDataSource([labeled, data_source.ArrayDataSource([np.arange(many)])])
    batches = list(source.batch_iterator(batch_size, shuffle=np.random.RandomState(seed)))
    assert sorted(np.concatenate([unlabeled for _, unlabeled in batches]).tolist()) == list(range(many))
    assert all(len(one) == len(other) for one, other in batches)


@pytest.mark.statistical
@pytest.mark.parametrize(
    "shuffle", [np.random.RandomState(3), 11, np.random.default_rng(5)], ids=["state", "seed", "generator"]
)
def test_samples_come_as_often_as_their_weights_say(shuffle):
    weights, num_samples = np.array([1, 2, 0, 3, 4.5, 0.5]), 100_000
    sampler = sampling.WeightedSubsetSampler(weights, [9, 8, 7, 6, 5, 5], num_samples)
    source = data_source.ArrayDataSource([np.arange(10)], sampler=sampler)
    counts = np.bincount(np.concatenate(list(source.batch_indices_iterator(999, shuffle=shuffle))), minlength=10)
    expected = np.array([5, 3, 0, 2, 1]) / 11 * num_samples
    assert counts[[0, 1, 2, 3, 4, 7]].sum() == 0
    drawn = expected > 0
    chi_square = ((counts[5:] - expected)[drawn] ** 2 / expected[drawn]).sum()
    assert chi_square < 16.27  # 99.9 % of 3 degrees of freedom


def test_rarest_class_of_a_sample_decides_its_weight():
    y = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]], bool)  # 3 samples of class 0, 1 of class 1
    expected = [1 / 6, 1 / 2, 1 / 6, 1 / 6]
    for classes in (y, y.astype(int), [[0], [0, 1], [0], []]):
        found = sampling.WeightedSampler.class_balancing_sample_weights(classes)
        np.testing.assert_allclose(found, expected)


@given(length=st.integers(1, 60), batch_size=BATCHES)
@settings(max_examples=60, deadline=None)
def test_mean_weighs_a_short_last_batch_by_its_samples(length, batch_size):
    x = np.arange(length, dtype=np.float32)
    source = data_source.ArrayDataSource([x])
    (summed,) = source.batch_map_mean(lambda part: part.sum(), batch_size)
    (per_sample,) = source.batch_map_mean(lambda part: part, batch_size, sum_axis=0)
    assert summed == pytest.approx((length - 1) / 2)
    assert per_sample == pytest.approx((length - 1) / 2)
