"""Random orders, the fast ways held against the rule they follow."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.sampling import SamplingSpec, Strata
from penstock.sampling.random._keyed import KeyedOrder, keyed_places_of
from penstock.sampling.random._permute import shuffled, sorted_order
from penstock.sampling.random._philox import words
from penstock.sampling.streams._deck import _positions_of_few
from penstock.sampling.streams._once import OnceStream


def placed_by_hand(number, keys, count):
    """Where a number goes: a Feistel network, walked until the result is below `count`."""
    bits = max((count - 1).bit_length(), 2)
    low_bits = bits // 2
    while True:
        high, low = number >> low_bits, number & ((1 << low_bits) - 1)
        for round_number, key in enumerate(keys):
            mixed = (low if round_number % 2 else high) ^ key
            mixed = mixed * 0x85EBCA6B & 0xFFFFFFFF
            mixed = (mixed ^ (mixed >> 15)) * 0xC2B2AE35 & 0xFFFFFFFF
            mixed ^= mixed >> 16
            if round_number % 2:
                high ^= mixed & ((1 << (bits - low_bits)) - 1)
            else:
                low ^= mixed & ((1 << low_bits) - 1)
        number = (high << low_bits) | low
        if number < count:
            return number


# the last ones are too long for tables
@pytest.mark.parametrize("count", [1, 2, 3, 5, 513, 1 << 16, 900_000, 1 << 20, (1 << 28) - 5, (1 << 28) + 1, 1 << 33])
def test_keyed_orders_are_the_network_of_the_docstring(count):
    raw = words(3, (9, 0, 0), 0, 6)
    keys = [int(word) & 0xFFFFFFFF for word in raw]
    which = np.unique(np.linspace(0, count - 1, 40).astype(np.int64))
    by_hand = [placed_by_hand(number, keys, count) for number in which.tolist()]
    assert KeyedOrder(raw, count).places(which).tolist() == by_hand
    assert KeyedOrder(raw, count).places(np.tile(which, 900))[-len(which) :].tolist() == by_hand


def test_many_keyed_orders_at_once_are_each_by_itself():
    counts = np.array([513, 2000, 513, 100_000])
    keys = words(5, (9, 0, 0), 0, 24).reshape(6, 4).astype(np.uint32)
    owner = np.repeat(np.arange(4), [3, 700, 500, 1])
    which = np.concatenate([[0, 5, 512], np.arange(700), np.arange(500), [99_999]])
    told = keyed_places_of(keys, counts, owner, which)
    alone = [
        KeyedOrder(keys[:, one], int(count)).places(which[owner == one]) for one, count in enumerate(counts.tolist())
    ]
    assert np.array_equal(told, np.concatenate(alone))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=80), st.integers(0, 63))
def test_a_sorted_order_is_stable_however_alike_the_keys_are(keys, shift):
    """Shifted keys are alike in their upper bits, or altogether."""
    keys = np.array(keys, np.uint64) >> np.uint64(shift)
    expected = sorted(range(len(keys)), key=lambda place: (int(keys[place]), place))
    assert sorted_order(keys).tolist() == expected


@pytest.mark.parametrize("top_bits", [0, 4, 64], ids=["all alike", "16 values", "all bits"])
def test_a_long_sorted_order_is_stable(top_bits):
    keys = words(8, (1, 0, 0), 0, 100_000)
    keys = keys >> np.uint64(64 - top_bits) if top_bits else np.zeros_like(keys)
    assert np.array_equal(sorted_order(keys), np.argsort(keys, kind="stable"))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.integers(0, 2**64 - 1), st.integers(0, 32))
def test_a_few_strata_get_the_positions_that_sorting_all_gives(counts, seed, alike):
    """Also where keys are equal: `alike` of their 32 bits are cleared."""
    length = sum(counts)
    raw = words(seed, (1, 2, 3), 0, length) >> np.uint64(32 + alike) << np.uint64(32)
    order = shuffled(raw, length)
    ends = np.cumsum(counts)
    expected = [sorted(order[end - count : end].tolist()) for count, end in zip(counts, ends, strict=True)]
    assert [places.tolist() for places in _positions_of_few(raw, counts)] == expected


def random_stream(seed):
    """A stream of any mode over strata of very unequal sizes and weights, some of weight 0."""
    rng = np.random.default_rng(seed)
    number = int(rng.choice([1, 2, 5, 9, 40]))
    total = int(rng.choice([20, 600, 3000]))
    ids = rng.choice(number, total, p=rng.dirichlet(np.full(number, 0.4)))
    weights = rng.choice([0.0, 1.0, 3.0, 20.0], number) * (1 + np.arange(number) * 1e-9)
    weights[ids[0]] = 1.0
    mode = str(rng.choice(["iid", "deck", "once"]))
    most = int((weights[ids] > 0).sum()) if mode == "once" else 2 * total
    size = int(rng.integers(1, most + 1))
    interleave = "smooth" if mode == "deck" and rng.random() < 0.5 else "shuffled"
    spec = SamplingSpec(mode=mode, interleave=interleave, size=size, seed=seed, replace=mode != "once")
    return lambda: Strata.from_weights(weights[ids]).with_spec(spec).stream(), size, rng


@pytest.mark.parametrize("seed", range(40))
def test_a_slice_is_its_positions_one_by_one(seed):
    fresh, size, rng = random_stream(seed)
    start = int(rng.integers(0, 3 * size + 1))
    stop = start + int(rng.integers(1, 2 * size + 1))
    whole = fresh().slice(start, stop)
    stream = fresh()
    for position in rng.integers(start, stop, 25).tolist():
        assert stream.slice(position, position + 1).tolist() == [whole[position - start]]
    steps = [start, *np.sort(rng.integers(start, stop, 6)).tolist(), stop]
    assert np.array_equal(np.concatenate([stream.slice(*pair) for pair in pairwise(steps)]), whole)


@pytest.mark.parametrize("size", [1, 299, 300])
def test_once_takes_the_smallest_keys_in_the_order_of_their_words(size):
    """By hand from the words, rows of weight 0 never; at 300 it is all that have a weight."""
    weights = np.repeat([1.0, 4.0, 0.0], [200, 100, 50])
    strata = Strata.from_weights(weights)
    spec = SamplingSpec(mode="once", size=size, replace=False, seed=6)
    stream = strata.with_spec(spec).stream()
    assert isinstance(stream, OnceStream)
    drawn = (words(6, (4, 2, 0), 0, 350) >> np.uint64(11)) * 2.0**-53
    keys = np.where(weights > 0, -np.log1p(-drawn) / np.where(weights > 0, weights, 1), np.inf)
    chosen = np.sort(np.argsort(keys, kind="stable")[:size])
    assert stream.epoch(2).tolist() == chosen[np.argsort(words(6, (5, 2, 0), 0, size), kind="stable")].tolist()
