"""What a browser sends is checked before anything is done with it."""

from __future__ import annotations

import math

import pytest

from penstock.widgets.requests import _checks as check


def _read(one, value):
    return check.check_arguments({"value": value}, {"value": one})["value"]


@pytest.mark.parametrize(
    ("one", "value", "read"),
    [
        (check.integer(0, 9), 9, 9),
        (check.integer(0, 9), 3.0, 3),
        (check.number(0, 1), 0.25, 0.25),
        (check.number(0, 1), 1, 1.0),
        (check.text(5), "Ödem😀", "Ödem😀"),
        (check.text(5, pattern="[0-9]+"), "123", "123"),
        (check.choice("iid", "deck"), "deck", "deck"),
        (check.array(check.integer(0, 9), 3), [1, 2], [1, 2]),
        (check.mapping(share=check.number(0, 1)), {"share": 0.5}, {"share": 0.5}),
        (check.maybe(check.integer(0, 9)), None, None),
    ],
)
def test_a_good_value_passes(one, value, read):
    assert _read(one, value) == read


@pytest.mark.parametrize(
    ("one", "value", "expected"),
    [
        (check.integer(0, 9), 10, "a whole number from 0 to 9"),
        (check.integer(0, 9), -1, "a whole number from 0 to 9"),
        (check.integer(0, 9), 2.5, "a whole number from 0 to 9"),
        (check.integer(0, 9), True, "a whole number from 0 to 9"),
        (check.integer(0, 9), "3", "a whole number from 0 to 9"),
        (check.integer(0, 9), math.nan, "a whole number from 0 to 9"),
        (check.number(0, 1), math.inf, "a number from 0 to 1"),
        (check.number(0, 1), math.nan, "a number from 0 to 1"),
        (check.number(0, 1), False, "a number from 0 to 1"),
        (check.text(3), "four", "at most 3 characters"),
        (check.text(9), 4, "text"),
        (check.text(9), "\ud800", "text"),
        (check.text(9, pattern="[0-9]+"), "12a", "text like"),
        (check.choice("iid"), "once", "one of iid"),
        (check.choice("iid"), ["iid"], "one of iid"),
        (check.array(check.integer(0, 9), 2), [1, 2, 3], "a list of at most 2 items"),
        (check.array(check.integer(0, 9), 2), [1, "x"], r"'value\[1\]'"),
        (check.array(check.integer(0, 9), 2), {"0": 1}, "a list"),
        (check.mapping(share=check.number(0, 1)), {"shares": 0.5}, "has no argument 'shares'"),
    ],
)
def test_a_bad_value_is_named_with_what_was_expected(one, value, expected):
    with pytest.raises(check.BadRequestError, match=expected):
        _read(one, value)


@pytest.mark.parametrize("arguments", [None, [], "text", 7])
def test_arguments_must_be_named(arguments):
    with pytest.raises(check.BadRequestError, match="named arguments"):
        check.check_arguments(arguments, {})


def test_a_missing_argument_is_named():
    with pytest.raises(check.BadRequestError, match="is missing the argument 'size'"):
        check.check_arguments({}, {"size": check.integer(0, 9)})


def test_an_optional_argument_left_out_is_none():
    assert check.check_arguments({}, {"mode": check.maybe(check.choice("iid"))}) == {"mode": None}
