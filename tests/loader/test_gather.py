"""Batches of arrays in memory: the same in all things as those that are read, and nobody else's memory."""

from __future__ import annotations

import gc
import os
import signal
import threading
import weakref
from itertools import pairwise

import numpy as np
import pytest

from penstock.loader import Loader
from penstock.loader.place._state import Place
from penstock.loader.running._gather import Gather
from penstock.loader.running._iterator import EpochIterator
from penstock.table import ArrayTable, Selection

CASES = 80
WEIGHTS = "max_weight(contains(labels, 'a'): 9, contains(labels, 'b'): 3, True: 1)"
FIXED = ["labels", "x", "boxes", "flag", "when"]


def table_of(count, seed=0):
    """Tensors of fixed shape and of many types, and a text, with which nothing can be gathered."""
    rng = np.random.default_rng(seed)
    return ArrayTable(
        {
            "labels": rng.integers(0, 4, count),
            "x": rng.random((count, 3, 2), dtype=np.float32),
            "boxes": rng.random((count, 2, 4), dtype=np.float32),
            "flag": rng.random(count) < 0.5,
            "when": rng.integers(0, 1000, count).astype("datetime64[s]"),
            "caption": [f"row {row}" for row in range(count)],
        },
        class_names={"labels": list("abcd")},
        htypes={"boxes": "bbox"},
    )


class Case:
    """One random chain, gathered, and read with a text that is left out of the comparison."""

    def __init__(self, seed):
        self.rng = rng = np.random.default_rng(seed)
        self.count = int(rng.integers(5, 250))
        self.table = table_of(self.count, seed)
        self.mode = str(rng.choice(["plain", "shuffle", "iid", "deck", "once"]))
        self.rows = None
        if rng.random() < 0.4:
            self.rows = rng.choice(self.count, int(rng.integers(3, self.count + 1)), replace=False)
            self.rows = np.sort(self.rows) if rng.random() < 0.5 else self.rows
        self.size = int(rng.integers(1, 3 * self.count)) if self.mode in {"iid", "deck"} else None
        self.offset = int(rng.integers(0, 40)) if rng.random() < 0.4 else 0
        self.drop_last = bool(rng.random() < 0.5)
        self.batch_size = int(rng.choice([1, 2, 7, 16, 64]))
        self.world = int(rng.choice([1, 1, 2, 3]))
        self.framework = str(rng.choice(["numpy", "pytorch"]))
        self.with_index = bool(rng.random() < 0.8)

    def loader(self, tensors):
        selection = None if self.rows is None else Selection(rows=self.rows, version=self.table.version)
        loader = Loader(self.table, selection, seed=3).offset(self.offset)
        if self.mode in {"iid", "deck", "once"}:
            loader = loader.sample_by(WEIGHTS, mode=self.mode, size=self.size, replace=self.mode != "once")
        loader = loader.shuffle(self.mode == "shuffle").batch(self.batch_size, drop_last=self.drop_last)
        return getattr(loader, self.framework)(tensors=tensors, return_index=self.with_index, num_threads=0)

    def both(self):
        return self.loader(FIXED), self.loader([*FIXED, "caption"])


def is_gathered(iterator):
    begun = iterator if isinstance(iterator, EpochIterator) else iterator._first()
    return isinstance(begun._gather, Gather)


def assert_same_batch(mine, other):
    other = {name: value for name, value in other.items() if name != "caption"}
    assert list(mine) == list(other)
    for name, value in other.items():
        assert type(mine[name]) is type(value)
        if isinstance(value, list):
            assert mine[name] == value
            continue
        assert mine[name].dtype == value.dtype
        assert mine[name].shape == value.shape
        assert np.asarray(mine[name]).tobytes() == np.asarray(value).tobytes()


def assert_same_audit(mine, other):
    for name in ("realized", "expected", "low", "high"):
        assert getattr(mine, name).tolist() == getattr(other, name).tolist()
    assert mine.num_draws == other.num_draws


def assert_same_epoch(mine, other, stop=None):
    ours, theirs = iter(mine), iter(other)
    assert is_gathered(ours)
    assert not is_gathered(theirs)
    for number, batch in enumerate(theirs):
        assert_same_batch(next(ours), batch)
        assert len(ours) == len(theirs)
        assert mine.state_dict() == other.state_dict()
        if number + 1 == stop:
            return
    assert next(ours, None) is None
    assert mine.state_dict() == other.state_dict()


