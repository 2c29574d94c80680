"""Pressing every key that a notebook takes for itself on everything in the Explorer that can have the focus."""

from __future__ import annotations

from tests.ui.explorer import Explorer
from tests.ui.lab import NotebookPage

PRESSED = ["d", "d", "b", "x", "a", "m", "y", "z", "0", "0", "Escape", "Control+z"]
RUNNERS = ["Enter", "Shift+Enter", "Control+Enter", "Alt+Enter"]
TABBABLE = """(root) => {
  const shown = (e) => e.offsetParent !== null && getComputedStyle(e).visibility !== 'hidden';
  const wanted = 'button, input, select, textarea, [tabindex], .cm-content';
  const found = [...root.querySelectorAll(wanted)].filter(e => !e.disabled && e.tabIndex >= 0 && shown(e));
  window.__tabbable = found;
  return found.map(e => `${e.tagName.toLowerCase()} ${e.dataset.testid ?? ''} ${e.getAttribute('aria-label') ?? e.textContent.slice(0, 30)}`);
}"""
FOCUS = """(i) => { const e = window.__tabbable[i]; if (!e?.isConnected || e.disabled) return false;
  e.focus({ preventScroll: true }); return true }"""


def find_leak(notebook: NotebookPage, explorer: Explorer) -> str | None:
    """Return what let a key through to the notebook, whose cells, sources and counts have changed then."""
    before = notebook.sources, notebook.execution_counts
    names = explorer.root.evaluate(TABBABLE)
    assert len(names) > 20
    for position, name in enumerate(names):
        for key in [*PRESSED, *RUNNERS]:
            if not notebook.page.evaluate(FOCUS, position):
                break
            notebook.page.keyboard.press(key)
        if (notebook.sources, notebook.execution_counts) != before:
            return name
    return None


def save_by_key(notebook: NotebookPage, explorer: Explorer) -> None:
    """Press Ctrl+S in a field of the Explorer, which is the notebook's to hear."""
    dirty = "window.jupyterapp.shell.currentWidget.context.model.dirty"
    notebook.page.wait_for_function(f"() => {dirty}")
    explorer.root.get_by_test_id("penstock-seed").focus()
    notebook.page.keyboard.press("Control+s")
    notebook.page.wait_for_function(f"() => !{dirty}")
