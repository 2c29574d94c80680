"""Driving the Explorer as a user does: type a query, drag a slider, press a chip, export."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.ui.lab import NotebookPage

CODE_MIRROR = "[data-testid=penstock-query] .cm-content"

# What the page itself saw, in order: inputs, keys, changes of the bars' DOM, websocket messages.
RECORDER = """() => {
  const seen = (window.__seen = []);
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...args) { super(...args); this.addEventListener('message', () => seen.push('message')); }
  };
  for (const kind of ['input', 'keydown']) document.addEventListener(kind, () => seen.push(kind), { capture: true });
}"""
WATCH_BARS = """(root) => { new MutationObserver(() => window.__seen.push('bars')).observe(
  root.querySelector('[data-testid=penstock-classes]'), { attributes: true, subtree: true, childList: true, characterData: true }); }"""

OPAQUE = """canvases => [...new Set(canvases.flatMap(canvas => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const found = [];
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) found.push(`${data[i]},${data[i + 1]},${data[i + 2]}`);
  return found;
}))]"""


@dataclass
class Explorer:
    """The Explorer in an open notebook, or in a page without Jupyter."""

    page: Page
    root: Locator
    errors: list[str]

    def type_query(self, text: str) -> None:
        editor = self.root.locator(CODE_MIRROR)
        editor.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Shift+Enter")

    def query_text(self) -> str:
        folded = self.root.get_by_test_id("penstock-fold")
        if folded.count() > 0:
            folded.click()
        expect(self.root.locator(f"{CODE_MIRROR} .cm-line").first).to_be_visible()  # the editor comes after the page
        return "\n".join(self.root.locator(f"{CODE_MIRROR} .cm-line").all_inner_texts())

    def expect_pool(self, num_matches: int) -> None:
        expect(self.root.get_by_test_id("penstock-funnel")).to_contain_text(re.compile(rf"\b{num_matches:,}\b match"))

    def row(self, name: str) -> Locator:
        """A class's row of the table, which a search brings into view where it is not drawn."""
        found = self.root.locator(f"[data-testid=penstock-class-row][data-class='{name}']")
        if found.count() == 0:
            self.root.get_by_test_id("penstock-find-class").fill(name)
        return found

    def slider(self, label: str) -> Locator:
        return self.row(label).get_by_test_id("weight-slider")

    def weight(self, label: str) -> float:
        return float(self.slider(label).get_attribute("data-weight"))

    def bar(self, name: str) -> Locator:
        return self.row(name).get_by_test_id("bar")

    def sampled(self, name: str) -> float:
        return float(self.bar(name).get_attribute("data-sampled"))

    def raw(self, name: str) -> float:
        return float(self.bar(name).get_attribute("data-raw"))

    def drag(self, label: str, to: float) -> None:
        """Drag a slider's thumb with the mouse to a share of its width."""
        slider = self.slider(label)
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        share = float(slider.input_value()) / float(slider.get_attribute("max"))
        y = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + share * box["width"], y)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + to * box["width"], y, steps=12)
        self.page.mouse.up()

    def drawings(self) -> Locator:
        """What is drawn over the grid's rows."""
        return self.root.locator("[data-testid=penstock-grid] canvas")

    def drawn_colors(self) -> set[tuple[int, ...]]:
        """Colors of red, green and blue that cover a pixel over the grid."""
        expect(self.drawings().first).to_be_attached()
        found: list[str] = self.drawings().evaluate_all(OPAQUE)
        return {tuple(map(int, color.split(","))) for color in found}

    def open_image(self, position: int = 0) -> Locator:
        """Open a sample in the editor; return its stage, which has the keys."""
        self.root.locator(f"[data-testid=penstock-grid] [data-position='{position}']").dblclick()
        stage = self.root.get_by_test_id("penstock-stage")
        expect(stage).to_be_focused()
        return stage

    def commit(self, message: str) -> None:
        """Open the drawer, say why, commit."""
        self.root.get_by_test_id("penstock-edits").click()
        self.root.get_by_test_id("penstock-commit-message").fill(message)
        self.root.get_by_test_id("penstock-commit-now").click()
        expect(self.root.get_by_test_id("penstock-edits")).to_have_count(0)

    def expect_no_page_errors(self) -> None:
        assert self.errors == []


def open_explorer(notebook: NotebookPage, cell: int = 0) -> Explorer:
    """Run the cell and wait until its Explorer has drawn and heard from the kernel."""
    notebook.run_cell(cell)
    return _drawn(notebook.page, notebook.widget(), notebook.errors)


def reloaded_explorer(notebook: NotebookPage) -> Explorer:
    """Return the Explorer that a reloaded page shows by itself, once it hears from its kernel."""
    root = notebook.widget()
    expect(root).to_have_attribute("data-link", "live", timeout=60_000)
    return _drawn(notebook.page, root, notebook.errors)


def explorer_of(page: Page) -> Explorer:
    """Return the Explorer that `open_plain` has opened, once it has drawn and heard from its session."""
    return _drawn(page, page.get_by_test_id("penstock-explorer"), page.faults)


def _drawn(page: Page, root: Locator, errors: list[str]) -> Explorer:
    expect(root.get_by_test_id("penstock-funnel")).to_contain_text("rows", timeout=60_000)
    expect(root.locator("[data-testid=penstock-grid] img").first).to_be_visible(timeout=60_000)
    return Explorer(page, root, errors)
