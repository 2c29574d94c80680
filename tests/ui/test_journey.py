"""The main job on real images: look, label, weigh; export and train in a real JupyterLab."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import expect

import penstock
from tests.ui.explorer import RECORDER, WATCH_BARS, explorer_of, open_explorer

pytestmark = pytest.mark.real_data

QUERY = "select * where contains(categories, 'person') sample by max_weight(contains(categories, 'bus'): 20, True: 1)"
NUM_PERSON_IMAGES = 36
MEDIAN_LIMIT_MS = 4 * 8  # the goal is 8 ms on a quiet machine; a busy one may take four times as long


@pytest.fixture(scope="module")
def imported(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("coco") / "coco_mini.penstock"
    source = shared_data / "coco_mini"
    penstock.from_coco(source / "annotations" / "instances_train2017.json", source / "train2017", folder)
    return folder


@pytest.fixture
def coco(imported, tmp_path):
    """A copy of its own for each test."""
    return shutil.copytree(imported, tmp_path / "coco_mini.penstock")


def explorer_cell(path):
    return f"import penstock\nds = penstock.load({str(path)!r})\nx = penstock.explore(ds)\nx"


def test_sliders_move_the_bars_before_the_kernel_says_a_word(open_plain, coco):
    page = open_plain(lambda: penstock.explore(penstock.load(coco)), before=RECORDER)
    explorer = explorer_of(page)
    explorer.type_query(QUERY)
    explorer.expect_pool(NUM_PERSON_IMAGES)
    explorer.root.evaluate(WATCH_BARS)
    gestures = {
        "input": lambda: explorer.drag("bus", 0.9),
        "keydown": lambda: explorer.slider("bus").press("ArrowRight"),
    }
    for cause, gesture in gestures.items():
        before = explorer.sampled("bus")
        page.evaluate("() => { window.__seen.length = 0 }")
        gesture()
        seen = page.evaluate("() => window.__seen.slice()")
        followers = [follower for event, follower in pairwise(seen) if event == cause]
        assert followers
        assert set(followers) == {"bars"}, seen
        assert explorer.sampled("bus") > before
    durations = page.evaluate("() => performance.getEntriesByName('penstock:slider').map(entry => entry.duration)")
    assert np.median(durations) <= MEDIAN_LIMIT_MS
    weight = explorer.weight("bus")
    assert weight > 20
    expect(explorer.root.locator("[data-testid=penstock-query] .cm-content")).to_contain_text(f"'bus'): {weight:g}")
    explorer.expect_no_page_errors()


TRAIN = """
import numpy as np, torch
promised = x.loader(batch_size=4)
pairs = list(zip(range(10), loader, promised))
same = [set(a) == set(b) and all(str(a[k]) == str(b[k]) if isinstance(a[k], list) else torch.equal(a[k], b[k]) for k in a) for _, a, b in pairs]
print("same", len(same), all(same))
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 5, 4), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten(), torch.nn.Linear(128, 80))
optimiser = torch.optim.Adam(model.parameters(), 3e-3)
losses = []
def step(batch):
    images = torch.stack([torch.nn.functional.interpolate(torch.as_tensor(image).permute(2, 0, 1)[None].float() / 255, (64, 64))[0] for image in batch["images"]])
    target = torch.zeros(len(images), 80)
    for row, labels in enumerate(batch["categories"]):
        target[row, torch.as_tensor(labels)] = 1
    loss = torch.nn.functional.binary_cross_entropy_with_logits(model(images), target)
    optimiser.zero_grad(); loss.backward(); optimiser.step()
    return loss.item()
