"""Random trees: text and back, and runs that end in a result or in a TQL error."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import tql
from tests.tql.conftest import outcome, small_table
from tests.tql.queries import Trees

TABLE = small_table()


@settings(max_examples=200, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_tree_written_out_parses_to_itself(rng):
    tree = Trees(rng).query()
    text = tql.unparse(tree)
    assert tql.parse(text) == tree
    laid_out = tql.format_query(text)
    assert tql.parse(laid_out) == tree
    assert tql.format_query(laid_out) == laid_out


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(2, 8))])
def test_a_random_query_ends_in_rows_or_a_tql_error(seed):
    rng = random.Random(seed)
    found = [outcome(lambda: tql.run(tql.unparse(Trees(rng).query()), TABLE)) for _ in range(500)]
    results = [each for each in found if isinstance(each, tql.QueryResult)]
    assert len(results) > 25
    for result in results:
        assert all(len(column) == result.num_rows for column in (result.columns or {}).values())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(1, 4))])
def test_a_random_condition_keeps_each_row_or_its_negation(seed):
    rng = random.Random(seed)
    compared = 0
    for _ in range(1_500):
        condition = tql.unparse(Trees(rng).expression(3))
        kept = outcome(lambda condition=condition: tql.run(f"select * where {condition}", TABLE))
        left = outcome(lambda condition=condition: tql.run(f"select * where not ({condition})", TABLE))
        assert isinstance(kept, Exception) == isinstance(left, Exception)
        if isinstance(kept, tql.QueryResult) and "random()" not in condition:
            compared += 1
            assert sorted([*kept.selection.rows, *left.selection.rows]) == [0, 1, 2, 3, 4, 5]
    assert compared > 50
