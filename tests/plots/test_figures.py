"""Figures hold the numbers they are given, and nothing heavier."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from penstock import plots
from penstock.sampling import (
    ClassCounts,
    SequentialStream,
    Strata,
    batch_composition,
    epochs_by_imbalance,
    epochs_to_cover,
    inverse_frequency,
)

LABELS = ClassCounts.from_labels([0] * 165 + [1] * 10, class_names=("Siamese", "Birman"))
PLAN = Strata.from_labels(LABELS).with_spec(inverse_frequency(LABELS))


def test_the_raw_histogram_has_a_bar_per_class():
    fig = plots.class_histogram(LABELS.class_names, LABELS.instances, unit="samples")
    assert list(fig.data[0].x) == ["Siamese", "Birman"]
    assert list(fig.data[0].y) == [165, 10]
    assert fig.layout.yaxis.title.text == "samples"


def test_the_sampled_histogram_shows_the_band_as_whiskers():
    bars = PLAN.histogram()
    fig = plots.sampled_histogram(bars.class_names, bars.raw, bars.expected, bars.low, bars.high)
    raw, sampled = fig.data
    assert list(raw.y) == [165, 10]
    assert list(sampled.y) == pytest.approx([87.5, 87.5])
    assert np.asarray(sampled.y) + sampled.error_y.array == pytest.approx(bars.high)
    assert np.asarray(sampled.y) - sampled.error_y.arrayminus == pytest.approx(bars.low)


def test_batches_are_stacked():
    batches = batch_composition(SequentialStream(175), LABELS, 16)
    fig = plots.batch_composition(batches.class_names, batches.counts)
    assert fig.layout.barmode == "stack"
    assert [sum(trace.y) for trace in fig.data] == [165, 10]


def test_times_seen_are_steps():
    seen = PLAN.coverage(1).times_seen(1)
    fig = plots.times_seen_ecdf(seen.class_names, seen.cdf)
    assert [trace.name for trace in fig.data] == ["Siamese", "Birman"]
    assert fig.data[0].line.shape == "hv"
    assert list(fig.data[1].y) == pytest.approx(seen.cdf[1])


def test_coverage_is_drawn_with_its_band():
    curve = PLAN.coverage(10)
    rows = curve.num_rows
    fig = plots.coverage_curve({"iid": curve.share}, {"iid": curve.low / rows}, {"iid": curve.high / rows})
    band, line = fig.data
    assert list(line.x) == list(range(1, 11))
    assert list(line.y) == pytest.approx(curve.share)
    assert max(band.y) == pytest.approx(curve.high.max() / rows)


def test_the_density_shows_quantiles_beside_the_peak():
    law = epochs_to_cover(PLAN)
    fig = plots.epochs_to_cover_density(law.epochs, law.probability, law.quantiles)
    assert {note.text for note in fig.layout.annotations} == {"5 %", "50 %", "95 %", "99 %"}
    assert fig.data[0].x[int(np.argmax(fig.data[0].y))] == 10


def test_imbalance_has_a_curve_per_quantile():
    table = epochs_by_imbalance(165, (0.06, 1.0), (0.5, 0.95))
    fig = plots.coverage_by_imbalance(table.ratios, table.epochs, table.quantiles)
    assert [trace.name for trace in fig.data] == ["50 % sure", "95 % sure"]
    assert list(fig.data[0].y) == [11, 7]


def test_twenty_four_classes_look_different():
    fig = plots.times_seen_ecdf([str(number) for number in range(24)], np.ones((24, 2)))
    assert len({(trace.line.color, trace.line.dash) for trace in fig.data}) == 24


def test_figures_are_plain_json():
    json.loads(plots.class_histogram(["a<b>"], [1]).to_json())


def test_an_argument_of_the_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"counts has shape \(3,\); expected \(2\)"):
        plots.class_histogram(["a", "b"], [1, 2, 3])


def test_importing_plots_loads_no_plotly():
    code = "import sys, penstock.plots, penstock.sampling; print({'plotly', 'pandas', 'scipy', 'torch', 'tqdm'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
