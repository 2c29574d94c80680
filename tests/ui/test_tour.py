"""The tour's instructions followed to the letter: what its text says is clicked, and what it promises happens."""

from __future__ import annotations

import re

import nbformat
import pytest
from playwright.sync_api import expect

from tests.ui.explorer import open_explorer
from tests.ui.server import ROOT

LABEL = (
    "click the tile numbered *8*, click the chip *Circle* beside the image, and choose *Ring*. "
    "Then click *1 unsaved edit* at the top, say what you changed, and click *Commit 1 edit*."
)
FIND = "click *Circle* in the class table and look for holes. Another click shows all samples again."
QUERY = "TQL selects samples, both here and in the Explorer's query box."
WEIGH = "Setting the query here moves the sliders above, and dragging a slider changes the query in the Explorer."
EXPORT = (
    "*Export → Loader → Insert cell below* puts this code, with the *batch size* you choose, into the cell below the "
    "Explorer, and *Go to cell* takes you there."
)
RUN = "what pressing Export and running the new cell does: defines loader"


@pytest.fixture(scope="module")
def cells():
    return nbformat.read(ROOT / "penstock/cli/tour.ipynb", as_version=4).cells


def marked(sentence):
    """Return what a sentence names in italics."""
    return re.findall(r"\*(.+?)\*", sentence)


@pytest.fixture
def tour(open_notebook, cells):
    return Tour(open_notebook(cells, viewport=(1440, 1000)), cells)


class Tour:
    """The tour open in JupyterLab; cells are found by what they contain."""

    def __init__(self, notebook, cells):
        self.notebook = notebook
        self.text = " ".join("\n".join(cell.source for cell in cells).split())

    def reads(self, sentence):
        assert sentence in self.text, f"the tour does not say: {sentence}"
        return marked(sentence)

    def run(self, holding):
        """Run the cell that contains a text; return what it printed."""
        (index,) = (i for i, source in enumerate(self.notebook.sources) if holding in source)
        self.notebook.run_cell(index)
        self.notebook.wait_until_run(index)
        return self.notebook.output(index)


@pytest.mark.slow
def test_the_tour_works_as_it_says(tour):
    explorer = open_explorer(tour.notebook)
    query_and_show_the_same(tour, explorer)
    label_the_ring(tour, explorer)
    find_circles(tour, explorer)
    weigh_both_ways(tour, explorer)
    export_below_the_explorer(tour, explorer)
    explorer.expect_no_page_errors()


def query_and_show_the_same(tour, explorer):
    tour.reads(QUERY)
    printed = tour.run("view = ds.query(")
    (query,) = re.findall(r'ds\.query\("(.+?)"\)', tour.text)
    explorer.type_query(query)
    explorer.expect_pool(int(printed.split()[0]))
    explorer.type_query("select *")
    expect(explorer.root.get_by_test_id("penstock-funnel")).to_contain_text("600 rows")


def label_the_ring(tour, explorer):
    row, old, new, edits, commit = tour.reads(LABEL)
    root = explorer.root
    root.locator(f"[data-testid=penstock-grid] [role=gridcell]:has([data-row='{row}'])").click()
    detail = root.get_by_test_id("penstock-detail")
    names = detail.locator(".penstock-facts-list dt")
    expect(names.first).to_be_visible()
    assert names.evaluate_all("all => all.filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)") == []
    detail.get_by_test_id("penstock-labels").get_by_role("button", name=old, exact=True).click()
    root.get_by_role("option", name=new).click()
    expect(detail.get_by_test_id("penstock-labels")).to_contain_text(new)
    root.get_by_test_id("penstock-header").get_by_role("button", name=edits).click()
    root.get_by_test_id("penstock-commit-message").fill("sample 8 shows a ring, not a circle")
    root.get_by_role("button", name=commit).click()
    expect(root.get_by_test_id("penstock-edits")).to_have_count(0)
    assert "sample 8 shows a ring, not a circle" in tour.run("ds.commit(")
    expect(root.get_by_test_id("penstock-edits")).to_have_count(0)


def find_circles(tour, explorer):
    (name,) = tour.reads(FIND)
    grid = explorer.root.get_by_test_id("penstock-grid")
    circle = explorer.root.get_by_test_id("penstock-class-table").get_by_role("button", name=name, exact=True)
    circle.click()
    expect(grid).not_to_have_attribute("data-pool", "600")
    expect(grid.locator("img").first).to_be_visible()
    circle.click()
    expect(grid).to_have_attribute("data-pool", "600")


def weigh_both_ways(tour, explorer):
    tour.reads(WEIGH)
    tour.run("x.query = ")
    expect(explorer.slider("Cross")).to_have_attribute("data-weight", "20")
    explorer.drag("Cross", 0.9)
    weight = explorer.weight("Cross")
    assert weight > 20
    assert f"contains(labels, 'Cross'): {weight:g}" in explorer.query_text()
    explorer.page.wait_for_timeout(600)  # the weights rest, then reach the kernel
    tour.run("x.mode = ")
    expect(explorer.root.locator("[data-testid=mode] input[value=deck]")).to_be_checked()


def export_below_the_explorer(tour, explorer):
    path, field, go = tour.reads(EXPORT)
    menu, what, insert = path.split(" → ")
    root, count = explorer.root, len(tour.notebook.sources)
    tour.run("code = x.export_code(batch_size=32)")
    printed = tour.run("print(code)")
    root.get_by_role("button", name=menu).click()
    root.get_by_test_id("penstock-export-what").get_by_text(what).click()
    root.get_by_role("spinbutton", name=field).fill("32")
    root.get_by_role("button", name=insert).click()
    tour.notebook.wait_for_cells(count + 1)
    assert tour.notebook.sources[1].strip() == printed.strip()
    root.get_by_role("button", name=go).click()
    expect(tour.notebook.page.locator(".jp-Cell:nth-child(2 of .jp-Cell) .cm-content")).to_be_focused()
    tour.reads(RUN)
    tour.notebook.run_cell(1)
    tour.notebook.wait_until_run(1)
    assert "Error" not in tour.notebook.output(1)
