"""The page without Jupyter is a true host: state goes both ways, messages too, with their buffers."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import expect

import penstock

QUERY = "select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)"


def test_a_widget_is_alive_without_jupyter(open_plain, tmp_path):
    ds = penstock.demo(tmp_path / "shapes.penstock", num_samples=40)
    explorers = []

    def make():
        explorers.append(penstock.explore(ds, query=QUERY))
        return explorers[0]

    page = open_plain(make)
    expect(page.locator("[data-testid=penstock-grid] img").first).to_be_visible()  # buffers from the kernel
    page.locator("[data-testid=weight-slider][data-class=Cross]").press("PageUp")
    page.wait_for_function("() => [...window.models.values()].some(model => model.get('query')?.includes(': 40,'))")
    assert np.array_equal(explorers[0].weights, [40, 1])  # buffers from the browser
    assert page.faults == []
