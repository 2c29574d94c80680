"""Exported YOLO folders, read by Ultralytics in an environment of its own: `make ultralytics` makes it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

import penstock

PYTHON = Path(os.environ.get("ULTRALYTICS_PYTHON", ".venv-ultralytics/bin/python"))
CHECK = Path(__file__).with_name("ultralytics_check.py")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="Ultralytics is not installed; `make ultralytics` installs it"),
]


@pytest.mark.parametrize(
    ("task", "file", "num_labels", "num_segments"),
    [
        ("detect", "instances_train2017", 731, 0),
        ("segment", "instances_train2017", 731, 731),
        ("obb", "instances_train2017", 731, 731),
        ("pose", "person_keypoints_train2017", 167, 0),
    ],
)
def test_every_label_of_a_folder_made_of_coco_is_accepted(shared_data, tmp_path, task, file, num_labels, num_segments):
    source = shared_data / "coco_mini"
    ds = penstock.from_coco(source / f"annotations/{file}.json", source / "train2017", tmp_path / "ds", progress=False)
    penstock.to_yolo(ds, tmp_path / "out", task=task, images="copy", progress=False)
    environment = {**os.environ, "YOLO_CONFIG_DIR": str(tmp_path / "settings"), "YOLO_OFFLINE": "true"}
    command = [str(PYTHON.absolute()), str(CHECK), str(tmp_path / "out")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True)
    (found,) = json.loads(done.stdout.splitlines()[-1])
    assert found == {
        "images": 80,
        "missing": 0,
        "corrupt": 0,
        "labels": num_labels,
        "segments": num_segments,
        "messages": [],
        "names": len(ds.categories.info.class_names),
    }
