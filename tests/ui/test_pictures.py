"""How the Explorer looks: nothing clipped or overlapping, axe content, pictures kept in test-results/ (PENSTOCK_PICTURES=docs/images keeps the demo's there)."""

from __future__ import annotations

import os
from itertools import product
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
  const shown = (e) => { // what of the element is not scrolled or clipped away
    let { left, right, top, bottom } = e.getBoundingClientRect();
    for (let p = e.parentElement; p && root.contains(p); p = p.parentElement) {
      if (getComputedStyle(p).overflowY === 'visible') continue;
      const clip = p.getBoundingClientRect();
      left = Math.max(left, clip.left); right = Math.min(right, clip.right); top = Math.max(top, clip.top); bottom = Math.min(bottom, clip.bottom);
    }
    return { left, right, top, bottom };
  };
  const seen = (e) => e.getClientRects().length && e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && e.textContent.trim();
  const texts = [...root.querySelectorAll('svg text, .penstock-chip, button, label, h3')].filter(e => seen(e) && !e.closest('[data-testid=penstock-grid]'));
  const boxes = texts.map(e => [e, shown(e)]);
  const found = [];
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
    const [a, p] = boxes[i], [b, q] = boxes[j];
    if (a.contains(b) || b.contains(a)) continue;
    const w = Math.min(p.right, q.right) - Math.max(p.left, q.left), h = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (w > 2 && h > 2) found.push(`${a.textContent.slice(0, 24)} | ${b.textContent.slice(0, 24)}`);
  }
  return found;
}"""
QUERY = "select * where shape(boxes)[0] > 0 sample by max_weight(contains(labels, 'Cross'): 20, contains(labels, 'Ring'): 8, contains(labels, 'Star'): 6, True: 1)"


WEIGHTED = {
    "demo": QUERY,
    "coco": "select * sample by max_weight(contains(categories, 'bus'): 20, contains(categories, 'dog'): 8, True: 1)",
}
SET_WIDTH = """(width) => {
  const style = document.getElementById('penstock-width') ?? document.head.appendChild(Object.assign(document.createElement('style'), { id: 'penstock-width' }));
  style.textContent = `.jp-OutputArea-output:has([data-testid=penstock-explorer]) { width: ${width}px; flex: none }`;
}"""


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


@pytest.mark.slow
@pytest.mark.parametrize("data", ["demo", "coco"])
def test_pictures(open_notebook, request, data):
    path = request.getfixturevalue(data)
    cell = f"import penstock\nx = penstock.explore(penstock.load({str(path)!r}), query={WEIGHTED[data]!r})\nx"
    notebook = open_notebook([cell], viewport=(1640, 2400))
    explorer = open_explorer(notebook)
    expect(explorer.root.locator("[data-testid=drawn-dot]").first).to_be_attached()
    explorer.root.locator("[data-testid=penstock-grid] [role=gridcell]").nth(2).click()
    expect(explorer.root.get_by_test_id("penstock-labels")).to_be_visible()
    faults = {}
    for width, theme in product(WIDTHS, ("light", "dark")):
        show(notebook, WIDTHS[width], theme)
        take_picture(explorer, data, f"{width}-{theme}")
        faults[width, theme] = faults_of(explorer)
    show(notebook, WIDTHS["848"], "light")
    assert {name: found for name, found in faults.items() if found} == {}
    notebook.expect_no_page_errors()


def show(notebook, width, theme):
    page = notebook.page
    page.evaluate(SET_WIDTH, width)
    page.evaluate(
        "(theme) => { window.jupyterapp.commands.execute('apputils:change-theme', { theme }) }",
        f"JupyterLab {theme.title()}",
    )
    page.wait_for_function("(light) => document.body.dataset.jpThemeLight === light", arg=str(theme == "light").lower())
    root = "document.querySelector('[data-testid=penstock-explorer]')"
    page.wait_for_function(f"(width) => Math.abs({root}.getBoundingClientRect().width - width) < 2", arg=width)
    page.wait_for_function(
        f"() => [...{root}.querySelectorAll('[data-testid=penstock-grid] img')].every(image => image.complete)"
    )
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def take_picture(explorer, data, name):
    folder = ROOT / "test-results" / "pictures"
    if data == "demo" and os.environ.get("PENSTOCK_PICTURES"):
        folder = ROOT / os.environ["PENSTOCK_PICTURES"]
    folder.mkdir(parents=True, exist_ok=True)
    stem = "explorer" if data == "demo" else "coco"
    explorer.root.screenshot(path=folder / f"{stem}-{name}.png", animations="disabled")


def faults_of(explorer):
    axe = Axe().run(explorer.page, context="[data-testid=penstock-explorer]")
    report = [axe.generate_report()] if axe.violations_count else []
    return [*explorer.root.evaluate(CLIPPED), *explorer.root.evaluate(OVERLAPPING), *report]
