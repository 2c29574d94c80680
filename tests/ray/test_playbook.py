"""The data-lineage playbook, once in threads and once on Ray: the same rows and identities to the bit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of

pytestmark = [pytest.mark.real_data, pytest.mark.slow, pytest.mark.torch, pytest.mark.xdist_group("ray")]

CLASSES = ("car", "bus", "truck", "bicycle", "motorcycle", "traffic light", "stop sign")
UNIONS = "\n  union\n".join(f"(select * where contains(categories, '{name}') limit 1000)" for name in CLASSES)


@pytest.fixture
def places(tmp_path):
    """Where the datasets are made: a folder each; a bucket would do as well."""
    return [str(tmp_path / name) for name in ("threads", "ray")]


def lineage(source: Path, place: str, engine: str) -> dict:
    """Link, query, pop, edit, commit twice, save the view, copy it with four workers, edit on."""
    ds = penstock.from_coco(
        source / "annotations" / "instances_train2017.json", source / "train2017", place, link=True, progress=False,
        engine=engine,
    )  # fmt: skip
    found = ds.query(UNIONS, engine=engine)
    ds.pop(61)
    ds.commit("Deleted index 61 because the image is low quality.")
    four = next(row for row in range(len(ds)) if len(ds.categories[row].numpy()) == 4)
    kept = np.arange(4) != 2
    table = content_of(ds).table
    objects = [name for name, spec in table.tensors.items() if "boxes" in {name, spec.aligned_with}]
    samples = table.take(np.array([four]), objects)
    with ds:  # every tensor that has an entry for each object
        for name in objects:
            ds[name][four] = [entry for entry, is_kept in zip(samples[name][0], kept, strict=True) if is_kept]
    ds.commit("Deleted bad label")
    view = ds.query(UNIONS, engine=engine)
    view_id = view.save_view("seven classes", id="seven")
    copied = ds.load_view(view_id, optimize=True, num_workers=4, engine=engine)
    ds.pop(0)
    ds.categories.rename_class("car", "automobile")
    ds.commit("further edits")
    return {
        "found": found.indices.tolist(),
        "rows": copied.indices.tolist(),
        "uids": content_of(copied).table.uids(copied.indices).tolist(),
        "labels": [labels.tolist() for labels in copied.categories.numpy(aslist=True)],
        "boxes": [boxes.tolist() for boxes in copied.boxes.numpy(aslist=True)],
        "images": [image.sum().item() for image in copied.images.numpy(aslist=True)],
        "log": [commit.message for commit in ds.log()],
    }


def test_threads_and_ray_have_the_same_lineage_and_a_fresh_process_trains_on_it(connected, shared_data, places):
    source = shared_data / "coco_mini"
    threads, ray = (lineage(source, place, engine) for place, engine in zip(places, ("threads", "ray"), strict=True))
    assert ray == threads
    assert len(ray["rows"]) > 10
    run = subprocess.run(
        [sys.executable, Path(__file__).with_name("detector.py"), places[1], "seven"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    trained = json.loads(run.stdout.splitlines()[-1])
    assert trained["rows"] == ray["rows"]
    assert trained["labels"] == ray["labels"]
    assert trained["names"] == ["car"]  # as when the view was saved
    assert np.mean(trained["losses"][-3:]) < 0.7 * np.mean(trained["losses"][:3])
