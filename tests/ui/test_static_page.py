"""`to_html` in a browser that is offline: drawn, alive, silent."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import penstock


@pytest.fixture
def page_file(tmp_path):
    ds = penstock.demo(tmp_path / "demo.penstock", num_samples=120)
    explorer = penstock.explore(ds, query="select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)")
    explorer.to_html(tmp_path / "page.html")
    return tmp_path / "page.html"


def test_the_page_is_alive_without_network_or_kernel(browser, page_file):
    context = browser.new_context(offline=True, viewport={"width": 1240, "height": 900})
    page = context.new_page()
    requested, errors = [], []
    page.on("request", lambda request: requested.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(page_file.as_uri())
    explorer = page.locator("[data-testid=penstock-explorer][data-ready='1']")
    expect(explorer.locator("[data-testid=penstock-grid] img").first).to_be_visible()
    bar = explorer.locator("[data-testid=bar][data-class=Cross]")
    before = float(bar.get_attribute("data-sampled"))
    explorer.locator("[data-testid=weight-slider][data-class=Cross]").press("PageUp")
    assert float(bar.get_attribute("data-sampled")) > before
    assert all(url.startswith(("file:", "blob:")) for url in requested)
    assert errors == []
    context.close()


def test_what_the_page_loads_later_shares_the_state_of_what_it_drew_first(browser, page_file):
    context = browser.new_context(offline=True, viewport={"width": 1240, "height": 900})
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(page_file.as_uri())
    explorer = page.locator("[data-testid=penstock-explorer][data-ready='1']")
    explorer.locator("[role=gridcell][data-position='3']").click()
    detail = explorer.locator("[data-testid=penstock-detail]")
    expect(detail).to_contain_text("4 of")
    explorer.locator("[role=gridcell][data-position='5']").click()
    expect(detail).to_contain_text("6 of")
    expect(explorer.locator("[data-testid=penstock-lazy]")).to_have_count(0)
    assert errors == []
    context.close()
