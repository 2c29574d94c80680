"""Does oversampling help? The experiment behind ``notebooks/does_oversampling_help.ipynb``, with all its seeds.

Run ``python -m benchmarks.oversampling [--seeds 10] [--epochs 30] [--out benchmarks/oversampling.json]``. Trains a small
network on 165 circles and 10 squares: without oversampling, with it drawn iid, and with it drawn from a deck; each with
and without augmentation. A seed chooses the training samples, the initial weights, the order and the augmentation, and
is the same for all. As a control, augmented images without oversampling are also trained on five times as long. Prints
means with 95 % intervals (Student's t over the seeds). Ten seeds need about ten minutes of one CPU core.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from torch import nn

import penstock
from penstock import sampling

NAMES = ["Circle", "Square"]
TRAINING = {"Circle": 165, "Square": 10}
NUM_TEST = 150  # of each class
SIDE, BATCH, LEARNING_RATE = 48, 16, 5e-3
SETTINGS = [(augment, how) for augment in (False, True) for how in ("as it is", "iid", "deck")]
LONGER = "as it is, 5 × longer"
T_95 = {5: 2.776, 6: 2.571, 8: 2.365, 10: 2.262, 12: 2.201, 16: 2.131, 20: 2.093}  # by the number of seeds


@dataclass(frozen=True, kw_only=True, eq=False)
class Shapes:
    """Images to train on, a few of which each seed chooses, and images to test on."""

    pool: penstock.dataset.Dataset
    test_images: torch.Tensor
    test_labels: torch.Tensor


def shapes(folder):
    """Return the demo's images of one circle or one square, gray and 48 × 48 pixels."""
    one = "shape(labels)[0] == 1 and (contains(labels, 'Circle') or contains(labels, 'Square'))"
    alone = penstock.demo(folder / "shapes", num_samples=1200).query(f"select * where {one}")
    all_names = alone.labels.info.class_names
    labels = np.array([NAMES.index(all_names[label[0]]) for label in alone.labels.numpy(aslist=True)])
    step = 192 // SIDE
    images = np.stack(alone.images.numpy(aslist=True)).reshape(-1, SIDE, step, SIDE, step, 3).mean((2, 4, 5))
    images = images.astype(np.uint8)[..., None]
    rng = np.random.default_rng(0)
    test = np.concatenate([rng.permutation(np.flatnonzero(labels == number))[:NUM_TEST] for number in range(2)])
    rest = np.setdiff1d(np.arange(len(labels)), test)
    arrays = {"images": images[rest], "labels": labels[rest]}
    pool = penstock.from_arrays(arrays, folder / "pool", class_names=NAMES, progress=False)
    return Shapes(pool=pool, test_images=scaled(torch.tensor(images[test])), test_labels=torch.tensor(labels[test]))


def scaled(images):
    """Return each image with mean 0 and standard deviation 1, channels first."""
    images = images.permute(0, 3, 1, 2).float()
    return (images - images.mean((1, 2, 3), keepdim=True)) / images.std((1, 2, 3), keepdim=True)


def augmented(sample, rng):
    """Turn, resize, move and mirror an image at random."""
    turn = cv2.getRotationMatrix2D(((SIDE - 1) / 2, (SIDE - 1) / 2), rng.uniform(-20, 20), rng.uniform(0.8, 1.2))
    turn[:, 2] += rng.uniform(-SIDE / 8, SIDE / 8, 2)
    image = cv2.warpAffine(sample["images"], turn, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)[..., None]
    return {**sample, "images": image[:, ::-1].copy() if rng.random() < 0.5 else image}


def network():
    """Return three convolutions and a linear layer: about 6,000 weights."""
    body, width = [], 1
    for wider in (8, 16, 32):
        body += [nn.Conv2d(width, wider, 3, 2, 1), nn.BatchNorm2d(wider), nn.ReLU()]
        width = wider
    return nn.Sequential(*body, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(width, 2))


