"""Options of presets, specs and targets that are no numbers or no options are refused in words."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import SamplingError, UnknownClassError
from penstock.sampling import (
    ClassCounts,
    SamplingSpec,
    Strata,
    effective_number,
    inverse_frequency,
    repeat_factor,
    square_root,
    target_proportions,
)

LABELS = ClassCounts.from_lists([[0], [0, 1], []], class_names=("cat", "dog"))
SINGLE = ClassCounts.from_labels([0, 1, 1], class_names=("cat", "dog"))

REFUSED = {
    "background as text": (lambda: inverse_frequency(LABELS, background="0.2"), "background is '0.2'"),
    "background of two": (lambda: square_root(LABELS, background=np.array([0.1, 0.2])), "background is array"),
    "beta as text": (lambda: effective_number(LABELS, beta="x"), "beta is 'x'"),
    "threshold of nothing": (lambda: repeat_factor(LABELS, threshold=None), "threshold is None"),
    "share as text": (lambda: target_proportions(SINGLE, {"cat": "half"}), "share of 'cat' is 'half'"),
    "shares in a list": (lambda: target_proportions(SINGLE, [0.5, 0.5]), "Expected a share for each class named"),
    "targets in a list": (
        lambda: Strata.from_labels(LABELS).with_spec(inverse_frequency(LABELS)).solve_targets([0.5]),
        "Expected a share for each class named",
    ),
    "an option of no spec": (lambda: inverse_frequency(LABELS, sead=3), "no option 'sead'.*did you mean 'seed'"),
    "clauses as an option": (lambda: target_proportions(SINGLE, {}, clauses=()), "no option 'clauses'"),
    "size as text": (lambda: SamplingSpec(size="many"), "size is 'many'"),
    "size of nan": (lambda: SamplingSpec(size=float("nan")), "size is nan"),
    "size without end": (lambda: SamplingSpec(size=float("inf")), "size is inf"),
    "half a draw": (lambda: SamplingSpec(size=1.5), "size is 1.5"),
    "cap as text": (lambda: SamplingSpec(combine="product", cap="x"), "cap is 'x'"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_number_or_no_option_is_refused_in_words(make, message):
    with pytest.raises(SamplingError, match=message):
        make()


def test_numbers_of_numpy_are_numbers():
    spec = inverse_frequency(LABELS, background=np.float32(0.5), size=np.int64(4))
    assert spec.size == 4
    assert spec.weights[-1] == pytest.approx(3.0)  # weights 1 and 2 of the labeled samples make half of the draws


def test_a_class_that_is_no_text_is_an_unknown_class():
    plan = Strata.from_labels(LABELS).with_spec(inverse_frequency(LABELS))
    with pytest.raises(UnknownClassError, match=r"1 is not a class of labels. Expected one of: cat, dog"):
        plan.solve_targets({1: 0.2})
