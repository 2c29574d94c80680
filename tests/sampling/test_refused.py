"""What callers pass and cannot be meant: every door says what was expected, before anything is done."""

from __future__ import annotations

import math

import numpy as np
import pytest

from penstock.errors import InfeasibleTargetsError, LoaderStateError, SamplingError
from penstock.sampling import (
    ClassCounts,
    SamplingSpec,
    SequentialStream,
    ShuffledStream,
    Strata,
    TorchBatchSampler,
    TorchSampler,
    batch_composition,
    epochs_by_imbalance,
    imbalanced_subset,
    times_seen_table,
)
from tests.sampling.conftest import spec_of

LABELS = ClassCounts.from_labels([0, 0, 0, 1], class_names=["car", "bus"])
PLAN = Strata.from_labels(LABELS).with_spec(spec_of({"True": 1}))
WITHOUT_LABELS = Strata.from_weights([1, 2]).with_spec(SamplingSpec())

NO_COUNTS = [0, -1, 1.5, math.nan, math.inf, True, "3", None]
COUNTS = {
    "coverage": ("num_epochs", PLAN.coverage),
    "simulate": ("num_epochs", lambda value: PLAN.simulate(value, 2)),
    "runs": ("num_runs", lambda value: PLAN.simulate(1, value)),
    "composition": ("batch_size", lambda value: batch_composition(SequentialStream(4), LABELS, value)),
    "sampler": ("batch_size", lambda value: TorchSampler(PLAN, batch_size=value)),
    "batch sampler": ("batch_size", lambda value: TorchBatchSampler(PLAN, value)),
    "imbalance": ("num_majority", lambda value: epochs_by_imbalance(value, (1.0,))),
}


@pytest.mark.parametrize("value", NO_COUNTS, ids=repr)
@pytest.mark.parametrize(("name", "call"), COUNTS.values(), ids=COUNTS)
def test_a_count_is_a_whole_number_of_at_least_one(name, call, value):
    with pytest.raises(SamplingError, match=rf"{name} is .*\. Expected a whole number of at least 1"):
        call(value)


@pytest.mark.parametrize("value", [value for value in NO_COUNTS if value is not None], ids=repr)
@pytest.mark.parametrize(
    "call",
    [PLAN.histogram, PLAN.moments, lambda value: PLAN.coverage(1, num_draws=value)],
    ids=["histogram", "moments", "coverage"],
)
def test_draws_of_an_epoch_are_a_whole_number_of_at_least_one(call, value):
    with pytest.raises(SamplingError, match=r"num_draws is .*\. Expected a whole number of at least 1"):
        call(value)


@pytest.mark.parametrize("value", [-1, 1.5, math.nan, True, "3", None], ids=repr)
@pytest.mark.parametrize(
    "call",
    [ShuffledStream, SequentialStream, lambda value: times_seen_table(SequentialStream(4), LABELS, value)],
    ids=["shuffled", "sequential", "times seen"],
)
def test_a_number_that_may_be_zero_is_a_whole_number_too(call, value):
    with pytest.raises(SamplingError, match=r"(size|num_epochs) is .*\. Expected a whole number of at least 0"):
        call(value)


def test_a_whole_number_may_be_a_float_or_of_numpy():
    assert len(PLAN.coverage(2.0).unique) == len(PLAN.coverage(np.int32(2)).unique) == 2


@pytest.mark.parametrize("value", [0, 1, 2, -0.5, math.nan, "0.5", None], ids=repr)
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("level", lambda value: PLAN.histogram(level=value)),
        ("level", lambda value: PLAN.coverage(1, level=value)),
        ("quantile", lambda value: PLAN.coverage(1).epochs_to_cover(1, [value])),
    ],
    ids=["histogram", "coverage", "quantile"],
)
def test_a_probability_is_between_zero_and_one(name, call, value):
    with pytest.raises(SamplingError, match=rf"{name} is .*\. Expected a number between 0 and 1"):
        call(value)


@pytest.mark.parametrize("value", [0, 1.01, -1, math.nan, "all", None], ids=repr)
def test_a_share_to_cover_is_above_zero_and_at_most_one(value):
    with pytest.raises(SamplingError, match=r"share is .*\. Expected a number in \(0, 1\]"):
        PLAN.coverage(1).epochs_to_cover(value)


@pytest.mark.parametrize("ratios", [(), (0,), (1, 0.001), (math.nan,), (math.inf,), (-1,), ("x",)], ids=repr)
def test_ratios_leave_a_minority_sample(ratios):
    with pytest.raises(SamplingError, match="Expected numbers that leave at least one minority sample"):
        epochs_by_imbalance(165, ratios)


@pytest.mark.parametrize(
    "call",
    [PLAN.histogram, PLAN.moments, lambda unit: PLAN.solve_targets({"bus": 0.5}, unit=unit)],
    ids=["histogram", "moments", "targets"],
)
def test_a_unit_is_one_of_two(call):
    with pytest.raises(SamplingError, match=r"unit is 'boxes'. Expected 'instances' or 'samples'"):
        call(unit="boxes")


def test_a_population_is_one_of_two():
    with pytest.raises(SamplingError, match=r"of is 'all'. Expected 'pool' or 'drawable'"):
        PLAN.coverage(1).epochs_to_cover(1, of="all")


