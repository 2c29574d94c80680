"""Loading side by side: 5,000 JPEG of 256 x 256, decode + resize to 224 + batch of 64, to a torch tensor.

    python -m benchmarks.loading [--images 5000] [--repeats 5] [--folder DIR] [--deeplake PYTHON]

All sides do the same work in the same run, interleaved; figures are medians. Resizing is bilinear on
every side (from 256 to 224 penstock's own is too; it averages areas from a factor of 1.25 on). The
ceiling is decode + resize of bytes in memory in two threads, with no storage, batches or tensors. It
also measures what stream, state and audit cost of a batch's CPU, the time to the first batch, and what
it takes to go on in the middle of an epoch. --deeplake names the interpreter of an environment that has
deeplake 4 and torch; without it that row is left out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
import torch

import penstock

SIZE, BATCH, WORKERS = 224, 64, 2
WEIGHTS = "max_weight(labels == 'rare': 5, True: 1)"
cv2.setNumThreads(1)
torch.set_num_threads(1)


def make_jpegs(folder: Path, count: int) -> list[Path]:
    """Noise over four scales, quality 85, 4:2:0, about 19 kB each."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    paths = [folder / f"{number:06d}.jpg" for number in range(count)]
    for path in paths:
        if path.exists():
            continue
        picture = np.zeros((256, 256, 3), np.float32)
        for side, amplitude in ((4, 60), (16, 40), (64, 26), (128, 14)):
            noise = rng.normal(0, amplitude, (side, side, 3)).astype(np.float32)
            noise = 0.75 * noise.mean(2, keepdims=True) * 1.7 + 0.25 * noise
            picture += cv2.resize(noise, (256, 256), interpolation=cv2.INTER_CUBIC)
        pixels = np.clip(picture + 120, 0, 255).astype(np.uint8)
        path.write_bytes(simplejpeg.encode_jpeg(pixels, 85, "RGB", "420"))
    return paths


def make_dataset(folder: Path, paths: list[Path]) -> penstock.Dataset:
    """The same files in a penstock dataset, one label each."""
    if (folder / "done").exists():
        return penstock.load(str(folder / "ds"))
    ds = penstock.empty(str(folder / "ds"), overwrite=True)
    ds.create_tensor("images", htype="image", sample_compression="jpeg")
    ds.create_tensor("labels", htype="class_label", class_names=["often", "rare"])
    with ds:
        ds.extend(
            {"images": [path.read_bytes() for path in paths], "labels": [[int(n % 10 == 0)] for n in range(len(paths))]}
        )
    ds.commit("benchmark")
    (folder / "done").touch()
    return ds


class Pillow(torch.utils.data.Dataset):
    def __init__(self, paths):
        self.paths = [str(path) for path in paths]

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, number):
        from PIL import Image

        with Image.open(self.paths[number]) as image:
            pixels = image.convert("RGB").resize((SIZE, SIZE), Image.BILINEAR)
        return torch.from_numpy(np.array(pixels)), number % 10 == 0


class Fast(Pillow):
    def __getitem__(self, number):
        cv2.setNumThreads(1)
        data = Path(self.paths[number]).read_bytes()
        return torch.from_numpy(cv2.resize(simplejpeg.decode_jpeg(data, "RGB"), (SIZE, SIZE))), number % 10 == 0


def torch_side(dataset):
    sampler = torch.utils.data.WeightedRandomSampler(torch.ones(len(dataset)).double(), len(dataset))

    def epoch():
        loader = torch.utils.data.DataLoader(dataset, BATCH, sampler=sampler, num_workers=WORKERS)
        return sum(len(images) for images, _ in loader)

    return epoch


