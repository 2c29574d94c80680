"""Record docs/images/walk.webp: look, label, weigh and export in JupyterLab, as a user's mouse does it.

Run from the root of the checkout: `python scripts/record_walk.py`, in the environment of the browser tests. A frame is
kept for as long as the walk says, so that a slow machine records the same walk.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.ui.chromium import FLAGS, find_chromium  # noqa: E402  found through the line above
from tests.ui.explorer import Explorer, open_explorer  # noqa: E402
from tests.ui.lab import NotebookPage, watch_errors  # noqa: E402
from tests.ui.server import start_server  # noqa: E402

TARGET = ROOT / "docs" / "images" / "walk.webp"
LIMIT = 3_000_000  # bytes
VIEWPORT = {"width": 1316, "height": 872}  # the Explorer is 1220 pixels wide in it
WIDTH = 1120  # of the recording
FIRST = """import penstock

x = penstock.explore(penstock.demo("shapes.penstock"))
x"""
COUNT = """from collections import Counter

names = dataset.labels.info.class_names
print(Counter(names[label] for batch in loader for labels in batch["labels"] for label in labels))"""
STEP_MS = 70  # a frame of a moving mouse

# What a screenshot has no picture of: the mouse; and the line that says what happens, in place of Jupyter's menus.
STAGE = """() => {
  const style = document.createElement('style');
  style.textContent = `
    #walk-mouse { position: fixed; left: 0; top: 0; z-index: 2147483647; pointer-events: none; }
    #walk-mouse.down circle { opacity: .35; }
    #walk-title { position: fixed; inset: 0 0 auto 0; height: 56px; z-index: 2147483646; pointer-events: none; background: #fff;
      border-bottom: 1px solid #dfe3e8; font: 17px/56px "DejaVu Sans", sans-serif; color: #3d4852; display: flex; padding: 0 24px; gap: 28px; }
    #walk-title b { color: #8a949e; font-weight: 400; } #walk-title b.now { color: #0f6b67; font-weight: 700; box-shadow: inset 0 -3px #0f6b67; }
    #walk-title span { margin-left: auto; }`;
  document.head.append(style);
  document.body.insertAdjacentHTML('beforeend', `<div id="walk-title">${['Look', 'Label', 'Weigh', 'Export'].map(s => `<b>${s}</b>`).join('')}<span></span></div>
    <svg id="walk-mouse" width="44" height="44" viewBox="-16 -16 44 44"><circle r="14" fill="#0f6b67" opacity="0"/>
    <path d="M0 0 L0 17 L4.2 13.2 L7 19.4 L9.6 18.2 L6.9 12.2 L12.4 12 Z" fill="#111" stroke="#fff" stroke-width="1.4"/></svg>`);
}"""
MOVE = """([x, y, down]) => { const m = document.getElementById('walk-mouse');
  m.style.transform = `translate(${x - 16}px, ${y - 16}px)`; m.classList.toggle('down', down); }"""
SAY = """([step, text]) => { const t = document.getElementById('walk-title');
  for (const b of t.querySelectorAll('b')) b.classList.toggle('now', b.textContent === step);
  t.querySelector('span').textContent = text; }"""
DRAWN = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"""
QUIET = """() => document.getAnimations().filter(a => a.playState === 'running' && a.effect?.getComputedTiming().iterations !== Infinity).length === 0
  && [...document.querySelectorAll('[data-testid=penstock-grid] img')].every(image => image.complete)"""


class Recorder:
    """Frames with the time each is shown, and the mouse that is seen in them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[Image.Image] = []
        self.durations: list[int] = []
        self._at = (VIEWPORT["width"] * 0.45, VIEWPORT["height"] * 0.62)
        self._is_down = False
        page.evaluate(STAGE)
        self._show_mouse()

    def say(self, step: str, text: str) -> None:
        """Name the step, and what happens in it."""
        self.page.evaluate(SAY, [step, text])

    def keep(self, shown_ms: int, *, quiet: bool = False) -> None:
        """Keep what the page shows, `quiet`: once nothing moves in it."""
        if quiet:
            self.page.wait_for_function(QUIET)
        self.page.evaluate(DRAWN)
        shot = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        height = round(shot.height * WIDTH / shot.width)
        self.frames.append(shot.resize((WIDTH, height), Image.Resampling.LANCZOS))
        self.durations.append(shown_ms)

    def move_to(self, x: float, y: float, *, steps: int = 7, shown_ms: int = STEP_MS) -> None:
        """Move the mouse, slower at both ends."""
        (left, top), last = self._at, steps
        for step in range(1, last + 1):
            share = step / last
            share = share * share * (3 - 2 * share)
            self._at = (left + (x - left) * share, top + (y - top) * share)
            self.page.mouse.move(*self._at)
            self._show_mouse()
            self.keep(shown_ms)

    def click(self, target: Locator, *, at: tuple[float, float] = (0.5, 0.5), steps: int = 7) -> None:
        """Go to an element and click it."""
        box = _box(target)
        self.move_to(box["x"] + at[0] * box["width"], box["y"] + at[1] * box["height"], steps=steps)
        self.press()
        self.keep(180)
        self.release()

    def press(self) -> None:
        """Press the mouse's button."""
        self.page.mouse.down()
        self._is_down = True
        self._show_mouse()

    def release(self) -> None:
        """Release it."""
        self.page.mouse.up()
        self._is_down = False
        self._show_mouse()

    def scroll(self, by: float, *, steps: int) -> None:
        """Turn the wheel where the mouse is."""
        for _ in range(steps):
            self.page.mouse.wheel(0, by / steps)
            self.keep(80)

    def save(self, path: Path) -> None:
        """Write the frames as an animation."""
        first, *others = self.frames
        first.save(
            path, save_all=True, append_images=others, duration=self.durations, loop=0,
            quality=85, method=3, minimize_size=True, allow_mixed=True,
        )  # fmt: skip

    def _show_mouse(self) -> None:
        self.page.evaluate(MOVE, [*self._at, self._is_down])


