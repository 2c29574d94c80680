"""What plans, forecasts and solutions say of themselves: repr, frames, shares."""

from __future__ import annotations

import pytest

from penstock.sampling import ClassCounts, SamplingSpec, Strata, TorchBatchSampler, TorchSampler
from tests.sampling.conftest import spec_of

LABELS = ClassCounts.from_labels([0, 0, 0, 1], class_names=["car", "bus"])


def plan(**options):
    return Strata.from_labels(LABELS).with_spec(spec_of({"True": 1}, **options))


def test_a_plan_is_shown_with_its_samples_and_options():
    shown = repr(plan(mode="deck", seed=7, size=2000))
    assert shown == "SamplingPlan(4 samples in 1 stratum, 2,000 draws an epoch, mode='deck', seed=7)"


def test_strata_are_counted_in_the_plural():
    shown = repr(Strata.from_weights([1, 2]).with_spec(SamplingSpec()))
    assert shown == "SamplingPlan(2 samples in 2 strata, 2 draws an epoch, mode='iid', seed=0)"


def test_the_ceiling_of_coverage_is_the_share_with_weight():
    assert Strata.from_weights([0, 1, 1, 1]).with_spec(SamplingSpec()).coverage(1).ceiling == 0.75


def test_moments_of_independent_draws_are_those_of_the_binomial():
    mean, variance = plan().moments(8)
    assert mean.tolist() == pytest.approx([6, 2])
    assert variance.tolist() == pytest.approx([8 * 0.75 * 0.25] * 2)


def test_a_solution_is_a_frame_of_one_row_per_class():
    frame = plan().solve_targets({"bus": 0.5}).to_pandas()
    assert frame.index.tolist() == ["car", "bus"]
    assert frame["share"].tolist() == pytest.approx([0.5, 0.5])
    # three cars weigh as much as one bus
    assert frame["weight"]["bus"] / frame["weight"]["car"] == pytest.approx(3)


def test_a_sampler_is_its_own_sampler():
    sampler = TorchSampler(plan())
    assert sampler.sampler is sampler


def test_the_sampler_of_a_batch_sampler_gives_its_rows_one_by_one():
    batches = TorchBatchSampler(plan(size=12), 2, rank=1, world_size=2)
    expected = plan(size=12).stream().slice(0, 12).reshape(3, 2, 2)[:, 1].reshape(-1).tolist()
    assert (list(batches.sampler), len(batches.sampler)) == (expected, 6)


def test_a_batch_sampler_has_no_other_attributes():
    with pytest.raises(AttributeError, match="'TorchBatchSampler' object has no attribute 'nothing'"):
        _ = TorchBatchSampler(plan(), 2).nothing
