"""No key pressed in the Explorer may reach the notebook: cells, sources and counts stay as they are."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.ui.explorer import open_explorer
from tests.ui.pressing import find_leak, save_by_key


def test_keys_stay_in_the_explorer_but_save_still_saves(open_notebook, tmp_path):
    cell = (
        f"import penstock\nx = penstock.explore(penstock.demo({str(tmp_path / 'demo.penstock')!r}, num_samples=60))\nx"
    )
    notebook = open_notebook([cell, "1 + 1"])
    explorer = open_explorer(notebook)
    explorer.type_query("select * sample by max_weight(contains(labels, 'Cross'): 2, True: 1)")
    expect(explorer.slider("Cross")).to_have_attribute("data-weight", "2")
    save_by_key(notebook, explorer)
    assert find_leak(notebook, explorer) is None
    assert notebook.widget().is_visible()
    notebook.expect_no_page_errors()
