"""The closed forms against draws of the real stream."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import SamplingError
from penstock.sampling import ClassCounts
from tests.sampling.conftest import plan_of

MODES = ["iid", "deck", "once"]


def several_labels(num_rows=1000, most=1):
    rng = np.random.default_rng(4)
    has = rng.random((num_rows, 4)) < (0.6, 0.3, 0.15, 0.04)
    counts = rng.integers(1, most + 1, has.shape) * has
    return ClassCounts.from_lists([np.repeat(np.arange(4), row) for row in counts], class_names=tuple("abcd"))


RUNS = 400


@pytest.fixture(scope="module", params=MODES)
def simulated(request):
    """Return a plan and 400 runs of four epochs of its stream."""
    plan = plan_of(several_labels(most=4), {"d": 6, "c": 2, "True": 1}, mode=request.param, size=500)
    return plan, plan.simulate(4, RUNS, seed=1)


@pytest.mark.statistical
@pytest.mark.parametrize("unit", ["instances", "samples"])
def test_bars_are_what_is_drawn(simulated, unit):
    plan, drawn = simulated
    counts, bars = getattr(drawn, unit), plan.histogram(unit=unit)
    error = 4 * np.sqrt(bars.variance / RUNS)
    bias = 0.01 * bars.expected * (plan.spec.mode == "once")
    assert (np.abs(counts.mean(axis=0) - bars.expected) <= error + bias).all()
    assert counts.var(axis=0, ddof=1) == pytest.approx(bars.variance, rel=0.35)


@pytest.mark.statistical
def test_curves_are_what_is_drawn(simulated):
    plan, drawn = simulated
    curve = plan.coverage(4)
    spread = np.sqrt(np.maximum(curve._law.unseen(np.arange(1, 5))[1], 1e-9))
    error = 4 * spread / np.sqrt(RUNS) + (1 if plan.spec.mode == "once" else 1e-9)
    assert (np.abs(drawn.unique.mean(axis=0) - curve.unique) <= error).all()


@pytest.mark.statistical
@pytest.mark.parametrize("mode", ["iid", "deck"])
def test_bands_hold_as_often_as_they_say(mode):
    """For classes with a variance of at least 25, as the normal band promises."""
    plan = plan_of(several_labels(), {"d": 6, "c": 2, "True": 1}, mode=mode, size=1500)
    bars = plan.histogram(unit="samples")
    wide = bars.variance >= 25
    counts = plan.simulate(1, 2000, seed=2).samples
    inside = ((counts >= bars.low) & (counts <= bars.high)).mean(axis=0)
    assert wide.any()
    assert (inside[wide] >= 0.93).all()
    assert (inside[wide] <= 0.97).all()


@pytest.mark.statistical
def test_exact_bands_of_small_counts_hold_at_least():
    plan = plan_of(several_labels(), {"d": 1, "True": 1}, size=100)
    bars = plan.histogram(unit="samples")
    counts = plan.simulate(1, 3000, seed=3).samples
    inside = ((counts >= bars.low) & (counts <= bars.high)).mean(axis=0)
    small = bars.expected < 25
    assert small.any()
    assert (inside[small] >= 0.945).all()


@pytest.mark.statistical
def test_the_band_of_coverage_holds(article):
    curve = article().coverage(6)
    unique = article().simulate(6, 2000, seed=4).unique
    inside = ((unique >= curve.low) & (unique <= curve.high)).mean(axis=0)
    assert (inside >= 0.94).all()
    assert (inside[:3] <= 0.97).all()


@pytest.mark.statistical
def test_epochs_until_all_have_the_promised_quantiles(article):
    until = article().simulate(24, 1500, seed=5).epochs_until_all
    assert until.mean() == pytest.approx(11.22, abs=0.2)
    assert np.quantile(until, (0.05, 0.5, 0.95)).tolist() == [8, 11, 16]


@pytest.mark.statistical
@pytest.mark.parametrize("mode", MODES)
def test_times_seen_are_what_is_drawn(article, mode):
    plan = article(mode=mode, size=120)
    drawn = plan.simulate(5, 300, seed=6).times_seen
    width = drawn.shape[1]
    promised = plan.coverage().times_seen(5, max_times=width - 1).cdf
    assert np.abs(drawn - promised).max() < 0.02


def test_runs_are_the_streams_of_their_seeds(article):
    one, again, other = (article().simulate(2, 3, seed=seed).unique.tolist() for seed in (1, 1, 2))
    assert one == again != other


def test_progress_is_reported_for_every_epoch_of_every_run(article):
    told = []
    article().simulate(2, 3, progress=lambda done, total: told.append((done, total)))
    assert told == [(number, 6) for number in range(1, 7)]


def test_progress_may_stop_it(article):
    told = []

    def stop(done, _total):
        told.append(done)
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        article().simulate(2, 3, progress=stop)
    assert told == [1, 2]


def test_a_progress_bar_can_be_shown(article, capsys):
    article().simulate(1, 2, progress=True)
    assert "simulating" in capsys.readouterr().err


def test_no_runs_are_refused(article):
    with pytest.raises(SamplingError, match="num_runs is 0"):
        article().simulate(2, 0)


def test_a_simulation_is_a_table(article):
    frame = article().simulate(3, 2).to_pandas()
    assert frame.shape == (2, 3)
    assert frame.columns.name == "epoch"
