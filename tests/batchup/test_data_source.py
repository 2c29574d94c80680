"""Data sources: what is data, which samples come, what is refused."""

from __future__ import annotations

import itertools
import subprocess
import sys

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

import penstock
from penstock.batchup import data_source, sampling
from penstock.batchup.data_source import ArrayDataSource, CompositeDataSource
from penstock.errors import DataSourceError, DataSourceTypeError, NotSupportedError, SampleIndexError

X = np.arange(24).reshape(12, 2)
Y = np.arange(12) % 3


def rng():
    return np.random.RandomState(12345)


# ---- what is data ------------------------------------------------------------------------------


def of_h5py(folder):
    return h5py.File(folder / "x.h5", "w").create_dataset("x", data=X)


def of_memmap(folder):
    X.tofile(folder / "x.bin")
    return np.memmap(folder / "x.bin", X.dtype, "r", shape=X.shape)


def of_penstock(folder):
    return penstock.from_arrays({"x": X, "labels": Y}, folder / "ds", htypes={"x": "generic"}, progress=False)


DATA = {
    "strided": lambda _: np.repeat(X, 2, axis=0)[::2],
    "fortran": lambda _: np.asfortranarray(X),
    "memmap": of_memmap,
    "h5py": of_h5py,
    "torch": lambda _: torch.from_numpy(X),
    "frame": lambda _: pd.DataFrame(X, index=np.arange(12)[::-1]),
    "tensor": lambda folder: of_penstock(folder).x,
}


@pytest.mark.parametrize("kind", DATA)
def test_data_is_whatever_takes_an_array_of_indices(kind, tmp_path):
    source = ArrayDataSource([DATA[kind](tmp_path), Y], indices=[3, 3, 0, 11, 5], repeats=2)
    for shuffle in (None, 4, rng()):
        expected = list(ArrayDataSource([X, Y], indices=[3, 3, 0, 11, 5], repeats=2).batch_iterator(3, shuffle=4))
        drawn = list(source.batch_iterator(3, shuffle=shuffle))
        for batch_x, batch_y in drawn:
            assert (np.asarray(batch_x)[:, 0] // 2 % 3 == batch_y).all()
        if shuffle == 4:
            assert [np.asarray(x).tolist() for x, _ in drawn] == [x.tolist() for x, _ in expected]


def test_view_gives_its_tensors_by_name(tmp_path):
    view = of_penstock(tmp_path)[2:9]
    (batch,) = next(ArrayDataSource([view]).batch_iterator(3, shuffle=4))
    order = next(ArrayDataSource([np.arange(7)]).batch_iterator(3, shuffle=4))[0] + 2
    assert batch["x"].tolist() == X[order].tolist()
    assert batch["labels"].tolist() == Y[order][:, None].tolist()


def test_torch_dataset_becomes_a_source_of_samples():
    dataset = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    source = data_source.coerce_data_source(dataset)
    assert [y.tolist() for _, y in source.batch_iterator(5)] == [Y[:5].tolist(), Y[5:10].tolist(), Y[10:].tolist()]


def test_samples_of_unequal_shape_come_as_a_list():
    source = data_source.SampleDataSource([np.zeros(1), np.zeros(2), np.zeros(2)], include_indices=True)
    first, second = source.batch_iterator(2)
    assert [part.shape for part in first[1]] == [(1,), (2,)]
    assert second[1].shape == (1, 2)
    assert second[0].tolist() == [2]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ([], DataSourceError),
        (X, DataSourceTypeError),
        ({"x": X}, DataSourceTypeError),
        ([X, 3], DataSourceTypeError),
        ([X, list(Y)], DataSourceTypeError),
        ([X, "a" * 12], DataSourceTypeError),
        ([X, np.float64(3)], DataSourceTypeError),
        ([X, Y[:5]], DataSourceError),
    ],
    ids=["none", "array", "mapping", "number", "list", "text", "scalar", "shorter"],
)
def test_other_data_is_refused(data, error):
    with pytest.raises(error):
        ArrayDataSource(data)


# ---- one index space ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"indices": [7, 2, 9]},
        {"sampler": sampling.WeightedSubsetSampler([1, 2, 3], [7, 2, 9], num_samples=8)},
    ],
    ids=["subset", "weighted"],
)
def test_indices_of_an_iterator_are_never_mapped_again(options):
    source = ArrayDataSource([X, Y], **options)
    for ids, batch in zip(
        source.batch_indices_iterator(2, shuffle=3), source.batch_iterator(2, shuffle=3), strict=True
    ):
        for again in (source.samples_by_indices(ids), source.samples_by_indices_nomapping(ids)):
            assert again[0].tolist() == batch[0].tolist()
        assert source.samples_by_indices(ids[:1])[0].tolist() == batch[0][:1].tolist()


