"""Memory of batches is used again only when nobody looks at it any more."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch

from penstock.loader import Loader
from penstock.loader.reading._batch_memory import BatchMemory


def address(array):
    return array.__array_interface__["data"][0]


def test_memory_comes_back_once_the_array_is_gone():
    memory = BatchMemory(2)
    first = memory.array((2, 3))
    place = address(first)
    del first
    again = memory.array((2, 3))
    assert address(again) == place
    assert address(memory.array((2, 3))) != place


@pytest.mark.parametrize(
    "view",
    [
        lambda array: array[1],
        lambda array: array[1][:, None].T[::-1],
        lambda array: memoryview(array),
        lambda array: torch.from_numpy(array),
        lambda array: torch.from_numpy(array)[1:].reshape(-1),
        lambda array: torch.from_numpy(array).numpy()[1],
        lambda array: np.asarray(array).view(np.int8)[0],
    ],
    ids=["row", "turned", "memoryview", "tensor", "tensor-view", "there-and-back", "other-type"],
)
def test_any_view_keeps_the_memory(view):
    memory = BatchMemory(2)
    array = memory.array((2, 3))
    place = address(array)
    kept = view(array)
    del array
    gc.collect(0)
    other = memory.array((2, 3))
    assert address(other) != place
    del kept
    gc.collect(0)
    assert place in {address(memory.array((2, 3))), address(memory.array((1,)))}


def test_too_small_memory_is_not_given():
    memory = BatchMemory(2)
    memory.array((4,))
    assert memory.array((100,)).shape == (100,)


@pytest.mark.parametrize("framework", ["numpy", "pytorch"])
def test_batches_that_are_kept_stay_what_they_were(table, framework):
    loader = getattr(Loader(table).batch(4), framework)()
    kept = [batch["images"] for batch in loader]
    slices = [batch["images"][1:2] for batch in loader]
    for _ in loader:
        pass
    assert [int(image[0, 0, 0]) for batch in kept for image in batch] == list(range(50))
    assert [int(part[0, 0, 0, 0]) for part in slices] == list(range(1, 50, 4))


def test_a_loop_that_lets_go_uses_the_same_memory(table):
    loader = Loader(table).batch(5).numpy(num_threads=1)
    places = {address(batch["images"]) for _ in range(4) for batch in loader}
    assert len(places) <= 6
