"""The Explorer in a real Notebook 7: alive, no key leaks, saved, and there again after a reload."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.ui.explorer import open_explorer, reloaded_explorer
from tests.ui.pressing import find_leak, save_by_key

QUERY = "select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)"


@pytest.mark.slow
def test_the_explorer_lives_in_notebook_7(open_notebook, tmp_path):
    made = f"penstock.demo({str(tmp_path / 'demo.penstock')!r}, num_samples=60)"
    notebook = open_notebook(
        [f"import penstock\nx = penstock.explore({made}, query={QUERY!r})\nx", "print(x.weights.tolist())"],
        application="notebook",
    )
    explorer = open_explorer(notebook)
    explorer.slider("Cross").press("PageUp")
    expect(explorer.slider("Cross")).to_have_attribute("data-weight", "40")
    notebook.page.wait_for_timeout(600)  # the weights rest, then reach the kernel
    notebook.run_cell(1)
    notebook.wait_until_run(1)
    assert notebook.output(1).strip() == "[40.0, 1.0]"
    save_by_key(notebook, explorer)
    notebook.page.reload()
    notebook.wait_for_kernel()
    again = reloaded_explorer(notebook)
    expect(again.slider("Cross")).to_have_attribute("data-weight", "40")
    assert "'Cross'): 40" in again.query_text()
    notebook.errors.clear()  # Notebook 7 throws one of its own while it loads
    assert find_leak(notebook, again) is None
    assert notebook.widget().is_visible()
    notebook.expect_no_page_errors()
