"""The browser fixtures themselves work: both applications run a cell."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("application", ["lab", "notebook"])
def test_a_cell_runs(open_notebook, application):
    notebook = open_notebook(["print(6 * 7)"], application=application)
    notebook.run_cell(0)
    notebook.wait_until_run(0)
    assert notebook.output(0).strip() == "42"
    assert notebook.execution_counts == [1]
    notebook.expect_no_page_errors()
