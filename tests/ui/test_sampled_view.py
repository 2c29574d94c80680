"""The Explorer on a view drawn with replacement, whose samples repeat."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

import penstock
from penstock.dataset.samples import content_of
from tests.ui.explorer import explorer_of

BALANCED = "select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)"


def test_a_balanced_view_is_edited_sample_by_sample(open_plain, tmp_path):
    path = str(tmp_path / "demo.penstock")
    ds = penstock.demo(path, num_samples=80)
    rows = np.sort(ds.query(BALANCED).indices)
    first = int(np.flatnonzero(rows[1:] == rows[:-1])[0])
    times = int((rows == rows[first]).sum())
    explorer = explorer_of(open_plain(lambda: penstock.explore(ds.query(BALANCED)), width=1220))
    root = explorer.root
    expect(root.get_by_test_id("penstock-funnel")).to_contain_text("80 rows")
    expect(root.get_by_test_id("penstock-opened")).to_contain_text("Frozen view")
    labels = ds.labels.numpy(aslist=True)
    crosses = sum(int((labels[row] == ds.labels.info.class_names.index("Cross")).sum()) for row in rows)
    assert explorer.raw("Cross") == explorer.sampled("Cross") == crosses
    expect(root.get_by_test_id("curve-once")).to_have_attribute("data-shares", re.compile("^0 1 1 1"))
    expect(root.get_by_test_id("curve-deck")).to_have_count(0)
    expect(root.locator("[data-testid=mode] input[value=deck]")).to_be_disabled()

    root.get_by_test_id("penstock-sort").select_option("row")
    grid = root.get_by_test_id("penstock-grid")
    grid.locator(f"[data-position='{first}']").click()
    detail = root.get_by_test_id("penstock-detail")
    uid = str(int(content_of(ds).table.uids(rows[[first]])[0]))
    expect(grid).to_have_attribute("aria-activedescendant", re.compile(rf"-{first}$"))
    expect(detail).to_have_attribute("data-uid", uid)
    root.get_by_test_id("penstock-labels").locator("[data-label] button").first.click()
    root.get_by_test_id("penstock-class-find").fill("Ring")
    root.get_by_test_id("penstock-class-find").press("Enter")
    expect(root.get_by_test_id("penstock-edits")).to_contain_text("1")
    for copy in range(first + 1, first + times):
        grid.press("ArrowRight")
        expect(grid).to_have_attribute("aria-activedescendant", re.compile(rf"-{copy}$"))
        expect(detail).to_have_attribute("data-uid", uid)
        expect(root.get_by_test_id("penstock-labels")).to_contain_text("Ring")
    grid.press("ArrowRight")
    expect(detail).not_to_have_attribute("data-uid", uid)

    explorer.type_query("select * sample by max_weight(contains(labels, 'Ring'): 3, True: 1)")
    seen = root.get_by_test_id("seen-epoch-1")
    expect(root.get_by_test_id("curve-once")).to_have_count(0)
    expect(root.get_by_test_id("curve-iid")).to_have_attribute("data-shares", re.compile("^0 0"))
    plan = penstock.load(path).query(BALANCED).plan("max_weight(contains(labels, 'Ring'): 3, True: 1)")
    assert float(seen.get_attribute("data-value")) == pytest.approx(plan.coverage(1).share[0], abs=0.03)
    explorer.expect_no_page_errors()
