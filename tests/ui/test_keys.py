"""No key pressed in the Explorer may reach the notebook: cells, sources and counts stay as they are."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.ui.explorer import open_explorer

PRESSED = ["d", "d", "b", "x", "a", "m", "y", "z", "0", "0", "Escape", "Control+z"]
RUNNERS = ["Enter", "Shift+Enter", "Control+Enter", "Alt+Enter"]
TABBABLE = """(root) => {
  const shown = (e) => e.offsetParent !== null && getComputedStyle(e).visibility !== 'hidden';
  const wanted = 'button, input, select, textarea, [tabindex], .cm-content';
  const found = [...root.querySelectorAll(wanted)].filter(e => !e.disabled && e.tabIndex >= 0 && shown(e));
  window.__tabbable = found;
  return found.map(e => `${e.tagName.toLowerCase()} ${e.dataset.testid ?? ''} ${e.getAttribute('aria-label') ?? e.textContent.slice(0, 30)}`);
}"""


@pytest.mark.parametrize("application", ["lab", "notebook"])
def test_keys_stay_in_the_explorer(open_notebook, tmp_path, application):
    cell = (
        f"import penstock\nx = penstock.explore(penstock.demo({str(tmp_path / 'demo.penstock')!r}, num_samples=60))\nx"
    )
    notebook = open_notebook([cell, "1 + 1"], application=application)
    explorer = open_explorer(notebook)
    explorer.type_query("select * sample by max_weight(contains(labels, 'Cross'): 2, True: 1)")
    expect(explorer.slider("Cross")).to_be_enabled()
    before = notebook.sources, notebook.execution_counts
    names = explorer.root.evaluate(TABBABLE)
    assert len(names) > 20
    leaks = []
    for position, name in enumerate(names):
        for key in [*PRESSED, *RUNNERS]:
            if not notebook.page.evaluate(
                "(i) => { const e = window.__tabbable[i]; if (!e?.isConnected || e.disabled) return false; e.focus({preventScroll: true}); return true }",
                position,
            ):
                break
            notebook.page.keyboard.press(key)
        if (notebook.sources, notebook.execution_counts) != before:
            leaks.append(name)
            break
    assert leaks == []
    assert notebook.widget().is_visible()
    notebook.expect_no_page_errors()


@pytest.mark.parametrize("application", ["lab", "notebook"])
def test_save_still_saves_from_a_slider(open_notebook, tmp_path, application):
    cell = (
        f"import penstock\nx = penstock.explore(penstock.demo({str(tmp_path / 'demo.penstock')!r}, num_samples=60))\nx"
    )
    notebook = open_notebook([cell], application=application)
    explorer = open_explorer(notebook)
    dirty = "() => window.jupyterapp.shell.currentWidget.context.model.dirty"
    notebook.page.wait_for_function(dirty)
    explorer.root.get_by_test_id("penstock-seed").focus()
    notebook.page.keyboard.press("Control+s")
    notebook.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
