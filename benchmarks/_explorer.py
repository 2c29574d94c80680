"""The Explorer in a real browser over many rows: first paint, scrolling, stepping, typing, and what a notebook saves."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
from ipywidgets import Widget
from PIL import Image

import penstock
from benchmarks._wire import MODEL, served
from benchmarks.tql import NAMES, labels
from penstock.tensors import encode_image
from penstock.widgets._runtime import runtime
from tests.ui.chromium import FLAGS

__all__ = ["LIMITS", "measure"]

LIMITS = {
    "nih_first_paint_ms": 1500,
    "scroll_of_1m_rows_longest_handler_ms": 50,
    "next_sample_of_1m_rows_ms": 50,
    "next_sample_without_a_pause_ms": 50,
    "keystroke_to_lint_p95_ms": 150,
    "state_in_a_notebook_kb": 300,
}
NIH_ROWS, MANY_ROWS = 112_120, 1_000_000
NUM_IMAGES = 1000  # the first rows; the others have none, which is quicker to write and changes no number here
QUERY = "select * sample by max_weight(contains(labels, 'Hernia'): 20, contains(labels, 'Pneumonia'): 8, True: 1)"
TYPED = "select * where contains(labels, 'Hernia') and not contains(labels, 'Edema')"
KEY_MS = 90  # a quick typist
LOOK_MS = 100  # a glance at a sample, in which its neighbors are fetched

_PAGE = (
    """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/style.css">
<div id="root" style="width: 1220px"></div><script type="module">
const { views } = await import("/runtime.js");
"""
    + MODEL
    + """
const handlers = [];
new PerformanceObserver((list) => {
  const ours = list.getEntries().flatMap(({ scripts }) => scripts).filter(({ sourceURL }) => !sourceURL.endsWith("/"));
  handlers.push(...ours.map((one) => one.duration));
}).observe({ type: "long-animation-frame" });
const next = () => new Promise((resolve) => requestAnimationFrame(resolve));
const root = document.getElementById("root");
const find = (id) => root.querySelector(`[data-testid=penstock-${id}]`);
const images = () => [...root.querySelectorAll("[role=gridcell] img")];
const begin = performance.now();
views.explorer({ model: await connect(), el: root });
const drawn = () =>
  root.querySelector("[data-link=live]") !== null && images().length >= 12 && images().every((one) => one.complete);
while (!drawn()) await next();
await next();
window.firstPaint = performance.now() - begin;
window.step = async () => {
  const before = find("detail").dataset.uid;
  const since = performance.now();
  find("detail").querySelector("[aria-label='Next sample']").click();
  const image = () => find("detail").querySelector("img");
  while (find("detail").dataset.uid === before || !image()?.complete) await next();
  return performance.now() - since;
};
window.scrollAll = async () => {
  const grid = find("grid");
  handlers.length = 0;
  const far = grid.scrollHeight - grid.clientHeight;
  for (let i = 0; i <= 240; i++) {
    grid.scrollTop = i < 120 ? 40 * i : (far * (i - 120)) / 120;
    await next();
  }
  for (let i = 0; i < 10; i++) await next();
  return Math.max(0, ...handlers);
};
window.lints = () => performance.getEntriesByName("penstock:lint").map((one) => one.duration);
window.ready = true;
</script>"""
)


def _dataset(folder: Path, num_rows: int) -> Any:
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 255, (16, 16), np.uint8)).resize((512, 512), Image.Resampling.BICUBIC)
    image = encode_image(np.asarray(small), "jpeg")
    offsets, flat = labels(num_rows)
    ds = penstock.empty(folder)
    ds.create_tensor("images", htype="image", sample_compression="jpeg")
    ds.create_tensor("labels", htype="class_label", class_names=list(NAMES))
    for start in range(0, num_rows, 100_000):
        stop = min(start + 100_000, num_rows)
        cut = [flat[offsets[row] : offsets[row + 1]] for row in range(start, stop)]
        ds.extend({"images": [image if start + i < NUM_IMAGES else None for i in range(stop - start)], "labels": cut})
    ds.commit("made for this")
    return penstock.load(folder)


def measure(chromium: str, names: Collection[str] = LIMITS) -> dict[str, float]:
    """Return the numbers of `LIMITS` that have one of `names`."""
    from playwright.sync_api import sync_playwright

    taken: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        if "nih_first_paint_ms" in names:
            taken["nih_first_paint_ms"] = _first_paint(browser, Path(folder) / "nih.penstock")
        if set(names) - {"nih_first_paint_ms"}:
            taken |= _of_many(browser, Path(folder) / "many.penstock", names)
        browser.close()
    return {name: round(taken[name], 1) for name in LIMITS if name in taken}


def _first_paint(browser: Any, folder: Path) -> float:
    nih = _dataset(folder, NIH_ROWS)
    begin = time.perf_counter()
    widget = penstock.explore(nih, query=QUERY)
    took = 1000 * (time.perf_counter() - begin)
    with served(widget, "explorer", _PAGE) as url:
        return took + float(_opened(browser, url).evaluate("firstPaint"))


def _of_many(browser: Any, folder: Path, names: Collection[str]) -> dict[str, float]:
    """Return what is measured over many rows in one page, in this order."""
    many = penstock.explore(_dataset(folder, MANY_ROWS), query=QUERY)
    with served(many, "explorer", _PAGE) as url:
        page = _opened(browser, url)
        measures: dict[str, Callable[[], float]] = {
            "next_sample_without_a_pause_ms": lambda: _stepped(page, 0),
            "next_sample_of_1m_rows_ms": lambda: _stepped(page, LOOK_MS),
            "keystroke_to_lint_p95_ms": lambda: _typed(page),
            "scroll_of_1m_rows_longest_handler_ms": lambda: page.evaluate("scrollAll()"),
            "state_in_a_notebook_kb": lambda: _saved_kb(many),
        }
        return {name: take() for name, take in measures.items() if name in names}


def _opened(browser: Any, url: str) -> Any:
    page = browser.new_page(viewport={"width": 1260, "height": 760})
    page.goto(url)
    page.wait_for_function("() => window.ready")
    return page


def _stepped(page: Any, pause_ms: float) -> float:
    page.locator("[role=gridcell]").first.click()
    page.wait_for_selector("[data-testid=penstock-detail] img")
    times = []
    for _ in range(20):
        times.append(page.evaluate("step()"))
        page.wait_for_timeout(pause_ms)
    return statistics.median(times)


def _typed(page: Any) -> float:
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.type(TYPED, delay=KEY_MS)
    page.wait_for_timeout(500)
    return float(np.percentile(page.evaluate("lints()"), 95))


def _saved_kb(widget: Any) -> float:
    """Return what "Save Widget State Automatically" writes for one Explorer, in KB."""
    saved = Widget.get_manager_state(drop_defaults=False, widgets=[widget, runtime(), widget.layout])
    return len(json.dumps(saved)) / 1000