def test_included_indices_are_never_mapped_again():
    source = ArrayDataSource([X], indices=[7, 2, 9], include_indices=True)
    (ids, x), *_ = source.batch_iterator(3)
    assert source.samples_by_indices(ids)[1].tolist() == x.tolist() == X[[7, 2, 9]].tolist()


def test_plain_integers_are_places_in_the_subset():
    source = ArrayDataSource([Y], indices=[7, 2, 9])
    ids = next(source.batch_indices_iterator(3))
    assert source.samples_by_indices(np.array([2, 0]))[0].tolist() == Y[[9, 7]].tolist()
    assert (
        source.samples_by_indices(np.argsort(ids))[0].tolist() == Y[np.array([7, 2, 9])[np.argsort([7, 2, 9])]].tolist()
    )
    assert source.samples_by_indices(slice(1, 3))[0].tolist() == Y[[2, 9]].tolist()


def test_composite_takes_its_own_indices():
    source = CompositeDataSource([ArrayDataSource([Y], indices=[7, 2, 9]), ArrayDataSource([X], indices=[1, 0, 4])])
    for ids, batch in zip(
        source.batch_indices_iterator(2, shuffle=3), source.batch_iterator(2, shuffle=3), strict=True
    ):
        assert [part.tolist() for part in source.samples_by_indices(ids)] == [part.tolist() for part in batch]


@pytest.mark.parametrize("wrong", [[12], [-13], [3, 400]])
def test_index_out_of_range_is_refused_before_anything_is_read(wrong):
    with pytest.raises(SampleIndexError):
        ArrayDataSource([X], indices=wrong)
    with pytest.raises(SampleIndexError):
        ArrayDataSource([X]).samples_by_indices(np.array(wrong))


def test_negative_indices_count_from_the_end():
    source = ArrayDataSource([Y], indices=[-1, 0, -12])
    assert next(source.batch_iterator(3))[0].tolist() == [2, 0, 0]


def test_more_weights_than_samples_are_refused():
    with pytest.raises(SampleIndexError, match="draws sample 12"):
        ArrayDataSource([X], sampler=sampling.WeightedSampler(np.ones(13)))


def test_fewer_weights_than_samples_are_warned_of():
    with pytest.warns(UserWarning, match="from 4 on are never drawn"):
        ArrayDataSource([X], sampler=sampling.WeightedSampler(np.ones(4)))


# ---- batches are the caller's own --------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"repeats": 2}, {"indices": np.arange(12)}, {"include_indices": True}])
@pytest.mark.parametrize("shuffle", [None, 3])
def test_batches_may_be_written_to(options, shuffle):
    x = X.copy()
    source = ArrayDataSource([x], **options)
    expected = [batch[-1].tolist() for batch in source.batch_iterator(5, shuffle=shuffle)]
    for batch in source.batch_iterator(5, shuffle=shuffle):
        for part in batch:
            part[:] = 0
    assert np.array_equal(x, X)
    assert [batch[-1].tolist() for batch in source.batch_iterator(5, shuffle=shuffle)] == expected


def test_changes_of_the_arrays_are_seen():
    x = X.copy()
    source = ArrayDataSource([x])
    x[0] = 99
    assert next(source.batch_iterator(1))[0].tolist() == [[99, 99]]


def test_abandoned_iterator_draws_no_more():
    generator = rng()
    batches = ArrayDataSource([X], sampler=sampling.WeightedSampler(np.ones(12))).batch_iterator(4, shuffle=generator)
    next(batches)
    batches.close()
    expected = rng()
    expected.random_sample(4)
    assert generator.random_sample() == expected.random_sample()


# ---- shuffle -----------------------------------------------------------------------------------


def test_true_is_the_global_generator_of_numpy():
    np.random.seed(12345)  # noqa: NPY002  what this is about
    batch = next(ArrayDataSource([np.arange(12)]).batch_iterator(12, shuffle=True))[0]
    assert batch.tolist() == rng().permutation(12).tolist()


@pytest.mark.parametrize("shuffle", [None, False, np.False_])
def test_no_shuffle_is_in_order(shuffle):
    assert next(ArrayDataSource([Y]).batch_iterator(12, shuffle=shuffle))[0].tolist() == Y.tolist()


def test_zero_is_a_seed():
    assert next(ArrayDataSource([np.arange(50)]).batch_iterator(50, shuffle=0))[0].tolist() != list(range(50))


