"""Places in a text, in code points and in UTF-16 units."""

from __future__ import annotations

import pytest

from penstock.tql.writing._offsets import Offsets

TEXT = "aé漢😀b😀"  # one unit each, but two for each 😀


@pytest.mark.parametrize(("position", "unit"), [(0, 0), (3, 3), (4, 5), (5, 6), (6, 8)])
def test_offsets_convert_both_ways(position, unit):
    places = Offsets(TEXT)
    assert places.to_utf16(position) == unit == len(TEXT[:position].encode("utf-16-le")) // 2
    assert places.from_utf16(unit) == position


def test_offsets_take_a_place_inside_a_pair_for_the_place_before_it():
    assert Offsets(TEXT).from_utf16(4) == 3


def test_offsets_stay_inside_the_text():
    assert Offsets(TEXT).from_utf16(99) == 6