@pytest.mark.torch
@pytest.mark.parametrize("seed", range(CASES))
def test_gathered_batches_are_those_that_are_read(seed):
    case = Case(seed)
    mine, other = case.both()
    assert_same_epoch(mine, other)
    stop = int(case.rng.integers(0, 4))
    assert_same_epoch(mine, other, stop or None)
    assert_same_audit(mine.audit(), other.audit())
    assert (mine.stats().batches, mine.stats().samples) == (other.stats().batches, other.stats().samples)
    state = mine.state_dict()
    again, anew = case.both()
    again.load_state_dict(state)
    anew.load_state_dict(state)
    assert_same_epoch(again, anew)
    assert_same_epoch(again, anew)
    assert_same_audit(again.audit(), anew.audit())


@pytest.mark.torch
@pytest.mark.parametrize("seed", range(CASES, CASES + 40))
def test_gathered_batches_of_a_rank_are_those_that_are_read(seed):
    case = Case(seed)
    case.world = max(case.world, 2)
    loaders = case.both()
    consumed = case.batch_size * case.world * int(case.rng.integers(0, 3))
    for rank in range(case.world):
        mine, other = (iterator_of(loader, Place(consumed=consumed), rank, case.world) for loader in loaders)
        assert is_gathered(mine)
        batches = list(other)
        for batch in batches:
            assert_same_batch(next(mine), batch)
        assert next(mine, None) is None
    assert_same_audit(*(loader.audit() for loader in loaders))


def iterator_of(loader, place, rank, world_size):
    """The batches of one rank from a place on, without processes."""
    cursor, maker, meter, *_ = loader._parts
    armed = cursor.armed(cursor.epoch_at(place, rank=rank, world_size=world_size))
    recent = loader._parts.recent
    return EpochIterator(armed, maker, cursor, meter, loader.close, ended=loader._end_epoch, recent=recent)


def test_a_long_epoch_is_that_of_the_stream_through_all_blocks():
    count = 200_000
    table = ArrayTable({"x": np.arange(count), "y": np.arange(count, dtype=np.float32)})
    loader = Loader(table).shuffle().batch(96).numpy()
    order = loader._parts.cursor.planned.stream.epoch(0)
    batches = list(loader)
    assert np.array_equal(np.concatenate([batch["index"] for batch in batches]), order)
    assert np.array_equal(np.concatenate([batch["x"] for batch in batches]), order)
    assert np.array_equal(np.concatenate([batch["y"] for batch in batches]), order.astype(np.float32))
    assert [len(batch["x"]) for batch in batches] == [96] * 2083 + [32]


@pytest.mark.parametrize("shuffled", [False, True], ids=["in order", "shuffled"])
def test_a_batch_is_the_callers_to_write_to(shuffled):
    values = np.arange(64.0).reshape(32, 2)
    loader = Loader(ArrayTable({"x": values})).shuffle(shuffled).batch(4).numpy()
    expected = [(batch["x"].tolist(), batch["index"].tolist()) for batch in loader]
    loader.load_state_dict({**loader.state_dict(), "epoch": 0, "start": 0, "consumed": 0})
    kept = []
    for batch in loader:
        kept.append((batch["x"].tolist(), batch["index"].tolist()))
        batch["x"][:] = -1
        batch["index"][:] = 0
    assert kept == expected
    assert values.tolist() == np.arange(64.0).reshape(32, 2).tolist()


BOTH = pytest.mark.parametrize("framework", ["numpy", pytest.param("pytorch", marks=pytest.mark.torch)])


def memory_of(value):
    """The array that owns the memory of a batch's array or tensor."""
    array = np.asarray(value)
    if hasattr(value, "untyped_storage"):
        return value.untyped_storage().nbytes()
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.nbytes


@BOTH
@pytest.mark.parametrize("shuffled", [False, True], ids=["in order", "shuffled"])
@pytest.mark.parametrize(
    ("width", "size", "rows"),
    [(1, 8, 512), (1, 64, 2048), (1, 500, 2000), (1, 2048, 2048), (1, 5000, 5000), (8192, 4, 8), (20_000, 8, 8)],
)
def test_a_kept_batch_keeps_no_more_memory_than_the_few_it_was_gathered_with(framework, shuffled, width, size, rows):
    """Rows of 8 bytes and of 64 and 160 KB: at most 64 batches, 2,048 rows and 512 KB, or one batch."""
    values = np.zeros((20_000 if width == 1 else 40, width))
    loader = getattr(Loader(ArrayTable({"x": values})).shuffle(shuffled).batch(size), framework)(return_index=False)
    assert memory_of(next(iter(loader))["x"]) == rows * width * 8


