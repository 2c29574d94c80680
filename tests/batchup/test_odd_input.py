"""What cannot be a batch size, an index, a weight, an array or a result is refused in words, before anything is drawn."""

from __future__ import annotations

import collections
import contextlib
import itertools
import math
from array import array

import numpy as np
import pytest

from penstock.batchup import data_source, sampling
from penstock.batchup.data_source import ArrayDataSource, SampleDataSource
from penstock.errors import DataSourceError, DataSourceTypeError, PenstockError, SampleIndexError, SamplingError

X = np.arange(6).reshape(3, 2)
ENDLESS = ArrayDataSource([X], sampler=sampling.WeightedSampler([1, 2, 3]))
SOURCES = {
    "array": ArrayDataSource([X]),
    "named": ArrayDataSource([X], include_indices=True),
    "subset": ArrayDataSource([X], indices=[1, 0]),
    "samples": SampleDataSource(list(X)),
    "mapped": ArrayDataSource([X]).map(lambda x: (x,)),
    "composite": data_source.CompositeDataSource([ArrayDataSource([X]), ArrayDataSource([X])]),
    "choice": data_source.ChoiceDataSource([ArrayDataSource([X]), ArrayDataSource([X])], stratified=True),
    "weighted": ENDLESS,
}
ANYTHING = type("Anything", (), {"__repr__": lambda self: "anything"})()
NUMBERS = [0, -1, 2.5, math.nan, math.inf, True, None, "3", 1j, [1], np.array([1, 2]), 10**30, b"x", ANYTHING, int]


@pytest.fixture(params=SOURCES)
def source(request):
    return SOURCES[request.param]


def take(batches, count=3):
    return list(itertools.islice(batches, count))


@pytest.mark.parametrize("size", NUMBERS, ids=repr)
def test_batch_size_is_a_whole_number(source, size):
    with pytest.raises(DataSourceError, match="batch_size"):
        take(source.batch_iterator(size, shuffle=1))
    with pytest.raises(DataSourceError, match="batch_size"):
        source.num_batches(size)


@pytest.mark.parametrize("shuffle", [2.5, "yes", [1], np.random.RandomState, np.random.Generator, np.random.PCG64(1)])
def test_shuffle_is_something_that_gives_an_order(source, shuffle):
    with pytest.raises(DataSourceTypeError, match="shuffle="):
        take(source.batch_iterator(2, shuffle=shuffle))


@pytest.mark.parametrize("count", [-1, 2.5, math.nan, True, "3", 10**30], ids=repr)
def test_number_of_samples_is_a_whole_number_or_inf(count):
    with pytest.raises(DataSourceError, match="n="):
        sampling.num_batches(count, 2)
    source = data_source.CallableDataSource(lambda _: iter([(X,)]), lambda: count)
    with pytest.raises(DataSourceError, match="num_samples_fn"):
        source.batch_map_concat(lambda x: x, 2)
    with pytest.raises(DataSourceError, match="n_samples"):
        data_source.IteratorDataSource(iter([(X,)]), count)


@pytest.mark.parametrize("flag", ["no", 2, None, np.arange(2), []], ids=repr)
def test_flag_is_true_or_false(flag):
    for make in (
        lambda: ArrayDataSource([X], include_indices=flag),
        lambda: data_source.CompositeDataSource([SOURCES["array"]], flatten=flag),
        lambda: data_source.CompositeDataSource([SOURCES["array"]], trim=flag),
        lambda: data_source.ChoiceDataSource([SOURCES["array"]], stratified=flag),
    ):
        with pytest.raises(DataSourceTypeError, match="Expected True or False"):
            make()


INDICES = {
    "too large for 64 bits": np.array([2**64 - 1], np.uint64),
    "masked": np.ma.array([0, 1], mask=[False, True]),
    "ragged": [[1], [2, 3]],
    "objects": np.array([0, 1], object),
    "floats": [0.0, 1.0],
    "text": ["a"],
    "out of range": [3],
    "out of range from the end": [-4],
    "not a number": [math.nan],
}


@pytest.mark.parametrize("indices", INDICES.values(), ids=INDICES)
def test_indices_are_whole_numbers_of_samples(indices):
    with pytest.raises((DataSourceError, SampleIndexError)):
        ArrayDataSource([X], indices=indices)
    with pytest.raises((DataSourceError, SampleIndexError)):
        sampling.WeightedSubsetSampler.class_balancing_sampler([0, 1, 1], indices)


@pytest.mark.parametrize(
    "indices",
    [[3], [-4], 3, [0.5], "a", None, [[0, 1]], [[1], [2, 3]], {0}, ANYTHING, slice(0.5, 2), slice(0, 2, 0)],
    ids=repr,
)
def test_samples_of_odd_indices_are_refused(source, indices):
    with pytest.raises((DataSourceError, SampleIndexError)):
        source.samples_by_indices(indices)
    with pytest.raises((DataSourceError, SampleIndexError)):
        source.samples_by_indices_nomapping(indices)


