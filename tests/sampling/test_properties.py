"""What holds for every input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from penstock.sampling import ClassCounts, Clause, SamplingSpec, Strata
from penstock.sampling.random._alias import alias_table, outcomes, sides
from penstock.sampling.random._keyed import keyed_places
from penstock.sampling.random._permute import shuffled
from penstock.sampling.random._philox import words
from tests.sampling.conftest import pick

weights = hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1e6, allow_subnormal=False))


@settings(max_examples=200, deadline=None)
@given(weights.filter(lambda masses: masses.sum() > 0))
@example(np.array([2.2250738585072014e-308, 0.0, 0.0, 0.0]))
def test_an_alias_table_holds_exactly_the_probabilities(masses):
    threshold, alias = alias_table(masses)
    assert ((threshold >= 0) & (threshold <= 1)).all()
    held = np.bincount(np.arange(len(masses)), threshold, len(masses)) + np.bincount(alias, 1 - threshold, len(masses))
    assert held / len(masses) == pytest.approx(masses / masses.sum(), abs=1e-12)
    assert 0 <= pick(np.array([1 - 2.0**-53]), threshold, alias)[0] < len(masses)
    evenly = (np.arange(4096) + 0.5) / 4096
    assert masses[pick(evenly, threshold, alias)].min() > 0
    scratch = {"place": np.empty(4096), "limit": np.empty(4096), "below": np.empty(4096, bool)}
    side = sides(evenly, threshold, cell=np.empty(4096, np.int64), **scratch)
    assert np.array_equal(outcomes(alias)[side], pick(evenly, threshold, alias))


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 3000), st.integers(0, 2**64 - 1))
def test_keyed_places_are_a_permutation_for_every_length_and_key(count, seed):
    assert np.array_equal(
        np.sort(keyed_places(words(seed, (1, 0, 0), 0, 6), count, np.arange(count))), np.arange(count)
    )


@pytest.mark.parametrize("count", [1, 2, 10, 2047, 2048, 65_536])
def test_short_and_long_shuffles_sort_by_the_same_rule(count):
    raw = words(5, (1, 2, 3), 0, 2 * count)
    told = shuffled(raw, count).reshape(2, count)
    for row, part in zip(told, raw.reshape(2, count), strict=True):
        assert np.array_equal(row, np.lexsort((np.arange(count), part >> np.uint64(32))))


specs = st.builds(
    SamplingSpec,
    clauses=st.lists(st.builds(Clause, st.text("ab'\"\\ \n\0é😀", max_size=8), st.floats(0, 1e300)), max_size=4).map(
        tuple
    ),
    combine=st.sampled_from(["max", "sum", "product"]),
    size=st.none() | st.integers(1, 10**9),
    seed=st.integers(0, 2**128 - 1),
    mode=st.sampled_from(["iid", "deck", "once"]),
)


@settings(max_examples=80, deadline=None)
@given(specs)
def test_a_spec_survives_json(spec):
    assert SamplingSpec.from_json(spec.to_json()) == spec


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 3), max_size=4), min_size=1, max_size=30),
    st.lists(st.floats(0, 50), min_size=3, max_size=3),
    st.sampled_from(["max", "sum", "product"]),
)
def test_bars_are_sums_over_rows(lists, clause_weights, combine):
    labels = ClassCounts.from_lists(lists, class_names=tuple("abcd"))
    has = np.array([[label in row for label in range(3)] for row in lists])
    clauses = tuple(Clause(str(number), weight) for number, weight in enumerate(clause_weights))
    plan = Strata.from_masks(list(has.T), labels=labels).with_spec(
        SamplingSpec(clauses=clauses, combine=combine, size=10)
    )
    each = [[weight for yes, weight in zip(row, clause_weights, strict=True) if yes] for row in has]
    combined = {"max": lambda told: max(told, default=0), "sum": sum, "product": np.prod}[combine]
    by_row = np.array([combined(told) for told in each], float)
    if by_row.sum() == 0:
        return
    counts = np.array([[row.count(label) for label in range(4)] for row in lists], float)
    assert plan.histogram().expected == pytest.approx(10 * (by_row @ counts) / by_row.sum(), rel=1e-9, abs=1e-9)
    share = plan.coverage(1).unique[0]
    assert share == pytest.approx((1 - (1 - by_row / by_row.sum()) ** 10).sum(), rel=1e-9, abs=1e-9)
