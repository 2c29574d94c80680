"""How the Explorer looks: nothing clipped or overlapping, axe content, pictures kept in test-results/ (PENSTOCK_PICTURES=docs/images keeps the demo's there)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import penstock
from tests.ui.explorer import open_explorer

ROOT = Path(__file__).resolve().parents[2]
WIDTHS = {"narrow": 420, "848": 848, "wide": 1200}
CLIPPED = """(root) => {
  const text = (e) => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  const scrolls = (e) => ['auto', 'scroll'].includes(getComputedStyle(e).overflowX);
  return [...root.querySelectorAll('*')].filter(e => e.offsetParent !== null && text(e) && !(e instanceof SVGElement) && !e.closest('.cm-editor')
      && getComputedStyle(e).textOverflow !== 'ellipsis' && !scrolls(e) && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible')
    .map(e => `${e.className}: ${e.textContent.slice(0, 40)}`);
}"""
OVERLAPPING = """(root) => {
  const texts = [...root.querySelectorAll('svg text, .penstock-chip, button, label, h3')].filter(e => e.getClientRects().length && e.checkVisibility({opacityProperty: true, visibilityProperty: true}) && e.textContent.trim() && !e.closest('[data-testid=penstock-grid]'));
  const boxes = texts.map(e => [e, e.getBoundingClientRect()]);
  const found = [];
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
    const [a, p] = boxes[i], [b, q] = boxes[j];
    if (a.contains(b) || b.contains(a)) continue;
    if (a.closest('button.penstock-bar-row') || b.closest('button.penstock-bar-row')) continue; // rows lie over their own bars on purpose
    const w = Math.min(p.right, q.right) - Math.max(p.left, q.left), h = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (w > 2 && h > 2) found.push(`${a.textContent.slice(0, 24)} | ${b.textContent.slice(0, 24)}`);
  }
  return found;
}"""
QUERY = "select * where shape(boxes)[0] > 0 sample by max_weight(contains(labels, 'Cross'): 20, contains(labels, 'Ring'): 8, contains(labels, 'Star'): 6, True: 1)"


def width_cell(width):
    return f"from IPython.display import HTML, display; display(HTML('<style>.jp-OutputArea-output:has([data-testid=penstock-explorer]) {{ width: {width}px; flex: none }}</style>'))"


def cells_for(path, query, width):
    return [
        f"import penstock\nx = penstock.explore(penstock.load({str(path)!r}), query={query!r})\nx",
        width_cell(width),
    ]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    path = tmp_path_factory.mktemp("demo") / "shapes.penstock"
    penstock.demo(path)
    return path


@pytest.fixture(scope="module")
def coco(shared_data, tmp_path_factory):
    source = shared_data / "coco_mini"
    path = tmp_path_factory.mktemp("coco") / "coco_mini.penstock"
    penstock.from_coco(source / "annotations" / "instances_train2017.json", source / "train2017", path)
    return path


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("data", ["demo", "coco"])
def test_picture(open_notebook, request, data, width, dark):
    path = request.getfixturevalue(data)
    query = (
        QUERY
        if data == "demo"
        else "select * sample by max_weight(contains(categories, 'bus'): 20, contains(categories, 'dog'): 8, True: 1)"
    )
    pixels = WIDTHS[width]
    notebook = open_notebook(cells_for(path, query, pixels), viewport=(max(pixels + 420, 900), 1400), dark=dark)
    if dark:
        notebook.page.evaluate(
            "() => window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Dark' })"
        )
        notebook.page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    notebook.run_cell(1)
    notebook.wait_until_run(1)
    explorer = open_explorer(notebook)
    expect(explorer.root.locator("[data-testid=drawn-dot]").first).to_be_attached()
    first = explorer.root.locator("[data-testid=penstock-grid] [role=gridcell]").nth(2)
    first.click()
    expect(explorer.root.get_by_test_id("penstock-labels")).to_be_visible()
    folder = ROOT / "test-results" / "pictures"
    if data == "demo" and os.environ.get("PENSTOCK_PICTURES"):
        folder = ROOT / os.environ["PENSTOCK_PICTURES"]
    folder.mkdir(parents=True, exist_ok=True)
    name = "explorer" if data == "demo" else "coco"
    explorer.root.screenshot(path=folder / f"{name}-{width}-{'dark' if dark else 'light'}.png", animations="disabled")
    assert explorer.root.evaluate(CLIPPED) == []
    assert explorer.root.evaluate(OVERLAPPING) == []
    found = Axe().run(notebook.page, context="[data-testid=penstock-explorer]")
    assert found.violations_count == 0, found.generate_report()
    notebook.expect_no_page_errors()
