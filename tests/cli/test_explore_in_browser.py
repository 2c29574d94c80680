"""`penstock explore` on an empty home: the browser shows a living Explorer with nothing pressed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.ui.chromium import FLAGS, find_chromium

pytestmark = [pytest.mark.ui, pytest.mark.slow, pytest.mark.xdist_group("ui")]

PAINTED = """() => [...document.querySelectorAll('[data-testid=penstock-grid] img')].filter(i => i.naturalWidth > 0).length >= 4"""
DEAD = "[data-testid=penstock-dead]"


@pytest.fixture
def page():
    playwright = pytest.importorskip("playwright.sync_api")
    path = find_chromium()
    if path is None:
        message = "no Chromium found: run 'make browser'"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=FLAGS)
        yield browser.new_page(viewport={"width": 1440, "height": 1000})
        browser.close()


@pytest.fixture
def explore(tmp_path):
    """Return a function that types `penstock explore` in an empty home and gives the address printed."""
    processes = []

    def type_it(*arguments):
        home = tmp_path / "home"
        home.mkdir()
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "JUPYTER", "IPYTHON"))
        }
        command = [sys.executable, "-m", "penstock.cli", "explore", "--no-browser", *map(str, arguments)]
        process = subprocess.Popen(
            command, cwd=home, env={**kept, "HOME": str(home)}, stderr=subprocess.PIPE, text=True
        )
        processes.append(process)
        said = []
        for line in process.stderr:
            said.append(line)
            if "http://" in line:
                return line.split()[-1]
        raise AssertionError(f"penstock explore ended early: {said}")

    yield type_it
    for process in processes:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        process.stderr.close()


def see(page, address):
    """Open an address and return the Explorer once its first thumbnails are painted; nothing is pressed."""
    from tests.ui.explorer import Explorer

    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    explorer = page.locator("[data-testid=penstock-explorer][data-ready='1']").first
    explorer.wait_for(timeout=90_000)
    page.wait_for_function(PAINTED, timeout=60_000)
    assert errors == []
    assert page.locator(DEAD).count() == 0
    return Explorer(page, explorer, errors)


def test_the_demo_is_alive_in_an_unchanged_notebook(explore, page, tmp_path):
    explorer = see(page, explore())
    assert explorer.raw("Circle") == 412
    assert page.locator(".jp-mod-dirty").count() == 0
    assert (tmp_path / "home/penstock-tour.ipynb").is_file()


@pytest.mark.real_data
def test_imported_coco_annotations_are_alive(explore, page, shared_data):
    explorer = see(page, explore(shared_data / "coco_mini/annotations/instances_train2017.json"))
    assert explorer.raw("person") == 172
