"""What is drawn over thumbnails: in the colors of the theme, gone with its button, kept with rows that are scrolled away."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import penstock
from tests.ui.explorer import explorer_of

LIGHT_HUES = [(0x7A, 0x41, 0xB4), (0xCB, 0x80, 0x00)]  # of the classes 0 and 1 in theme.css
DARK_HUES = [(0x9D, 0x7B, 0xEA), (0xF2, 0xB3, 0x3D)]


@pytest.fixture
def explorer(open_plain, tmp_path):
    ds = penstock.demo(tmp_path / "shapes.penstock", num_samples=400)
    return explorer_of(open_plain(lambda: penstock.explore(ds), width=1220))


def test_drawings_have_the_colors_of_a_theme_that_changes(explorer):
    drawings = explorer.drawings()
    expect(drawings.first).to_be_attached()
    colors = explorer.drawn_colors()
    assert colors.issuperset(LIGHT_HUES)
    assert colors.isdisjoint(DARK_HUES)
    drawings.first.evaluate("canvas => canvas.dataset.light = '1'")
    explorer.page.evaluate("document.querySelector('.penstock').parentElement.classList.add('dark')")
    expect(explorer.root.locator("canvas[data-light]")).to_have_count(0)
    colors = explorer.drawn_colors()
    assert colors.issuperset(DARK_HUES)
    assert colors.isdisjoint(LIGHT_HUES)
    explorer.expect_no_page_errors()


def test_nothing_is_drawn_while_boxes_are_hidden(explorer):
    drawings = explorer.drawings()
    expect(drawings.first).to_be_attached()
    explorer.root.locator(".penstock-boxes").click()
    expect(drawings).to_have_count(0)
    explorer.root.locator(".penstock-boxes").click()
    expect(drawings.first).to_be_attached()


def test_a_row_that_comes_back_is_drawn_already(explorer):
    explorer.root.locator("[data-position='0'] img").evaluate("image => image.dataset.mark = '1'")
    explorer.drawings().first.evaluate("canvas => canvas.dataset.mark = '1'")
    grid = explorer.root.get_by_test_id("penstock-grid")
    grid.evaluate("grid => grid.scrollTop = 3000")
    expect(explorer.root.locator("[data-mark]")).to_have_count(0)
    grid.evaluate("grid => grid.scrollTop = 0")
    expect(explorer.root.locator("[data-position='0'] img[data-mark]")).to_have_js_property("complete", True)
    expect(explorer.root.locator("canvas[data-mark]")).to_have_count(1)