def ceiling_side(paths):
    encoded = [path.read_bytes() for path in paths]

    def part(first):
        out = np.empty((256, 256, 3), np.uint8)
        small = np.empty((SIZE, SIZE, 3), np.uint8)
        for data in encoded[first::WORKERS]:
            cv2.resize(simplejpeg.decode_jpeg(data, "RGB", buffer=out), (SIZE, SIZE), dst=small)

    def epoch():
        threads = [threading.Thread(target=part, args=(first,)) for first in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(encoded)

    return epoch


def penstock_loader(ds):
    loader = ds.dataloader().sample_by(WEIGHTS).batch(BATCH)
    return loader.pytorch(num_threads=WORKERS, resize={"images": (SIZE, SIZE)})


def penstock_side(ds):
    loader = penstock_loader(ds)

    def epoch():
        total = 0
        for batch in loader:
            assert batch["images"].shape[1:] == (SIZE, SIZE, 3), batch["images"].shape
            total += len(batch["images"])
        return total

    return epoch


DEEPLAKE = """
import glob, sys, time, json, os
import deeplake, torch, numpy as np
from PIL import Image
folder, work = sys.argv[1:]
paths = sorted(glob.glob(os.path.join(folder, "*.jpg")))
if not os.path.exists(work):
    ds = deeplake.create("file://" + work)
    ds.add_column("images", deeplake.types.Image(sample_compression="jpeg"))
    ds.append({"images": [open(p, "rb").read() for p in paths]})
    ds.commit()
ds = deeplake.open("file://" + work)
torch.set_num_threads(1)
def transform(row):
    return torch.from_numpy(np.array(Image.fromarray(row["images"]).resize((224, 224), Image.BILINEAR)))
while sys.stdin.readline():
    began = time.perf_counter()
    loader = torch.utils.data.DataLoader(ds.pytorch(transform=transform), batch_size=64, num_workers=2, shuffle=True)
    total = sum(len(batch) for batch in loader)
    print(json.dumps([total, time.perf_counter() - began]), flush=True)
"""


class Elsewhere:
    """A side that runs in a process of its own and times itself.

    The torch loaders fork their workers: a process that has just forked faults on every page it writes to, and would
    slow whichever side came next.
    """

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def rate(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        total, seconds = json.loads(self.process.stdout.readline())
        return total / seconds


def serve(epoch):
    """Run an epoch for each line on stdin, and answer with its images and seconds."""
    while sys.stdin.readline():
        began = time.perf_counter()
        total = epoch()
        print(json.dumps([total, time.perf_counter() - began]), flush=True)


def rate(epoch):
    began = time.perf_counter()
    return epoch() / (time.perf_counter() - began)


def overhead(ds):
    """CPU of stream, state and audit per batch, beside the CPU of a whole batch."""
    loader = penstock_loader(ds)
    before = time.process_time()
    batches = sum(1 for _ in loader)
    whole = (time.process_time() - before) / batches
    cursor = loader._parts.cursor  # noqa: SLF001  what is measured is inside
    armed = cursor.armed(cursor.epoch_at(cursor.place))
    draws = armed.draws()
    before = time.process_time()
    for number in range(armed.epoch.num_batches):
        armed.count(armed.draw(draws, number))
        loader.state_dict()
    loader.audit()
    return (time.process_time() - before) / armed.epoch.num_batches / whole


def first_batch(ds):
    loader = penstock_loader(ds)
    began = time.perf_counter()
    next(iter(loader))
    return time.perf_counter() - began


def resume(ds, step):
    first = penstock_loader(ds)
    state = {**first.state_dict(), "consumed": step * BATCH}
    second = penstock_loader(ds)
    second.state_dict()
    began = time.perf_counter()
    second.load_state_dict(state)
    next(iter(second))
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "penstock-benchmark-loading")
    parser.add_argument("--deeplake", help="interpreter of an environment with deeplake 4 and torch")
    parser.add_argument("--serve", choices=("Pillow", "Fast"), help=argparse.SUPPRESS)
    told = parser.parse_args()
    folder = told.folder / str(told.images)
    paths = make_jpegs(folder / "jpeg", told.images)
    if told.serve:
        serve(torch_side({"Pillow": Pillow, "Fast": Fast}[told.serve](paths)))
        return
    ds = make_dataset(folder, paths)
    ceiling, ours = ceiling_side(paths), penstock_side(ds)
    again = [sys.executable, "-m", "benchmarks.loading", "--images", str(told.images), "--folder", str(told.folder)]
    measured = {
        "ceiling: decode + resize in two threads": lambda: rate(ceiling),
        "torch DataLoader + Pillow, two processes": Elsewhere([*again, "--serve", "Pillow"]).rate,
        "torch DataLoader + simplejpeg + OpenCV, two processes": Elsewhere([*again, "--serve", "Fast"]).rate,
        "penstock .pytorch(resize=), weighted, two threads": lambda: rate(ours),
    }
    if told.deeplake:
        measured["deeplake 4 .pytorch() + Pillow, two processes"] = Elsewhere(
            [told.deeplake, "-c", DEEPLAKE, str(folder / "jpeg"), str(folder / "dl")]
        ).rate
    rates = {name: [] for name in measured}
    for repeat in range(told.repeats + 1):
        for name, measure in measured.items():
            value = measure()
            if repeat:
                rates[name].append(value)
    ours = rates["penstock .pytorch(resize=), weighted, two threads"]
    print(f"{'reader':56} {'images/s':>9} {'penstock / it':>14}")
    for name, values in rates.items():
        ratio = statistics.median(mine / other for mine, other in zip(ours, values, strict=True))
        print(f"{name:56} {statistics.median(values):9,.0f} {ratio:14.2f}")
    last = told.images // BATCH - 1
    print(f"stream + state + audit, share of a batch's CPU    {overhead(ds):8.2%}")
    print(
        f"first batch, warm                                 {statistics.median(first_batch(ds) for _ in range(5)) * 1e3:6.0f} ms"
    )
    print(
        f"resume at step 1 / at step {last:<4}                   {resume(ds, 1) * 1e3:6.0f} / {resume(ds, last) * 1e3:.0f} ms"
    )


if __name__ == "__main__":
    sys.exit(main())