@BOTH
@pytest.mark.parametrize("size", [3, 100, 3000])
def test_no_batch_has_rows_of_another_or_of_the_columns(framework, size):
    values = np.arange(7000.0)
    loader = getattr(Loader(ArrayTable({"x": values})).shuffle().batch(size), framework)()
    batches = [{name: np.asarray(value) for name, value in batch.items()} for batch in loader]
    for name in ("x", "index"):
        spans = sorted((part.ctypes.data, part.ctypes.data + part.nbytes) for part in (b[name] for b in batches))
        assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
        assert not any(np.shares_memory(values, batch[name]) for batch in batches)


def torch_batches():
    return list(Loader(ArrayTable({"x": np.ones((40, 2), np.float32)})).batch(8).pytorch())


@pytest.mark.torch
def test_a_tensor_may_be_changed_in_place_under_a_gradient():
    """Autograd forbids changes in place with a gradient to pieces that know they were cut."""
    import torch

    factor = torch.tensor(3.0, requires_grad=True)
    batch = torch_batches()[0]
    batch["x"].mul_(factor)
    batch["x"].sum().backward()
    assert factor.grad.item() == 16


@pytest.mark.torch
def test_a_tensor_may_ask_for_a_gradient_of_its_own():
    assert torch_batches()[1]["x"].requires_grad_().is_leaf


@pytest.mark.torch
def test_a_change_in_place_stays_in_its_batch():
    batches = torch_batches()
    batches[0]["x"].mul_(3)
    assert [batch["x"].sum().item() for batch in batches] == [48, 16, 16, 16, 16]


@pytest.fixture(scope="module", params=["shuffled", "iid", "deck", "once"])
def work(request):
    """Slices and gathers of an epoch of 200,000 rows: blocks of 8,192, 32,768 and then 65,536 draws."""
    count, mode = 200_000, request.param
    loader = Loader(ArrayTable({"x": np.arange(count)}))
    loader = loader.shuffle() if mode == "shuffled" else loader.sample_by(np.ones(count), mode=mode)
    loader = loader.batch(64).numpy()
    (cursor, maker, *_), work = loader._parts, {"slices": [], "gathers": []}
    slice_of, batches_of = cursor.planned.stream.slice, maker._arrays.batches
    cursor.planned.stream.slice = lambda start, stop: work["slices"].append(stop - start) or slice_of(start, stop)
    maker._arrays.batches = lambda rows, *rest: work["gathers"].append(len(rows)) or batches_of(rows, *rest)
    assert sum(1 for _ in loader) == 3125
    return work


def test_an_epoch_asks_the_stream_once_a_block(work):
    assert work["slices"] == [8192, 32_768, 65_536, 65_536, 27_968]


