"""The Explorer in a real marimo, which shows widgets in a shadow root."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
import urllib.request

import pytest
from playwright.sync_api import expect

from tests.ui.server import ROOT, free_port

APP = """import marimo

app = marimo.App()


@app.cell
def _():
    import penstock

    x = penstock.explore(penstock.demo(num_samples=60), query="select * sample by max_weight(contains(labels, 'Cross'): 5, True: 1)")
    x
    return (x,)
"""


@pytest.fixture
def marimo(tmp_path):
    """Return a function that starts marimo in a mode and returns its address."""
    program = os.environ.get("MARIMO_PYTHON", sys.executable)
    if program == sys.executable and importlib.util.find_spec("marimo") is None:
        message = "marimo is not installed: make a new environment by 'make test-ui'"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    started = []

    def start(mode):
        port = free_port()
        command = [program, "-m", "marimo", "--yes", mode, "app.py", "--headless", "--no-token", f"--port={port}"]
        folders = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, **folders, "PYTHONPATH": path, "MARIMO_SKIP_UPDATE_CHECK": "1"}
        log = (tmp_path / "marimo.log").open("wb")
        started.append((subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log), log))
        _wait_until_up(f"http://127.0.0.1:{port}/health", started[-1][0])
        return f"http://127.0.0.1:{port}"

    yield start
    for process, log in started:
        process.terminate()
        process.wait(15)
        log.close()


def _wait_until_up(url, process, limit_s=60):
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("marimo did not come up")


@pytest.mark.slow
@pytest.mark.parametrize("mode", [pytest.param("run", marks=pytest.mark.exhaustive), "edit"])
def test_the_explorer_is_styled_and_alive_in_marimo(marimo, browser, mode):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(marimo(mode))
    if mode == "edit":  # an editor runs nothing before it is told to
        page.locator("[data-testid=cell-tray], .marimo-cell").first.get_by_test_id("run-button").first.click(
            timeout=60_000
        )
    explorer = page.locator("[data-testid=penstock-explorer][data-ready='1']")
    expect(explorer.locator("[data-testid=penstock-grid] img").first).to_be_visible(timeout=120_000)
    header = explorer.get_by_test_id("penstock-header")
    assert explorer.evaluate("element => element.getRootNode() instanceof ShadowRoot")
    expect(header).to_have_css("display", "flex")
    assert header.locator("svg").first.bounding_box()["width"] < 40
    slider = explorer.locator("[data-testid=weight-slider][data-class=Cross]")
    bar = explorer.locator("[data-testid=bar][data-class=Cross]")
    before = float(bar.get_attribute("data-sampled"))
    slider.press("PageUp")
    expect(slider).to_have_attribute("data-weight", "10")
    assert float(bar.get_attribute("data-sampled")) > before
    _type(page, explorer, "select * where contains(labels, 'Cr")
    popup = page.locator(".cm-tooltip-autocomplete")
    expect(popup).to_contain_text("Cross")
    expect(popup).to_have_css("position", "fixed")
    page.keyboard.press("Escape")
    _type(page, explorer, "select * limit 7")
    page.keyboard.press("Shift+Enter")
    expect(explorer.get_by_test_id("penstock-funnel")).to_contain_text("7")
    assert errors == []
    context.close()


def _type(page, explorer, text):
    explorer.locator("[data-testid=penstock-query] .cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
