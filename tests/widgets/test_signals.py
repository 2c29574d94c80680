"""What training reported, in the Explorer: sorted, filtered by bars, a mean a class, marks where labels were edited since."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from tests.widgets.conftest import NUM_SAMPLES, FrontEnd, labels_of

LOSS = "signal('loss')"
ROWS = np.arange(0, NUM_SAMPLES, 2)  # every other sample was seen
LOSSES = (ROWS % 16 / 4).astype(np.float32)


def record(ds, name="baseline", rows=ROWS, losses=LOSSES):
    with ds.start_run(name) as run:
        run.record(rows, None, {"loss": losses})


@pytest.fixture
def front(ds):
    record(ds)
    return FrontEnd(penstock.explore(ds))


def test_without_a_run_there_are_no_signals(ds):
    assert FrontEnd(penstock.explore(ds)).ask("hello")[0]["dataset"]["signals"] is None


def test_a_run_that_is_recorded_later_is_found(ds):
    front = FrontEnd(penstock.explore(ds))
    record(ds)
    front.widget.session.follow()
    told = [message["dataset"]["signals"] for message, _ in front.drain() if message["event"] == "dataset"]
    assert told[-1] == {"run": "baseline", "names": ["loss"], "stale": 0}


def test_the_grid_is_sorted_by_it_and_tiles_tell_it(front):
    front.ask("grid.sort", sort=f"column:{LOSS}", descending=True)
    tiles = front.ask("grid.page", start=0, stop=NUM_SAMPLES, size=32)[0]["tiles"]
    values = [tile["value"] for tile in tiles]
    assert values == sorted(LOSSES.tolist(), reverse=True) + [None] * (NUM_SAMPLES // 2)
    assert [tile["row"] for tile in tiles[:2]] == [14, 30]
    assert not any(tile["stale"] for tile in tiles)


def test_bars_write_where(front):
    profile = front.ask("columns.profile", names=[LOSS])[0]
    bars = profile["profiles"][0]["bars"]
    assert sum(bar["raw"] for bar in bars if bar["special"] is None) == len(ROWS)
    never = next(i for i, bar in enumerate(bars) if bar["special"] == "missing")
    text = front.ask("columns.filter", text="select *", name=LOSS, first=never, last=never, data=profile["data"])[0]
    assert text["text"] == "select * where signal('loss') is null"
    shown = front.ask("query.run", text=text["text"])[0]
    assert shown["query"]["pool_size"] == NUM_SAMPLES - len(ROWS)
    profile = front.ask("columns.profile", names=[LOSS])[0]
    assert profile["profiles"][0]["selected"] == [never, never]
    for first in range(never):
        wanted = front.ask(
            "columns.filter", text="select *", name=LOSS, first=first, last=never - 1, data=profile["data"]
        )[0]["text"]
        found = front.ask("query.run", text=wanted)[0]["query"]["pool_size"]
        assert found == sum(bar["raw"] for bar in bars[first:never])


def test_means_of_classes_and_clauses_by_hand(front, ds):
    front.ask("query.run", text="select * sample by max_weight(contains(labels, 'Cross'): 5, True: 1)")
    found = front.ask("signals.means", name="loss")[0]
    loss = dict(zip(ROWS.tolist(), LOSSES.tolist(), strict=True))
    labels = {row: set(labels_of(ds, row)) for row in loss}
    for index, mean in enumerate(found["classes"]):
        of_class = [loss[row] for row in loss if index in labels[row]]
        assert mean == (pytest.approx(np.mean(of_class), rel=1e-5) if of_class else None)
    cross = [loss[row] for row in loss if 5 in labels[row]]
    every = list(loss.values())
    assert found["clauses"] == [
        pytest.approx(np.mean(cross), rel=1e-5) if cross else None,
        pytest.approx(np.mean(every), rel=1e-5),
    ]


def test_samples_edited_since_are_marked(front, ds):
    ds.labels[14] = ["Ring"] * len(labels_of(ds, 14))
    front.widget.session.follow()
    front.ask("grid.sort", sort=f"column:{LOSS}", descending=True)
    tiles = front.ask("grid.page", start=0, stop=4, size=32)[0]["tiles"]
    assert [(tile["row"], tile["stale"]) for tile in tiles[:2]] == [(14, True), (30, False)]
    assert front.ask("hello")[0]["dataset"]["signals"]["stale"] == 1


def test_numbers_of_another_epoch_leave_the_grid_in_place_until_it_is_updated(front, ds):
    front.ask("grid.sort", sort=f"column:{LOSS}", descending=True)
    before = front.ask("grid.page", start=0, stop=2, size=32)[0]["tiles"]
    record(ds, "second", np.arange(4), np.array([9, 8, 7, 6], np.float32))
    front.widget.session.follow()
    grid = front.ask("hello")[0]["grid"]
    assert grid["stale"]
    after = front.ask("grid.page", start=0, stop=2, size=32)[0]["tiles"]
    assert [tile["row"] for tile in after] == [tile["row"] for tile in before]
    front.ask("grid.filter", classes=[], how="any", states=[])
    assert [tile["value"] for tile in front.ask("grid.page", start=0, stop=2, size=32)[0]["tiles"]] == [9, 8]


def test_a_run_that_is_deleted_takes_its_order_along(front, ds):
    front.ask("grid.sort", sort=f"column:{LOSS}", descending=True)
    ds.signals().delete()
    front.widget.session.follow()
    told = front.ask("hello")[0]
    assert (told["dataset"]["signals"], told["grid"]["sort"]) == (None, "query")
