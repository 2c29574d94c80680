"""Sources of arrays under loaders, plans and the Explorer."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.batchup import data_source, sampling
from penstock.batchup.data_source import ArrayDataSource
from penstock.errors import DataSourceError, NotSupportedError, SampleIndexError
from penstock.loader import Loader
from penstock.sampling import inverse_frequency

X = np.random.default_rng(0).random((40, 1, 6, 5)).astype(np.float32)
Y = np.repeat([0, 1, 2], [30, 8, 2])


def balanced(**options):
    return ArrayDataSource([X, Y], sampler=sampling.WeightedSampler.class_balancing_sampler(Y, 3), **options)


def indices_of(loader):
    return np.concatenate([batch["index"] for batch in loader]).tolist()


def test_loader_draws_what_the_source_draws_by_the_same_seed():
    source = balanced()
    loader = Loader(source, seed=5).batch(7).numpy()
    drawn = next(source.batch_indices_iterator(40, shuffle=5)).tolist()
    assert indices_of(loader) == drawn
    batch = next(iter(Loader(source, seed=5).batch(7).numpy()))
    assert np.array_equal(batch["0"], X[drawn[:7]])
    assert np.array_equal(batch["1"], Y[drawn[:7]])


def test_loader_of_a_subset_has_indices_of_the_data_set():
    source = ArrayDataSource([X, Y], indices=[5, -1, 5], repeats=2, include_indices=True)
    assert indices_of(Loader(source).batch(4).numpy()) == [5, 39, 5, 5, 39, 5]


def test_loader_of_an_endless_source_has_epochs():
    loader = Loader(ArrayDataSource([X, Y], repeats=-1)).batch(16).shuffle().numpy()
    assert sorted(indices_of(loader)) == list(range(40))


def test_loader_of_a_mapped_source_applies_the_function():
    source = balanced().map(lambda x, y: (x * 2, y))
    batch = next(iter(Loader(source).batch(4).numpy()))
    assert np.array_equal(batch["0"], X[batch["index"]] * 2)


@pytest.mark.parametrize("kind", [data_source.CompositeDataSource, data_source.ChoiceDataSource])
def test_loader_of_several_sources_is_refused(kind):
    with pytest.raises(NotSupportedError, match="batch_iterator"):
        Loader(kind([balanced(), balanced()]))


def test_loader_of_a_sampler_of_the_user_is_refused():
    class Own(sampling.StandardSampler):
        pass

    with pytest.raises(NotSupportedError, match="Own"):
        Loader(ArrayDataSource([X], sampler=Own(4)))


def test_plan_says_what_a_weighted_sampler_draws():
    source = balanced(class_names=("a", "b", "c"))
    plan = source.plan(seed=5)
    np.testing.assert_allclose(plan.histogram().expected, 40 / 3)
    assert plan.histogram().class_names == ("a", "b", "c")
    assert plan.stream().slice(0, 40).tolist() == next(source.batch_indices_iterator(40, shuffle=5)).tolist()
    assert 0 < plan.coverage(3).share[0] < 1


def test_plan_of_a_pass_is_exact():
    source = ArrayDataSource([X, Y], indices=[0, 30, 31])
    assert source.plan().histogram().expected.tolist() == [1, 2, 0]
    assert source.plan().coverage(1).unique.tolist() == [3]


def test_plan_of_a_weighted_subset_is_of_its_samples():
    sampler = sampling.WeightedSubsetSampler.class_balancing_sampler(Y, [0, 1, 2, 38], num_samples=100)
    plan = ArrayDataSource([X, Y], sampler=sampler).plan()
    np.testing.assert_allclose(plan.histogram().expected, [50, 0, 50])


def test_labels_are_taken_by_the_helpers_of_sampling():
    assert inverse_frequency(ArrayDataSource([X, Y])).weights == inverse_frequency(Y).weights
    with pytest.raises(DataSourceError, match="labels"):
        inverse_frequency(ArrayDataSource([X]))


def test_labels_have_an_entry_for_each_sample():
    with pytest.raises(DataSourceError, match="labels for 3 samples, but 40 samples"):
        ArrayDataSource([X], labels=[0, 1, 2]).plan()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return penstock.from_arrays({"labels": Y}, tmp_path_factory.mktemp("ds") / "ds", progress=False)


@pytest.mark.parametrize("weights", [balanced().sampler, balanced()], ids=["sampler", "source"])
def test_dataset_takes_a_sampler_for_weights(dataset, weights):
    np.testing.assert_allclose(dataset.plan(weights).histogram().expected, 40 / 3)
    assert (
        dataset.sample_by(weights, seed=5).indices.tolist()
        == next(balanced().batch_indices_iterator(40, shuffle=5)).tolist()
    )


def test_dataset_refuses_a_sampler_of_other_samples(dataset):
    with pytest.raises(SampleIndexError):
        dataset.plan(sampling.WeightedSubsetSampler([1, 2], [3, 40]))
    with pytest.raises(DataSourceError):
        dataset.plan(ArrayDataSource([X[:5], Y[:5]]))


@pytest.mark.slow
def test_explorer_shows_what_is_drawn():
    x = penstock.explore(balanced(), height=500)
    np.testing.assert_allclose(x.plan.histogram().expected, 40 / 3)
    assert x.view.images[0].numpy().shape == (6, 5, 1)


def test_explorer_of_a_subset_shows_its_samples():
    x = penstock.explore(ArrayDataSource([X, Y], indices=[3, 35]))
    assert x.view.labels.numpy().tolist() == [[0], [1]]


def test_explorer_of_arrays_needs_labels():
    with pytest.raises(DataSourceError, match="labels"):
        penstock.explore(ArrayDataSource([X]))


def test_loader_of_a_view_in_a_source_is_as_one_of_the_view(tmp_path):
    boxes = [np.zeros((number % 3, 4), np.float32) for number in range(40)]
    ds = penstock.from_arrays({"labels": Y, "boxes": boxes}, tmp_path / "ds", htypes={"boxes": "bbox"}, progress=False)
    view = ds[5:35]
    source = ArrayDataSource([view], indices=[4, 1, 29], repeats=2)
    batch = next(iter(Loader(source).batch(6).numpy()))
    assert batch["index"].tolist() == [9, 6, 34, 9, 6, 34]
    assert [len(box) for box in batch["boxes"]] == [0, 0, 1, 0, 0, 1]
    assert source.plan().histogram().expected.tolist() == [2, 1, 0]
    mapped = Loader(source.map(lambda parts: (parts["labels"] + 1,))).batch(3).numpy()
    assert next(iter(mapped))["0"].tolist() == [[1], [1], [2]]
