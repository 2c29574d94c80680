"""`to_html` in a browser that is offline: drawn, alive, silent."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import penstock


@pytest.fixture
def opened(browser, page_file):
    """Return the page, open and offline; whatever it asks of a network or throws is a failure."""
    context = browser.new_context(offline=True, viewport={"width": 1240, "height": 900})
    page = context.new_page()
    requested, errors = [], []
    page.on("request", lambda request: requested.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(page_file.as_uri())
    explorer = page.locator("[data-testid=penstock-explorer][data-ready='1']")
    expect(explorer.locator("[data-testid=penstock-grid] img").first).to_be_visible()
    yield explorer
    assert all(url.startswith(("file:", "blob:")) for url in requested)
    assert errors == []
    context.close()


@pytest.fixture
def page_file(tmp_path):
    ds = penstock.demo(tmp_path / "demo.penstock", num_samples=120)
    explorer = penstock.explore(ds, query="select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)")
    explorer.to_html(tmp_path / "page.html")
    return tmp_path / "page.html"


def run(explorer, text):
    explorer.locator("[data-testid=penstock-query] .cm-content").click()
    explorer.page.keyboard.press("Control+a")
    explorer.page.keyboard.insert_text(text)
    explorer.page.keyboard.press("Shift+Enter")


def test_sliders_are_alive_without_network_or_kernel(opened):
    bar = opened.locator("[data-testid=bar][data-class=Cross]")
    before = float(bar.get_attribute("data-sampled"))
    opened.locator("[data-testid=weight-slider][data-class=Cross]").press("PageUp")
    assert float(bar.get_attribute("data-sampled")) > before


def test_queries_about_class_labels_run_in_the_page(opened):
    funnel = opened.get_by_test_id("penstock-funnel")
    run(opened, "select * where contains(labels, 'Cross') and contains(labels, 'Circle')")
    expect(funnel).to_contain_text("2 match")
    expect(opened.locator("[data-testid=penstock-grid] img")).to_have_count(2)
    run(opened, "select * sample by max_weight(contains(labels, 'Star'): 7, True: 1)")
    expect(opened.locator("[data-testid=weight-slider][data-class=Star]")).to_have_attribute("data-weight", "7")


def test_what_needs_a_kernel_is_disabled_and_says_why(opened):
    run(opened, "select * where shape(boxes)[0] > 1")
    expect(opened.get_by_text("This needs a kernel").first).to_be_attached()
    assert opened.locator("[data-testid=penstock-grid] img").count() > 2
    export = opened.get_by_test_id("penstock-export")
    expect(export).to_be_disabled()
    expect(export).to_have_attribute(
        "title", "This is a copy without a kernel: run the notebook to edit, export and draw."
    )
    expect(opened.get_by_test_id("penstock-page")).to_have_text("copy without kernel")


def test_draws_are_those_of_the_weights_that_were_saved_and_no_others(opened):
    other = opened.get_by_text("This copy has the draws of the weights it was saved with")
    opened.get_by_role("tab", name="batches").click()
    expect(opened.get_by_test_id("batch")).to_have_count(2)
    expect(other).to_have_count(0)
    opened.locator("[data-testid=weight-slider][data-class=Cross]").press("PageUp")
    expect(other).to_be_visible()


def test_a_preset_over_many_classes_is_one_term_in_the_page(browser, tmp_path):
    names = [f"class {number:02}" for number in range(45)]
    labels = [[names[row % 45], names[row % 7]] for row in range(90)]
    ds = penstock.from_arrays({"labels": labels}, tmp_path / "many", progress=False)
    penstock.explore(ds).to_html(tmp_path / "page.html")
    page = browser.new_page(viewport={"width": 1240, "height": 900})
    page.goto((tmp_path / "page.html").as_uri())
    page.get_by_test_id("penstock-balance").click()
    page.locator(".penstock-popover:visible").get_by_text("balanced").first.click()
    expect(page.locator("[data-testid=penstock-query]")).to_contain_text("classes(labels, $balanced)")
    expect(page.locator("[data-testid=weight-slider]").nth(1)).not_to_have_attribute("data-weight", "1")
    page.close()
