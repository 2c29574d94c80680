"""A real browser on a real Jupyter server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ui.chromium import FLAGS, find_chromium

pytest.importorskip("playwright")

FAILED = pytest.StashKey[bool]()
RESULTS = Path(__file__).resolve().parents[2] / "test-results"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for groups
def pytest_collection_modifyitems(items):
    for item in items:
        if "/ui/" in str(item.path).replace(os.sep, "/"):
            item.add_marker("ui")
            item.add_marker(pytest.mark.xdist_group("ui"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def browser():
    path = find_chromium()
    if path is None:
        message = "no Chromium found: run 'make browser'"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory):
    from tests.ui.server import start_server

    server = start_server(tmp_path_factory.mktemp("lab"), application="lab")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def notebook_server(tmp_path_factory):
    from tests.ui.server import start_server

    server = start_server(tmp_path_factory.mktemp("notebook"), application="notebook")
    yield server
    server.stop()


@pytest.fixture
def open_plain(browser, monkeypatch, request) -> Iterator[Callable]:
    """Return a function that shows a widget of this process in a page without Jupyter, and waits for its kernel."""
    from tests.ui.lab import watch_errors
    from tests.ui.plain_host import PlainHost

    host = PlainHost(monkeypatch)
    contexts = []

    def open_it(make, *, width=932, height=700, scale=1.0, before=None):
        host.widget = make()
        context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=scale)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.host, page.faults = host, watch_errors(page)
        if before is not None:
            page.add_init_script(f"({before})()")
        page.goto(host.address)
        page.wait_for_selector(".penstock[data-link=live]")
        return page

    yield open_it
    for number, context in enumerate(contexts):
        if request.node.stash.get(FAILED, False):
            RESULTS.mkdir(exist_ok=True)
            context.pages[0].screenshot(path=RESULTS / f"failed-{request.node.name}-{number}.png")
        context.close()
    host.stop()


@pytest.fixture
def open_notebook(browser, request) -> Iterator[Callable]:
    """Return a function that writes a notebook of the given cells, opens it and waits for its kernel."""
    from tests.ui.lab import NotebookPage, watch_errors

    opened = []

    def open_it(sources, *, application="lab", name="test.ipynb", viewport=(1280, 900), dark=False, before=None):
        server = request.getfixturevalue("lab_server" if application == "lab" else "notebook_server")
        server.write_notebook(name, sources)
        context = browser.new_context(
            viewport={"width": viewport[0], "height": viewport[1]}, color_scheme="dark" if dark else "light"
        )
        page = context.new_page()
        page.set_default_timeout(60_000)
        opened.append((context, server))
        if before is not None:
            page.add_init_script(f"({before})()")
        notebook = NotebookPage(page, watch_errors(page))
        page.goto(server.lab_url(name) if application == "lab" else server.notebook_url(name))
        notebook.wait_for_kernel()
        notebook.errors.clear()  # Notebook 7 throws one of its own while it loads
        return notebook

    yield open_it
    for number, (context, server) in enumerate(opened):
        if request.node.stash.get(FAILED, False):
            RESULTS.mkdir(exist_ok=True)
            context.pages[0].screenshot(path=RESULTS / f"failed-{request.node.name}-{number}.png")
        context.close()
        server.shutdown_kernels()
