"""Weights of strata out of those of clauses, by hand; numbers as they are written."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.sampling import Clause, SamplingSpec
from penstock.sampling.spec._combine import combined_weights, ineffective
from penstock.sampling.spec._number_text import number_text

# strata that match none, the second, the first, and both of two clauses
MATCHES = np.array([[False, False, True, True], [False, True, False, True]])


def spec(*weights, **options):
    return SamplingSpec(clauses=tuple(Clause(f"c{i}", weight) for i, weight in enumerate(weights)), **options)


@pytest.mark.parametrize(
    ("combine", "expected"),
    [("max", [0, 2, 3, 3]), ("sum", [0, 2, 3, 5]), ("product", [1, 2, 3, 6])],
)
def test_weights_are_combined_by_the_rule(combine, expected):
    assert combined_weights(MATCHES, spec(3, 2, combine=combine)).tolist() == expected


def test_a_cap_is_on_what_was_combined():
    assert combined_weights(MATCHES, spec(3, 2, combine="product", cap=4)).tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("weights", "options", "expected"),
    [
        ((3, 2), {}, ()),
        ((3, 0), {"combine": "max"}, (1,)),
        ((3, 1), {"combine": "product"}, (1,)),
        ((3, 2), {"combine": "product", "cap": 1}, (0, 1)),
    ],
    ids=["both count", "zero", "one", "capped"],
)
def test_a_clause_without_which_nothing_changes_is_ineffective(weights, options, expected):
    assert ineffective(MATCHES, spec(*weights, **options)) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (20.0, "20"),
        (0.1, "0.1"),
        (-3.0, "-3"),
        (1e15, "1000000000000000"),
        (1e16, "1e+16"),
        (1 / 3, "0.3333333333333333"),
    ],
    ids=str,
)
def test_a_number_is_written_as_short_as_it_reads_back(value, text):
    assert number_text(value) == text
    assert float(text) == value
