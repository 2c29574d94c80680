"""A page of the grid in a real browser: 40 thumbnails with 860 polygons, from the request to the screen."""

from __future__ import annotations

import io
import statistics
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import penstock
from benchmarks._wire import MODEL, served
from penstock.widgets.operations.images._thumbnails import THUMBNAILS
from penstock.widgets.shapes._packed import SHAPES
from tests.ui.chromium import FLAGS

__all__ = ["LIMITS_MS", "measure"]

NUM_IMAGES, NUM_POLYGONS, NUM_VERTICES = 40, 860, 24
WIDTH, HEIGHT = 640, 480
NUM_PAGES = 8
REPEATS = 5
LIMITS_MS = {"page_with_polygons_cold_ms": 400, "page_with_polygons_cached_ms": 50}

_PAGE = (
    """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/style.css">
<style>[data-testid=penstock-grid] { flex: none !important; height: 640px !important }</style>
<div id="root" style="width: 980px"></div><script type="module">
const { views } = await import("/runtime.js");
"""
    + MODEL
    + """
const next = () => new Promise((resolve) => requestAnimationFrame(resolve));
const channel = new MessageChannel();
const painted = () => new Promise((done) => { channel.port1.onmessage = done; channel.port2.postMessage(0); }); // asked in a frame
const drawn = (el) => [...el.querySelectorAll(".penstock-drawn > canvas")].reduce((sum, one) => sum + Number(one.dataset.tiles), 0);
window.once = async (again) => {
  const root = document.getElementById("root");
  root.replaceChildren();
  const el = root.appendChild(document.createElement("div"));
  let asked = 0;
  const model = await connect((message) => {
    if (message.op === "grid.page" && asked === 0) asked = performance.now();
  });
  const stop = views.browser({ model, el });
  const done = () => {
    const grid = el.querySelector("[data-testid=penstock-grid]");
    const images = [...el.querySelectorAll("[role=gridcell] img")];
    const top = grid?.scrollTop === 0 ? el.querySelector("[role=gridcell][data-position='0']") : el;
    return top !== null && images.length >= 40 && images.every((one) => one.complete) && drawn(el) >= 40;
  };
  const shown = async (since) => {
    do await next(); while (!done());
    await painted();
    return performance.now() - since();
  };
  const cold = await shown(() => asked);
  if (!again) { stop(); return cold; }
  const grid = el.querySelector("[data-testid=penstock-grid]");
  const first = el.querySelector("[role=gridcell][data-position='0']");
  grid.scrollTop = 4 * 640;
  while (first.isConnected || !done()) await next();
  for (let i = 0; i < 20; i++) await next();
  const back = performance.now();
  grid.scrollTop = 0;
  const cached = await shown(() => back);
  stop();
  return cached;
};
window.ready = true;
</script>"""
)


def _ring(rng: np.random.Generator) -> list[float]:
    center = rng.uniform([40, 40], [WIDTH - 40, HEIGHT - 40])
    angles = np.sort(rng.uniform(0, 2 * np.pi, NUM_VERTICES))
    reach = rng.uniform(15, 40, NUM_VERTICES)
    ring = center + np.stack([np.cos(angles), np.sin(angles)], 1) * reach[:, None]
    return [round(float(value), 2) for value in ring.ravel()]


def _dataset(folder: Path, num_pages: int) -> Any:
    rng = np.random.default_rng(0)
    counts = np.full(NUM_IMAGES, NUM_POLYGONS // NUM_IMAGES)
    counts[: NUM_POLYGONS % NUM_IMAGES] += 1
    counts = np.tile(counts, num_pages)
    ds = penstock.empty(folder)
    ds.create_tensor("images", htype="image", sample_compression="jpeg")
    ds.create_tensor("boxes", htype="bbox")
    names = [f"class {i}" for i in range(10)]
    ds.create_tensor("labels", htype="class_label", class_names=names, aligned_with="boxes")
    ds.create_tensor("segmentation", htype="json", aligned_with="boxes")
    columns: dict[str, list[Any]] = {"images": [], "boxes": [], "labels": [], "segmentation": []}
    for count in counts.tolist():
        rings = [_ring(rng) for _ in range(count)]
        points = np.reshape(rings, (count, -1, 2))
        columns["boxes"].append(np.concatenate([points.min(1), np.ptp(points, axis=1)], 1))
        columns["labels"].append(rng.integers(0, len(names), count))
        columns["segmentation"].append([[ring] for ring in rings])
        small = Image.fromarray(rng.integers(0, 255, (24, 32, 3), np.uint8))
        columns["images"].append(_jpeg(small.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)))
    ds.extend(columns)
    ds.commit("made for this")
    return ds


def _jpeg(image: Image.Image) -> np.ndarray:
    raw = io.BytesIO()
    image.save(raw, "jpeg", quality=90)
    return np.asarray(Image.open(io.BytesIO(raw.getvalue())))


def _forget() -> None:
    for cache in (THUMBNAILS, SHAPES):
        cache.clear()


def measure(chromium: str, names: Collection[str] = LIMITS_MS) -> dict[str, float]:
    """Return medians, in milliseconds, from the request of a page to its last thumbnail and outline on screen.

    `names` are those of `LIMITS_MS` that are wanted.
    """
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        taken: dict[str, float] = {}
        for name, num_pages in zip(LIMITS_MS, (1, NUM_PAGES), strict=True):
            if name not in names:
                continue
            widget = penstock.explore(_dataset(Path(folder) / f"{num_pages}.penstock", num_pages))
            with served(widget, "browser", _PAGE) as url:
                taken[name] = _median(browser.new_page(viewport={"width": 1000, "height": 920}), url, num_pages > 1)
        browser.close()
    return taken


def _median(page: Any, url: str, again: bool) -> float:
    """Return the time of a page that is asked for, or that is scrolled back to."""
    page.goto(url)
    page.wait_for_function("() => window.ready")
    times = []
    for _ in range(REPEATS):
        _forget()
        times.append(page.evaluate("(again) => window.once(again)", again))
    return round(statistics.median(times), 1)
