from __future__ import annotations

import numpy as np
import pytest

from penstock import plots


def test_times_seen_have_a_step_per_class():
    fig = plots.times_seen_ecdf(["cat", "dog"], [[0.6, 0.9, 1.0], [0.0, 0.1, 1.0]])
    assert [list(trace.y) for trace in fig.data] == [[0.6, 0.9, 1.0], [0.0, 0.1, 1.0]]
    assert {trace.line.shape for trace in fig.data} == {"hv"}


def test_shares_are_written_in_percent():
    fig = plots.coverage_curve({"iid": [0.5]})
    assert fig.layout.yaxis.tickformat == ".0%"


def test_coverage_counts_epochs_from_1():
    (curve,) = plots.coverage_curve({"iid": [0.5, 0.75, 0.875]}).data
    assert list(curve.x) == [1, 2, 3]


@pytest.mark.parametrize(
    ("low", "high"),
    [(None, None), ({"iid": [0.4]}, None), (None, {"iid": [0.6]}), ({"deck": [0.4]}, {"deck": [0.6]})],
    ids=["none", "low alone", "high alone", "of another curve"],
)
def test_curve_without_both_ends_of_a_band_has_none(low, high):
    fig = plots.coverage_curve({"iid": [0.5]}, low, high)
    assert [trace.name for trace in fig.data] == ["iid"]


def test_band_runs_along_the_top_then_back_along_the_bottom():
    band, _ = plots.coverage_curve({"iid": [0.5, 0.7]}, {"iid": [0.4, 0.6]}, {"iid": [0.6, 0.8]}).data
    assert list(band.x) == [1, 2, 2, 1]
    assert list(band.y) == [0.6, 0.8, 0.6, 0.4]


def test_band_has_the_faded_color_of_its_curve():
    band, curve = plots.coverage_curve({"iid": [0.5]}, {"iid": [0.4]}, {"iid": [0.6]}).data
    red, green, blue = (int(curve.line.color[place : place + 2], 16) for place in (1, 3, 5))
    assert band.fillcolor == f"rgba({red}, {green}, {blue}, 0.18)"


def test_band_is_not_in_the_legend():
    band, curve = plots.coverage_curve({"iid": [0.5]}, {"iid": [0.4]}, {"iid": [0.6]}).data
    assert (band.showlegend, curve.showlegend) == (False, None)


def test_band_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"low\['iid'\] has shape \(1,\)[;.] .xpected \(2\)"):
        plots.coverage_curve({"iid": [0.5, 0.7]}, {"iid": [0.4]}, {"iid": [0.6, 0.8]})


def test_density_leaves_out_a_quantile_that_is_never_reached():
    fig = plots.epochs_to_cover_density([1, 2], [0.5, 0.5], {0.5: 1, 0.99: np.inf})
    assert [note.text for note in fig.layout.annotations] == ["50 %"]


def test_density_without_quantiles_has_bars_alone():
    fig = plots.epochs_to_cover_density([1, 2], [0.5, 0.5])
    assert (len(fig.data), len(fig.layout.shapes)) == (1, 0)


def test_density_of_unequal_lengths_is_refused():
    with pytest.raises(ValueError, match=r"probability has shape \(1,\)[;.] .xpected \(2\)"):
        plots.epochs_to_cover_density([1, 2], [1.0])


def test_imbalance_needs_a_column_per_quantile():
    with pytest.raises(ValueError, match=r"epochs has shape \(2, 1\)[;.] .xpected \(2, 2\)"):
        plots.coverage_by_imbalance([0.1, 1.0], [[11], [7]], (0.5, 0.95))


def test_imbalance_draws_each_column_over_the_ratios():
    fig = plots.coverage_by_imbalance([0.1, 1.0], [[11, 16], [7, 9]], (0.5, 0.95))
    assert [(list(trace.x), list(trace.y)) for trace in fig.data] == [([0.1, 1.0], [11, 7]), ([0.1, 1.0], [16, 9])]