def test_an_epoch_gathers_many_small_batches_at_once(work):
    """Batches of 64 by 32, the last block's by what is left."""
    assert work["gathers"] == [2048] * (172_032 // 2048) + [2048] * 13 + [27_968 - 13 * 2048]


def abandoned(table):
    """Return a loader of which an iterator gave three batches, and that iterator's weak reference."""
    loader = Loader(table).shuffle().batch(10).numpy()
    iterator = iter(loader)
    for _ in range(3):
        next(iterator)
    return loader, weakref.ref(iterator)


def test_an_abandoned_epoch_counts_what_was_given():
    loader, iterator = abandoned(ArrayTable({"x": np.arange(100.0)}))
    assert iterator() is None
    assert loader.state_dict()["consumed"] == 30
    assert loader.audit().num_draws == 30


def test_an_abandoned_epoch_lets_go_of_the_columns():
    table = ArrayTable({"x": np.arange(100.0)})
    loader, _ = abandoned(table)
    held = weakref.ref(table)
    del loader, table
    assert held() is None


@pytest.fixture
def two_iterators():
    """Return a loader and two iterators of it; the first gave two batches, the second one."""
    loader = Loader(ArrayTable({"x": np.arange(100.0)})).shuffle().batch(10).numpy()
    first, second = iter(loader), iter(loader)
    for _ in range(2):
        next(first)
    next(second)
    return loader, first, second


def test_of_two_iterators_the_later_one_has_the_place(two_iterators):
    loader, first, _ = two_iterators
    assert (loader.state_dict()["epoch"], loader.state_dict()["consumed"]) == (1, 10)
    assert sum(1 for _ in first) == 8
    assert (loader.state_dict()["epoch"], loader.state_dict()["consumed"]) == (1, 10)


def test_of_two_iterators_both_are_audited(two_iterators):
    loader, first, _ = two_iterators
    assert loader.audit().num_draws == 30
    assert sum(1 for _ in first) == 8
    assert loader.audit().num_draws == 110


def test_threads_that_share_an_iterator_get_each_batch_once():
    count = 40_000
    loader = Loader(ArrayTable({"x": np.arange(count)})).shuffle().batch(4).numpy()
    iterator = iter(loader)
    taken = [[] for _ in range(4)]

    def work(rows):
        for batch in iterator:
            rows.append(batch["x"])

    threads = [threading.Thread(target=work, args=(rows,)) for rows in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = np.concatenate([batch for rows in taken for batch in rows])
    assert np.array_equal(np.sort(rows), np.arange(count))
    assert loader.state_dict()["epoch"] == 1
    assert loader.stats().batches == count // 4


@pytest.fixture
def closed():
    """Return a loader that was closed in the loop over it, and the number of batches that it gave."""
    loader = Loader(ArrayTable({"x": np.arange(100.0)})).shuffle().batch(10).numpy()
    given = 0
    for _ in loader:
        given += 1
        if given == 2:
            loader.close()
    return loader, given


def test_close_ends_the_loop(closed):
    loader, given = closed
    assert given == 2
    assert loader.state_dict()["consumed"] == 20


def test_a_closed_loader_goes_on_with_the_next_epoch(closed):
    loader, _ = closed
    assert sum(1 for _ in loader) == 10
    assert loader.audit().num_draws == 120


def test_an_audit_covers_all_weights():
    loader = Loader(table_of(200)).sample_by(WEIGHTS, mode="deck").batch(10).numpy(tensors=["x"])
    iterator = iter(loader)
    next(iterator)
    loader.with_weights(loader.weights.replace_weights({loader.weights.clauses[0].expression: 2}))
    assert loader.audit().num_draws == 10
    list(iterator)
    assert loader.audit().num_draws == 200
    list(loader)
    assert loader.audit().num_draws == 400


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_goes_on_where_the_parent_is():
    loader = Loader(ArrayTable({"x": np.arange(100)})).shuffle().batch(10).numpy()
    iterator = iter(loader)
    next(iterator)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        told = [row for batch in iterator for row in batch["x"].tolist()]
        os.write(write, ",".join(map(str, told)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert list(map(int, os.read(read, 10_000).split(b","))) == [
        row for batch in iterator for row in batch["x"].tolist()
    ]


def test_a_signals_handler_may_read_the_loader():
    loader = Loader(ArrayTable({"x": np.arange(60_000)})).shuffle().batch(2).numpy()
    asked = []

    def handler(*_):
        asked.append((loader.state_dict()["consumed"], loader.audit().num_draws))
        signal.setitimer(signal.ITIMER_REAL, 0.002)  # once more, when this one is done

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.002)
    try:
        total = sum(len(batch["x"]) for batch in loader)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert total == 60_000
    assert asked
    assert [draws for _, draws in asked] == sorted(draws for _, draws in asked)


def test_time_in_the_loader_is_told_from_time_outside():
    loader = Loader(ArrayTable({"x": np.arange(1000)})).shuffle().batch(10).numpy()
    list(loader)
    stats = loader.stats()
    assert stats.batches == 100
    assert stats.samples == 1000
    assert 0 < stats.read_seconds <= stats.waited_seconds
    assert 0 < stats.stall_share < 1


@pytest.mark.parametrize(
    "options",
    [{"transform": lambda sample: sample}, {"collate_fn": list}, {"single": True}],
    ids=["transform", "collate", "single"],
)
def test_whatever_needs_a_function_for_each_sample_is_not_gathered(options):
    loader = Loader(ArrayTable({"x": np.arange(10)})).batch(None if options.pop("single", False) else 2)
    if "transform" in options:
        loader = loader.transform(options.pop("transform"))
    assert not is_gathered(iter(loader.numpy(**options)))


def test_a_file_in_memory_is_read_ahead_by_threads(tmp_path):
    mapped = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, (40, 2))
    mapped[:] = np.arange(80).reshape(40, 2)
    loader = Loader(ArrayTable({"x": mapped})).shuffle().batch(8).numpy()
    iterator = iter(loader)
    assert not is_gathered(iterator)
    assert all((batch["x"][:, 0] == 2 * batch["index"]).all() for batch in iterator)


def test_the_collector_ends_an_epoch_that_nobody_holds():
    loader = Loader(ArrayTable({"x": np.arange(100.0)})).batch(10).numpy()
    cycle = [iter(loader)]
    cycle.append(cycle)
    next(cycle[0])
    del cycle
    gc.collect()
    assert loader.state_dict()["consumed"] == 10
    assert len(loader._parts.cursor._gathers) == 0