@pytest.mark.parametrize("name", ["histogram", "moments", "covariance"])
def test_classes_are_counted_only_where_there_are_labels(name):
    with pytest.raises(SamplingError, match="these strata have no labels to count"):
        getattr(WITHOUT_LABELS, name)()


OTHER_LENGTHS = {
    "expressions": (
        lambda: Strata.from_masks([[True]], expressions=("a", "b")),
        "2 expressions for 1 masks. Expected one expression for each mask",
    ),
    "labels": (
        lambda: Strata.from_masks({"True": [True]}, labels=LABELS),
        "labels of 4 samples for a pool of 1. Expected labels of every sample",
    ),
    "rows": (
        lambda: Strata.from_masks({"True": [True]}, rows=[1, 2]),
        "2 row numbers for a pool of 1. Expected one for every sample",
    ),
    "offsets": (
        lambda: ClassCounts(values=np.array([0]), offsets=np.array([0, 2]), class_names=("a",)),
        "offsets do not describe 1 values. Expected 0 first and 1 last",
    ),
}


@pytest.mark.parametrize(("call", "message"), OTHER_LENGTHS.values(), ids=OTHER_LENGTHS)
def test_lengths_fit_each_other(call, message):
    with pytest.raises(SamplingError, match=message):
        call()


@pytest.mark.parametrize("labels", [[[0], [1]], [0.5], [True], ["car"]], ids=repr)
def test_one_label_a_row_is_a_class_index(labels):
    with pytest.raises(SamplingError, match="Expected one class index per row"):
        ClassCounts.from_labels(labels)


@pytest.mark.parametrize("labels", [[["car"]], [0, 1], [[None]], [[0], 1]], ids=repr)
def test_lists_of_labels_hold_class_indices(labels):
    with pytest.raises(SamplingError, match="Expected a list of whole numbers for each row"):
        ClassCounts.from_lists(labels)


def test_a_class_index_fits_into_64_bits():
    with pytest.raises(SamplingError, match="a class index does not fit into 64 bits"):
        ClassCounts.from_lists([[2**70]])


def test_classes_without_names_are_numbered_up_to_a_bound():
    with pytest.raises(SamplingError, match=r"class index 1000000000. Expected less than 10,000,000"):
        ClassCounts.from_labels([10**9])


def test_a_subset_is_of_rows_with_one_label_each():
    with pytest.raises(SamplingError, match="Expected exactly one label per row"):
        imbalanced_subset(ClassCounts.from_lists([[0], [0, 1]]), {"0": 1})


def test_a_sampler_has_something_to_draw():
    with pytest.raises(SamplingError, match="the stream has no draws"):
        TorchSampler(ShuffledStream(0))


@pytest.mark.parametrize("epoch", [-1, 1.0, True, "1", None], ids=repr)
@pytest.mark.parametrize("sampler", [TorchSampler(PLAN), TorchBatchSampler(PLAN, 2)], ids=["samples", "batches"])
def test_an_epoch_is_a_whole_number_of_at_least_zero(sampler, epoch):
    with pytest.raises(SamplingError, match=r"set_epoch\(.*\). Expected a whole number of at least 0"):
        sampler.set_epoch(epoch)


@pytest.mark.parametrize("value", ["3", None, -3, 1.5, math.nan, True], ids=repr)
@pytest.mark.parametrize("name", ["epoch", "start", "position"])
def test_numbers_of_a_state_are_whole_numbers_of_at_least_zero(name, value):
    sampler = TorchSampler(PLAN)
    with pytest.raises(LoaderStateError, match=rf"'{name}' of the state is .*\. Expected a whole number of at least 0"):
        sampler.load_state_dict({**sampler.state_dict(), name: value})


@pytest.mark.parametrize("name", ["epoch", "start", "position"])
def test_a_state_is_complete(name):
    sampler = TorchSampler(PLAN)
    state = {key: value for key, value in sampler.state_dict().items() if key != name}
    with pytest.raises(LoaderStateError, match=f"'{name}' of the state is None"):
        sampler.load_state_dict(state)


def test_a_state_begins_before_its_position():
    sampler = TorchSampler(PLAN)
    with pytest.raises(LoaderStateError, match="the state is at position 2 of an epoch that began at 4"):
        sampler.load_state_dict({**sampler.state_dict(), "start": 4, "position": 2})


@pytest.mark.parametrize("state", [None, 3, "state", [1]], ids=repr)
def test_a_state_is_a_dictionary(state):
    with pytest.raises(LoaderStateError, match=r"Expected the dictionary that state_dict\(\) returned"):
        TorchSampler(PLAN).load_state_dict(state)


@pytest.mark.parametrize("value", [0, -1, math.nan], ids=repr)
def test_a_limit_of_repeats_is_above_zero(value):
    with pytest.raises(SamplingError, match=r"max_repeats is .*. Expected draws of one sample per epoch, above 0"):
        PLAN.solve_targets({"bus": 0.5}, unit="samples", max_repeats=value)


def test_targets_leave_samples_to_draw():
    with pytest.raises(InfeasibleTargetsError, match="no sample is left") as caught:
        PLAN.solve_targets({"car": 0, "bus": 0}, unit="samples")
    assert caught.value.classes == ("car", "bus")
