"""From edits to a commit: relabel a few at once, look at each, keep one for later, drop one, commit the rest."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import penstock
from tests.ui.widths import exhaustive


@pytest.fixture
def ds(tmp_path):
    return penstock.demo(tmp_path / "demo.penstock", num_samples=60)


def names_of(dataset, row):
    names = dataset.labels.info.class_names
    return [names[index] for index in dataset.labels[row].numpy()]


def test_three_are_relabeled_one_is_kept_one_dropped_and_one_committed(open_plain, ds):
    with_circle = [row for row in range(60) if "Circle" in names_of(ds, row)]
    first, second, third = with_circle[:3]
    before = {row: names_of(ds, row) for row in (first, second, third)}
    after = {row: ["Cross" if name == "Circle" else name for name in names] for row, names in before.items()}
    page = open_plain(lambda: penstock.explore(ds, query="select * where contains(labels, 'Circle') limit 6"))
    grid = page.get_by_test_id("penstock-grid")
    grid.focus()
    grid.press("Shift+ArrowRight")
    grid.press("Shift+ArrowRight")
    page.get_by_test_id("penstock-selection-menu").click()
    panel = page.get_by_test_id("penstock-selection")
    expect(panel).to_contain_text("3 samples selected")
    panel.get_by_role("button", name="Circle", exact=True).click()
    panel.get_by_role("button", name="Cross", exact=True).click()

    pill = page.get_by_test_id("penstock-edits")
    expect(pill).to_have_text("3 unsaved edits")
    pill.click()
    rows = page.get_by_test_id("penstock-review-row")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text(f"sample {first}")
    expect(rows.nth(0)).to_contain_text("+ Cross")
    expect(page.get_by_test_id("penstock-review-counts")).to_contain_text("already counts these edits")
    expect(page.locator(".penstock-primary")).to_have_count(1)
    rows.nth(1).get_by_role("checkbox").uncheck()
    expect(page.get_by_test_id("penstock-review-count")).to_have_text("2 of 3 edits selected")
    rows.nth(2).get_by_test_id("penstock-review-discard").click()
    expect(rows).to_have_count(2)
    expect(page.get_by_test_id("penstock-review-count")).to_have_text("1 of 2 edits selected")
    page.get_by_test_id("penstock-commit-message").fill("a cross, not a circle")
    page.get_by_test_id("penstock-commit-now").click()

    expect(pill).to_have_text("1 unsaved edit")
    expect(rows).to_have_count(1)
    expect(rows.nth(0)).to_contain_text(f"sample {second}")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("penstock-left")).to_have_attribute("data-region", "grid")
    expect(pill).to_be_focused()
    committed = penstock.load(ds.path, version=ds.commit_id)
    assert [names_of(committed, row) for row in before] == [after[first], before[second], before[third]]
    assert [names_of(penstock.load(ds.path), row) for row in before] == [after[first], after[second], before[third]]
    assert ds.log()[0].message == "a cross, not a circle"
    assert page.faults == []


@pytest.mark.parametrize("width", [1220, *exhaustive(932, 848, 560), 420])
def test_the_header_is_one_line_at_every_width(open_plain, ds, width):
    ds.labels[0] = ["Cross"] * len(ds.labels[0].numpy())
    page = open_plain(lambda: penstock.explore(ds), width=width)
    header = page.get_by_test_id("penstock-header")
    expect(page.get_by_test_id("penstock-edits")).to_be_visible()
    assert header.bounding_box()["height"] == 40
    assert header.evaluate("element => element.scrollWidth <= element.clientWidth")


@pytest.mark.parametrize(("theme", "width"), [*exhaustive(("light", 932)), ("dark", 848), ("light", 420)])
def test_the_review_is_clean_for_axe(open_plain, ds, theme, width):
    ds.labels[0] = ["Cross"] * len(ds.labels[0].numpy())
    ds.labels.rename_class("Ring", "Hoop")
    ds.pop(9)
    page = open_plain(lambda: penstock.explore(ds, theme=theme), width=width, height=1300)
    page.get_by_test_id("penstock-edits").click()
    expect(page.get_by_test_id("penstock-review-row")).to_have_count(2)
    expect(page.get_by_test_id("penstock-review-others")).to_have_text("Class Ring renamed to Hoop")
    axe = Axe().run(page, context="[data-testid=penstock-review-drawer]")
    assert axe.violations_count == 0, axe.generate_report()
    axe = Axe().run(page, context="[data-testid=penstock-header]")
    assert axe.violations_count == 0, axe.generate_report()


def test_a_sample_of_the_review_is_shown_by_its_name(open_plain, ds):
    row = next(row for row in range(5, 60) if names_of(ds, row))
    ds.labels[row] = ["Cross"] * len(ds.labels[row].numpy())
    page = open_plain(lambda: penstock.explore(ds))
    page.get_by_test_id("penstock-edits").click()
    page.get_by_role("button", name=re.compile(rf"^sample {row}$")).click()
    expect(page.get_by_test_id("penstock-left")).to_have_attribute("data-region", "grid")
    expect(page.get_by_test_id("penstock-detail")).to_contain_text(f"sample {row}")
