"""What reading, editing and committing cost: `python -m benchmarks.storage [--rows N]`.

Beside it, the same rows in plain files for the random reads.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

import penstock
from penstock.dataset.samples import content_of
from penstock.tensors import encode_image

BATCH = 64


def best(function, repeats=5):
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times) * 1e3


def show(what, milliseconds):
    print(f"{what:<56} {milliseconds:>10.2f} ms", flush=True)


def filled(folder, num_rows, images):
    ds = penstock.empty(folder / "ds")
    ds.create_tensor("images", htype="image", verify=False)
    ds.create_tensor("labels", htype="class_label", class_names=[f"class {index}" for index in range(80)])
    ds.create_tensor("age", dtype="int64")
    rng = np.random.default_rng(0)
    labels = [rng.integers(0, 80, count) for count in rng.integers(0, 6, num_rows)]
    begin = time.perf_counter()
    ds.extend(
        {
            "images": [images[row % len(images)] for row in range(num_rows)],
            "labels": labels,
            "age": list(range(num_rows)),
        }
    )
    ds.flush()
    show(f"extend {num_rows:,} samples", (time.perf_counter() - begin) * 1e3)
    ds.commit("filled")
    return ds


def main():
    parser = argparse.ArgumentParser(prog="benchmarks.storage")
    parser.add_argument("--rows", type=int, default=100_000)
    num_rows = parser.parse_args().rows
    rng = np.random.default_rng(1)
    images = [encode_image(rng.integers(0, 256, (64, 64, 3), np.uint8), "jpeg") for _ in range(256)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ds = filled(folder, num_rows, images)
        show("load", best(lambda: penstock.load(ds.path)))
        show("label column, first read", best(lambda: content_of(penstock.load(ds.path)).table.column("labels")))
        files = folder / "files"
        files.mkdir()
        for row, image in enumerate(images):
            (files / str(row)).write_bytes(image)
        table = content_of(ds).table
        show(
            f"take {BATCH} images and labels at random",
            best(lambda: table.take(rng.integers(0, num_rows, BATCH), ["images", "labels"]), 30),
        )
        show(
            f"open and read {BATCH} plain files",
            best(lambda: [(files / str(row)).read_bytes() for row in rng.integers(0, 256, BATCH)], 30),
        )

        def edit():
            ds.labels[int(rng.integers(0, num_rows))] = [1, 2]
            content_of(ds).table.column("labels")

        show("edit one label and read the column", best(edit, 20))
        show("commit the edits", best(lambda: ds.commit("edits"), 1))
        show("pop one sample", best(lambda: ds.pop(7), 1))
        table = content_of(ds).table
        table.take(np.arange(4), ["images"])
        show(
            f"take {BATCH} images after the pop",
            best(lambda: table.take(rng.integers(0, num_rows - 1, BATCH), ["images"]), 30),
        )
        ds.commit("popped")
        first = ds.log()[-1].id
        show("diff with the first commit", best(lambda: ds.diff(first), 2))


if __name__ == "__main__":
    main()
