"""Reads YOLO folders as Ultralytics does before it trains, and prints what it finds as JSON; runs in its environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ultralytics.data.utils import IMG_FORMATS, check_det_dataset, img2label_paths, verify_image_label


def checked(root: Path) -> dict[str, Any]:
    """Return how many label files and labels are accepted, and what is said of the others."""
    data = check_det_dataset(str(root / "data.yaml"), autodownload=False)
    keypoints, size = data.get("kpt_shape") or (0, 0)
    folders = {folder for key in ("train", "val", "test") for folder in _listed(data.get(key))}
    images = sorted(
        str(path) for folder in folders for path in Path(folder).rglob("*.*") if path.suffix[1:].lower() in IMG_FORMATS
    )
    results = [
        verify_image_label((image, label, "", bool(keypoints), len(data["names"]), keypoints, size, False))
        for image, label in zip(images, img2label_paths(images), strict=True)
    ]
    return {
        "images": len(images),
        "missing": sum(result[5] for result in results),
        "corrupt": sum(result[8] for result in results),
        "labels": sum(len(result[1]) for result in results if result[1] is not None),
        "segments": sum(len(result[3] or ()) for result in results),
        "messages": [result[9] for result in results if result[9]],
        "names": len(data["names"]),
    }


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


if __name__ == "__main__":
    print(json.dumps([checked(Path(root)) for root in sys.argv[1:]]))
