"""Wanted shares: against raking, by hand, and where they cannot be had."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from penstock.errors import InfeasibleTargetsError, SamplingError, UnknownClassError
from penstock.sampling import ClassCounts, SamplingSpec, Strata
from tests.sampling.conftest import spec_of

RARE = {"Hernia": 0.05, "Pneumonia": 0.05, "Fibrosis": 0.05, "Edema": 0.05, "Emphysema": 0.05}


def equal_weights(labels):
    return Strata.from_labels(labels).with_spec(spec_of({"True": 1}))


def several_labels(seed=0, num_rows=2000, chances=(0.5, 0.3, 0.1, 0.02), most=1):
    rng = np.random.default_rng(seed)
    has = rng.random((num_rows, len(chances))) < chances
    counts = rng.integers(1, most + 1, has.shape) * has
    lists = [np.repeat(np.arange(len(chances)), row) for row in counts]
    return ClassCounts.from_lists(lists, class_names="abcd"[: len(chances)])


def raked(labels, targets, sweeps=2000):
    """Iterative proportional fitting, one class after the other."""
    has = np.zeros((labels.num_rows, labels.num_classes), bool)
    has[np.repeat(np.arange(labels.num_rows), np.diff(labels.offsets)), labels.values] = True
    weights = np.full(labels.num_rows, 1 / labels.num_rows)
    for _ in range(sweeps):
        for name, share in targets.items():
            member = has[:, labels.class_names.index(name)]
            now = weights[member].sum()
            weights = np.where(member, weights * share / now, weights * (1 - share) / (1 - now))
    return weights


def test_newton_gives_the_weights_of_raking():
    labels = several_labels()
    targets = {"a": 0.3, "c": 0.4, "d": 0.2}
    plan = equal_weights(labels)
    solved = plan.strata.label_sets.with_spec(plan.solve_targets(targets, unit="samples").spec)
    ours = solved.probabilities[solved.strata.ids]
    assert np.abs(ours / raked(labels, targets) - 1).max() < 1e-6


@pytest.fixture(scope="module")
def nih_targets(nih):
    """Return the solution for five rare diseases and 'No Finding', and the plan with its weights."""
    targets = equal_weights(nih).solve_targets({**RARE, "No Finding": 0.4}, unit="samples")
    return targets, Strata.from_labels(nih).with_spec(targets.spec)


@pytest.mark.real_data
def test_nih_targets_are_met(nih, nih_targets):
    targets, solved = nih_targets
    shares = solved.histogram(unit="samples").share
    for name, share in RARE.items():
        assert shares[nih.class_names.index(name)] == pytest.approx(share, abs=1e-9)
    assert shares.tolist() == pytest.approx(targets.shares.tolist(), abs=1e-9)


@pytest.mark.real_data
def test_nih_targets_tell_the_repeats_of_their_plan(nih_targets):
    targets, solved = nih_targets
    assert targets.effective_sample_size == pytest.approx(solved.effective_sample_size, rel=1e-9)
    assert targets.max_repeats == pytest.approx(solved.probabilities.max() * 112120, rel=1e-9)


@pytest.mark.real_data
def test_nih_targets_tell_which_other_classes_moved(nih, nih_targets):
    targets, solved = nih_targets
    assert {one.class_name for one in targets.moved}.isdisjoint({*RARE, "No Finding"})
    infiltration = next(one for one in targets.moved if one.class_name == "Infiltration")
    assert infiltration.before == pytest.approx(19894 / 112120)
    after = solved.histogram(unit="samples").share[nih.class_names.index("Infiltration")]
    assert infiltration.after == pytest.approx(after, abs=1e-9)


@pytest.mark.real_data
def test_nih_equal_shares_of_all_labels(nih):
    targets = equal_weights(nih).solve_targets(dict.fromkeys(nih.class_names, 1 / 15))
    bars = Strata.from_labels(nih).with_spec(targets.spec).histogram()
    assert bars.expected / bars.expected.sum() == pytest.approx(np.full(15, 1 / 15), abs=1e-9)


@pytest.fixture(scope="module")
def limited(nih):
    """Return the solution with at most 30 draws of a sample, and the plan with its weights."""
    targets = equal_weights(nih).solve_targets({**RARE, "No Finding": 0.4}, unit="samples", max_repeats=30)
    return targets, Strata.from_labels(nih).with_spec(targets.spec)


@pytest.mark.real_data
def test_a_limit_of_repeats_is_kept(limited):
    targets, solved = limited
    assert solved.probabilities.max() * 112120 == pytest.approx(30, rel=1e-9)
    assert targets.max_repeats == pytest.approx(30, rel=1e-9)


@pytest.mark.real_data
def test_targets_are_met_under_a_limit_of_repeats(nih, limited):
    shares = limited[1].histogram(unit="samples").share
    assert shares[nih.class_names.index("Hernia")] == pytest.approx(0.05, abs=1e-9)


@pytest.mark.real_data
def test_a_limit_too_low_names_the_share_each_class_can_have(nih):
    with pytest.raises(InfeasibleTargetsError, match=r"Hernia 5 %.*at most 2\.02 % with at most 10 draws") as caught:
        equal_weights(nih).solve_targets({**RARE, "No Finding": 0.4}, unit="samples", max_repeats=10)
    assert caught.value.classes == ("Hernia",)
    assert pytest.approx(0.0202, abs=1e-4) == 10 * 227 / 112120


@pytest.mark.real_data
@pytest.mark.parametrize("with_scipy", [True, False])
def test_an_infeasible_pair_is_named_with_its_numbers(nih, with_scipy, monkeypatch):
    if not with_scipy:
        found = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "scipy" else found(name))
    with pytest.raises(InfeasibleTargetsError) as caught:
        equal_weights(nih).solve_targets({"Mass": 0.05, "Hernia": 0.6, "No Finding": 0.5}, unit="samples")
    assert caught.value.classes == ("Hernia", "No Finding")
    assert "no sample has both, so together at most 100 %, asked 110 %" in str(caught.value)


def test_shares_of_instances_count_every_box():
    labels = several_labels(seed=3, most=5)
    targets = equal_weights(labels).solve_targets({"d": 0.3, "c": 0.3})
    bars = Strata.from_labels(labels).with_spec(targets.spec).histogram()
    shares = bars.expected / bars.expected.sum()
    assert shares[[2, 3]] == pytest.approx([0.3, 0.3], abs=1e-8)
    assert shares == pytest.approx(targets.shares, abs=1e-8)


def test_a_class_in_every_image_cannot_be_thinned():
    labels = ClassCounts.from_lists([[0, 1], [0, 2], [0, 1, 2]], class_names=("RBC", "WBC", "Platelets"))
    with pytest.raises(InfeasibleTargetsError) as caught:
        equal_weights(labels).solve_targets({"RBC": 0.5}, unit="samples")
    assert caught.value.classes == ("RBC",)
    assert "nearest shares differ in RBC 100 %" in str(caught.value)


def test_a_share_of_zero_leaves_the_class_out():
    labels = several_labels()
    targets = equal_weights(labels).solve_targets({"a": 0, "c": 0.5}, unit="samples")
    shares = Strata.from_labels(labels).with_spec(targets.spec).histogram(unit="samples").share
    assert shares[[0, 2]] == pytest.approx([0, 0.5], abs=1e-9)
    assert targets.weights[0] == 0


def test_shares_of_instances_above_one_are_infeasible():
    with pytest.raises(InfeasibleTargetsError, match="add up to 120 %"):
        equal_weights(several_labels()).solve_targets({"a": 0.6, "c": 0.6})


def test_mode_seed_and_size_go_into_the_new_spec():
    labels = several_labels()
    plan = Strata.from_labels(labels).with_spec(spec_of({"True": 1}, mode="deck", seed=7, size=500))
    spec = plan.solve_targets({"d": 0.3}).spec
    assert (spec.mode, spec.seed, spec.size, spec.combine) == ("deck", 7, 500, "product")
    assert SamplingSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize(
    ("targets", "error", "complaint"),
    [
        ({}, SamplingError, "no targets"),
        ({"e": 0.5}, UnknownClassError, "'e' is not a class"),
        ({"a": 5}, SamplingError, "share of 'a' is 5"),
        ({"a": -0.1}, SamplingError, "share of 'a' is -0.1"),
        ({"a": "x"}, SamplingError, "share of 'a' is 'x'"),
        ({"unused": 0.1}, InfeasibleTargetsError, "no sample of the pool has 'unused'"),
    ],
)
def test_targets_that_are_none_are_named(targets, error, complaint):
    labels = ClassCounts.from_lists([[0], [1], [0, 1]], class_names=("a", "b", "unused"))
    with pytest.raises(error, match=complaint):
        equal_weights(labels).solve_targets(targets)
