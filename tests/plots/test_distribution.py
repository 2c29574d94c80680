from __future__ import annotations

import pytest

from penstock import plots

NAMES = ["cat", "dog"]


def test_bars_are_in_the_order_given():
    (bars,) = plots.class_histogram(["dog", "cat"], [10, 165]).data
    assert (list(bars.x), list(bars.y)) == (["dog", "cat"], [10, 165])


@pytest.mark.parametrize(
    "draw", [plots.class_histogram, lambda names, counts: plots.sampled_histogram(names, counts, counts)]
)
def test_no_classes_make_empty_bars(draw):
    assert {len(trace.y) for trace in draw([], []).data} == {0}


def test_axis_names_the_unit():
    assert plots.class_histogram(NAMES, [1, 2], unit="images").layout.yaxis.title.text == "images"
    assert plots.sampled_histogram(NAMES, [1, 2], [1, 2], unit="images").layout.yaxis.title.text == "images per epoch"


def test_whiskers_reach_from_low_to_high():
    fig = plots.sampled_histogram(NAMES, [165, 10], [87.5, 87.5], [75, 80], [100, 90])
    whiskers = fig.data[1].error_y
    assert list(whiskers.arrayminus) == [12.5, 7.5]
    assert list(whiskers.array) == [12.5, 2.5]


@pytest.mark.parametrize(("low", "high"), [(None, None), ([1, 1], None), (None, [2, 2])], ids=["none", "low", "high"])
def test_half_a_band_draws_no_whiskers(low, high):
    fig = plots.sampled_histogram(NAMES, [1, 2], [1, 2], low, high)
    assert fig.data[1].error_y.array is None


def test_raw_bars_have_no_whiskers():
    fig = plots.sampled_histogram(NAMES, [1, 2], [1, 2], [1, 1], [2, 3])
    assert fig.data[0].error_y.array is None


@pytest.mark.parametrize("position", [0, 1, 2, 3], ids=["raw", "expected", "low", "high"])
def test_sampled_histogram_refuses_another_number_of_classes(position):
    values = [[1, 2], [1, 2], [1, 2], [1, 2]]
    values[position] = [1, 2, 3]
    with pytest.raises(ValueError, match=r"has shape \(3,\)[;.] .xpected \(2\)"):
        plots.sampled_histogram(NAMES, *values)


def test_batches_have_a_stack_per_class():
    fig = plots.batch_composition(NAMES, [[15, 1], [16, 0], [14, 2]])
    assert fig.layout.barmode == "stack"
    assert [(trace.name, list(trace.y)) for trace in fig.data] == [("cat", [15, 16, 14]), ("dog", [1, 0, 2])]


def test_batches_of_another_number_of_classes_are_refused():
    with pytest.raises(ValueError, match=r"counts has shape \(1, 3\)[;.] .xpected \(any, 2\)"):
        plots.batch_composition(NAMES, [[1, 2, 3]])


def test_names_that_fit_have_no_text_under_the_pointer():
    (bars,) = plots.class_histogram(NAMES, [1, 2]).data
    assert bars.hovertext is None
