"""`.tensorflow()`: a real tf.data.Dataset over the same engine."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import LoaderError
from penstock.loader import Loader

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]


@pytest.fixture(scope="module")
def tf():
    return pytest.importorskip("tensorflow")


def test_is_a_dataset_whose_batches_are_those_of_numpy(table, tf):
    dataset = Loader(table).shuffle().batch(8).tensorflow()
    assert isinstance(dataset, tf.data.Dataset)
    for ours, plain in zip(dataset, Loader(table).shuffle().batch(8).numpy(), strict=True):
        assert (ours["images"].numpy() == plain["images"]).all()
        assert ours["index"].numpy().tolist() == plain["index"].tolist()
        assert ours["tags"].to_list() == [tags.tolist() for tags in plain["tags"]]
        assert ours["boxes"].shape.as_list() == [len(plain["index"]), None, 4]
        assert [text.decode() for text in ours["caption"].numpy()] == plain["caption"]


def test_each_iteration_is_the_next_epoch(table, tf):
    dataset = Loader(table).shuffle().batch(10).tensorflow(tensors=["labels"])
    epochs = [np.concatenate([batch["index"].numpy() for batch in dataset]).tolist() for _ in range(2)]
    assert epochs[0] != epochs[1]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(50))


def test_it_maps_like_any_dataset(table, tf):
    dataset = Loader(table).batch(10).tensorflow(tensors=["labels"])
    assert np.concatenate([rows.numpy() for rows in dataset.map(lambda b: b["index"])]).tolist() == list(range(50))


def test_its_length_is_the_number_of_batches(table, tf):
    assert len(Loader(table).shuffle().batch(10).tensorflow(tensors=["labels"])) == 5


def test_state_counts_what_the_caller_got(table, tf):
    dataset = Loader(table).shuffle().batch(10).tensorflow(tensors=["labels"])
    iterator = iter(dataset)
    given = [next(iterator)["index"].numpy().tolist() for _ in range(2)]
    again = Loader(table).shuffle().batch(10).tensorflow(tensors=["labels"])
    again.load_state_dict(dataset.state_dict())
    given += [batch["index"].numpy().tolist() for batch in again]
    assert given == [b["index"].tolist() for b in Loader(table).shuffle().batch(10).numpy(tensors=["labels"])]


def test_ragged_images_come_ragged_or_padded(ragged_images, tf):
    plain = next(iter(Loader(ragged_images).batch(3).tensorflow()))["images"]
    assert plain[1].to_tensor().shape == (9, 19, 3)
    padded = next(iter(Loader(ragged_images).batch(3).tensorflow(padding="pad")))["images"]
    assert padded.shape == (3, 10, 20, 3)


def test_a_transform_feeds_a_keras_step(table, tf):
    def transform(sample):
        return np.float32(sample["images"].mean()), np.float32(sample["score"])

    dataset = Loader(table).transform(transform).batch(16).tensorflow()
    weight = tf.Variable(0.0)
    losses = []
    for _ in range(3):
        for x, y in dataset:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((weight * x - y) ** 2)
            losses.append(float(loss))
            weight.assign_sub(1e-4 * tape.gradient(loss, weight))
    assert losses[-1] < losses[3]


@pytest.mark.parametrize("second", ["pytorch", "numpy", "tensorflow"])
def test_second_framework_is_a_value_error_as_the_document_says(table, tf, second):
    dataset = Loader(table).tensorflow()
    with pytest.raises(ValueError, match="has already been called"):
        getattr(dataset, second)()
    with pytest.raises(LoaderError, match="has already been called"):
        getattr(Loader(table), second)().tensorflow()
