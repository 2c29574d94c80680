"""Figures hold the numbers they are given, and nothing heavier."""

from __future__ import annotations

import html
import json
import subprocess
import sys

import numpy as np
import pytest

from penstock import plots
from penstock._wording import escaped
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


AWKWARD = ["<b>bold</b>", "&lt;", "<a href='x'>y</a>", "a<br>b", "$x$", "%{x}", "a\nb", "\x1b[2J"]


@pytest.mark.parametrize("name", AWKWARD)
def test_names_are_text_in_every_figure(name):
    other = "dog"
    figures = [
        plots.class_histogram([name, other], [1, 2], unit=name, title=name),
        plots.sampled_histogram([name, other], [1, 2], [1, 2], [1, 2], [1, 2], unit=name, title=name),
        plots.batch_composition([name, other], [[1, 2]], title=name),
        plots.times_seen_ecdf([name, other], [[1, 1], [1, 1]], title=name),
        plots.coverage_curve({name: [0.5, 1.0]}, {name: [0.4, 1.0]}, {name: [0.6, 1.0]}, title=name),
    ]
    for fig in figures:
        texts = [fig.layout.title.text, fig.layout.yaxis.title.text]
        for trace in fig.data:
            texts += [trace.name, *(list(trace.x) if trace.type == "bar" and trace.x is not None else [])]
        for text in texts:
            assert not {"<", ">", "$", "\n", "\x1b"} & set(text)
            assert "&lt;" not in text.replace("&amp;lt;", "") or "<" in name
        assert html.unescape(fig.layout.title.text) == escaped(name)


@pytest.mark.parametrize(
    "names",
    [
        ["2024-01-01", "2024-02-01", "cat"],
        ["1", "2", "10"],
        ["1e5", "nan", "inf"],
        ["true", "false"],
        ["a", " a", "a ", "  a"],
        ["x" * 500 + "1", "x" * 500 + "2", "x" * 500 + "3"],
        ["1", "1.0", "01"],
        [" ", "  "],
    ],
    ids=["dates", "numbers", "floats", "booleans", "spaces", "long", "equal numbers", "blank"],
)
def test_every_class_has_a_place_of_its_own(names):
    counts = list(range(1, len(names) + 1))
    for fig in (plots.class_histogram(names, counts), plots.sampled_histogram(names, counts, counts)):
        assert fig.layout.xaxis.type == "category"
        for trace in fig.data:
            assert len({text.strip() for text in trace.x}) == len(names)
            assert list(trace.y) == counts
            assert all(0 < len(text) < 100 for text in trace.x)
    legend = [trace.name for trace in plots.batch_composition(names, [counts]).data]
    assert len(set(legend)) == len(names)


def test_a_name_that_was_cut_is_whole_under_the_pointer():
    (bars,) = plots.class_histogram(["x" * 500, "cat"], [1, 2]).data
    assert list(bars.hovertext) == ["x" * 500, ""]


def test_an_argument_of_the_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"counts has shape \(3,\). Expected \(2\)"):
        plots.class_histogram(["a", "b"], [1, 2, 3])


def test_importing_plots_loads_no_plotly():
    code = "import sys, penstock.plots, penstock.sampling; print({'plotly', 'pandas', 'scipy', 'torch', 'tqdm'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
