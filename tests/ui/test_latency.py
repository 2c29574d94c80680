"""A slider answers within a frame, in JupyterLab, whatever the kernel does."""

from __future__ import annotations

import statistics

from playwright.sync_api import expect

from tests.ui.explorer import open_explorer

LIMIT_MS = 8
SLACK = 4  # a shared machine
ENTRIES = "() => performance.getEntriesByName('penstock:slider').map((entry) => entry.duration)"


def test_a_slider_redraws_within_a_frame_while_a_cell_runs(open_notebook, tmp_path):
    cell = f"import penstock\nx = penstock.explore(penstock.demo({str(tmp_path / 'demo.penstock')!r}))\nx"
    notebook = open_notebook([cell, "import time; time.sleep(600)"])
    explorer = open_explorer(notebook)
    explorer.type_query("select * sample by max_weight(contains(labels, 'Cross'): 2, True: 1)")
    expect(explorer.slider("Cross")).to_be_enabled()
    notebook.run_cell(1)
    notebook.page.evaluate("() => performance.clearMeasures('penstock:slider')")
    slider = explorer.slider("Cross")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    notebook.page.mouse.move(box["x"] + box["width"] / 2, middle)
    notebook.page.mouse.down()
    before = explorer.sampled("Cross")
    for step in range(60):
        notebook.page.mouse.move(box["x"] + box["width"] * (0.5 + step / 140), middle)
    notebook.page.mouse.up()
    taken = notebook.page.evaluate(ENTRIES)
    assert explorer.sampled("Cross") > before
    assert len(taken) >= 20
    assert statistics.median(taken) <= SLACK * LIMIT_MS
    notebook.expect_no_page_errors()
