"""Grouping by weights and label sets, and pools with repeats."""

from __future__ import annotations

import math

import numpy as np
import pytest

from penstock.errors import SamplingError
from penstock.sampling import ClassCounts, SamplingSpec, Strata
from tests.sampling.conftest import spec_of


def test_weights_of_rows_are_drawn_in_proportion():
    weights = np.array([0.0, 1.0, 3.0, 1.0, 5.0])
    plan = Strata.from_weights(weights).with_spec(SamplingSpec(size=200_000))
    seen = np.bincount(plan.stream().epoch(0), minlength=5)
    assert seen[0] == 0
    assert seen / 200_000 == pytest.approx(weights / 10, abs=0.005)
    assert plan.num_drawable == 4


@pytest.mark.statistical
def test_a_million_weights_all_different_follow_their_law():
    rng = np.random.default_rng(0)
    weights = rng.lognormal(0, 2, 1_000_000)
    plan = Strata.from_weights(weights).with_spec(SamplingSpec(size=3_000_000))
    seen = np.bincount(plan.stream().epoch(0), minlength=len(weights))
    groups = np.digitize(weights, np.quantile(weights, np.linspace(0, 1, 201)[1:-1]))
    drawn, law = np.bincount(groups, seen), np.bincount(groups, weights) / weights.sum() * 3_000_000
    statistic = ((drawn - law) ** 2 / law).sum()
    assert 199 - 4 * math.sqrt(398) < statistic < 199 + 4 * math.sqrt(398)


@pytest.fixture(scope="module")
def binned():
    """Return 20,002 weights, two of them 0, and their plan."""
    rng = np.random.default_rng(1)
    weights = np.concatenate([[0.0, 0.0], rng.lognormal(0, 1, 20_000)])
    labels = ClassCounts.from_labels(rng.integers(0, 3, len(weights)))
    return weights, Strata.from_weights(weights, labels=labels).with_spec(SamplingSpec())


def test_statistics_of_many_weights_are_binned(binned):
    weights, plan = binned
    arrays = plan.statistics()
    assert len(arrays["sizes"]) <= 4096
    assert arrays["sizes"].sum() == len(weights)
    assert arrays["sizes"] @ arrays["weights"] == pytest.approx(weights.sum(), rel=1e-12)
    assert arrays["weights"][0] == 0


def test_statistics_of_many_weights_keep_the_shares_within_their_error(binned):
    weights, plan = binned
    arrays = plan.statistics()
    assert 0 < plan.bin_error < math.expm1(math.log(weights[2:].max() / weights[2:].min()) / 4095)
    owner = np.repeat(np.arange(len(arrays["sizes"])), np.diff(arrays["class_offsets"]))
    shares = np.bincount(arrays["class_ids"], arrays["weights"][owner] * arrays["rows_with_class"]) / weights.sum()
    assert shares == pytest.approx(plan.histogram(unit="samples").share, rel=plan.bin_error)


def test_label_sets_are_sets_whatever_the_order_or_the_count():
    lists = [[0, 1], [1, 0], [0, 0, 1], [2], [], [2, 2]]
    strata = Strata.from_labels(ClassCounts.from_lists(lists, class_names=("a", "b", "c", "unused")))
    same = {tuple(np.flatnonzero(strata.ids == number)) for number in range(strata.num_strata)}
    assert same == {(0, 1, 2), (3, 5), (4,)}
    assert strata.expressions == ("contains(labels, 'a')", "contains(labels, 'b')", "contains(labels, 'c')")
    for number in range(strata.num_strata):
        member = lists[int(strata.rows[strata.offsets[number]])]
        assert strata.matches[:, number].tolist() == [label in member for label in range(3)]


@pytest.mark.real_data
def test_nih_has_801_label_sets(nih):
    strata = Strata.from_labels(nih)
    assert strata.num_strata == 801
    plan = Strata.from_weights(1 / strata.sizes[strata.ids], labels=nih).with_spec(SamplingSpec())
    assert plan.total_weight == pytest.approx(801)
    assert plan.effective_sample_size == pytest.approx(1630.8, abs=0.05)
    assert plan.coverage(1).share[0] == pytest.approx(0.11057, abs=5e-6)


def test_repeated_rows_are_one_row_of_summed_weight_for_coverage():
    rows = np.array([4, 7, 4, 4, 9])
    strata = Strata.from_masks({"True": np.ones(5, bool)}, labels=ClassCounts.from_labels([0, 1, 0, 0, 2]), rows=rows)
    coverage = strata.with_spec(spec_of({"True": 1}, size=3)).coverage(1)
    assert coverage.num_rows == 3
    assert coverage.unique[0] == pytest.approx(3 - (1 - 0.6) ** 3 - 2 * (1 - 0.2) ** 3)
    for mode in ("deck", "once"):
        with pytest.raises(SamplingError, match="twice"):
            strata.with_spec(spec_of({"True": 1}, mode=mode))


@pytest.mark.parametrize(
    ("weights", "complaint", "hint"),
    [
        ([1, 2], "2 weights for 3 samples", "class weights"),
        ([1] * 5, "5 weights for 3 samples", None),
        ([1, -2, 3], "weight -2.0 of sample 1", "leaves a sample out"),
        ([1, 2, math.nan], "weight nan of sample 2", None),
        ([math.inf, 2, 3], "weight inf of sample 0", None),
        ([[1, 2, 3]], "shape", None),
        (["a", "b", "c"], "not numbers", None),
    ],
)
def test_weights_that_are_none_are_named(weights, complaint, hint):
    labels = ClassCounts.from_labels([0, 1, 1])
    with pytest.raises(SamplingError, match=complaint) as caught:
        Strata.from_weights(weights, labels=labels)
    assert hint is None or hint in caught.value.hint


