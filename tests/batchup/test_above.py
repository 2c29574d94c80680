"""Sources of arrays under loaders, plans and the Explorer."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.batchup import data_source, sampling
from penstock.batchup.data_source import ArrayDataSource
from penstock.batchup.datasets import ImageArrayUInt8ToFloat32
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


class OnDisk:
    """Images that are read when they are asked for, as BatchUp's page has them."""

    def __len__(self):
        return len(X)

    def __getitem__(self, index):
        return X[index]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("images", "pixel"),
    [
        (ImageArrayUInt8ToFloat32(np.full((40, 1, 6, 5), 51, np.uint8)), 51),
        (OnDisk(), round(float(X[0, 0, 0, 0]) * 255)),
        (np.stack([np.zeros((6, 5, 3)), np.full((6, 5, 3), 200.0)] * 20), 0),  # beyond 1: the lowest value is black
    ],
    ids=["uint8 to float", "own class", "floats to 200"],
)
def test_explorer_shows_images_of_any_array(images, pixel):
    x = penstock.explore(ArrayDataSource([images, Y]))
    assert x.view.images[0].numpy()[0, 0, 0] == pixel


@pytest.mark.parametrize("array", [X[:, 0] * 50, np.full((40, 3, 6, 5), np.nan), np.zeros((40, 1, 6, 5), int)])
def test_explorer_shows_no_image_of_what_is_none(array):
    assert "images" not in penstock.explore(ArrayDataSource([array, Y])).view.tensors


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


@pytest.mark.parametrize("weights", ["source", "sampler", "another", "mapped"])
@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
def test_loader_of_a_weighted_source_draws_in_any_mode(mode, weights):
    source = balanced()
    named = {
        "source": source,
        "sampler": source.sampler,
        "another": sampling.WeightedSampler.class_balancing_sampler(Y, 3),
        "mapped": source.map(lambda x, y: (x, y)),
    }
    loader = Loader(source, seed=5).sample_by(named[weights], mode=mode).batch(7).numpy()
    plain = Loader(ArrayDataSource([X, Y]), seed=5).sample_by(source.sampler.weights, mode=mode).batch(7).numpy()
    drawn = indices_of(loader)
    assert drawn == indices_of(plain)
    if mode == "iid":
        assert drawn == indices_of(Loader(source, seed=5).batch(7).numpy())
    if mode == "once":
        assert sorted(drawn) == list(range(40))
    if mode == "deck":  # 40/3 draws of each class; class 0 has 30 samples, of which none comes twice
        classes, counts = Y[drawn], np.bincount(drawn, minlength=40)
        assert set(np.bincount(classes)) <= {13, 14}
        assert counts[:30].max() == 1
        assert set(counts[30:38]) <= {1, 2}
        assert set(counts[38:]) <= {6, 7}


def test_mode_of_a_weighted_subset_is_of_its_samples():
    sampler = sampling.WeightedSubsetSampler([1, 1, 2], [38, 3, -5], num_samples=8)
    source = ArrayDataSource([X, Y], sampler=sampler)
    deck = Loader(source).sample_by(source, mode="deck").batch(4).numpy()
    assert sorted(indices_of(deck)) == [3, 3, 35, 35, 35, 35, 38, 38]
    with pytest.warns(UserWarning, match="8 draws without replacement were asked for"):
        once = indices_of(Loader(source).sample_by(source, mode="once").batch(4).numpy())
    assert sorted(once) == [3, 35, 38]
    larger = Loader(source).sample_by(sampler, size=12, mode="deck").batch(4).numpy()
    assert np.bincount(indices_of(larger))[[3, 35, 38]].tolist() == [3, 6, 3]


def test_mode_of_a_weighted_view_is_of_its_rows(tmp_path):
    ds = penstock.from_arrays({"labels": Y}, tmp_path / "ds", progress=False)
    source = ArrayDataSource([ds[10:14]], sampler=sampling.WeightedSampler([0, 1, 1, 0]))
    assert sorted(indices_of(Loader(source).sample_by(source, mode="deck").batch(2).numpy())) == [11, 11, 12, 12]


def test_weights_on_a_loader_that_was_queried_are_of_what_was_drawn(tmp_path):
    ds = penstock.from_arrays({"labels": Y}, tmp_path / "ds", progress=False)
    loader = Loader(ArrayDataSource([ds], sampler=balanced().sampler)).query("select * where labels == 2")
    drawn = loader.sample_by(np.ones(len(indices_of(loader.batch(4).numpy()))), mode="iid").batch(4).numpy()
    assert set(indices_of(drawn)) <= {38, 39}


def test_weights_of_sources_without_samples_by_index_are_refused(dataset):
    mapped = data_source.IteratorDataSource(iter([])).map(lambda x: x)
    with pytest.raises(DataSourceError, match="read by index"):
        dataset.plan(mapped)
