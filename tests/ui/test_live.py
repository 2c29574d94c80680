"""Training in the next cell while the Explorer above it steers it: JupyterLab, a real kernel, a slider that is dragged."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from playwright.sync_api import expect

import penstock
from tests.ui.explorer import open_explorer

LAST = 100  # the end of the slider
SLOW_MS = 60_000  # a busy machine has the browser wait for the kernel that trains
EXPLORE = """
import penstock
ds = penstock.load({path!r})
x = penstock.explore(ds, query="select * sample by max_weight(contains(labels, 'Cross'): 1, True: 1)", seed=5)
x
"""
# Steps of 20 ms of NumPy, epochs of half a second. The loop goes on until the dragged weight has reached it, then for two
# epochs more: no clock decides what is drawn.
TRAIN = """
import json, time, numpy as np
loader = x.loader(8, "numpy", live=True, run="live")
features = np.random.default_rng(0).random((600, 600))
rows, epochs = [], 0

def step(index):
    until = time.thread_time() + 0.02
    while time.thread_time() < until:
        features @ features
    return index % 7 / 2.0

for epoch in range(300):
    for batch in loader:
        rows.append(np.asarray(batch["index"]))
        loader.record(batch, loss=step(rows[-1]))
    epochs += loader.schedule.entries[-1].spec.weights[0] == x.weights[0] == {last}
    if epochs == 3:
        break
drawn = np.concatenate(rows)
starts = list(loader.schedule.starts)
loader.close()
print(json.dumps({{"starts": starts, "rows": drawn.tolist(), "weights": [list(e.spec.weights) for e in loader.schedule.entries]}}))
"""
EXPORT = "print(x.export_code(8, 'numpy'))"
REPLAY = """
import json, sys
import numpy as np
rows = []
while sum(map(len, rows)) < int(sys.argv[1]):
    rows += [np.asarray(batch["index"]) for batch in loader]
print(json.dumps(np.concatenate(rows)[: int(sys.argv[1])].tolist()))
"""


@pytest.fixture
def path(tmp_path):
    folder = str(tmp_path / "shapes.penstock")
    penstock.demo(folder, num_samples=120)
    return folder


def test_a_slider_dragged_while_the_next_cell_trains(open_notebook, path, tmp_path):
    notebook = open_notebook([EXPLORE.format(path=path), TRAIN.format(last=LAST), EXPORT], viewport=(1500, 1000))
    explorer = open_explorer(notebook, 0)
    root = explorer.root
    notebook.run_cell(1)
    chip = root.get_by_test_id("penstock-training")
    expect(chip).to_contain_text(re.compile(r"training.*epoch.*batch.*\d+/15"), timeout=60_000)
    expect(chip).to_contain_text("loss", timeout=SLOW_MS)
    expect(root.get_by_test_id("coverage-view")).to_have_attribute("data-value", "schedule", timeout=SLOW_MS)
    # in the middle of training: requests are answered beside the cell that runs
    explorer.drag("Cross", 1.2)  # to its end
    expect(root.get_by_test_id("penstock-schedule")).not_to_have_attribute("data-entries", "1", timeout=SLOW_MS)
    expect(root.get_by_test_id("coverage-says")).to_contain_text(re.compile("recorded", re.IGNORECASE), timeout=SLOW_MS)
    notebook.wait_until_run(1)
    run = json.loads(notebook.output(1))
    drawn, starts = np.array(run["rows"]), run["starts"]
    weight = run["weights"][-1][0]
    assert len(starts) > 1
    assert weight == explorer.weight("Cross") == LAST

    query = "select * sample by max_weight(contains(labels, 'Cross'): {}, True: 1)"
    ds = penstock.load(path)
    before, after = (penstock.explore(ds, query=query.format(value), seed=5).plan.stream() for value in (1, weight))
    first, last = starts[1], starts[-1]
    assert 0 < first <= last < len(drawn)
    np.testing.assert_array_equal(drawn[:first], before.slice(0, first))
    np.testing.assert_array_equal(drawn[last:], after.slice(last, len(drawn)))
    assert not np.array_equal(drawn[last:], before.slice(last, len(drawn)))

    notebook.run_cell(2)
    notebook.wait_until_run(2)
    code = notebook.output(2)
    assert "SamplingSchedule" in code
    replayed = subprocess.run(
        [sys.executable, "-c", code + REPLAY, str(len(drawn))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert replayed.returncode == 0, replayed.stderr[-2000:]
    np.testing.assert_array_equal(json.loads(replayed.stdout), drawn)

    # what the loop reported is there to be sorted by, once its epochs are written
    root.get_by_test_id("penstock-hard-first").click()
    expect(root.get_by_test_id("penstock-tile-value").first).to_have_text("3", timeout=SLOW_MS)
    explorer.expect_no_page_errors()
