"""A slider answers within a frame, whatever the kernel does."""

from __future__ import annotations

import statistics

from playwright.sync_api import expect

import penstock
from tests.ui.explorer import explorer_of

LIMIT_MS = 8
SLACK = 4  # a shared machine
ENTRIES = "() => performance.getEntriesByName('penstock:slider').map((entry) => entry.duration)"


def test_a_slider_redraws_within_a_frame_while_a_cell_runs(open_plain, tmp_path):
    ds = penstock.demo(tmp_path / "demo.penstock")
    page = open_plain(lambda: penstock.explore(ds))
    explorer = explorer_of(page)
    explorer.type_query("select * sample by max_weight(contains(labels, 'Cross'): 2, True: 1)")
    expect(explorer.slider("Cross")).to_have_attribute("data-weight", "2")
    page.evaluate("() => performance.clearMeasures('penstock:slider')")
    box = explorer.slider("Cross").bounding_box()
    middle = box["y"] + box["height"] / 2
    before = explorer.sampled("Cross")
    with page.host.busy():
        page.mouse.move(box["x"] + box["width"] / 2, middle)
        page.mouse.down()
        for step in range(60):
            page.mouse.move(box["x"] + box["width"] * (0.5 + step / 140), middle)
        page.mouse.up()
        taken = page.evaluate(ENTRIES)
        assert explorer.sampled("Cross") > before
    assert len(taken) >= 20
    assert statistics.median(taken) <= SLACK * LIMIT_MS
    explorer.expect_no_page_errors()
