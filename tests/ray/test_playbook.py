"""The data-lineage playbook, in threads and on Ray, there in a bucket too: the same rows and identities to the bit."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from tests.ray.conftest import CREDS_KEY

pytestmark = [pytest.mark.real_data, pytest.mark.slow, pytest.mark.torch, pytest.mark.xdist_group("ray")]

CLASSES = ("car", "bus", "truck", "bicycle", "motorcycle", "traffic light", "stop sign")
UNIONS = "\n  union\n".join(f"(select * where contains(categories, '{name}') limit 1000)" for name in CLASSES)


@dataclass(frozen=True)
class Place:
    """Where the dataset is, and the images it links to."""

    path: str
    images: str
    creds_key: str | None = None


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.exhaustive)])
def places(request, tmp_path, shared_data, monkeypatch):
    """A folder, linking to a folder; then another one, or a bucket, linking to the same images in it."""
    images = shared_data / "coco_mini" / "train2017"
    folders = [Place(str(tmp_path / name), str(images)) for name in ("threads", "ray")]
    if request.param == "folder":
        return folders
    bucket = request.getfixturevalue("bucket")
    monkeypatch.setenv(f"PENSTOCK_CREDS_{CREDS_KEY}", json.dumps(bucket.server.keys))
    for image in images.glob("*.jpg"):
        bucket.put(f"coco/train2017/{image.name}", image.read_bytes())
    return [folders[0], Place(f"{bucket.url}/sets/ray", f"{bucket.url}/coco/train2017", CREDS_KEY)]


def lineage(annotations: Path, place: Place, engine: str) -> dict:
    """Link, query, pop, edit, commit twice, save the view, copy it with four workers, edit on."""
    ds = penstock.from_coco(
        annotations, place.images, place.path, link=True, creds_key=place.creds_key, progress=False, engine=engine,
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
    source = shared_data / "coco_mini" / "annotations" / "instances_train2017.json"
    threads, ray = (lineage(source, place, engine) for place, engine in zip(places, ("threads", "ray"), strict=True))
    assert ray == threads
    assert len(ray["rows"]) > 10
    run = subprocess.run(
        [sys.executable, Path(__file__).with_name("detector.py"), places[1].path, "seven"],
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
