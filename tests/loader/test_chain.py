"""The chain of the loader document, method by method.

Where a test cites "document", it means the page of the chained data loader whose names and
parameters this loader keeps: batch, close, numpy, offset, pytorch, query, sample_by, shuffle,
tensorflow, transform.
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

from penstock.errors import LoaderError, TensorNotFoundError
from penstock.loader import Loader
from penstock.table import Selection

DOCUMENT = {
    "batch": [("batch_size", inspect.Parameter.empty), ("drop_last", False)],
    "close": [],
    "numpy": [
        ("num_workers", 0), ("tensors", None), ("num_threads", None), ("prefetch_factor", 2),
        ("decode_method", None), ("persistent_workers", False),
    ],
    "offset": [("off", 0)],
    "pytorch": [
        ("num_workers", 0), ("collate_fn", None), ("tensors", None), ("num_threads", None), ("prefetch_factor", 2),
        # the page has False, which here says that several processes are meant to have every batch
        ("distributed", None), ("return_index", True), ("decode_method", None), ("persistent_workers", False),
    ],
    "query": [("query_string", inspect.Parameter.empty)],
    "sample_by": [("weights", inspect.Parameter.empty), ("replace", True), ("size", None)],
    "shuffle": [("shuffle", True), ("buffer_size", 2048)],
    "tensorflow": [
        ("num_workers", 0), ("collate_fn", None), ("tensors", None), ("num_threads", None), ("prefetch_factor", 2),
        ("return_index", True), ("decode_method", None), ("persistent_workers", False),
    ],
    "transform": [("transform", inspect.Parameter.empty)],
}  # fmt: skip


@pytest.mark.parametrize("method", DOCUMENT, ids=str)
def test_method_has_the_parameters_of_the_document_in_order(method):
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD,)
    parameters = list(inspect.signature(getattr(Loader, method)).parameters.values())[1:]
    assert [(p.name, p.default) for p in parameters if p.kind in kinds] == DOCUMENT[method]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (lambda loader: loader.batch(2), lambda loader: loader.batch(3)),
        (lambda loader: loader.shuffle(), lambda loader: loader.shuffle(False)),
        (lambda loader: loader.transform(dict), lambda loader: loader.transform(dict)),
        (lambda loader: loader.offset(1), lambda loader: loader.offset(1)),
        (lambda loader: loader.pytorch(), lambda loader: loader.numpy()),
        (lambda loader: loader.numpy(), lambda loader: loader.numpy()),
        (lambda loader: loader.numpy(), lambda loader: loader.pytorch()),
    ],
    ids=["batch", "shuffle", "transform", "offset", "pytorch-numpy", "numpy-numpy", "numpy-pytorch"],
)
def test_second_call_is_a_value_error_as_the_document_says(table, first, second):
    once = first(Loader(table))
    with pytest.raises(ValueError, match="has already been called"):
        second(once)


def test_each_call_returns_a_new_loader(table):
    plain = Loader(table)
    assert plain.batch(10) is not plain


def test_a_call_leaves_the_loader_before_it_as_it_was(table):
    plain = Loader(table)
    batched = plain.batch(10)
    assert (len(plain), len(batched)) == (50, 5)


def test_without_a_framework_batches_are_lists_of_samples_of_numpy(table):
    first = next(iter(Loader(table)))
    assert isinstance(first, list)
    assert len(first) == 1
    assert list(first[0]) == ["images", "labels", "tags", "boxes", "caption", "meta", "score", "index"]
    assert first[0]["images"].shape == (12, 16, 3)
    assert first[0]["labels"].dtype == np.int64
    assert first[0]["caption"] == "row 0"
    assert first[0]["meta"] == {"row": 0}


def test_numpy_batch_holds_tensors_of_one_shape_as_arrays(table):
    batch = next(iter(Loader(table).batch(4).numpy()))
    assert batch["images"].shape == (4, 12, 16, 3)
    assert batch["images"][:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert batch["labels"].shape == (4, 1)
    assert batch["score"].tolist() == [0, 0.5, 1, 1.5]
    assert batch["index"].tolist() == [0, 1, 2, 3]


def test_numpy_batch_holds_other_tensors_as_lists(table):
    batch = next(iter(Loader(table).batch(4).numpy()))
    assert [tags.shape for tags in batch["tags"]] == [(0,), (1,), (2,), (3,)]
    assert [boxes.shape for boxes in batch["boxes"]] == [(0, 4), (1, 4), (2, 4), (0, 4)]
    assert batch["caption"] == ["row 0", "row 1", "row 2", "row 3"]
    assert batch["meta"][3] == {"row": 3}


def test_pytorch_batch_has_tensors(table):
    batch = next(iter(Loader(table).batch(4).pytorch()))
    assert batch["images"].dtype == torch.uint8
    assert batch["labels"].shape == (4, 1)
    assert [type(tags) for tags in batch["tags"]] == [torch.Tensor] * 4
    assert batch["index"].tolist() == [0, 1, 2, 3]


def test_ragged_tensors_are_lists_whatever_the_batch_holds(table):
    batch = next(iter(Loader(table, Selection(rows=np.array([1, 5, 9]), version="memory")).batch(3).numpy()))
    assert [tags.shape for tags in batch["tags"]] == [(1,)] * 3
    assert isinstance(batch["tags"], list)


def test_padding_fills_up_labels_with_minus_one(table):
    batch = next(iter(Loader(table).batch(4).numpy(padding="pad")))
    assert batch["tags"].shape == (4, 3)
    assert batch["tags"][1, 1:].tolist() == [-1, -1]


def test_padding_fills_up_boxes_with_zero(table):
    batch = next(iter(Loader(table).batch(4).numpy(padding="pad")))
    assert batch["boxes"].shape == (4, 2, 4)
    assert batch["boxes"][1].tolist() == [[1, 1, 1, 1], [0, 0, 0, 0]]


def test_tensors_names_what_a_batch_holds(table):
    batch = next(iter(Loader(table).batch(2).pytorch(tensors=["labels"])))
    assert sorted(batch) == ["index", "labels"]


def test_return_index_false_leaves_the_index_out(table):
    batch = next(iter(Loader(table).batch(2).pytorch(tensors=["labels"], return_index=False)))
    assert list(batch) == ["labels"]


def test_index_in_tensors_is_a_value_error(table):
    with pytest.raises(ValueError, match="'index' is not a tensor"):
        Loader(table).pytorch(tensors=["labels", "index"])


def test_unknown_tensor_is_told_with_the_nearest(table):
    with pytest.raises(TensorNotFoundError, match="did you mean 'labels'"):
        Loader(table).numpy(tensors=["lables"])


@pytest.mark.parametrize(
    "chain",
    [
        lambda loader: loader.pytorch().batch(5).shuffle().offset(3).transform({"labels": None}),
        lambda loader: loader.batch(5).shuffle().offset(3).transform({"labels": None}).pytorch(),
    ],
    ids=["after", "before"],
)
def test_steps_may_follow_the_framework(table, chain):
    shuffled = Loader(table).batch(5).shuffle().offset(3).numpy(tensors=["labels"])
    expected = [batch["labels"].tolist() for batch in shuffled]
    assert [batch["labels"].tolist() for batch in chain(Loader(table))] == expected


def test_drop_last_leaves_out_the_short_batch(table):
    assert [len(batch["index"]) for batch in Loader(table).batch(20).numpy()] == [20, 20, 10]
    loader = Loader(table).batch(20, drop_last=True).numpy()
    assert [len(batch["index"]) for batch in loader] == [20, 20]
    assert len(loader) == 2


def test_offset_rotates_the_order(table):
    rows = [row for batch in Loader(table).offset(47).batch(3).numpy() for row in batch["index"].tolist()]
    assert rows == [47, 48, 49, *range(47)]


@pytest.mark.parametrize("call", [lambda x: x.batch(0), lambda x: x.batch(2.5), lambda x: x.offset(-1), lambda x: x.numpy(num_workers=-1), lambda x: x.numpy(num_threads=-2), lambda x: x.numpy(prefetch_factor=0), lambda x: x.numpy(padding="pda"), lambda x: x.numpy(on_error="ignore"), lambda x: x.transform(3), lambda x: x.transform({"labels": 3}), lambda x: x.pytorch(collate_fn=3), lambda x: x.numpy(decode_method={"images": "jpeg"}), lambda x: x.numpy(resize={"labels": 3}), lambda x: x.numpy(resize={"images": (0, 3)}), lambda x: x.numpy(decode_method={"labels": "pil"})], ids=range(15))  # fmt: skip
def test_bad_values_are_refused_when_given(table, call):
    with pytest.raises(LoaderError, match="Expected"):
        call(Loader(table))


def test_shuffle_gives_every_row_once_in_an_order_of_its_own_each_epoch(table):
    loader = Loader(table).shuffle().batch(10).numpy(tensors=["labels"])
    epochs = [[row for batch in loader for row in batch["index"].tolist()] for _ in range(3)]
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    again = Loader(table).shuffle().batch(10).numpy(tensors=["labels"])
    assert [row for batch in again for row in batch["index"].tolist()] == epochs[0]


def test_seed_none_is_recorded(table):
    loader = Loader(table, seed=None).shuffle()
    again = Loader(table, seed=loader.seed).shuffle()
    assert [sample["index"] for batch in loader for sample in batch] == [s["index"] for b in again for s in b]


def test_seed_none_is_another_seed_each_time(table):
    assert Loader(table, seed=None).seed != Loader(table, seed=None).seed


ROWS_OF_VIEWS = {"down": [40, 30, 20, 10], "repeats": [3, 3, 7, 3], "steps": list(range(49, -1, -7))}


def batches_of_view(table, rows):
    return list(Loader(table, Selection(rows=np.array(rows), version="memory")).batch(3).numpy())


@pytest.mark.parametrize("rows", ROWS_OF_VIEWS.values(), ids=ROWS_OF_VIEWS)
def test_views_iterate_in_their_own_order(table, rows):
    batches = batches_of_view(table, rows)
    assert [px for batch in batches for px in batch["images"][:, 0, 0, 0].tolist()] == rows


@pytest.mark.parametrize("rows", ROWS_OF_VIEWS.values(), ids=ROWS_OF_VIEWS)
def test_index_is_the_row_when_a_view_is_read(table, rows):
    assert [row for batch in batches_of_view(table, rows) for row in batch["index"].tolist()] == rows


@pytest.mark.parametrize("threads", [0, 1, 4])
def test_any_number_of_threads_gives_the_same_batches(table, threads):
    batches = [b["images"].sum() for b in Loader(table).shuffle().batch(7).numpy(num_threads=threads)]
    assert batches == [b["images"].sum() for b in Loader(table).shuffle().batch(7).numpy(num_threads=2)]


def test_the_attributes_that_training_frameworks_read_are_there(table):
    loader = Loader(table).batch(8, drop_last=True).pytorch()
    assert (len(loader.dataset), loader.batch_size, loader.drop_last) == (50, 8, True)


def test_batch_sampler_lists_the_next_epoch_without_moving_the_loader(table):
    loader = Loader(table).shuffle().batch(8, drop_last=True).pytorch()
    told = list(loader.batch_sampler)
    assert [batch["index"].tolist() for batch in loader] == told


def test_batch_sampler_has_the_attributes_of_the_loader(table):
    loader = Loader(table).shuffle().batch(8, drop_last=True).pytorch()
    assert (len(loader.batch_sampler), loader.batch_sampler.batch_size, loader.batch_sampler.drop_last) == (6, 8, True)
    assert loader.worker_init_fn is None


def test_single_samples_when_the_batch_size_is_none(table):
    samples = list(Loader(table).batch(None).numpy(tensors=["labels", "caption"]))
    assert [sample["caption"] for sample in samples] == [f"row {row}" for row in range(50)]
    assert samples[3]["labels"].tolist() == [3]


def test_leaving_the_with_block_ends_the_iteration(table):
    with Loader(table).batch(5).numpy() as loader:
        iterator = iter(loader)
        next(iterator)
    assert list(iterator) == []


def test_a_loader_can_be_used_again_after_its_with_block(table):
    with Loader(table).batch(5).numpy() as loader:
        next(iter(loader))
    assert len(list(loader)) == 10
