from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.sampling import SamplingSpec, Strata
from penstock.sampling.pool._grouping import compact, rows_by_stratum
from penstock.sampling.pool._masking import group_masks
from penstock.sampling.spec._spec import Clause


@pytest.mark.parametrize("num_masks", [1, 5], ids=["one rare group", "more rare groups than are looked for singly"])
def test_groups_met_only_at_the_end_have_their_clauses(num_masks):
    num_rows, patterns = 200_000, 2**num_masks
    codes = np.zeros(num_rows, np.int64)
    codes[-patterns:] = np.arange(patterns)
    masks = [(codes >> (num_masks - 1 - bit)) & 1 == 1 for bit in range(num_masks)]
    clauses = tuple(Clause(expression=f"m{bit}", weight=2.0**bit) for bit in range(num_masks))
    plan = Strata.from_masks({clause.expression: mask for clause, mask in zip(clauses, masks, strict=True)}).with_spec(
        SamplingSpec(clauses=clauses, combine="sum")
    )
    assert plan.strata.sizes.tolist() == [num_rows - patterns + 1, *[1] * (patterns - 1)]
    by_hand = [
        sum(2.0**bit for bit in range(num_masks) if code >> (num_masks - 1 - bit) & 1) for code in range(patterns)
    ]
    assert plan.weights.tolist() == by_hand


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 14),
    st.integers(0, 300),
    st.floats(0, 1),
    st.tuples(st.integers(1, 64), st.integers(1, 12)),
    st.integers(0, 2**32 - 1),
)
def test_groups_are_the_distinct_patterns_in_order(num_masks, num_rows, share, at_once, seed):
    rng = np.random.default_rng(seed)
    masks = [rng.random(num_rows) < share for _ in range(num_masks)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("penstock.sampling.pool._masking._CHUNK", at_once[0])
        patched.setattr("penstock.sampling.pool._masking._MASKS_AT_ONCE", at_once[1])
        ids, sizes, first = group_masks(masks, num_rows)
    patterns = [tuple(bool(mask[row]) for mask in masks) for row in range(num_rows)]
    ordered = sorted(set(patterns))
    assert ids.tolist() == [ordered.index(pattern) for pattern in patterns]
    assert sizes.tolist() == [patterns.count(pattern) for pattern in ordered]
    assert first.tolist() == [patterns.index(pattern) for pattern in ordered]


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 70), st.integers(1, 400), st.floats(0, 1), st.integers(1, 64), st.integers(0, 2**32 - 1))
def test_rows_are_in_the_order_of_a_stable_sort_by_stratum(num_strata, num_rows, share, chunk, seed):
    rng = np.random.default_rng(seed)
    ids = np.where(rng.random(num_rows) < share, num_strata // 2, rng.integers(0, num_strata, num_rows))
    sizes = np.bincount(ids, minlength=num_strata)
    with pytest.MonkeyPatch.context() as patched:
        for name, times in (("_COUNT_CHUNK", 1), ("_SPLIT_CHUNK", 1), ("_APART_CHUNK", 3), ("_SORT_CHUNK", 2)):
            patched.setattr(f"penstock.sampling.pool._grouping.{name}", times * chunk)
        rows = rows_by_stratum(compact(ids, num_strata), sizes)
    assert rows.tolist() == sorted(range(num_rows), key=lambda row: (ids[row], row))
