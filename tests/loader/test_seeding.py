"""Generators of samples: functions of seed, epoch, position and purpose alone."""

from __future__ import annotations

import contextlib
import random

import numpy as np
import pytest

from penstock.loader.place._seeding import generator_of, global_state_kept, seed_global_state, words_of

OTHERS = {
    "seed": (1, 2, 3, "transform"),
    "high bits of the seed": (2**64, 2, 3, "transform"),
    "epoch": (0, 3, 3, "transform"),
    "position": (0, 2, 4, "transform"),
    "collate": (0, 2, 3, "collate"),
    "substitute": (0, 2, 3, "substitute"),
}


def test_a_generator_is_the_same_wherever_it_is_made():
    assert generator_of(7, 2, 3).random(5).tolist() == generator_of(7, 2, 3).random(5).tolist()


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_each_part_of_the_place_matters(other):
    *place, purpose = other
    assert words_of(*place, purpose=purpose) != words_of(0, 2, 3)


def test_words_are_as_many_as_asked_for():
    words = words_of(0, 0, 0, count=1000)
    assert len(set(words)) == 1000
    assert all(0 <= word < 2**64 for word in words)


def test_global_generators_are_those_of_the_sample():
    def drawn():
        with global_state_kept():
            seed_global_state(0, 1, 2)
            return random.random(), np.random.rand()  # noqa: NPY002  the global generator is what is tested

    assert drawn() == drawn()


def test_global_generators_have_their_state_back_after_an_error():
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002  the global generator is what is tested
    with contextlib.suppress(ZeroDivisionError), global_state_kept():
        seed_global_state(0, 1, 2)
        raise ZeroDivisionError
    assert random.getstate() == python
    assert np.random.get_state()[1].tolist() == numpy[1].tolist()  # noqa: NPY002  the global generator is what is tested
