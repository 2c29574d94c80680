from __future__ import annotations

import numpy as np
import pytest

from penstock.sampling import SamplingSpec, Strata
from penstock.sampling._spec import Clause


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
