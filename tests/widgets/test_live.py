"""A loader that the sliders reach while something trains on it."""

from __future__ import annotations

import gc
import threading
from types import SimpleNamespace

import numpy as np
import pytest

import penstock
from penstock.errors import SamplingError
from penstock.sampling import SamplingPlan
from penstock.widgets.live import _loop
from penstock.widgets.live._drawn import DrawnSoFar, Progress
from penstock.widgets.live._promise import promised_coverage
from tests.widgets.conftest import FrontEnd, labels_of

WEIGHED = "select * sample by max_weight(contains(labels, 'Cross'): 1, True: 1)"
BATCH = 8


@pytest.fixture(autouse=True)
def no_ticker(monkeypatch):
    """Looks happen when the test asks for one."""
    monkeypatch.setattr(_loop, "start_ticker", lambda _look: threading.Event())


@pytest.fixture
def explorer(ds):
    return penstock.explore(ds, query=WEIGHED)


def live_of(explorer):
    explorer.session.live.look()
    return explorer.session.live.told


def index_of(batches):
    return np.concatenate([np.asarray(batch["index"]) for batch in batches])


def test_without_weights_there_is_nothing_to_steer(ds):
    with pytest.raises(SamplingError, match="no SAMPLE BY"):
        penstock.explore(ds).loader(live=True)


def test_a_slider_takes_effect_at_the_next_batch(explorer):
    plain = explorer.loader(BATCH, "numpy", num_workers=0)
    expected = index_of(plain)
    loader = explorer.loader(BATCH, "numpy", live=True, num_workers=0)
    batches = iter(loader)
    before = [next(batches) for _ in range(5)]
    explorer.weights = [1000, 1]
    after = list(batches)
    start = loader.schedule.entries[-1].start
    drawn = index_of([*before, *after])
    assert start % BATCH == 0
    assert start >= 5 * BATCH
    np.testing.assert_array_equal(drawn[:start], expected[:start])
    new = explorer.plan.stream().slice(start, len(drawn))  # of the new weights alone, at the same positions
    np.testing.assert_array_equal(drawn[start:], explorer.session.run.pool[new])
    assert not np.array_equal(drawn[start:], expected[start:])
    live = live_of(explorer)
    assert [entry["weights"] for entry in live["entries"]] == [[1, 1], [1000, 1]]
    assert live["clauses"] == [{"label": "Cross", "class_index": 5}, {"label": "everything else", "class_index": None}]


def test_progress_is_what_was_handed_out(explorer):
    loader = explorer.loader(BATCH, "numpy", live=True, num_workers=0)
    assert (live_of(explorer)["state"], live_of(explorer)["batch"]) == ("ready", 0)
    batches = iter(loader)
    handed = [next(batches) for _ in range(3)]
    live = live_of(explorer)
    assert (live["state"], live["epoch"], live["batch"], live["num_batches"]) == ("training", 0, 3, len(loader))
    assert (live["position"], live["draws"]) == (3 * BATCH, 120)
    assert live["num_seen"] == len(np.unique(index_of(handed)))
    list(batches)
    drawn = list(loader)
    live = live_of(explorer)
    assert (live["epoch"], live["batch"]) == (1, len(loader))
    assert live["num_seen"] >= live["seen"][0] > 0
    labels = explorer.session.run.strata.labels
    rows = index_of(drawn)
    assert live["drawn"] == labels.take(rows).instances.tolist()


@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
def test_what_is_counted_is_what_the_loader_gave(ds, mode):
    explorer = penstock.explore(ds, query=WEIGHED.replace(": 1,", ": 4,"), mode=mode)
    loader = explorer.loader(BATCH, "numpy", live=True, num_workers=0, drop_last=mode == "deck")
    for _ in range(2):
        rows = index_of(loader)
        explorer.weights = [9, 1]
    more = iter(loader)
    rows = index_of([next(more) for _ in range(4)])
    live = live_of(explorer)
    assert live["drawn"] == explorer.session.run.strata.labels.take(rows).instances.tolist()
    assert (live["epoch"], live["batch"], len(live["seen"])) == (2, 4, 2)


def test_weights_of_other_clauses_reach_the_loader_too(explorer):
    loader = explorer.loader(BATCH, "numpy", live=True, num_workers=0)
    batches = iter(loader)
    next(batches)
    explorer.query = "select * sample by max_weight(contains(labels, 'Cross'): 1, contains(labels, 'Ring'): 7, True: 1)"
    next(batches)
    live = live_of(explorer)
    assert live["follows"]
    assert [one["label"] for one in live["clauses"]] == ["Cross", "everything else", "Ring"]
    assert [entry["weights"] for entry in live["entries"]] == [[1, 1, None], [1, 1, 7]]
    assert loader.weights == explorer.spec


