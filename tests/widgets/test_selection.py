"""Selected samples as intervals of the grid, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.widgets.grid._selection import MAX_INTERVALS, NOTHING, Selection

SHOWN = np.array([50, 40, 30, 20, 10])


@pytest.mark.parametrize(
    ("uids", "intervals"),
    [
        ([], ()),
        ([30], ((2, 3),)),
        ([40, 50], ((0, 2),)),
        ([10, 50, 30, 20], ((0, 1), (2, 5))),
        ([99], ()),
        ([99, 10], ((4, 5),)),
    ],
    ids=["none", "one", "neighbors", "two runs", "not shown", "partly shown"],
)
def test_samples_are_intervals_of_the_grid(uids, intervals):
    assert Selection.of(np.array(uids, np.int64), SHOWN).intervals == intervals


def test_every_copy_of_a_selected_sample_is_in_an_interval():
    assert Selection.of(np.array([7]), np.array([7, 8, 7, 7])).intervals == ((0, 1), (2, 4))


def test_a_token_is_of_the_samples_alone():
    assert Selection.of(np.array([30]), SHOWN).token == Selection.of(np.array([30]), SHOWN[::-1]).token


def test_another_selection_has_another_token():
    tokens = {Selection.of(np.array(uids), SHOWN).token for uids in ([30], [40], [30, 40])}
    assert len(tokens | {NOTHING.token}) == 4


def test_of_very_many_intervals_the_first_are_kept():
    selection = Selection.at(np.arange(3), np.arange(0, 2 * MAX_INTERVALS + 2, 2))
    assert len(selection.intervals) == MAX_INTERVALS
    assert selection.intervals[-1] == (2 * MAX_INTERVALS - 2, 2 * MAX_INTERVALS - 1)