losses = [step(batch) for batch in loader]
print("loss", np.isfinite(losses).all(), losses[-1] < losses[0])
"""


def test_exported_cell_trains_on_the_promised_batches(open_notebook, coco):
    notebook = open_notebook([explorer_cell(coco), TRAIN])
    explorer = open_explorer(notebook)
    explorer.type_query(QUERY)
    explorer.expect_pool(NUM_PERSON_IMAGES)
    explorer.drag("bus", 0.7)
    explorer.root.get_by_test_id("penstock-export").click()
    explorer.root.get_by_role("spinbutton", name="batch size").fill("4")
    explorer.root.get_by_test_id("penstock-insert").click()
    notebook.wait_for_cells(3)
    exported = notebook.sources[1]
    assert "import penstock" in exported
    assert "contains(categories, 'bus')" in exported
    explorer.root.get_by_test_id("penstock-toast").get_by_role("button", name="Go to cell").click()
    expect(notebook.page.locator(".jp-Cell:nth-child(2 of .jp-Cell) .cm-content")).to_be_focused()
    notebook.run_cell(1)
    notebook.wait_until_run(1)
    notebook.run_cell(2)
    notebook.wait_until_run(2)
    printed = notebook.output(2)
    assert re.search(r"same (9|10) True", printed), printed
    assert "loss True True" in printed
    export_annotations_below(explorer)
    notebook.wait_for_cells(4)
    assert "penstock.to_coco(" in notebook.sources[1]
    notebook.expect_no_page_errors()


def export_annotations_below(explorer):
    explorer.root.get_by_test_id("penstock-export").click()
    explorer.root.get_by_test_id("penstock-export-what").get_by_text("Annotations").click()
    explorer.root.get_by_test_id("penstock-annotations-insert").click()


def labels_of(path):
    dataset = penstock.load(path)
    names = dataset.categories.info.class_names
    return [[names[index] for index in labels] for labels in dataset.categories.numpy(aslist=True)]


def draw_box(explorer, name):
    """Draw a box of a class on the first sample, by the keys that the editor names; return its chips."""
    root, keyboard, mouse = explorer.root, explorer.page.keyboard, explorer.page.mouse
    stage = explorer.open_image()
    keyboard.press("n")
    keyboard.press("c")
    root.get_by_test_id("penstock-class-find").fill(name)
    keyboard.press("Enter")
    expect(root.get_by_test_id("penstock-draw-class")).to_have_text(name)
    box = stage.bounding_box()
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] / 2 + 30, box["y"] + box["height"] / 2 + 30, steps=3)
    mouse.up()
    return root.get_by_test_id("penstock-labels")


def test_corrected_label_reaches_all_that_reads_it(open_plain, coco):
    before = labels_of(coco)
    ds = penstock.load(coco)
    explorer = explorer_of(open_plain(lambda: penstock.explore(ds)))
    raw = explorer.raw("toaster")
    chips = draw_box(explorer, "toaster")
    expect(chips).to_contain_text("toaster")
    expect(explorer.root.get_by_test_id("penstock-edits")).to_contain_text("1")
    expect(explorer.bar("toaster")).to_have_attribute("data-raw", re.compile(rf"^{raw + 1:g}(\.0)?$"))
    explorer.commit("there is a toaster")
    assert ds.log()[0].message == "there is a toaster"
    after = labels_in_a_fresh_process(coco)
    assert after[0] == [*before[0], "toaster"]
    assert after[1:] == before[1:]
    assert explorer.raw("toaster") == raw + 1
    explorer.expect_no_page_errors()


def labels_in_a_fresh_process(path):
    code = (
        "import sys, json, penstock; ds = penstock.load(sys.argv[1]); names = ds.categories.info.class_names; "
        "print(json.dumps([[names[i] for i in labels] for labels in ds.categories.numpy(aslist=True)]))"
    )
    import json

    printed = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True).stdout
    return json.loads(printed)


def test_first_thumbnails_of_the_demo_are_painted(open_plain, tmp_path):
    ds = penstock.demo(tmp_path / "demo.penstock")
    explorer = explorer_of(open_plain(lambda: penstock.explore(ds)))
    natural = explorer.root.locator("[data-testid=penstock-grid] img").evaluate_all(
        "images => images.filter(image => image.naturalWidth > 0).length"
    )
    assert natural >= 4
    assert np.isclose(explorer.raw("Circle"), explorer.sampled("Circle"))
    explorer.expect_no_page_errors()
