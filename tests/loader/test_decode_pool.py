"""Threads that share the decoding of batches."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from penstock.loader.reading._decode_pool import DecodePool


@pytest.mark.parametrize("num_threads", [1, 2, 5])
def test_every_item_is_done_once_by_the_time_its_owner_goes_on(num_threads):
    decode_pool, done = DecodePool(), [[0] * count for count in range(0, 90, 3)]

    def work_on(batch):
        def work(start, stop):
            for number in range(start, stop):
                done[batch][number] += 1

        decode_pool.share(work, len(done[batch]))
        assert done[batch] == [1] * len(done[batch])

    with ThreadPoolExecutor(num_threads) as pool:
        list(pool.map(work_on, range(len(done))))
    assert decode_pool._tasks == []


def test_the_oldest_batch_is_helped_with_first():
    decode_pool, began, both, helped = DecodePool(), threading.Event(), threading.Event(), set()

    def slow(_start, _stop):
        began.set()
        helped.add(threading.get_ident())
        if len(helped) == 2 or not both.wait(20):  # the first piece lasts until the other thread has one too
            both.set()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(decode_pool.share, slow, 400)
        began.wait()
        second = pool.submit(decode_pool.share, lambda *_: None, 8)
        first.result()
        second.result()
    assert len(helped) == 2


def test_what_a_helper_meets_is_raised_where_it_belongs():
    decode_pool, ready = DecodePool(), threading.Barrier(2)

    def fails(start, _stop):
        time.sleep(0.001)
        if start == 160:
            raise ValueError("item 160")

    def share(work, count):
        ready.wait()
        decode_pool.share(work, count)

    with ThreadPoolExecutor(2) as pool:
        broken, sound = pool.submit(share, fails, 400), pool.submit(share, lambda *_: time.sleep(0.001), 400)
        sound.result()
        with pytest.raises(ValueError, match="item 160"):
            broken.result()
    assert decode_pool._tasks == []


def test_an_interrupt_leaves_no_piece_behind():
    decode_pool = DecodePool()

    def interrupted(start, _stop):
        if start:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        decode_pool.share(interrupted, 100)
    assert decode_pool._tasks == []
    decode_pool.share(lambda *_: None, 100)
