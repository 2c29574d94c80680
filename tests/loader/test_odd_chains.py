"""Chains that are met now and then: odd sources, odd transforms, options that do not fit each other."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from penstock.errors import LoaderError
from penstock.loader import Loader
from penstock.table import ArrayTable
from penstock.tensors import encode_image

IMAGES = ArrayTable({"images": [encode_image(np.zeros((6, 6, 3), np.uint8), "png")] * 8})
NUMBERS = ArrayTable({"x": np.arange(50.0), "labels": np.arange(50) % 2}, class_names={"labels": ["even", "odd"]})


class Squares:
    """A source by number, of parts with names."""

    def num_samples(self):
        return 100

    def samples_by_indices(self, indices):
        return {"x": indices, "y": np.stack([indices**2, indices], axis=1), "name": [f"n{i}" for i in indices]}


class Doubles(Squares):
    """A source by number, of one part without a name."""

    def samples_by_indices(self, indices):
        return np.asarray(indices) * 2.0


class Nothing(Squares):
    def num_samples(self):
        return 0


class Counts:
    """A source in sequence, of one part without a name."""

    num_samples = 5

    def __iter__(self):
        return iter(np.arange(5.0))


def rows(batches):
    return [row for batch in batches for row in batch["index"].tolist()]


# ---- sources ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"), [(Doubles(), [0, 2, 4]), (Counts(), [0, 1, 2])], ids=["number", "sequence"]
)
def test_a_part_without_a_name_is_called_0(source, expected):
    batch = next(iter(Loader(source).batch(3).numpy()))
    assert batch["0"].tolist() == expected


@pytest.mark.parametrize(
    ("where", "expected"),
    [("x > 96", [97, 98, 99]), ("name = 'n7'", [7]), ("y[0] = 81", [9])],
    ids=["number", "text", "vector"],
)
def test_a_source_is_queried_by_its_parts(where, expected):
    assert rows(Loader(Squares()).query(f"select * where {where}").batch(4).numpy()) == expected


def test_a_source_is_drawn_by_weights():
    assert set(rows(Loader(Squares()).sample_by(np.arange(100) == 3).batch(4).numpy())) == {3}


def test_a_source_without_samples_is_refused():
    with pytest.raises(LoaderError, match=r"the source has 0 samples. Expected at least 1"):
        Loader(Nothing())


def test_a_query_that_draws_less_than_it_asks_for_is_warned_of():
    with pytest.warns(UserWarning, match="40 draws without replacement"):
        loader = Loader(NUMBERS).query("select * sample by max_weight(labels == 'odd': 1) replace false limit 40")
    with pytest.warns(UserWarning, match="40 draws without replacement"):
        assert sorted(rows(loader.batch(50).numpy())) == list(range(1, 50, 2))


# ---- transforms ------------------------------------------------------------------------------


def test_a_function_of_one_tensor_may_take_the_generator():
    def noisy(value, rng):
        return value + rng.random()

    loaders = [Loader(NUMBERS, seed=1).transform({"x": noisy}).batch(size).numpy() for size in (5, 7)]
    first, again = ([value for batch in loader for value in batch["x"].tolist()] for loader in loaders)
    assert first == again
    assert [int(value) for value in first] == list(range(50))


def test_a_function_without_a_signature_is_a_transform():
    batch = next(iter(Loader(NUMBERS).transform({"x": float}).batch(3).numpy()))
    assert batch["x"].tolist() == [0, 1, 2]


def test_an_argument_named_rng_is_the_callers():
    loader = Loader(NUMBERS).transform(lambda sample, rng: {"x": sample["x"] + rng}, rng=100)
    assert next(iter(loader.batch(3).numpy()))["x"].tolist() == [100, 101, 102]


def test_a_transform_may_return_one_number_a_sample():
    batch = next(iter(Loader(NUMBERS).transform(lambda sample: float(sample["x"])).batch(3).numpy()))
    assert batch.tolist() == [0, 1, 2]


def test_a_transform_that_returns_nothing_for_some_samples_is_named():
    loader = Loader(NUMBERS).transform(lambda sample: None if sample["index"] % 2 else 3.0).batch(3).numpy()
    with pytest.raises(LoaderError, match="the transform gives None for row 1 and a single value for row 0"):
        next(iter(loader))


# ---- what trainers and people look at ----------------------------------------------------------


def test_an_audit_is_shown_in_a_line():
    loader = Loader(NUMBERS).batch(8).numpy()
    for _ in loader:
        pass
    assert repr(loader.audit()) == "Audit(50 draws, 2 of 2 classes inside the band, level 0.999)"


def test_the_sampler_of_a_loader_gives_the_rows_of_the_next_epoch():
    loader = Loader(NUMBERS).shuffle().batch(8).pytorch()
    told = list(loader.sampler)
    assert len(loader.sampler) == len(told) == 50
    assert rows(loader) == told


def test_a_pickled_batch_sampler_is_the_list_of_its_batches():
    loader = Loader(NUMBERS).batch(20).pytorch()
    batches = pickle.loads(pickle.dumps(loader.batch_sampler))
    assert [list(batch) for batch in batches] == [list(range(20)), list(range(20, 40)), list(range(40, 50))]


def test_another_epoch_than_the_restored_one_is_warned_of():
    first, second = (Loader(NUMBERS).shuffle().batch(8).pytorch() for _ in range(2))
    next(iter(first))
    second.load_state_dict(first.state_dict())
    with pytest.warns(UserWarning, match=r"set_epoch\(5\) discards the restored position, 8 draws into epoch 0"):
        second.set_epoch(5)
    assert sorted(rows(second)) == list(range(50))


REFUSED = {
    "resize of Pillow images": (
        {"resize": {"images": 4}, "decode_method": {"images": "pil"}},
        "resize of 'images', which is decoded by 'pil'. Expected 'numpy'",
    ),
    "boxes that are not read": ({"resize": {"images": 4}, "scale_boxes": True}, "no bbox tensor is read"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_options_that_do_not_fit_each_other_are_refused(options, message):
    with pytest.raises(LoaderError, match=message):
        Loader(IMAGES).batch(2).numpy(**options)
