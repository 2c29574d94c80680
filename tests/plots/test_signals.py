from __future__ import annotations

import numpy as np
import pytest

from penstock import plots


def test_bars_count_samples_and_those_without_a_value_are_noted():
    fig = plots.signal_histogram([0, 1, 1, 4, np.nan, np.nan, np.inf], bins=4, name="<b>loss</b>")
    assert list(fig.data[0].y) == [1, 2, 0, 1]
    assert list(fig.data[0].x) == [0.5, 1.5, 2.5, 3.5]
    assert fig.layout.annotations[0].text == "2 samples without a value, 1 sample with an infinite one"
    assert fig.layout.xaxis.title.text == "&lt;b&gt;loss&lt;/b&gt;"


def test_edited_samples_are_stacked_on_top():
    fig = plots.signal_histogram([0, 0, 1], [False, True, False], bins=2)
    assert [(trace.name, list(trace.y)) for trace in fig.data] == [("as recorded", [1, 1]), ("edited since", [1, 0])]


@pytest.mark.parametrize("values", [[], [np.nan], [3.0, 3.0]])
def test_no_and_equal_values(values: list[float]):
    fig = plots.signal_histogram(values, bins=2)
    assert sum(fig.data[0].y) == np.isfinite(values).sum()


def test_wrong_arguments():
    with pytest.raises(ValueError, match="bins"):
        plots.signal_histogram([1.0], bins=0)
    with pytest.raises(ValueError, match="stale"):
        plots.signal_histogram([1.0], [True, False])