def loader_of(pool, how, augment, seed):
    """Return the loader of one run."""
    subset = sampling.imbalanced_subset(pool.labels, TRAINING, seed=seed)
    loader = pool[subset.rows].dataloader(seed=seed)
    loader = loader.transform(augmented) if augment else loader
    if how not in {"iid", "deck"}:
        return loader.shuffle().batch(BATCH).pytorch()
    spec = sampling.inverse_frequency(subset.labels, mode=how, seed=seed)
    return loader.sample_by(spec).batch(BATCH).pytorch()


def train(data, how, augment, seed, epochs):
    """Train once; return the figures on the test images."""
    torch.manual_seed(seed)
    model = network()
    loader = loader_of(data.pool, how, augment, seed)
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=epochs * len(loader))
    accuracies = []
    for _ in range(epochs):
        model.train()
        for batch in loader:
            loss = nn.functional.cross_entropy(model(scaled(batch["images"])), batch["labels"][:, 0])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rate.step()
        outputs = tested(model, data)
        accuracies.append((outputs.argmax(1) == data.test_labels).float().mean().item())
    return {**figures(outputs, data.test_labels), "best_epoch_accuracy": max(accuracies)}


def tested(model, data):
    """Return the outputs for the test images."""
    model.eval()
    with torch.no_grad():
        return model(data.test_images)


def figures(outputs, labels):
    """Return accuracy, recall by class, and the area under the ROC curve."""
    hits = (outputs.argmax(1) == labels).float()
    score = outputs[:, 1] - outputs[:, 0]
    square, circle = score[labels == 1, None], score[labels == 0]
    return {
        "accuracy": hits.mean().item(),
        "recall_square": hits[labels == 1].mean().item(),
        "recall_circle": hits[labels == 0].mean().item(),
        "auc": ((square > circle).float() + (square == circle).float() / 2).mean().item(),
    }


def rounded(values):
    """Return the figures with four digits."""
    return {name: round(value, 4) for name, value in values.items()}


def summary(runs, columns=("accuracy", "recall_square", "recall_circle", "auc", "best_epoch_accuracy")):
    """Return mean and half of the 95 % interval of each figure, one row per arm."""
    groups = pd.DataFrame(runs).groupby(["augmentation", "sampling"], sort=False)[list(columns)]
    half = groups.std() * T_95[int(groups.size().min())] / np.sqrt(groups.size().min())
    return pd.concat({"mean": groups.mean(), "±": half}, axis=1).swaplevel(axis=1)[list(columns)]


def main():
    """Run the experiment."""
    parser = argparse.ArgumentParser(prog="benchmarks.oversampling", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, choices=T_95)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--out", type=Path, help="JSON file for the settings and the runs")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    begin, runs = time.process_time(), []
    with tempfile.TemporaryDirectory() as folder:
        data = shapes(Path(folder))
        for seed, (augment, how) in itertools.product(range(options.seeds), [*SETTINGS, (True, LONGER)]):
            found = train(data, how, augment, seed, options.epochs * (5 if how == LONGER else 1))
            runs.append({"sampling": how, "augmentation": augment, "seed": seed, **rounded(found)})
            print(runs[-1], flush=True)
            if options.out:
                write(options.out, runs, options, time.process_time() - begin)
    print(summary(runs).round(3).to_string())
    print(f"{time.process_time() - begin:.0f} s of CPU")


def write(path, runs, options, seconds):
    """Write the settings, then one run a line."""
    settings = {
        "seeds": options.seeds,
        "epochs": options.epochs,
        "batch_size": BATCH,
        "training": TRAINING,
        "test_per_class": NUM_TEST,
        "torch": torch.__version__,
        "cpu_seconds": round(seconds),
    }
    lines = ",\n".join(f"  {json.dumps(run)}" for run in runs)
    path.write_text(f'{{"settings": {json.dumps(settings)},\n "runs": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