def _box(target: Locator) -> dict[str, float]:
    box = target.bounding_box()
    if box is None:
        raise RuntimeError(f"{target} is not shown")
    return dict(box)


def look(walk: Recorder, explorer: Explorer) -> None:
    """Scroll through the images, and see the ones of a class."""
    walk.say("Look", "600 images with their boxes, under one line of Python")
    walk.keep(2000, quiet=True)
    grid = _box(explorer.root.get_by_test_id("penstock-grid"))
    walk.move_to(grid["x"] + grid["width"] * 0.4, grid["y"] + grid["height"] * 0.5)
    walk.scroll(1700, steps=14)
    walk.keep(600, quiet=True)
    walk.scroll(-1700, steps=8)
    walk.keep(500, quiet=True)


def label(walk: Recorder, explorer: Explorer) -> None:
    """Fix the label of the ring that is labeled a circle, and commit."""
    root = explorer.root
    walk.say("Label", "sample 8 is a ring, but labeled Circle")
    walk.click(root.locator("[data-testid=penstock-grid] [role=gridcell]:has([data-row='8'])"), at=(0.3, 0.8))
    chips = root.get_by_test_id("penstock-detail").get_by_test_id("penstock-labels")
    wrong = chips.get_by_role("button", name="Circle", exact=True)
    expect(wrong).to_be_visible()
    walk.keep(1400, quiet=True)
    walk.click(wrong)
    ring = root.get_by_role("option", name="Ring")
    expect(ring).to_be_visible()
    walk.keep(700, quiet=True)
    walk.click(ring)
    expect(chips).to_contain_text("Ring")
    walk.say("Label", "one click fixes it; a commit keeps both versions")
    walk.keep(1200, quiet=True)
    walk.click(root.get_by_test_id("penstock-edits"))
    message = root.get_by_test_id("penstock-commit-message")
    expect(message).to_be_visible()
    for text in ("sample 8", "sample 8 shows", "sample 8 shows a ring"):
        message.fill(text)
        walk.keep(260)
    walk.click(root.get_by_test_id("penstock-commit-now"))
    expect(root.get_by_test_id("penstock-edits")).to_have_count(0)
    walk.keep(900, quiet=True)


def weigh(walk: Recorder, explorer: Explorer) -> None:
    """Drag the weights of two rare classes; what an epoch draws follows the mouse."""
    walk.say("Weigh", "drag a weight: expected counts and coverage follow")
    drag(walk, explorer, "Cross", 0.80)
    walk.keep(900, quiet=True)
    drag(walk, explorer, "Ring", 0.70)
    walk.keep(1300, quiet=True)
    walk.say("Weigh", "deck: every image is seen before any repeats")
    walk.click(explorer.root.get_by_test_id("mode").get_by_text("deck"))
    walk.keep(1800, quiet=True)


def drag(walk: Recorder, explorer: Explorer, name: str, to: float) -> None:
    """Drag the slider of a class to a share of its width."""
    slider = explorer.slider(name)
    box = _box(slider)
    share = float(slider.input_value()) / float(slider.get_attribute("max") or 1)
    y = box["y"] + box["height"] / 2
    walk.move_to(box["x"] + share * box["width"], y)
    walk.press()
    walk.move_to(box["x"] + to * box["width"], y, steps=12, shown_ms=100)
    walk.release()


def export(walk: Recorder, explorer: Explorer, notebook: NotebookPage) -> None:
    """Put the loader into the next cell, above one that counts what an epoch has."""
    root = explorer.root
    walk.say("Export", "the next cell draws exactly what the chart shows")
    walk.click(root.get_by_test_id("penstock-export"))
    insert = root.get_by_test_id("penstock-insert")
    expect(insert).to_be_visible()
    walk.keep(1300, quiet=True)
    walk.click(insert)
    notebook.wait_for_cells(3)
    go = root.get_by_test_id("penstock-toast").get_by_role("button", name="Go to cell")
    expect(go).to_be_visible()
    walk.keep(700, quiet=True)
    walk.click(go)
    expect(walk.page.locator(".jp-Cell:nth-child(2 of .jp-Cell) .cm-content")).to_be_focused()
    walk.keep(4500, quiet=True)


def main() -> None:
    """Record the walk."""
    path = find_chromium()
    if path is None:
        sys.exit("no Chromium found. Hint: make browser")
    with tempfile.TemporaryDirectory(prefix="walk-") as folder, sync_playwright() as playwright:
        server = start_server(Path(folder))
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            server.write_notebook("shapes.ipynb", [FIRST, COUNT])
            page = browser.new_page(viewport=VIEWPORT, color_scheme="light")
            page.set_default_timeout(120_000)
            notebook = NotebookPage(page, watch_errors(page))
            page.goto(server.lab_url("shapes.ipynb"))
            notebook.wait_for_kernel()
            explorer = open_explorer(notebook)
            walk = Recorder(page)
            look(walk, explorer)
            label(walk, explorer)
            weigh(walk, explorer)
            export(walk, explorer, notebook)
        finally:
            browser.close()
            server.stop()
    walk.save(TARGET)
    size = TARGET.stat().st_size
    print(f"{TARGET}: {len(walk.frames)} frames, {sum(walk.durations) / 1000:.1f} s, {size / 1e6:.2f} MB")
    if size > LIMIT:
        sys.exit(f"expected at most {LIMIT / 1e6:g} MB")


if __name__ == "__main__":
    main()