def test_choice_of_a_source_that_does_not_exist_is_refused():
    batch = data_source.ChoiceBatch(sample_indices=np.array([0]), ds_index=2)
    with pytest.raises(SampleIndexError, match="contain 2"):
        SOURCES["choice"].samples_by_indices(batch)


WEIGHTS = {
    "negative": [1, -2],
    "zero": [0, 0],
    "not a number": [1, math.nan],
    "infinite": [1, math.inf],
    "too large a sum": [1e308, 1e308],
    "ragged": [[1], [2, 3]],
    "text": ["1", "2"],
    "masked": np.ma.array([1, 1], mask=[False, True]),
    "matrix": [[1, 2]],
    "none": [],
    "complex": [1j, 1],
    "objects": np.array([1, 2], object),
}


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_weights_are_finite_numbers_with_a_sum(weights):
    with pytest.raises((SamplingError, DataSourceTypeError)):
        sampling.WeightedSampler(weights)
    with pytest.raises((SamplingError, DataSourceError)):
        sampling.WeightedSubsetSampler(weights, [0, 1])


def test_weights_of_torch_are_taken_in_any_type_of_number():
    torch = pytest.importorskip("torch")
    for dtype in (torch.float64, torch.bfloat16, torch.float16, torch.uint8):
        sampler = sampling.WeightedSampler(torch.tensor([1, 0, 3]).to(dtype))
        assert sampler.weights.tolist() == [0.25, 0, 0.75]
    assert sampling.WeightedSampler(torch.tensor([1.0, 3.0], requires_grad=True)).weights.tolist() == [0.25, 0.75]


CLASSES = {
    "huge": [2**62, 0],
    "too large for 64 bits": np.array([2**64 - 1, 0], np.uint64),
    "beyond all types": [2**70, 0],
    "durations": np.array([1, 2], "m8[s]"),
    "masked": np.ma.array([0, 1], mask=[False, True]),
    "set": {0, 1},
    "a number": 0,
    "negative": np.array([0, -1]),
}


@pytest.mark.parametrize("y", CLASSES.values(), ids=CLASSES)
def test_classes_that_cannot_be_counted_are_refused_at_once(y):
    with pytest.raises((SamplingError, DataSourceTypeError)):
        sampling.WeightedSampler.class_balancing_sample_weights(y)
    with pytest.raises((SamplingError, DataSourceTypeError)):
        sampling.WeightedSubsetSampler.class_balancing_sampler(y, [0, 1])


def test_classes_in_a_frame_are_taken_by_position():
    pd = pytest.importorskip("pandas")
    y = pd.Series([0, 0, 1, 1, 1], index=[4, 3, 2, 1, 0])
    sampler = sampling.WeightedSubsetSampler.class_balancing_sampler(y, [0, 1, -3])
    assert sampler.sub_weights.tolist() == [0.25, 0.25, 0.5]


def test_classes_outside_the_subset_may_be_unknown():
    sampler = sampling.WeightedSubsetSampler.class_balancing_sampler(np.array([-1, 0, -1, 1, 1]), [1, 3, 4])
    assert sampler.sub_weights.tolist() == [0.5, 0.25, 0.25]


@pytest.mark.parametrize("size", [0, -1, 2.5, "x", [2], math.nan], ids=repr)
def test_size_of_a_plan_is_a_whole_number(size):
    with pytest.raises(SamplingError, match="size"):
        sampling.WeightedSampler([1, 2]).plan(size=size)
    with pytest.raises(SamplingError, match="size"):
        ENDLESS.plan(size=size)


@pytest.mark.parametrize("mode", ["most", 3, None, np.arange(2)], ids=repr)
def test_mode_of_a_plan_is_one_of_three(mode):
    with pytest.raises(SamplingError, match="mode"):
        ENDLESS.plan(mode=mode)


# ---- data --------------------------------------------------------------------------------------

DATA = {
    "list": [1, 2, 3],
    "deque": collections.deque([1, 2, 3]),
    "array.array": array("i", [1, 2, 3]),
    "bytearray": bytearray(b"abc"),
    "memoryview": memoryview(b"abc"),
    "range": range(3),
    "dict": {0: 1, 1: 2, 2: 3},
    "number": 3,
    "array without axes": np.array(3),
}


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_data_that_takes_no_indices_is_refused_when_the_source_is_made(data):
    with pytest.raises(DataSourceTypeError):
        ArrayDataSource([data])


