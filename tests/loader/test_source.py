"""Sources that are no dataset: by number, and in sequence with a bounded buffer."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import LoaderError
from penstock.loader import Loader, Source


class Squares:
    def num_samples(self):
        return 100

    def samples_by_indices(self, indices):
        return {"x": indices, "y": np.stack([indices**2, indices], axis=1), "name": [f"n{i}" for i in indices]}


class Pairs(Squares):
    num_samples = 100

    def samples_by_indices(self, indices):
        return indices, indices * 2.0


class Lines:
    """Samples of about a tenth of a megabyte, one after the other."""

    def __init__(self, count=200, gives=None):
        self.count, self.gives, self.opened = count, count if gives is None else gives, 0

    def num_samples(self):
        return self.count

    def __iter__(self):
        self.opened += 1
        return ({"n": np.int64(n), "load": np.zeros(100_000, np.uint8)} for n in range(self.gives))


def numbers(loader, key="n"):
    return [value for batch in loader for value in batch[key].tolist()]


def test_source_is_a_protocol_of_two_methods():
    assert isinstance(Squares(), Source)
    assert not isinstance(object(), Source)


def test_source_under_a_loader_is_read_by_name():
    batch = next(iter(Loader(Squares()).shuffle().batch(8).pytorch()))
    assert batch["y"].tolist() == [[x**2, x] for x in batch["x"].tolist()]
    assert batch["name"] == [f"n{x}" for x in batch["x"].tolist()]
    assert batch["index"].tolist() == batch["x"].tolist()


def test_source_under_a_loader_is_shuffled():
    drawn = numbers(Loader(Squares()).shuffle().batch(8).pytorch(), "x")
    assert drawn != list(range(100))
    assert sorted(drawn) == list(range(100))


def test_tuples_of_a_source_are_named_by_place():
    batch = next(iter(Loader(Pairs()).batch(3).numpy()))
    assert {name: value.tolist() for name, value in batch.items()} == {
        "0": [0, 1, 2], "1": [0, 2, 4], "index": [0, 1, 2],
    }  # fmt: skip


def test_source_can_be_weighted_by_an_array():
    weights = np.arange(100) >= 90
    assert min(numbers(Loader(Squares()).sample_by(weights).batch(10).numpy(), "x")) >= 90


@pytest.mark.parametrize("wrong", [object(), [1, 2], np.arange(3)], ids=["object", "list", "array"])
def test_what_is_no_source_is_told(wrong):
    with pytest.raises(LoaderError, match="samples_by_indices"):
        Loader(wrong)


def test_sequential_source_keeps_its_order_without_shuffle():
    assert numbers(Loader(Lines()).batch(7).numpy()) == list(range(200))


def test_buffer_of_so_many_megabytes_bounds_how_far_samples_move_up():
    small = numbers(Loader(Lines()).shuffle(buffer_size=1).batch(10).numpy())
    assert sorted(small) == list(range(200))
    assert small != list(range(200))
    assert max(number - place for place, number in enumerate(small)) <= 11
    large = numbers(Loader(Lines()).shuffle(buffer_size=10).batch(10).numpy())
    assert 50 < max(number - place for place, number in enumerate(large)) <= 105


def sequential_epochs(batch_size, num_threads):
    loader = Loader(Lines(), seed=1).shuffle(buffer_size=4).batch(batch_size).numpy(num_threads=num_threads)
    return [numbers(loader) for _ in range(2)]


def test_sequential_epochs_differ():
    first, second = sequential_epochs(16, 3)
    assert first != second


def test_sequential_epochs_repeat_by_seed():
    assert sequential_epochs(9, 1) == sequential_epochs(16, 3)


def test_sequential_source_resumes_by_reading_on():
    def make():
        return Loader(Lines()).shuffle(buffer_size=2).batch(16).numpy()

    whole = numbers(make())
    loader = make()
    iterator = iter(loader)
    given = [n for _ in range(3) for n in next(iterator)["n"].tolist()]
    resumed = make()
    resumed.load_state_dict(loader.state_dict())
    assert given + numbers(resumed) == whole


def test_sequential_source_is_opened_once_an_epoch():
    source = Lines()
    loader = Loader(source).batch(10).numpy()
    numbers(loader)
    numbers(loader)
    assert source.opened == 3  # once to see what a sample is


@pytest.mark.parametrize(
    "step",
    [lambda x: x.query("select *"), lambda x: x.sample_by([1.0] * 200), lambda x: iter(x.pytorch(distributed=True))],
    ids=["query", "weights", "distributed"],
)
def test_what_needs_samples_by_number_is_refused(step):
    with pytest.raises(LoaderError, match="read in sequence"):
        step(Loader(Lines()))


def test_source_that_gives_fewer_than_it_says_is_told():
    with pytest.raises(LoaderError, match="reports 200 samples and gave 150"):
        numbers(Loader(Lines(gives=150)).batch(10).numpy())


class InMemory:
    """Arrays that are asked for once, and never by number."""

    def __init__(self, arrays):
        self._arrays, self.asked = arrays, []

    def num_samples(self):
        return 40

    def samples_by_indices(self, indices):
        self.asked.append(len(indices))
        return [array[indices] for array in self._arrays]

    def arrays(self):
        return self._arrays


def test_arrays_of_a_source_are_gathered_without_asking_for_samples():
    x = np.arange(80.0).reshape(40, 2)
    source = InMemory([x, np.arange(40)])
    loader = Loader(source).shuffle().batch(8).numpy()
    batches = list(loader)
    assert source.asked == [1]
    assert sorted(row for batch in batches for row in batch["1"].tolist()) == list(range(40))
    assert all(np.array_equal(batch["0"], x[batch["index"]]) for batch in batches)


@pytest.mark.parametrize(
    "array", [np.arange(39), np.arange(40.0), np.arange(80).reshape(40, 2)], ids=["rows", "dtype", "shape"]
)
def test_arrays_of_a_source_that_are_not_its_samples_are_refused(array):
    source = InMemory([np.arange(40)])
    source.arrays = lambda: [array]
    with pytest.raises(LoaderError, match="as its samples are"):
        next(iter(Loader(source).batch(8).numpy()))
