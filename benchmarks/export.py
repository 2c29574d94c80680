"""A COCO file in and out again, against `json.load` and `json.dump` of the same file: CPU time and peak memory.

The floor is what one image takes: the interpreter, the engine and their modules. Run as ``python -m benchmarks.export [--images N]``.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def write_source(path: Path, num_images: int) -> int:
    """Write a file with about 8.6 polygons for each image, annotations in no order; return how many."""
    rng = random.Random(0)
    annotations = []
    for image in range(num_images):
        for _ in range(rng.choice([3, 6, 8, 9, 10, 12, 12])):
            corner = [round(rng.random() * 500, 2) for _ in range(2)]
            size = [round(1 + rng.random() * 100, 2) for _ in range(2)]
            polygon = [round(rng.random() * 600, 2) for _ in range(2 * rng.choice([6, 10, 20, 30]))]
            annotations.append(
                {
                    "segmentation": [polygon],
                    "area": rng.random() * 10_000,
                    "iscrowd": 0,
                    "image_id": image + 1,
                    "bbox": corner + size,
                    "category_id": rng.randint(1, 80),
                    "id": len(annotations) + 1,
                }
            )
    rng.shuffle(annotations)
    images = [
        {"license": 1, "file_name": f"{at:012d}.jpg", "height": 600, "width": 600, "id": at + 1}
        for at in range(num_images)
    ]
    categories = [{"supercategory": "thing", "id": at + 1, "name": f"class {at}"} for at in range(80)]
    with path.open("w") as stream:
        stream.write(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return len(annotations)


def plain(source: Path, folder: Path) -> None:
    with source.open() as stream:
        data = json.load(stream)
    with (folder / "plain.json").open("w") as stream:
        json.dump(data, stream)


def through_penstock(source: Path, folder: Path) -> None:
    import penstock

    ds = penstock.from_coco(source, "https://images.example", folder / "ds", link=True, verify=False, progress=False)
    penstock.to_coco(ds, folder / "penstock.json", progress=False)


def floor(_source: Path, folder: Path) -> None:
    """Do the same with one image: what the interpreter, the engine and their modules take before any data."""
    write_source(folder / "one.json", 1)
    (folder / "floor").mkdir()
    through_penstock(folder / "one.json", folder / "floor")


WAYS = {"floor": floor, "plain": plain, "penstock": through_penstock}


def in_process(*arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks.export", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def measure(way: str, source: Path, folder: Path) -> None:
    """Print CPU seconds and peak memory in bytes of this process."""
    began = time.process_time()
    WAYS[way](source, folder)
    print(time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def report(folder: Path, num_images: int) -> None:
    source = folder / "source.json"
    # not here: the peak memory of a child begins with that of its parent
    count = int(in_process("--images", str(num_images), "--write", str(source)))
    size = source.stat().st_size
    print(f"{num_images:,} images, {count:,} polygons, {size / 1e6:,.0f} MB")
    results = {}
    for way in WAYS:
        seconds, peak = map(float, in_process("--way", way, str(source), str(folder)).split())
        results[way] = seconds
        print(f"  {way:10} {seconds:8.1f} s  {peak / 1e6:8,.0f} MB, {peak / size:6.2f} x the file")
    print(f"  penstock gives {results['plain'] / results['penstock']:.2f} of the speed of plain JSON")
    equal = json.loads((folder / "penstock.json").read_text()) == json.loads(source.read_text())
    print(f"  equal to the source: {equal}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--way", nargs=3)
    options = parser.parse_args()
    if options.way:
        way, source, folder = options.way
        measure(way, Path(source), Path(folder))
    elif options.write:
        print(write_source(options.write, options.images))
    else:
        with tempfile.TemporaryDirectory() as name:
            report(Path(name), options.images)


if __name__ == "__main__":
    main()
