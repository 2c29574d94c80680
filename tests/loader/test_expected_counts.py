"""What delivered draws should hold of each class, by hand."""

from __future__ import annotations

import pytest

from penstock.loader.accounts._expected_counts import Delivered, expected_counts
from penstock.loader.sources._planned import Armed
from penstock.sampling import ClassCounts, SamplingSpec, Strata

LABELS = ClassCounts.from_labels([0, 0, 0, 1], class_names=["often", "rare"])


def counts(draws, *, mode=None, first=None, shuffled=True):
    plan = None
    if mode is not None:
        plan = Strata.from_weights([1, 1, 1, 3], labels=LABELS).with_spec(SamplingSpec(mode=mode, size=4))
    part = Delivered(None if plan is None else Armed.of(0, plan))
    part.draws, part.first = draws, first
    return [values.tolist() for values in expected_counts([part], LABELS, shuffled=shuffled)]


@pytest.mark.parametrize("shuffled", [True, False], ids=["shuffled", "in order"])
def test_whole_passes_have_exact_counts(shuffled):
    assert counts({0: 4, 1: 4}, shuffled=shuffled) == [[6, 2]] * 3


def test_a_begun_pass_in_order_may_hold_all_or_nothing_of_a_class():
    assert counts({0: 4, 1: 2}, shuffled=False) == [[4.5, 1.5], [3, 1], [6, 2]]


def test_a_begun_pass_that_is_shuffled_is_a_sample_without_replacement():
    """2 of 4 rows: a variance of 3/16 a row, times 2 * 2 / 3; for the often 1.5 ± 3.48 * 0.5, rounded outward."""
    assert counts({0: 2}) == [[1.5, 0.5], [0, 0], [4, 1]]


def test_independent_draws_add_up_over_epochs():
    """Half of the weight is of the rare row: 20 of 40 draws, however they are spread over epochs."""
    assert counts({0: 4, 1: 36}, mode="iid")[0] == pytest.approx([20, 20])
    assert counts({0: 4, 1: 36}, mode="iid") == counts({5: 40}, mode="iid")


def test_a_deck_read_without_a_gap_has_its_quotas_exactly():
    assert counts({0: 4, 1: 4}, mode="deck", first=0) == [[4, 4]] * 3


def test_epochs_without_replacement_have_every_row_once():
    assert counts({0: 4, 3: 4}, mode="once") == [[6, 2]] * 3


def test_nothing_delivered_is_nothing_expected():
    assert counts({0: 0}, mode="once") == [[0, 0]] * 3