def test_other_samples_do_not_reach_it_and_the_first_ones_do_again(explorer):
    loader = explorer.loader(BATCH, "numpy", live=True, num_workers=0)
    explorer.query = WEIGHED.replace("select *", "select * where contains(labels, 'Ring')").replace(": 1,", ": 9,")
    live = live_of(explorer)
    assert (live["follows"], live["why"]) == (False, _loop.OTHER_SAMPLES)
    assert loader.weights.weights == (1, 1)
    explorer.query = "select *"
    assert live_of(explorer)["why"] == _loop.NO_WEIGHTS
    explorer.query = WEIGHED.replace(": 1,", ": 9,")
    assert live_of(explorer)["follows"]
    assert loader.weights.weights == (9, 1)


def test_labels_that_are_edited_keep_the_sliders(explorer, ds):
    loader = explorer.loader(BATCH, "numpy", live=True, num_workers=0)
    ds.labels[3] = ["Cross"] * len(labels_of(ds, 3))
    explorer.weights = [12, 1]
    live = live_of(explorer)
    assert (live["follows"], live["why"]) == (True, None)
    assert loader.weights.weights == (12, 1)


def test_detached_sliders_do_not_reach_it(explorer):
    loader = explorer.loader(BATCH, "numpy", live=True, num_workers=0)
    front = FrontEnd(explorer)
    told = front.ask("live.follow", on=False)[0]["live"]
    assert (told["follows"], told["why"]) == (False, _loop.DETACHED)
    explorer.weights = [5, 1]
    assert loader.weights.weights == (1, 1)
    assert front.ask("live.follow", on=True)[0]["live"]["follows"]
    assert loader.weights.weights == (5, 1)


def test_the_browser_hears_of_it_once_a_look_and_only_of_news(explorer):
    front = FrontEnd(explorer)
    assert front.ask("hello")[0]["live"] is None
    loader = explorer.loader(BATCH, "numpy", live=True, num_workers=0)
    assert front.ask("hello")[0]["live"]["state"] == "ready"
    front.drain().clear()
    explorer.session.live.look()
    assert front.drain() == []
    batches = iter(loader)
    next(batches)
    explorer.session.live.look()
    assert [message["live"]["batch"] for message, _ in front.drain() if message["event"] == "live"] == [1]