def test_seed_shuffles_sources_of_a_composite_independently():
    one, other = next(CompositeDataSource([ArrayDataSource([np.arange(50)])] * 2).batch_iterator(50, shuffle=3))
    assert one.tolist() != other.tolist()
    assert sorted(one.tolist()) == sorted(other.tolist()) == list(range(50))


def test_weights_need_to_be_shuffled():
    source = ArrayDataSource([X], sampler=sampling.WeightedSampler(np.ones(12)))
    with pytest.raises(NotSupportedError, match="shuffle=True"):
        source.batch_iterator(4)


# ---- composites, choices -----------------------------------------------------------------------


def lists(batch_size, **_):
    for start in range(0, 12, batch_size):
        yield [X[start : start + batch_size], Y[start : start + batch_size]]


def test_lists_of_a_function_are_batches_too():
    source = CompositeDataSource([data_source.CallableDataSource(lists, 12), ArrayDataSource([Y])])
    assert [[len(part) for part in batch] for batch in source.batch_iterator(5)] == [[5] * 3, [5] * 3, [2] * 3]
    (mean,) = data_source.CallableDataSource(lists, 12).batch_map_mean(lambda x, y: float(x.sum()), 5)
    assert mean == X.sum() / 12


def test_unknown_number_of_samples_makes_that_of_a_composite_unknown():
    source = CompositeDataSource([data_source.CallableDataSource(lists), ArrayDataSource([Y])])
    assert source.num_samples() is None
    assert source.batch_map_concat(lambda *parts: parts[0], 5)[0].tolist() == X.tolist()


def test_trimmed_choice_within_a_composite():
    choice = data_source.ChoiceDataSource([ArrayDataSource([Y]), ArrayDataSource([Y])])
    source = CompositeDataSource([choice, ArrayDataSource([np.arange(7)])])
    ids = list(source.batch_indices_iterator(5))
    assert [len(source.samples_by_indices(one)[0]) for one in ids] == [5, 2]


def test_choice_loses_no_batch():
    source = data_source.ChoiceDataSource(
        [ArrayDataSource([np.arange(3)]), ArrayDataSource([np.arange(3)])], stratified=True
    )
    (found,) = source.batch_map_concat(lambda x: x, 2)
    assert sorted(found.tolist()) == [0, 0, 1, 1, 2, 2]


def test_iterator_is_read_to_its_end_whatever_the_batch_size():
    source = data_source.IteratorDataSource(lists(5), n_samples=12)
    assert len(source.batch_map_concat(lambda _, y: y, 12)[0]) == 12


@pytest.mark.parametrize("datasets", [[], [X], ArrayDataSource([X]), 3, [ArrayDataSource([X]), None]])
@pytest.mark.parametrize("kind", [CompositeDataSource, data_source.ChoiceDataSource])
def test_sources_are_made_of_sources(kind, datasets):
    with pytest.raises(DataSourceError):
        kind(datasets)


# ---- results -----------------------------------------------------------------------------------


def test_numbers_are_results():
    source = ArrayDataSource([X, Y])
    assert source.batch_map_mean(lambda x, y: [x.sum(), np.float32(1), True], 5)[0] == X.sum() / 12


def test_lists_are_results():
    first, second = ArrayDataSource([X, Y]).batch_map_concat(lambda x, y: [x, torch.from_numpy(y)], 5)
    assert np.array_equal(first, X)
    assert np.array_equal(second, Y)


def test_accumulated_array_of_the_function_stays_as_it_is():
    kept = np.ones(2)
    (mean,) = ArrayDataSource([X]).batch_map_mean(lambda x: kept, 4)
    assert kept.tolist() == [1, 1]
    assert mean.tolist() == [0.25, 0.25]


def test_n_batches_takes_no_batch_more():
    taken = itertools.count()
    batches = ((np.array([next(taken)]),) for _ in range(10))
    data_source.batch_map_concat(lambda x: x, batches, n_batches=3)
    assert next(taken) == 3


@pytest.mark.parametrize("result", ["text", np.float64(1), [1, 2], object()])
def test_results_for_each_sample_are_arrays(result):
    with pytest.raises(DataSourceTypeError):
        ArrayDataSource([X]).batch_map_concat(lambda x: result, 5)


def test_results_do_not_change_in_number():
    with pytest.raises(DataSourceError, match=r"1 results. Expected 2"):
        ArrayDataSource([X]).batch_map_concat(lambda x: (x,) if x[0, 0] else (x, x), 5)


def test_endless_source_asks_how_many_batches():
    source = ArrayDataSource([X], sampler=sampling.WeightedSampler(np.ones(12)))
    for method in (source.batch_map_concat, source.batch_map_mean):
        with pytest.raises(DataSourceError, match="n_batches"):
            method(lambda x: x, 5, shuffle=1)
    assert len(source.batch_map_concat(lambda x: x, 5, n_batches=3, shuffle=1)[0]) == 15


