"""What widgets live through: linked panels, a reloaded page, a second browser, a restarted kernel, a busy kernel."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.ui.explorer import open_explorer
from tests.ui.lab import NotebookPage, watch_errors

QUERY = "select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)"
PANELS = {
    "WeightTuner": "weight-tuner",
    "QueryEditor": "query-editor",
    "CoverageView": "coverage-view",
    "Browser": "browser",
    "LabelEditor": "label-editor",
}
BUNDLES = "() => globalThis[Symbol.for('penstock.bundles')].size"
SAVED = "() => !window.jupyterapp.shell.currentWidget.context.model.dirty"


@pytest.fixture
def demo_cell(tmp_path):
    return (
        f"import penstock\nds = penstock.demo({str(tmp_path / 'demo.penstock')!r}, num_samples=80)\n"
        f"x = penstock.explore(ds, query={QUERY!r})\nx"
    )


def ready(page, kind):
    found = page.locator(f"[data-testid=penstock-{kind}][data-ready='1'][data-link=live]").first
    found.wait_for()
    return found


def save(notebook):
    notebook.command("docmanager:save")
    notebook.page.wait_for_function(SAVED)


@pytest.mark.slow
def test_panels_of_one_session_move_together_in_one_bundle(open_notebook, tmp_path):
    first = (
        "import penstock\nfrom penstock import widgets\n"
        f"ds = penstock.demo({str(tmp_path / 'demo.penstock')!r}, num_samples=80)\n"
        f"session = widgets.Session(ds, query={QUERY!r})"
    )
    cells = [first, *(f"widgets.{panel}(session)" for panel in PANELS), "print(session.weights.tolist())"]
    notebook = open_notebook(cells, viewport=(1280, 3000))
    notebook.run_all()
    views = {panel: ready(notebook.page, kind) for panel, kind in PANELS.items()}
    assert notebook.page.evaluate(BUNDLES) == 1
    views["WeightTuner"].locator("[data-testid=weight-slider][data-class=Cross]").press("PageUp")
    expect(views["QueryEditor"].locator(".cm-content")).to_contain_text("'Cross'): 40")
    notebook.run_cell(6)
    notebook.page.wait_for_function("() => true")
    expect_output(notebook, 6, "[40.0, 1.0]")
    notebook.expect_no_page_errors()


def expect_output(notebook, cell, text):
    script = """([index, text]) => { const cell = window.jupyterapp.shell.currentWidget.content.model.cells.get(index).toJSON();
        return (cell.outputs ?? []).some(output => (output.text ?? '').toString().trim() === text) }"""
    notebook.page.wait_for_function(script, arg=[cell, text])


@pytest.mark.slow
def test_a_reloaded_page_finds_the_kernel_as_it_was(open_notebook, demo_cell):
    notebook = open_notebook([demo_cell])
    explorer = open_explorer(notebook)
    explorer.slider("Cross").press("PageUp")
    expect(explorer.root.locator("[data-testid=penstock-query] .cm-content")).to_contain_text("'Cross'): 40")
    notebook.page.wait_for_timeout(600)  # the weights rest, then reach the kernel
    save(notebook)
    notebook.page.reload()
    notebook.wait_for_kernel()
    again = ready(notebook.page, "explorer")
    expect(again.locator("[data-testid=penstock-query] .cm-content")).to_contain_text("'Cross'): 40")
    expect(again.locator("[data-testid=weight-slider][data-class=Cross]")).to_have_attribute("data-weight", "40")
    expect(again.locator("[data-testid=penstock-grid] img").first).to_be_visible()


@pytest.mark.slow
def test_two_browsers_on_one_notebook_follow_each_other(open_notebook, demo_cell, browser, lab_server):
    notebook = open_notebook([demo_cell])
    explorer = open_explorer(notebook)
    save(notebook)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(60_000)
        other = NotebookPage(page, watch_errors(page))
        page.goto(lab_server.lab_url("test.ipynb").replace("&reset", ""))
        other.wait_for_kernel()
        second = ready(page, "explorer")
        second.locator("[data-testid=weight-slider][data-class=Cross]").press("PageUp")
        expect(explorer.slider("Cross")).to_have_attribute("data-weight", "40")
        explorer.type_query("select * limit 7")
        expect(second.get_by_test_id("penstock-funnel")).to_contain_text(re.compile(r"\b7\b"))
        other.expect_no_page_errors()
    finally:
        context.close()
    notebook.expect_no_page_errors()


@pytest.mark.slow
def test_the_draft_outlives_a_restarted_kernel(open_notebook, tmp_path):
    path = str(tmp_path / "demo.penstock")
    cell = (
        "import os, penstock\n"
        f"ds = penstock.load({path!r}) if os.path.exists({path!r}) else penstock.demo({path!r}, num_samples=80)\n"
        f"x = penstock.explore(ds, query={QUERY!r})\nx"
    )
    notebook = open_notebook([cell])
    explorer = open_explorer(notebook)
    explorer.root.locator("[data-testid=penstock-grid] [role=gridcell]").first.click()
    chips = explorer.root.get_by_test_id("penstock-labels")
    chips.get_by_label(re.compile("^Remove ")).first.click()
    expect(explorer.root.get_by_test_id("penstock-edits")).to_contain_text("1")
    notebook.command("notebook:restart-kernel")
    notebook.page.locator(".jp-Dialog button.jp-mod-warn, .jp-Dialog button.jp-mod-accept").last.click()
    notebook.wait_for_kernel()
    before = explorer.weight("Cross")
    explorer.slider("Cross").press("PageUp")
    expect(explorer.root.get_by_test_id("penstock-dead")).to_be_visible()
    assert explorer.weight("Cross") == pytest.approx(2 * before, rel=0.01)
    again = open_explorer(notebook)
    expect(again.root.get_by_test_id("penstock-dead")).to_have_count(0)
    expect(again.root.get_by_test_id("penstock-edits")).to_contain_text("1")


@pytest.mark.slow
def test_the_widget_answers_while_a_cell_runs(open_notebook, demo_cell):
    notebook = open_notebook([demo_cell, "import time\ntime.sleep(8)\nprint('done')"])
    explorer = open_explorer(notebook)
    notebook.run_cell(1)
    explorer.type_query("select * limit 5")
    expect(explorer.root.get_by_test_id("penstock-funnel")).to_contain_text(re.compile(r"\b5\b"), timeout=6000)
    assert "done" not in notebook.output(1)
    expect_output(notebook, 1, "done")
    notebook.expect_no_page_errors()