def test_torch_data_that_takes_no_indices_is_refused_when_the_source_is_made():
    torch = pytest.importorskip("torch")

    class Squares(torch.utils.data.Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, number):
            return torch.ones(2) * number, number

    with pytest.raises(DataSourceTypeError, match="SampleDataSource"):
        ArrayDataSource([Squares()])
    with pytest.raises(DataSourceTypeError, match="to_dense"):
        ArrayDataSource([torch.eye(3).to_sparse()])
    (first, *_) = data_source.coerce_data_source(Squares()).batch_iterator(3)
    assert first[1].tolist() == [0, 1, 2]


def test_sparse_matrices_are_read_by_rows():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(DataSourceTypeError, match="tocsr"):
        ArrayDataSource([sparse.coo_matrix(np.eye(3))])
    rows = ArrayDataSource([sparse.csr_matrix(np.diag([1, 2, 3]))])
    both = data_source.CompositeDataSource([rows, ArrayDataSource([np.arange(2)])])
    assert [part.toarray().tolist() for part, _ in both.batch_iterator(3)] == [[[1, 0, 0], [0, 2, 0]]]


@pytest.fixture
def h5(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = np.arange(4)
        yield file


def test_file_of_h5py_is_no_array(h5):
    with pytest.raises(DataSourceTypeError, match="mapping"):
        ArrayDataSource([h5])


def test_dataset_of_h5py_is_read_in_any_order(h5):
    source = ArrayDataSource([h5["x"]])
    assert source.samples_by_indices(slice(None, None, -1))[0].tolist() == [3, 2, 1, 0]


def test_dataset_of_a_closed_file_of_h5py_is_refused(h5):
    source = ArrayDataSource([h5["x"]])
    h5.close()
    with pytest.raises(DataSourceError, match="open file"):
        take(source.batch_iterator(2))
    with pytest.raises(DataSourceTypeError, match="no length"):
        ArrayDataSource([source.data[0]])


def test_class_names_are_text():
    for names in ("abc", [1, 2, 3], 3, {"a", "b"}):
        with pytest.raises(DataSourceTypeError, match="class_names"):
            ArrayDataSource([X], labels=[0, 1, 1], class_names=names)


def test_labels_are_found_in_tensors():
    torch = pytest.importorskip("torch")
    assert ArrayDataSource([X, torch.tensor([0, 1, 1])]).class_counts().instances.tolist() == [1, 2]
    assert ArrayDataSource([X, torch.tensor([0.5, 1, 1])]).class_counts() is None


def test_labels_are_found_in_frames():
    pd = pytest.importorskip("pandas")
    y = pd.Series([0, 1, 1], index=[7, 8, 9])
    assert ArrayDataSource([X, y]).class_counts().instances.tolist() == [1, 2]


@pytest.mark.parametrize("samples", [{0: 1}, {1, 2}, 3, None, (number for number in range(2))])
def test_samples_are_a_sequence(samples):
    with pytest.raises(DataSourceTypeError):
        SampleDataSource(samples)


def test_samples_of_a_frame_are_read_by_position():
    pd = pytest.importorskip("pandas")
    source = SampleDataSource(pd.Series([10, 11, 12], index=[2, 1, 0]))
    assert [batch.tolist() for (batch,) in source.batch_iterator(2)] == [[10, 11], [12]]


def test_parts_of_samples_are_in_the_order_of_the_first_sample():
    source = SampleDataSource([{"x": 1, "y": 2}, {"y": 4, "x": 3}, {"x": 5, "z": 6}], include_indices=True)
    assert [part.tolist() for part in source.samples_by_indices(np.array([1, 0]))] == [[1, 0], [3, 1], [4, 2]]
    assert [int(part) for part in source.samples_by_indices(1)] == [1, 3, 4]
    with pytest.raises(DataSourceError, match="'z'"):
        source.samples_by_indices([2])


@pytest.mark.parametrize(
    "samples", [[(1, 2), (3,)], [1, (2, 3)], [(np.datetime64("2020-01-01"),), (1,)]], ids=["fewer", "more", "types"]
)
def test_samples_of_different_parts_are_refused(samples):
    with pytest.raises(DataSourceError):
        take(SampleDataSource(samples).batch_iterator(2))


@pytest.mark.parametrize("part", [0, None, (), [], {}, ANYTHING, {1}, np.array(3)], ids=repr)
def test_composite_refuses_a_part_that_is_no_batch(part):
    iterator = data_source.IteratorDataSource(iter([part]))
    source = data_source.CompositeDataSource([ArrayDataSource([X]), iterator])
    with pytest.raises(DataSourceError, match="a batch has"):
        take(source.batch_iterator(2))


@pytest.mark.parametrize("made", [0, None, ANYTHING, int, np.array(3)], ids=repr)
def test_function_that_returns_no_iterator_is_refused(made):
    with pytest.raises(DataSourceTypeError, match="Expected an iterator"):
        data_source.CallableDataSource(lambda _: made).batch_iterator(2)
    with pytest.raises(DataSourceTypeError, match="Expected an iterator"):
        data_source.IteratorDataSource(made)


def test_list_of_batches_can_be_one_of_several_sources():
    listed = data_source.IteratorDataSource([(np.array([1, 2]),)])
    source = data_source.ChoiceDataSource([listed, ArrayDataSource([X[:, 0]])])
    assert [batch.tolist() for (batch,) in source.batch_iterator(2)] == [[1, 2], [0, 2]]


def test_choice_goes_on_when_a_source_has_fewer_batches_than_it_says():
    short = data_source.CallableDataSource(lambda _, shuffle=None: iter([(np.arange(2),)]), 10)
    source = data_source.ChoiceDataSource([short, ArrayDataSource([np.arange(10, 16)])], stratified=True)
    with pytest.warns(UserWarning, match=r"datasets\[0\] ended"):
        (found,) = source.batch_map_concat(lambda x: x, 2)
    assert found.tolist() == [0, 1, 10, 11, 12, 13, 14, 15]


def test_iterators_of_every_source_can_be_closed_half_way(source):
    with contextlib.closing(source.batch_iterator(2, shuffle=1)) as batches:
        next(batches)
    assert list(batches) == []


def test_explorer_of_no_samples_shows_none():
    import penstock

    assert len(penstock.explore(ArrayDataSource([np.zeros((0, 2)), np.zeros(0, int)])).view) == 0


# ---- results gathered --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"func": 3},
        {"prepend_args": 3},
        {"prepend_args": "x"},
        {"prepend_args": np.arange(2)},
        {"progress_iter_func": 3},
        {"n_batches": -1},
        {"n_batches": 2.5},
        {"n_batches": 10**30},
    ],
    ids=repr,
)
def test_gathering_refuses_odd_options(source, options):
    arguments = {"func": lambda *parts: parts[-1], "n_batches": 2, "shuffle": 1, **options}
    with pytest.raises(DataSourceError):
        source.batch_map_concat(batch_size=2, **arguments)
    with pytest.raises(DataSourceError):
        source.batch_map_mean(batch_size=2, **arguments)


