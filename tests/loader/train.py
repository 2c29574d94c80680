"""A training run that saves its state and goes on from it: `python train.py MNIST_FOLDER CHECKPOINT STEPS PAUSE`."""

from __future__ import annotations

import gzip
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from penstock.loader import Loader
from penstock.table import ArrayTable

CLASSES = [str(digit) for digit in range(10)]


def mnist(folder: Path, count: int = 3000) -> ArrayTable:
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(16 + count * 784), np.uint8, offset=16)
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(8 + count), np.uint8, offset=8)
    columns = {"images": images.reshape(-1, 28, 28), "labels": labels.astype(np.int64)}
    return ArrayTable(columns, class_names={"labels": CLASSES}, version="mnist")


def shifted(sample, rng):
    image = np.roll(sample["images"], rng.integers(-2, 3, 2), (0, 1)).astype(np.float32) / 255
    return image[None], sample["labels"][0]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(576, 10),
    )


def main() -> None:
    folder, checkpoint, steps, pause = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    torch.set_num_threads(1)
    weights = "max_weight(labels == '1': 5, labels == '7': 3, True: 1)"
    chain = Loader(mnist(folder), seed=11).sample_by(weights, size=24 * 32).transform(shifted).batch(32)
    loader = chain.pytorch(num_threads=2)
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    losses: list[float] = []
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        loader.load_state_dict(saved["loader"])
        losses = saved["losses"]
    while len(losses) < steps:
        for images, labels in loader:
            loss = nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "loader": loader.state_dict()}
            torch.save({**saved, "losses": losses}, f"{checkpoint}.new")
            Path(f"{checkpoint}.new").replace(checkpoint)
            time.sleep(pause)
            if len(losses) == steps:
                break


if __name__ == "__main__":
    main()