def test_all_zero_weights_of_rows_cannot_be_drawn():
    with pytest.raises(SamplingError, match="all 3 samples have weight 0"):
        Strata.from_weights([0, 0, 0]).with_spec(SamplingSpec()).stream()


@pytest.fixture
def plan_of_duplicates():
    masks = [np.array([True, False]), np.array([True, False]), np.ones(2, bool)]
    strata = Strata.from_masks(masks, expressions=("a", "a", "True"))
    return strata.with_spec(SamplingSpec(clauses=tuple(spec_of({"a": 5}).clauses) * 2 + spec_of({"True": 1}).clauses))


def test_duplicate_clauses_are_kept(plan_of_duplicates):
    assert plan_of_duplicates.weights.tolist() == [1, 5]


def test_duplicate_clauses_are_reported(plan_of_duplicates):
    assert plan_of_duplicates.ineffective_clauses == (0, 1)


@pytest.mark.parametrize("by", ["masks", "weights"])
def test_parts_join_to_the_strata_of_the_whole(by):
    rng = np.random.default_rng(3)
    lists = [rng.integers(0, 3, number).tolist() for number in rng.integers(0, 3, 500)]
    masks = {str(number): rng.random(500) < 0.3 for number in range(4)}
    weights = rng.choice([0.5, 1.0, 3.0, 7.0], 500)

    def strata(rows):
        labels = ClassCounts.from_lists([lists[row] for row in rows], class_names=("a", "b", "c"))
        if by == "weights":
            return Strata.from_weights(weights[rows], labels=labels)
        return Strata.from_masks({name: mask[rows] for name, mask in masks.items()}, labels=labels)

    whole = strata(range(500))
    joined = Strata.concatenate([strata(range(7)), strata(range(7, 300)), strata(range(300, 500))])
    assert joined.fingerprint == whole.fingerprint
    assert np.array_equal(joined.rows, whole.rows)
    spec = SamplingSpec() if by == "weights" else spec_of(dict.fromkeys(masks, 2.0))
    for name, array in joined.with_spec(spec).statistics().items():
        assert np.array_equal(array, whole.with_spec(spec).statistics()[name])


def test_parts_of_other_clauses_are_refused():
    with pytest.raises(SamplingError, match="Expected the same clauses"):
        Strata.concatenate([Strata.from_masks({"a": [True]}), Strata.from_masks({"b": [True]})])
    with pytest.raises(SamplingError, match="there are no parts"):
        Strata.concatenate([])


@pytest.mark.parametrize("count", [1, 5, 12, 13, 30])
def test_patterns_of_many_clauses_are_grouped_in_order(count):
    rng = np.random.default_rng(count)
    masks = rng.random((count, 400)) < 0.2
    strata = Strata.from_masks(list(masks))
    patterns = sorted({tuple(column) for column in masks.T.tolist()})
    assert [tuple(column) for column in strata.matches.T.tolist()] == patterns
    assert np.array_equal(strata.matches[:, strata.ids], masks)
    assert strata.sizes.tolist() == [masks.T.tolist().count(list(pattern)) for pattern in patterns]


def test_rows_are_sorted_in_chunks_as_at_once(monkeypatch):
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 7, 1000).astype(np.uint8)
    monkeypatch.setattr("penstock.sampling.pool._grouping._SORT_CHUNK", 64)
    strata = Strata(ids=ids, sizes=np.bincount(ids), matches=np.zeros((0, 7), bool))
    assert np.array_equal(strata.rows, np.argsort(ids, kind="stable"))
    assert strata.rows.dtype == np.int32


def test_an_empty_pool_has_statistics_but_no_draws():
    strata = Strata.from_masks({"a": np.zeros(0, bool)}, labels=ClassCounts.from_lists([], class_names=("x",)))
    plan = strata.with_spec(spec_of({"a": 1}))
    assert all(len(array) <= 1 for array in plan.statistics().values())
    with pytest.raises(SamplingError, match="the pool is empty"):
        plan.stream()


def test_weights_beyond_a_float_are_named():
    plan = Strata.from_weights([1e308, 1e308]).with_spec(SamplingSpec())
    with pytest.raises(SamplingError, match="more than a float64 holds"):
        plan.stream()


@pytest.mark.parametrize("seed", range(4))
def test_clauses_that_ask_for_classes_group_rows_as_their_masks_do(seed):
    rng = np.random.default_rng(seed)
    lists = [rng.choice(30, size=rng.integers(0, 4), replace=True).tolist() for _ in range(500)]
    labels = ClassCounts.from_lists(lists, class_names=tuple(map(str, range(31))))  # the last class has no row
    classes = [*rng.permutation(31).tolist(), None, 3]
    names = [f"clause {place}" for place in range(len(classes))]
    masks = [np.array([one is None or one in row for row in lists]) for one in classes]
    expected = Strata.from_masks(masks, labels=labels, expressions=names)
    found = Strata.from_classes(labels, classes, expressions=names)
    assert found.fingerprint == expected.fingerprint
    assert (found.expressions, found.ids.tolist()) == (expected.expressions, expected.ids.tolist())


def test_clauses_that_ask_for_classes_of_no_rows_are_no_strata():
    labels = ClassCounts.from_lists([], class_names=("a", "b"))
    assert Strata.from_classes(labels, [0, None], expressions=("a", "True")).num_strata == 0