@pytest.mark.parametrize("batches", [0, None, np.array(3), int], ids=repr)
def test_gathering_refuses_what_is_no_iterator(batches):
    for gather in (data_source.batch_map_concat, data_source.batch_map_mean):
        with pytest.raises(DataSourceTypeError, match="iterator of batches"):
            gather(lambda x: x, batches)


RESULTS = {"text": np.array("a"), "durations": np.array([1], "m8[s]"), "records": np.zeros(2, [("a", int)]), "dict": {}}


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_mean_of_what_has_none_is_refused(result):
    with pytest.raises(DataSourceTypeError, match="the function returned"):
        ArrayDataSource([X]).batch_map_mean(lambda _: result, 2)


@pytest.mark.parametrize("axis", [2, -3, 0.5, "x", (0, 0), 10**30], ids=repr)
def test_mean_over_an_axis_that_does_not_exist_is_refused(axis):
    with pytest.raises(DataSourceError, match="sum_axis"):
        ArrayDataSource([X]).batch_map_mean(lambda x: x, 2, sum_axis=axis)


def test_mean_refuses_results_of_another_shape_instead_of_spreading_them():
    with pytest.raises(DataSourceError, match="sum_axis=0"):
        ArrayDataSource([np.arange(5)]).batch_map_mean(lambda x: x, 2)


@pytest.mark.parametrize("change", [lambda x: x[:, :1] if len(x) == 1 else x, lambda x: x.astype("S") if x[0, 0] else
                                    x.astype("m8[s]")], ids=["shape", "type"])  # fmt: skip
def test_results_that_do_not_fit_together_are_refused(change):
    with pytest.raises(DataSourceError, match="do not fit together"):
        ArrayDataSource([X]).batch_map_concat(change, 2)


def test_all_refusals_are_errors_of_penstock():
    assert issubclass(SampleIndexError, PenstockError)
    assert issubclass(DataSourceTypeError, DataSourceError)


def test_slices_go_backward_in_data_of_any_kind():
    torch, pd = pytest.importorskip("torch"), pytest.importorskip("pandas")
    data = [np.arange(5), torch.arange(5), pd.Series(np.arange(5), index=[4, 3, 2, 1, 0])]
    for indices in (slice(None, None, -2), np.arange(5)[::-2]):
        for batch in ArrayDataSource(data).samples_by_indices(indices):
            assert np.asarray(batch).tolist() == [4, 2, 0]
