"""The layout of epochs: every rank's batches together are the stream."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.loader.place._epoch import Draws, Epoch
from penstock.sampling import SequentialStream, ShuffledStream


class Counting:
    """A stream whose draw at position g is g itself."""

    def __init__(self, size):
        self.size = size
        self.fingerprint = "counting"

    def slice(self, start, stop):
        return np.arange(start, stop)


def delivered(epoch, stream):
    draws = Draws(stream, epoch)
    return [draws.of(epoch.positions(batch)).tolist() for batch in range(epoch.num_batches)]


def test_last_batch_is_short_in_one_process():
    epoch = Epoch(number=0, start=0, size=10, batch_size=4)
    assert delivered(epoch, SequentialStream(10)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def dropping_epoch():
    return Epoch(number=0, start=0, size=10, batch_size=4, drop_last=True, continuing=True)


def test_drop_last_leaves_the_rest_out():
    assert delivered(dropping_epoch(), Counting(10)) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_the_next_epoch_starts_with_what_drop_last_left():
    assert dropping_epoch().following_start == 8


def padded_ranks():
    return [Epoch(number=0, start=0, size=10, batch_size=2, rank=r, world_size=3, continuing=True) for r in range(3)]


def test_padding_continues_a_drawn_stream():
    assert [delivered(epoch, Counting(10)) for epoch in padded_ranks()] == [
        [[0, 1], [6, 7]],
        [[2, 3], [8, 9]],
        [[4, 5], [10, 11]],
    ]


def test_the_next_epoch_starts_behind_the_padding_of_a_drawn_stream():
    assert all(epoch.following_start == 12 for epoch in padded_ranks())


def test_padding_of_a_drawn_stream_is_not_marked():
    assert all(epoch.valid(epoch.positions(1)) is None for epoch in padded_ranks())


def last_plain_rank():
    return Epoch(number=0, start=0, size=10, batch_size=2, rank=2, world_size=3)


def test_padding_of_a_plain_pass_wraps():
    assert delivered(last_plain_rank(), SequentialStream(10)) == [[4, 5], [0, 1]]


def test_padding_of_a_plain_pass_is_marked():
    last = last_plain_rank()
    assert last.valid(last.positions(1)).tolist() == [False, False]


def test_padding_of_a_plain_pass_is_no_part_of_the_next():
    assert last_plain_rank().following_start == 10


def test_offset_rotates_the_order():
    epoch = Epoch(number=0, start=0, size=5, batch_size=2, offset=3)
    assert delivered(epoch, SequentialStream(5)) == [[3, 4], [0, 1], [2]]


def test_offset_rotates_what_a_drawn_epoch_delivers():
    epoch = Epoch(number=1, start=4, size=5, batch_size=2, offset=1, drop_last=True, continuing=True)
    assert delivered(epoch, Counting(5)) == [[5, 6], [7, 4]]


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(1, 60),
    batch=st.integers(1, 7),
    world=st.sampled_from([1, 2, 3, 4, 8]),
    continuing=st.booleans(),
    drop_last=st.booleans(),
)
def test_ranks_together_deliver_the_global_stream(size, batch, world, continuing, drop_last):
    stream = Counting(size) if continuing else ShuffledStream(size, seed=1)
    shape = {"size": size, "batch_size": batch, "world_size": world, "drop_last": drop_last, "continuing": continuing}
    ranks = [delivered(Epoch(number=0, start=0, rank=rank, **shape), stream) for rank in range(world)]
    assert len({len(batches) for batches in ranks}) == 1
    together = [draw for step in zip(*ranks, strict=True) for part in step for draw in part]
    whole = len(together)
    if continuing:
        assert together == list(range(whole))
    else:
        order = stream.epoch(0).tolist()
        assert together == (order * (whole // size + 1))[:whole]
    if drop_last:
        assert whole == size // (batch * world) * batch * world
    elif world > 1:
        assert size <= whole < size + batch * world
    else:
        assert whole == size


@settings(max_examples=60, deadline=None)
@given(size=st.integers(2, 60), data=st.data(), continuing=st.booleans())
def test_any_world_size_goes_on_where_another_stopped(size, data, continuing):
    stream = Counting(size) if continuing else ShuffledStream(size, seed=1)
    batch, world = data.draw(st.integers(1, 4)), data.draw(st.sampled_from([1, 2, 3]))
    first = Epoch(number=0, start=0, size=size, batch_size=batch, world_size=world, continuing=continuing)
    steps = data.draw(st.integers(0, first.num_batches))
    consumed = first.consumed_after(steps)
    other = data.draw(st.sampled_from([1, 2, 4]))
    ranks = [
        delivered(
            Epoch(
                number=0, start=0, size=size, consumed=consumed, batch_size=batch, rank=rank, world_size=other,
                continuing=continuing,
            ),
            stream,
        )
        for rank in range(other)
    ]  # fmt: skip
    rest = [draw for step in zip(*ranks, strict=True) for part in step for draw in part]
    order = list(range(size + 200)) if continuing else stream.epoch(0).tolist() * 40
    assert rest == order[consumed : consumed + len(rest)]
    assert consumed + len(rest) >= size


@pytest.mark.parametrize("continuing", [True, False], ids=["drawn", "plain"])
def test_block_borders_do_not_show(continuing):
    size = 20_000
    stream = Counting(size) if continuing else SequentialStream(size)
    epoch = Epoch(number=0, start=0, size=size, batch_size=3_000, continuing=continuing)
    assert [draw for batch in delivered(epoch, stream) for draw in batch] == list(range(size))
