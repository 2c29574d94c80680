"""A widget where nothing runs: frozen in its notebook, reopened without a kernel, exported to a page."""

from __future__ import annotations

import nbformat
import pytest
from playwright.sync_api import expect

from tests.ui.explorer import open_explorer

OPEN = "import penstock\nx = penstock.explore(penstock.demo(num_samples=60))\nx"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Return a notebook that was run without a browser, and holds no state of widgets."""
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(OPEN)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    client = NotebookClient(notebook, store_widget_state=False, kernel_name="python3", timeout=120)
    client.execute(cwd=str(tmp_path_factory.mktemp("run")))
    return notebook


def test_freeze_leaves_a_still_picture_in_the_notebook(open_notebook):
    notebook = open_notebook([OPEN, "x.freeze()", "x"])
    open_explorer(notebook)
    notebook.run_cell(1)
    still = notebook.page.locator(".penstock-still")
    expect(still).to_contain_text("This is a still image: run the cell to open it.")
    expect(still.locator("img").first).to_be_visible()
    expect(notebook.page.get_by_test_id("penstock-explorer")).to_have_count(0)
    saved = notebook.page.evaluate("window.jupyterapp.shell.currentWidget.content.model.toJSON().cells[0].outputs")
    assert [sorted(output["data"]) for output in saved] == [["text/html", "text/plain"]]
    notebook.run_cell(2)  # the widget goes on
    expect(notebook.widget().locator("[data-testid=penstock-grid] img").first).to_be_visible()
    notebook.expect_no_page_errors()


def test_a_notebook_of_somebody_else_shows_the_picture_when_it_is_opened(lab_server, browser, executed):
    nbformat.write(executed, lab_server.folder / "cold.ipynb")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(lab_server.lab_url("cold.ipynb"))
    still = page.locator(".penstock-still")
    expect(still).to_contain_text("run the cell to open it", timeout=60_000)
    expect(still).to_contain_text("Circle")
    expect(page.get_by_text("model not found")).to_have_count(0)
    context.close()
    lab_server.shutdown_kernels()


def test_nbconvert_shows_the_picture(executed):
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter(embed_images=True).from_notebook_node(executed)
    assert "This is a still image: run the cell to open it." in page
    assert "application/vnd.jupyter.widget-view+json" not in page
