"""The Explorer beside training: a dataset with a run that reported losses, and a loader in the middle of its third epoch."""

from __future__ import annotations

from functools import cache

import numpy as np
from playwright.sync_api import expect

import penstock

HARD = {"Circle": 0.3, "Square": 0.4, "Triangle": 0.5, "Star": 0.8, "Ring": 1.2, "Cross": 1.5}
BATCH, EPOCH = 8, 74  # small batches: those that are read ahead are a small part of an epoch
MOVES = {10: (4, 1, 1), 40: (4, 8, 1), EPOCH + 5: (4, 8, 6), EPOCH + 40: (12, 8, 6), 2 * EPOCH + 5: (20, 8, 6)}
LAST = 2 * EPOCH + 40
LIVE = "select * where shape(boxes)[0] > 0 sample by max_weight(contains(labels, 'Cross'): 1, contains(labels, 'Ring'): 1, contains(labels, 'Star'): 1, True: 1)"
_running = []


def losses(ds, rows):
    names = ds.labels.info.class_names
    noise = np.random.default_rng(2).gamma(4, 0.25, len(ds))
    labels = (np.asarray(ds["labels"][int(row)].numpy()) for row in rows)
    of_class = [max((HARD[names[i]] for i in found.tolist()), default=0.2) for found in labels]
    return np.array(of_class) * noise[rows]


@cache
def recorded(folder):
    ds = penstock.demo(folder / "recorded.penstock")
    rows = np.flatnonzero(np.random.default_rng(1).random(len(ds)) < 0.9)
    with ds.start_run("baseline") as run:
        run.record(rows, None, {"loss": losses(ds, rows)})
    ds.labels[4] = list(ds.labels[4].numpy())[::-1]  # an edit after it
    return ds


def training(shown):
    page, ds = shown.page, shown.source
    explorer = page.host.widget
    loader = explorer.loader(BATCH, "numpy", live=True, num_workers=0, run="now")
    _running.append(loader)  # or it would end
    number = 0
    while number < LAST:
        for batch in loader:
            loader.record(batch, loss=losses(ds, np.asarray(batch["index"])))
            number += 1
            if number in MOVES:
                explorer.weights = [*MOVES[number], 1]
            if number == LAST:
                break
    page.locator("[data-testid=penstock-grid] [role=gridcell][data-position='4']").click()
    expect(page.get_by_test_id("penstock-labels")).to_be_visible()
    expect(page.get_by_test_id("penstock-schedule")).to_have_attribute("data-entries", "6")
    expect(page.get_by_test_id("penstock-live-batch")).to_have_text(f"40/{EPOCH}")


def hardest(shown):
    page = shown.page
    page.get_by_test_id("penstock-hard-first").click()
    expect(page.get_by_test_id("penstock-tile-value").first).to_be_visible()
    if page.get_by_test_id("penstock-signal-toggle").is_visible():
        page.get_by_test_id("penstock-signal-toggle").click()
        expect(page.get_by_test_id("penstock-signal").first).to_be_visible()
    expect(page.get_by_test_id("penstock-brush").locator("svg")).to_be_visible()
