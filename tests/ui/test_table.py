"""Samples without images, table results and column profiles, in a browser: what is counted, clicked and typed."""

from __future__ import annotations

import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import penstock
from tests.ui.widths import exhaustive

NUM_ROWS = 3000


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng = np.random.default_rng(7)
    return penstock.from_arrays(
        {
            "labels": np.array(["cat", "dog", "emu"])[rng.integers(0, 3, NUM_ROWS)].tolist(),
            "age": [None if i % 20 == 0 else i % 96 for i in range(NUM_ROWS)],
            "view": [("PA", "AP", "it's")[i % 3] for i in range(NUM_ROWS)],
            "taken": [str(np.datetime64("2021-03-01") + i % 500) for i in range(NUM_ROWS)],
            **{f"feature_{i}": rng.normal(size=NUM_ROWS) for i in range(30)},
        },
        tmp_path_factory.mktemp("table") / "table.penstock",
        progress=False,
    )


def shown(open_plain, source, theme="light", **options):
    """Return the page of an Explorer, and the Explorer."""
    explorers = []

    def make():
        explorers.append(penstock.explore(source, theme=theme))
        return explorers[0]

    page = open_plain(make, **options)
    return page, explorers[0]


def chart(page, column):
    found = page.locator(f"[data-column={column}] [data-testid=penstock-profile] svg").first
    expect(found).to_be_visible()
    return found


def drag(page, column, start, stop):
    """Drag over a column's chart, from one share of its width to another."""
    found = chart(page, column)
    found.scroll_into_view_if_needed()
    box = found.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + stop * box["width"], y)
    page.mouse.up()


def query_of(page):
    return page.locator(".cm-content").inner_text().strip()


def test_a_click_on_a_bar_selects_its_samples_and_again_all(open_plain, table):
    page, explorer = shown(open_plain, table)
    drag(page, "view", 0.5, 0.5)
    expect(page.locator(".cm-content")).to_have_text(re.compile("where view = "))
    expect(page.locator("[data-testid=penstock-rows]")).to_have_attribute("data-pool", str(NUM_ROWS // 3))
    assert len(explorer.view) == NUM_ROWS // 3
    drag(page, "view", 0.5, 0.5)
    expect(page.locator("[data-testid=penstock-rows]")).to_have_attribute("data-pool", str(NUM_ROWS))
    assert query_of(page) == "select *"
    assert page.faults == []


def test_a_drag_selects_a_range_of_the_numbers_that_it_shows(open_plain, table):
    page, explorer = shown(open_plain, table)
    drag(page, "age", 0.3, 0.6)
    expect(page.locator(".cm-content")).to_have_text(re.compile("where age between"))
    low, high = map(int, re.search(r"between (\d+) and (\d+)", query_of(page)).groups())
    expected = [i for i in range(NUM_ROWS) if i % 20 and low <= i % 96 <= high]
    assert (
        explorer.view.rows.tolist() == expected
        if hasattr(explorer.view, "rows")
        else len(explorer.view) == len(expected)
    )
    expect(page.locator("[data-testid=penstock-rows]")).to_have_attribute("data-pool", str(len(expected)))


def test_the_table_is_walked_by_keys_and_labels_are_edited_beside_it(open_plain, table):
    page, _ = shown(open_plain, table)
    rows = page.locator("[data-testid=penstock-rows]")
    expect(rows.locator("[data-position='0'] [role=gridcell]").first).to_be_visible()
    rows.focus()
    page.keyboard.press("End")
    expect(rows.locator(f"[data-position='{NUM_ROWS - 1}'] [role=rowheader]")).to_have_text(f"{NUM_ROWS - 1:,}")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-testid=penstock-detail]")).to_contain_text("sample 1")
    page.keyboard.press("Control+ArrowRight")
    expect(page.locator("[role=columnheader][data-column=feature_29]")).to_be_in_viewport()
    active = rows.get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").count() == 1


def test_a_grouped_result_is_a_table_with_profiles(open_plain, table):
    page, explorer = shown(open_plain, table)
    explorer.query = "select view, count(*) as n, avg(age) as age group by view"
    expect(page.locator("[data-testid=penstock-table]")).to_contain_text("A table of 3 rows")
    expect(page.locator("[data-testid=penstock-rows] [data-position='0']")).to_contain_text("1000")
    expect(chart(page, "n")).to_be_visible()
    page.get_by_role("button", name="Back to the last query with samples").click()
    expect(page.locator("[data-testid=penstock-rows]")).to_have_attribute("data-pool", str(NUM_ROWS))


def test_columns_beside_images_are_in_a_menu_and_select(open_plain, tmp_path):
    ds = penstock.from_arrays(
        {"images": np.zeros((60, 16, 16, 3), np.uint8), "labels": ["cat", "dog"] * 30, "age": np.arange(60)},
        tmp_path / "images.penstock",
        progress=False,
    )
    page, explorer = shown(open_plain, ds)
    page.locator("[data-testid=penstock-columns-menu]").click()
    expect(page.locator("[data-testid=penstock-columns]")).to_be_focused()
    chart(page, "age")
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".cm-content")).to_have_text(re.compile("where age between 0 and"))
    assert len(explorer.view) < 60


@pytest.mark.parametrize(
    ("width", "theme"), [*exhaustive((1220, "light")), (932, "dark"), *exhaustive((848, "light")), (420, "dark")]
)
def test_the_table_is_accessible_and_pushes_nothing(open_plain, table, width, theme):
    page, _ = shown(open_plain, table, width=width + 2, height=900, theme=theme)
    chart(page, "age")
    expect(page.locator("[data-testid=penstock-rows] [data-position='1']")).to_contain_text("1")
    before = page.locator("[data-testid=penstock-explorer]").bounding_box()["height"]
    drag(page, "view", 0.5, 0.5)
    expect(page.locator("[data-testid=penstock-rows]")).to_have_attribute("data-pool", str(NUM_ROWS // 3))
    if width >= 760:
        assert page.locator("[data-testid=penstock-explorer]").bounding_box()["height"] == before
    assert page.evaluate("document.documentElement.scrollWidth") <= width + 2
    axe = Axe().run(page, context="[data-testid=penstock-table]")
    assert axe.violations_count == 0, axe.generate_report()
