"""The grid's filter in a real browser over a real session: clicks, chips, the query, a reload."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

import penstock
from tests.ui.widths import exhaustive

NUM_SAMPLES = 80


@pytest.fixture
def opened(open_plain, tmp_path):
    """Return a function that opens the Explorer at a width: page and widget."""
    ds = penstock.demo(tmp_path / "shapes.penstock", num_samples=NUM_SAMPLES)
    explorers = []

    def make():
        explorers.append(penstock.explore(ds))
        return explorers[-1]

    def open_it(width=1220, again=False):
        page = open_plain((lambda: explorers[-1]) if again else make, width=width)
        return page, explorers[-1]

    return open_it


def labels_of(explorer):
    return explorer.session.dataset.labels.numpy(aslist=True)


def click_class(page, name, *modifiers):
    page.locator(f"[data-class={name}] [data-cell=name]").click(modifiers=list(modifiers))


def unfold(page):
    """Open the menu where the bar has no room for chips."""
    page.wait_for_timeout(100)  # a frame for the room to be measured
    if page.locator(".penstock-filter-count").is_visible() and not page.get_by_test_id("penstock-filter-panel").count():
        page.get_by_test_id("penstock-filter-menu").click()
        expect(page.get_by_test_id("penstock-filter-panel")).to_be_visible()


def choose(page, state):
    page.get_by_test_id("penstock-filter-menu").click()
    page.get_by_test_id(f"penstock-state-{state}").check()
    page.keyboard.press("Escape")


def shown(explorer):
    display = explorer.session.display
    return display.run.pool[display.positions].tolist()


def test_classes_join_by_clicks_and_the_switch_says_how(opened):
    page, explorer = opened()
    names, labels = explorer.session.class_names, labels_of(explorer)
    circle, square = names.index("Circle"), names.index("Square")
    click_class(page, "Circle")
    click_class(page, "Square", "Shift")
    unfold(page)
    for how, fits in {
        "any": lambda own: circle in own or square in own,
        "all": lambda own: circle in own and square in own,
        "not": lambda own: circle not in own and square not in own,
    }.items():
        page.locator(f"[data-testid=penstock-how]:visible label:has(input[value={how}])").click()
        expected = [row for row, own in enumerate(labels) if fits(own)]
        expect(page.get_by_test_id("penstock-pool")).to_have_text(f"{len(expected)} of {NUM_SAMPLES}")
        assert shown(explorer) == expected
    assert page.faults == []


@pytest.mark.parametrize("width", [*exhaustive(1220), 932, *exhaustive(848), 420])
def test_a_chip_of_where_is_removed_at_every_width(opened, width):
    page, explorer = opened(width)
    explorer.query = "select * where shape(boxes)[0] > 0 and contains(labels, 'Circle')"
    chips = page.locator(".penstock-chip-text:visible")
    expect(page.get_by_test_id("penstock-filter-menu")).to_contain_text("2 filters")
    if width < 900:
        expect(page.locator(".penstock-filter-count")).to_be_visible()
    unfold(page)
    expect(chips.first).to_have_text("shape(boxes)[0] > 0")
    page.locator("[data-testid=penstock-chip-remove]:visible").first.click()
    expect(chips.first).to_have_text("contains(labels, 'Circle')")
    assert explorer.query == "select * where contains(labels, 'Circle')"
    bar = page.locator(".penstock-grid-bar")
    assert bar.bounding_box()["height"] == 36
    assert bar.evaluate("bar => bar.scrollWidth <= bar.clientWidth")
    assert page.faults == []


def test_a_reload_shows_what_was_shown(opened):
    page, explorer = opened()
    click_class(page, "Circle")
    page.get_by_test_id("penstock-sort").select_option(label="smallest box")
    choose(page, "edited")
    expect(page.get_by_test_id("penstock-empty")).to_contain_text("has Circle and is edited")
    page.get_by_test_id("penstock-clear").click()
    click_class(page, "Square")
    first = page.locator(".penstock-row-number").first
    square = explorer.session.class_names.index("Square")
    expect(page.get_by_test_id("penstock-pool")).to_have_text(
        f"{sum(square in own for own in labels_of(explorer))} of {NUM_SAMPLES}"
    )
    expect(first).to_have_attribute("data-row", str(shown(explorer)[0]))
    rows = page.locator(".penstock-row-number").evaluate_all("all => all.map(one => one.dataset.row)")
    page.reload()
    page.wait_for_selector(".penstock[data-link=live]")
    expect(page.get_by_test_id("penstock-sort")).to_have_value("box_area up")
    unfold(page)
    expect(page.locator(".penstock-class-chip .penstock-chip-text:visible").first).to_have_text("Square")
    expect(first).to_have_attribute("data-row", rows[0])
    again = page.locator(".penstock-row-number").evaluate_all("all => all.map(one => one.dataset.row)")
    assert again[: len(rows)] == rows[: len(again)]
    assert [int(row) for row in rows] == shown(explorer)[: len(rows)]


def test_filter_and_selection_become_the_query(opened):
    page, explorer = opened()
    click_class(page, "Circle")
    page.get_by_test_id("penstock-filter-menu").click()
    page.get_by_test_id("penstock-filter-query").click()
    expect(page.locator(".penstock-where-chip .penstock-chip-text").first).to_have_text("contains(labels, 'Circle')")
    grid = page.get_by_test_id("penstock-grid")
    grid.locator("[data-position='1']").click(modifiers=["ControlOrMeta"])
    grid.locator("[data-position='2']").click(modifiers=["ControlOrMeta"])
    wanted = np.array(shown(explorer))[[1, 2]].tolist()
    page.get_by_test_id("penstock-filter-menu").click()
    page.get_by_test_id("penstock-selection-query").click()
    expect(page.get_by_test_id("penstock-pool")).to_have_text(f"2 of {NUM_SAMPLES}")
    assert shown(explorer) == wanted
    assert "uid() in (" in explorer.query
    assert page.faults == []


def test_keys_go_on_when_the_last_sample_of_the_filter_leaves_it(opened):
    page, explorer = opened()
    cross = explorer.session.class_names.index("Cross")
    left = sum(cross in own for own in labels_of(explorer))
    click_class(page, "Cross")
    for number in range(left, 0, -1):
        expect(page.get_by_test_id("penstock-pool")).to_have_text(f"{number} of {NUM_SAMPLES}")
        page.get_by_role("gridcell").nth(left - number).click()
        page.get_by_role("button", name="Remove Cross").first.click()
    expect(page.locator(".penstock-held")).to_have_count(left)
    page.get_by_test_id("penstock-update-grid").click()
    expect(page.get_by_test_id("penstock-empty")).to_be_visible()
    page.wait_for_function("document.activeElement !== document.body")  # the button that had the focus is gone
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("penstock-pool")).to_have_text(f"1 of {NUM_SAMPLES}")
    assert page.faults == []