def test_what_short_epochs_report_is_read_now_and_then_and_none_is_forgotten(explorer, monkeypatch):
    now, reads = [100.0], []
    monkeypatch.setattr(_loop, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(explorer.session, "look_soon", lambda: reads.append(now[0]))
    loader = explorer.loader(BATCH, "numpy", live=True, num_workers=0)
    for _ in range(5):  # five epochs in half a second
        now[0] += 0.1
        list(loader)
        live_of(explorer)
    assert reads == [100.1]
    batches = iter(loader)
    for _ in range(5):  # no epoch ends, and those before it are read
        now[0] += 1.0
        next(batches)
        live_of(explorer)
    assert reads == [100.1, pytest.approx(103.5)]


def test_it_ends_with_the_loader(explorer):
    loader = explorer.loader(BATCH, "numpy", live=True, num_workers=0)
    next(iter(loader))
    loader.close()
    del loader
    gc.collect()
    live = live_of(explorer)
    assert (live["state"], live["follows"]) == ("ended", False)
    explorer.weights = [3, 1]
    assert live_of(explorer)["num_entries"] == 1


def test_another_loader_takes_its_place(explorer):
    first = explorer.loader(BATCH, "numpy", live=True, num_workers=0)
    number = live_of(explorer)["loader"]
    second = explorer.loader(BATCH, "numpy", live=True, num_workers=0)
    assert live_of(explorer)["loader"] != number
    explorer.weights = [6, 1]
    assert (first.weights.weights, second.weights.weights) == ((1, 1), (6, 1))


def test_another_mode_does_not_reach_it(explorer):
    loader = explorer.loader(BATCH, "numpy", live=True, num_workers=0)
    explorer.mode = "deck"
    live = live_of(explorer)
    assert not live["follows"]
    assert "mode 'iid'" in live["why"]
    assert loader.weights.mode == "iid"


def promised(plan: SamplingPlan, unseen, draws):
    return promised_coverage(plan, np.asarray(unseen), np.asarray(draws))


def test_the_promise_by_hand(ds):
    plan = penstock.explore(ds, query="select * sample by max_weight(True: 1)").plan
    n = len(ds)
    found = promised(plan, [n // 2], [0, n])
    assert found["seen"][0] == found["low"][0] == found["high"][0] == n - n // 2
    assert found["seen"][1] == pytest.approx(n - n // 2 * (1 - 1 / n) ** n, rel=1e-5)
    assert found["low"][1] < found["seen"][1] < found["high"][1]


def test_the_promise_against_2000_runs(ds):
    """The band holds as many runs as it says, from a place where half of the pool is seen."""
    explorer = penstock.explore(ds, query=WEIGHED.replace(": 1,", ": 6,"))
    plan, n = explorer.plan, len(ds)
    seen = np.arange(n) % 2 == 0
    strata = plan.strata
    unseen = np.bincount(strata.ids[~seen], minlength=strata.num_strata)
    found = promised(plan, unseen, [n])
    chance = plan.probabilities[strata.ids]
    rng = np.random.default_rng(5)
    runs = rng.choice(n, (2000, n), p=chance / chance.sum())
    ends = np.array([np.count_nonzero(seen | (np.bincount(run, minlength=n) > 0)) for run in runs])
    assert ends.mean() == pytest.approx(found["seen"][0], abs=4 * ends.std() / np.sqrt(2000))
    assert 0.92 < np.mean((ends >= found["low"][0] - 0.5) & (ends <= found["high"][0] + 0.5)) <= 1


def test_a_state_that_is_loaded_is_counted_anew(ds):
    plan = penstock.explore(ds, query=WEIGHED).plan
    drawn = DrawnSoFar(plan.strata)
    at = {"epoch": 0, "start": 0, "length": 120, "continuing": True}
    assert drawn.follow(plan.stream(), Progress(consumed=64, **at))
    assert drawn.follow(plan.stream(), Progress(consumed=16, **at))
    first = plan.stream().slice(0, 16)
    assert drawn.num_seen == len(np.unique(first))
    assert drawn.counts.tolist() == plan.strata.labels.take(first).instances.tolist()
    assert drawn.unseen(plan.strata).sum() == 120 - drawn.num_seen


@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
def test_the_exported_schedule_draws_what_the_run_drew(ds, mode):
    explorer = penstock.explore(ds, query=WEIGHED.replace(": 1,", ": 3,"), mode=mode, seed=3)
    loader = explorer.loader(BATCH, "numpy", live=True, num_workers=0)
    drawn = []
    for epoch in range(2):
        for number, batch in enumerate(loader):
            drawn.append(batch)
            if number % 6 == 2:
                explorer.weights = [2 + number + epoch / 8, 1]
    code = explorer.export_code(BATCH, "numpy")
    assert code.isascii()
    assert max(map(len, code.splitlines())) <= 100
    cell: dict = {}
    exec(code, cell)
    again = [batch for _ in range(2) for batch in cell["loader"]]
    np.testing.assert_array_equal(index_of(again), index_of(drawn))
    assert cell["schedule"] == loader.schedule
    assert len(loader.schedule.entries) > 1
    assert "sample_by(schedule)" not in explorer.export_code(BATCH, "numpy", schedule=False)


def test_weights_that_did_not_move_are_exported_as_ever(explorer):
    loader = explorer.loader(BATCH, "numpy", live=True, num_workers=0)
    list(loader)
    assert explorer.export_code(BATCH) == explorer.export_code(BATCH, schedule=False)


def test_weights_of_a_signal_are_shown_and_replayed(ds):
    with ds.start_run("baseline") as run:
        run.record(np.arange(60), None, {"loss": np.linspace(0, 4, 60)})
    explorer = penstock.explore(ds, query="select * sample by max_weight(signal('loss') > 2: 5, True: 1)")
    loader = explorer.loader(BATCH, "numpy", live=True, num_workers=0, run="next")
    batches = iter(loader)
    first = next(batches)
    explorer.weights = [50, 1]
    drawn = index_of([first, *batches])
    loader.close()
    live = live_of(explorer)
    assert [entry["weights"] for entry in live["entries"]] == [[5, 1], [50, 1]]
    assert live["clauses"][0]["label"] == "signal('loss') > 2"
    cell: dict = {}
    exec(explorer.export_code(BATCH, "numpy"), cell)
    np.testing.assert_array_equal(index_of(cell["loader"]), drawn)