def test_progress_is_told_the_number_of_batches():
    told = []

    def progress(batches, total, leave):
        told.append((total, leave))
        return batches

    ArrayDataSource([X]).batch_map_concat(lambda x: x, 5, progress)
    assert told == [(3, False)]


def test_sampler_of_a_user_may_give_slices():
    class Slices(sampling.AbstractSampler):
        def num_indices_generated(self):
            return 12

        def in_order_indices_batch_iterator(self, batch_size):
            return (slice(start, start + batch_size) for start in range(0, 12, batch_size))

    source = ArrayDataSource([Y], sampler=Slices(), include_indices=True)
    assert [(ids.tolist(), y.tolist()) for ids, y in source.batch_iterator(8)] == [
        (list(range(8)), Y[:8].tolist()),
        (list(range(8, 12)), Y[8:].tolist()),
    ]


def test_source_of_a_user_needs_only_to_read():
    class Squares(data_source.RandomAccessDataSource):
        def samples_by_indices_nomapping(self, indices):
            return (indices**2,)

    source = Squares(5, indices=[4, 1])
    assert [batch[0].tolist() for batch in source.batch_iterator(5)] == [[16, 1]]
    assert source.map(lambda x: (x + 1,)).samples_by_indices(np.array([0]))[0].tolist() == [17]


WRITERS = """
import numpy as np
from penstock.batchup.data_source import ArrayDataSource

x = np.arange(24.0).reshape(12, 2)
before = x.copy()

def always(batch):
    batch += 1
    return batch

def late(batch):
    if batch[0, 0] >= 10:
        batch += 1
    return batch

for function, expected in ((always, before + 1), (late, np.where(np.arange(12)[:, None] >= 5, before + 1, before))):
    (found,) = ArrayDataSource([x]).batch_map_concat(function, 5)
    assert np.array_equal(found, expected), function
    assert np.array_equal(x, before), function
kept = []
(found,) = ArrayDataSource([x]).batch_map_concat(lambda batch: kept.append(batch) or batch, 5)
found[:] = 0
assert np.array_equal(x, before)
assert not kept[-1].flags.writeable
"""


@pytest.mark.slow
def test_function_may_write_to_its_batch_alone():
    subprocess.run([sys.executable, "-c", WRITERS], check=True)


def test_function_of_torch_may_write_to_its_batch_alone():
    x = X.astype(np.float32)
    (found,) = ArrayDataSource([x]).batch_map_concat(lambda batch: torch.from_numpy(batch).add_(1), 5)
    assert np.array_equal(found, X + 1)
    assert np.array_equal(x, X)


def test_data_of_fewer_indices_than_samples_ends_where_the_sampler_does():
    source = ArrayDataSource([Y], sampler=sampling.StandardSampler(5))
    assert [batch[0].tolist() for batch in source.batch_iterator(3)] == [[0, 1, 2], [0, 1]]
    assert source.batch_map_concat(lambda y: y, 3)[0].tolist() == [0, 1, 2, 0, 1]


@pytest.mark.parametrize(
    ("indices", "error"),
    [(99, SampleIndexError), ([1, 99], SampleIndexError), (np.ones(4, bool), SampleIndexError), ("a", DataSourceTypeError),
     (None, DataSourceTypeError), (1.5, DataSourceTypeError), ([[1]], DataSourceTypeError)],
    ids=["beyond", "list", "mask", "text", "none", "float", "matrix"],
)  # fmt: skip
@pytest.mark.parametrize("options", [{}, {"indices": [1, 2, 5]}], ids=["all", "subset"])
def test_no_indices_are_refused(options, indices, error):
    with pytest.raises(error):
        ArrayDataSource([X, Y], **options).samples_by_indices(indices)


@pytest.mark.parametrize("indices", [3, -9, [3], np.array([3]), np.arange(12) == 3, slice(3, 4)], ids=repr)
def test_any_form_of_an_index_reads_its_samples(indices):
    x, y = ArrayDataSource([X, Y]).samples_by_indices(indices)
    assert np.reshape(x, (1, 2)).tolist() == [[6, 7]]
    assert np.reshape(y, 1).tolist() == [0]


def test_misspelt_shuffle_is_refused():
    with pytest.raises(DataSourceTypeError, match="did you mean 'shuffle'"):
        ArrayDataSource([X]).batch_iterator(4, shufle=True)
    assert next(ArrayDataSource([X]).batch_iterator(4, option_of_another=1))[0].shape == (4, 2)
