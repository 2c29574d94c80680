"""One iterator in several threads: every batch once, all see the end, and closing lets everybody go."""

from __future__ import annotations

import threading
from itertools import chain

import numpy as np
import pytest

from penstock.errors import LoaderError, TransformError
from penstock.loader import Loader
from penstock.loader.running._turns import Turns
from penstock.table import ArrayTable

LONG = 60  # seconds until a thread that still waits is taken to wait for ever


@pytest.fixture
def numbers():
    return ArrayTable({"x": np.arange(400)})


class Consumers:
    """Threads that take batches from one iterator until it ends."""

    def __init__(self, iterator, count):
        self.batches, self.errors = [], []
        self._threads = [threading.Thread(target=self._eat, args=(iterator,), daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _eat(self, iterator):
        try:
            for batch in iterator:
                self.batches.append(batch["x"].tolist())
        except BaseException as error:  # noqa: BLE001  looked at by the test
            self.errors.append(error)

    def join(self):
        for thread in self._threads:
            thread.join(LONG)
        return [thread for thread in self._threads if thread.is_alive()]


@pytest.mark.parametrize("transform", [None, lambda sample: {"x": sample["x"]}], ids=["plain", "transformed"])
@pytest.mark.parametrize("threads", [0, 1, 3], ids=lambda count: f"{count}-threads")
@pytest.mark.parametrize("count", [2, 5], ids=lambda count: f"{count}-consumers")
def test_several_threads_get_every_batch_once(numbers, count, threads, transform):
    loader = Loader(numbers).shuffle().batch(8)
    loader = (loader.transform(transform) if transform else loader).numpy(num_threads=threads)
    alone = [batch["x"].tolist() for batch in Loader(numbers).shuffle().batch(8).numpy()]
    consumers = Consumers(iter(loader), count)
    assert consumers.join() == []
    assert consumers.errors == []
    assert sorted(consumers.batches) == sorted(alone)
    assert loader.epoch == 1


def test_threads_and_a_worker_process_serve_several_consumers(numbers):
    with Loader(numbers).batch(8).transform(lambda sample: {"x": sample["x"]}).numpy(num_workers=1) as loader:
        consumers = Consumers(iter(loader), 3)
        assert consumers.join() == []
        assert sorted(chain.from_iterable(consumers.batches)) == list(range(400))


def test_random_transforms_are_the_same_however_many_threads_take_batches(numbers):
    def noisy(sample):
        return {"x": np.array([int(sample["x"]), np.random.randint(10**9)])}  # noqa: NPY002  what users write

    def loader():
        return Loader(numbers, seed=4).shuffle().transform(noisy).batch(8).numpy()

    consumers = Consumers(iter(loader()), 4)
    assert consumers.join() == []
    assert sorted(consumers.batches) == sorted(batch["x"].tolist() for batch in loader())


class Held:
    """A transform that stops at one sample until it is let go."""

    def __init__(self, row):
        self.row = row
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self, sample):
        if sample["index"] == self.row:
            self.reached.set()
            self.go_on.wait(LONG)
        return {"x": sample["x"]}


class HeldSource:
    """A source whose second batch does not come until it is let go."""

    def __init__(self):
        self.reached, self.go_on = threading.Event(), threading.Event()

    def num_samples(self):
        return 40

    def samples_by_indices(self, indices):
        if 8 in indices.tolist():
            self.reached.set()
            self.go_on.wait(LONG)
        return {"x": indices}


@pytest.mark.parametrize("count", [1, 3], ids=["one", "several"])
def test_close_ends_the_wait_of_other_threads_at_once(count):
    source = HeldSource()
    loader = Loader(source).batch(8).numpy(num_threads=1)
    consumers = Consumers(iter(loader), count)
    assert source.reached.wait(LONG)
    while not consumers.batches:
        pass
    loader.close()
    assert consumers.join() == []
    source.go_on.set()
    assert consumers.errors == []
    assert consumers.batches == [list(range(8))]


def test_close_lets_those_go_who_wait_behind_a_slow_transform(numbers):
    held = Held(8)
    loader = Loader(numbers).batch(8).transform(held).numpy()
    iterator = iter(loader)
    first = Consumers(iterator, 1)
    assert held.reached.wait(LONG)
    behind = Consumers(iterator, 2)
    loader.close()
    assert behind.join() == []
    assert (behind.batches, behind.errors) == ([], [])
    held.go_on.set()
    assert first.join() == []


def test_close_while_another_thread_starts_an_epoch_ends_that_epoch(numbers):
    entered, go_on = threading.Event(), threading.Event()

    class Slow(ArrayTable):
        def shapes(self, tensor):
            entered.set()
            go_on.wait(LONG)
            return super().shapes(tensor)

    loader = Loader(Slow({"x": np.arange(400)})).batch(8).numpy()
    given = []
    thread = threading.Thread(target=lambda: given.extend(loader), daemon=True)
    thread.start()
    assert entered.wait(LONG)
    loader.close()
    go_on.set()
    thread.join(LONG)
    assert not thread.is_alive()
    assert given == []
    assert len(list(loader)) == 50


def test_an_error_reaches_one_consumer_and_ends_the_others(numbers):
    def breaks(sample):
        if sample["index"] == 100:
            raise ValueError("no")
        return {"x": sample["x"]}

    consumers = Consumers(iter(Loader(numbers).batch(8).transform(breaks).numpy(num_threads=2)), 4)
    assert consumers.join() == []
    assert [type(error) for error in consumers.errors] == [TransformError]
    assert len(consumers.batches) == 12


@pytest.mark.parametrize("threads", [0, 2], ids=lambda count: f"{count}-threads")
def test_no_batch_follows_an_error_while_the_thread_that_got_it_is_held_up(numbers, threads, monkeypatch):
    def breaks(sample):
        if sample["index"] == 100:
            raise ValueError("no")
        return {"x": sample["x"]}

    iterator = iter(Loader(numbers).batch(8).transform(breaks).numpy(num_threads=threads))
    seen = []
    passed_on = Turns.__exit__

    def pass_on(turns, *error):
        passed_on(turns, *error)
        if error[0] is not None and not seen:  # the next thread has the turn before this one is heard of again
            seen.append(error[0])
            seen.append(next(iterator, "over"))

    monkeypatch.setattr(Turns, "__exit__", pass_on)
    with pytest.raises(TransformError):
        list(iterator)
    assert seen == [TransformError, "over"]


def test_state_is_what_all_consumers_together_have_got(numbers):
    loader = Loader(numbers).shuffle().batch(8).numpy()
    iterator = iter(loader)
    lock, left = threading.Lock(), [20]

    class Few:
        def __iter__(self):
            while True:
                with lock:
                    left[0] -= 1
                    if left[0] < 0:
                        return
                yield next(iterator)

    consumers = Consumers(Few(), 4)
    assert consumers.join() == []
    again = Loader(numbers).shuffle().batch(8).numpy()
    again.load_state_dict(loader.state_dict())
    rest = [batch["x"].tolist() for batch in again]
    assert sorted(chain.from_iterable(consumers.batches + rest)) == list(range(400))


def test_a_transform_that_asks_its_own_iterator_is_refused(numbers):
    asked = []

    def greedy(sample):
        asked.append(next(iterator))
        return sample

    iterator = iter(Loader(numbers).batch(8).transform(greedy).numpy())
    with pytest.raises(TransformError, match="while it makes one") as caught:
        next(iterator)
    assert isinstance(caught.value.__cause__, LoaderError)
