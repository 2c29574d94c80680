"""Presets against their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import SamplingError, UnknownClassError
from penstock.sampling import (
    REFERENCES,
    ClassCounts,
    Strata,
    effective_number,
    inverse_frequency,
    repeat_factor,
    square_root,
    target_proportions,
)

PETS = ClassCounts.from_labels([0] * 165 + [1] * 10, class_names=("Siamese", "Birman"))
SEVERAL = ClassCounts.from_lists([[0]] * 60 + [[0, 1]] * 20 + [[2, 2]] * 5 + [[]] * 15, class_names=("a", "b", "c"))


def shares(labels, spec):
    return Strata.from_labels(labels).with_spec(spec).histogram(unit="samples").share


def test_inverse_frequency_draws_every_class_equally_often():
    assert shares(PETS, inverse_frequency(PETS)).tolist() == pytest.approx([0.5, 0.5])
    assert inverse_frequency(PETS).weights == (1.0, 16.5, 1.0)


def test_presets_follow_their_formulas_on_samples_with_the_class():
    counts = np.array([80, 20, 5])
    assert inverse_frequency(SEVERAL).weights == pytest.approx((*80 / counts, 1))
    assert square_root(SEVERAL).weights == pytest.approx((*np.sqrt(80 / counts), 1))
    number = (1 - 0.99**counts) / (1 - 0.99)
    assert effective_number(SEVERAL, 0.99).weights == pytest.approx((*(number[0] / number), 1))
    assert repeat_factor(SEVERAL, 0.5).weights == pytest.approx((1, np.sqrt(0.5 / 0.2), np.sqrt(0.5 / 0.05), 1))


def test_samples_without_a_class_stay_in():
    plan = Strata.from_labels(SEVERAL).with_spec(inverse_frequency(SEVERAL))
    assert plan.num_drawable == 100


def test_a_sample_takes_the_largest_weight_of_its_classes():
    plan = Strata.from_labels(SEVERAL).with_spec(inverse_frequency(SEVERAL))
    assert plan.weights[plan.strata.ids][[0, 70, 82, 99]].tolist() == [1, 4, 16, 1]


@pytest.mark.parametrize("wanted", [{"Siamese": 0.25, "Birman": 0.75}, {"Birman": 0.75}, {"Birman": 1}])
def test_target_proportions_are_met(wanted):
    drawn = shares(PETS, target_proportions(PETS, wanted))
    assert drawn[1] == pytest.approx(wanted["Birman"])


def test_options_go_into_the_spec():
    spec = inverse_frequency(PETS, mode="deck", seed=3, size=64)
    assert (spec.mode, spec.seed, spec.size) == ("deck", 3, 64)


def test_every_preset_has_its_reference():
    assert set(REFERENCES) == {"inverse_frequency", "square_root", "effective_number", "repeat_factor"}


@pytest.mark.parametrize(
    ("make", "error", "complaint"),
    [
        (lambda: target_proportions(SEVERAL, {"a": 1}), SamplingError, "no label or several"),
        (lambda: target_proportions(PETS, {"Siamese": 0.9, "Birman": 0.3}), SamplingError, "add up to 1.2"),
        (lambda: target_proportions(PETS, {"Siames": 0.9}), UnknownClassError, "did you mean 'Siamese'"),
        (lambda: target_proportions(PETS, {"Siamese": -1}), SamplingError, "share of 'Siamese' is -1"),
        (lambda: effective_number(PETS, 1.0), SamplingError, "beta is 1.0"),
        (lambda: repeat_factor(PETS, 0), SamplingError, "threshold is 0"),
        (lambda: inverse_frequency(ClassCounts.from_lists([[], []])), SamplingError, "no sample has a class"),
    ],
)
def test_bad_input_is_named(make, error, complaint):
    with pytest.raises(error, match=complaint):
        make()
