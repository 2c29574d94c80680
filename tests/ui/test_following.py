"""A real notebook: the Explorer follows what Python does, and shows after a reload what it showed before."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.ui.explorer import open_explorer

PICTURES = Path(os.environ.get("PENSTOCK_PICTURES", Path(__file__).resolve().parents[2] / "test-results"))
SAVED = "() => !window.jupyterapp.shell.currentWidget.context.model.dirty"


def picture(explorer, name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    explorer.root.screenshot(path=PICTURES / f"following-{name}.png")


@pytest.mark.slow
def test_the_page_follows_python_also_after_a_reload(open_notebook, tmp_path):
    path = str(tmp_path / "demo.penstock")
    cells = [
        f"import penstock\nds = penstock.demo({path!r}, num_samples=80)\nx = penstock.explore(ds)\nx",
        "ds.pop(0)\nds.labels[0] = [5] * len(ds.labels[0].numpy())",
        f"other = penstock.load({path!r})\nother.append({{'images': None, 'labels': [], 'boxes': None}})\nother.flush()",
        "block = ds.__enter__()\nds.append({'images': None, 'labels': [], 'boxes': None})",
        "ds.__exit__(None, None, None)",
    ]
    notebook = open_notebook(cells, viewport=(1280, 1100))
    explorer = open_explorer(notebook)
    header = explorer.root.get_by_test_id("penstock-header")
    expect(header).to_contain_text("80 samples")
    notebook.run_cell(1)
    expect(header).to_contain_text("79 samples")
    expect(header).to_contain_text("1 unsaved edit")
    expect(explorer.root.get_by_test_id("penstock-funnel")).to_contain_text("79 rows")
    notebook.run_cell(2)
    behind = explorer.root.get_by_test_id("penstock-behind")
    expect(behind).to_contain_text("Another session has written")
    picture(explorer, "behind")
    explorer.root.get_by_test_id("penstock-update").click()
    expect(behind).to_have_count(0)
    expect(header).to_contain_text("80 samples")
    notebook.run_cell(3)
    expect(behind).to_contain_text("A `with` block is writing")
    expect(header).to_contain_text("80 samples")
    notebook.run_cell(4)
    expect(header).to_contain_text("81 samples")
    expect(behind).to_have_count(0)

    explorer.bar("Cross").click()
    pool = explorer.root.get_by_test_id("penstock-grid")
    expect(pool).not_to_have_attribute("data-pool", "81")
    shown = pool.get_attribute("data-pool")
    pool.focus()
    pool.press("Shift+ArrowRight")
    expect(explorer.root.get_by_test_id("penstock-selection-menu")).to_contain_text("2 selected")
    picture(explorer, "selected")
    notebook.page.wait_for_timeout(500)  # the panel's settings rest, then reach the kernel
    notebook.command("docmanager:save")
    notebook.page.wait_for_function(SAVED)
    notebook.page.reload()
    notebook.wait_for_kernel()
    notebook.page.locator("[data-testid=penstock-explorer][data-ready='1'][data-link=live]").first.wait_for()
    root = notebook.page.get_by_test_id("penstock-explorer").first
    grid = root.get_by_test_id("penstock-grid")
    expect(grid).to_have_attribute("data-pool", shown)
    expect(root.locator(".penstock-bar .penstock-pill").first).to_contain_text(re.compile("Cross"))
    expect(grid.locator("[aria-selected=true]")).to_have_count(2)
    notebook.expect_no_page_errors()
