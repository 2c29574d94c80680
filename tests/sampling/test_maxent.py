"""Newton's method for wanted shares, against solutions by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from penstock.sampling.plan._maxent import Problem, solve


def share_of_first(target, *, sizes=(1.0, 1.0), limit=math.inf):
    """Return the solution that gives the first of two strata a share."""
    gaps = np.array([[1 - target], [-target]])
    return solve(Problem(sizes=np.array(sizes), gaps=gaps, directions=gaps, limit=limit))


@pytest.mark.parametrize("target", [0.01, 0.5, 0.9, 0.999])
def test_two_strata_have_the_share_that_was_asked(target):
    solution = share_of_first(target)
    assert solution.converged
    assert solution.masses.tolist() == pytest.approx([target, 1 - target])


def test_the_multiplier_is_the_log_of_the_ratio_of_weights():
    """A share of 3/4 in strata of 1 and 3 rows: a row of the first weighs 9 times as much."""
    solution = share_of_first(0.75, sizes=(1.0, 3.0))
    assert solution.multipliers[0] == pytest.approx(math.log(9))


def test_a_limit_that_is_not_reached_changes_nothing():
    assert share_of_first(0.6, limit=0.9).masses.tolist() == pytest.approx([0.6, 0.4])


def test_a_share_beyond_the_limit_is_not_met():
    solution = share_of_first(0.6, limit=0.5)
    assert not solution.converged


def test_a_share_of_one_is_not_met_by_finite_weights():
    assert not share_of_first(1.5).converged
