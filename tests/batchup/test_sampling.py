"""Samplers: what they draw, and what they refuse."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from penstock.batchup import sampling
from penstock.errors import DataSourceError, DataSourceTypeError, NotSupportedError, PenstockError, SamplingError
from penstock.sampling import SamplingSpec, ShuffledStream, Strata


def joined(batches, most=None):
    return np.concatenate(list(itertools.islice(batches, most)))


# ---- the order a generator gives --------------------------------------------------------------


def test_seed_names_the_stream_of_sampling():
    drawn = joined(sampling.StandardSampler(10, repeats=3).shuffled_indices_batch_iterator(4, 7))
    assert drawn.tolist() == ShuffledStream(10, 7).slice(0, 30).tolist()


def test_seed_of_a_subset_names_places_in_it():
    indices = np.array([9, 3, 3, 5])
    drawn = joined(sampling.SubsetSampler(indices).shuffled_indices_batch_iterator(3, 7))
    assert drawn.tolist() == indices[ShuffledStream(4, 7).epoch(0)].tolist()


def test_seed_of_weights_names_the_stream_of_their_plan():
    weights = np.arange(1.0, 21.0)
    drawn = joined(sampling.WeightedSampler(weights, num_samples=50).shuffled_indices_batch_iterator(8, 7))
    plan = Strata.from_weights(weights / weights.sum()).with_spec(SamplingSpec(seed=7))
    assert drawn.tolist() == plan.stream().slice(0, 50).tolist()


def two_orders(seed):
    sampler, rng = sampling.StandardSampler(50), np.random.default_rng(seed)
    return [joined(sampler.shuffled_indices_batch_iterator(8, rng)).tolist() for _ in range(2)]


def test_generator_gives_the_same_orders_from_the_same_state():
    assert two_orders(3) == two_orders(3)


def test_generator_gives_another_order_at_each_call():
    first, second = two_orders(3)
    assert first != second


def test_subclass_of_a_user_is_given_a_generator_for_a_seed():
    class Own(sampling.AbstractSampler):
        def shuffled_indices_batch_iterator(self, batch_size, shuffle_rng):
            yield shuffle_rng.permutation(5)[:batch_size]

    from penstock.batchup import data_source

    source = data_source.ArrayDataSource([np.arange(5)], sampler=Own())
    (batch,) = next(source.batch_iterator(3, shuffle=1))
    assert len(set(batch.tolist())) == 3


# ---- weights -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["uniform", "skewed", "zeros", "two values"])
@pytest.mark.parametrize("count", [1, 7, 5_000, 40_000])
def test_weighted_draws_are_those_of_choice(count, kind):
    rng = np.random.RandomState(1)
    weights = {
        "uniform": rng.rand(count) + 1e-9,
        "skewed": rng.rand(count) ** 20 + 1e-300,
        "zeros": (np.arange(count) % 3 == 0) * 1.0,
        "two values": np.where(np.arange(count) % 5 == 0, 20.0, 1.0),
    }[kind]
    drawn = joined(sampling.WeightedSampler(weights).shuffled_indices_batch_iterator(64, np.random.RandomState(5)), 10)
    probabilities = weights / weights.sum()
    expected = np.random.RandomState(5).choice(count, size=640, p=probabilities)
    assert drawn.tolist() == expected.tolist()


def test_weighted_subset_of_float32_draws_as_choice_does():
    weights = np.random.RandomState(0).rand(9).astype(np.float32)
    indices = np.arange(9) * 10
    sampler = sampling.WeightedSubsetSampler(weights, indices)
    drawn = joined(sampler.shuffled_indices_batch_iterator(5, np.random.RandomState(5)), 4)
    assert drawn.tolist() == np.random.RandomState(5).choice(indices, 20, p=weights / weights.sum()).tolist()


def test_num_samples_ends_an_iteration_with_a_short_batch():
    sampler = sampling.WeightedSampler([1, 2], num_samples=7)
    assert sampler.num_indices_generated() == 7
    assert [len(batch) for batch in sampler.shuffled_indices_batch_iterator(3, np.random)] == [3, 3, 1]


def test_endless_sampler_says_so():
    assert sampling.WeightedSampler([1.0]).num_indices_generated() == np.inf


@pytest.mark.parametrize(
    "weights",
    [[1, -1], [1, np.nan], [1, np.inf], [0, 0], [], [[1, 2]], ["a"], [[1], [2, 3]], [1e308, 1e308]],
    ids=["negative", "nan", "inf", "zeros", "none", "matrix", "text", "ragged", "overflow"],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_no_weights_are_refused(weights):
    with pytest.raises(PenstockError):
        sampling.WeightedSampler(weights)


def test_weights_have_no_order():
    sampler = sampling.WeightedSampler([1, 2])
    for refused in (
        sampler.in_order_indices_batch_iterator,
        lambda size: sampler.shuffled_indices_batch_iterator(size, None),
    ):
        with pytest.raises(NotSupportedError, match="shuffle=True"):
            refused(5)


# ---- class balancing ---------------------------------------------------------------------------


def test_class_weights_take_the_number_of_classes():
    y = np.array([0, 0, 2])
    with pytest.warns(UserWarning, match="1 of 3 classes have no samples"):
        weights = sampling.WeightedSampler.class_balancing_sample_weights(y=y, n_classes=3)
    assert weights.tolist() == [0.25, 0.25, 0.5]


def test_class_beyond_the_number_of_classes_is_refused():
    with pytest.raises(SamplingError, match="class 2, but n_classes is 2"):
        sampling.WeightedSampler.class_balancing_sampler(y=np.array([0, 2]), n_classes=2)


@pytest.mark.parametrize(
    "y",
    [
        np.array([[1, 0], [1, 1], [1, 0], [0, 0]], bool),
        np.array([[1, 0], [1, 1], [1, 0], [0, 0]], np.float32),
        [[0], [0, 1], [0], []],
    ],
    ids=["bool", "numbers", "lists"],
)
def test_rarest_class_of_a_sample_decides(y):
    weights = sampling.WeightedSampler.class_balancing_sample_weights(y)
    np.testing.assert_allclose(weights, [1 / 6, 1 / 2, 1 / 6, 1 / 6])


def test_balanced_subset_takes_labels_of_the_whole_data_set():
    sampler = sampling.WeightedSubsetSampler.class_balancing_sampler(np.array([0, 0, 0, 1, 1]), [0, 1, 4], n_classes=2)
    assert sampler.sub_weights.tolist() == [0.25, 0.25, 0.5]
    assert sampler.indices.tolist() == [0, 1, 4]


# ---- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, "4", True, None])
def test_batch_size_is_a_positive_whole_number(batch_size):
    sampler = sampling.StandardSampler(4)
    for make in (
        sampler.in_order_indices_batch_iterator,
        lambda size: sampler.shuffled_indices_batch_iterator(size, 1),
    ):
        with pytest.raises(DataSourceError, match="batch_size"):
            make(batch_size)


@pytest.mark.parametrize("indices", [[True, False], [0.5], [[0]], ["a"], [[0], [1, 2]]])
def test_indices_are_whole_numbers(indices):
    with pytest.raises(DataSourceError):
        sampling.SubsetSampler(indices)


@pytest.mark.parametrize("shuffle", ["yes", 1.5, object()])
def test_shuffle_is_a_generator(shuffle):
    with pytest.raises(DataSourceTypeError, match="shuffle"):
        sampling.StandardSampler(4).shuffled_indices_batch_iterator(2, shuffle)


def test_nothing_repeated_without_end_is_refused():
    with pytest.raises(DataSourceError, match="repeated forever"):
        sampling.StandardSampler(0, repeats=-1).in_order_indices_batch_iterator(2)


def test_indices_of_a_sampler_are_its_own():
    indices = np.arange(4)
    sampler = sampling.SubsetSampler(indices)
    indices[:] = 0
    batch = next(sampler.in_order_indices_batch_iterator(4))
    batch[:] = 7
    assert next(sampler.in_order_indices_batch_iterator(4)).tolist() == [0, 1, 2, 3]


def test_num_batches_of_no_end_is_no_end():
    assert sampling.num_batches(np.inf, 3) == np.inf
