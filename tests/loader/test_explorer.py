"""A loop that trains while the Explorer's sliders are moved from another thread."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch
from torch import nn

import penstock

QUERY = "select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)"


@pytest.fixture(scope="module")
def ds(tmp_path_factory):
    return penstock.demo(str(tmp_path_factory.mktemp("demo") / "demo"), num_samples=300)


class Net(nn.Module):
    """A small network on the demo's pictures."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(3, 6, 5, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(96, 6)
        )

    def forward(self, images):
        return self.layers(images.permute(0, 3, 1, 2).float() / 255)


def multi_hot(labels):
    return torch.stack([torch.bincount(ids, minlength=6).clamp(max=1).float() for ids in labels])


def train(loader, pause=0.0):
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    rows, losses = [], []
    for batch in loader:
        loss = nn.functional.binary_cross_entropy_with_logits(model(batch["images"]), multi_hot(batch["labels"]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rows += batch["index"].tolist()
        losses.append(loss.item())
        time.sleep(pause)
    return rows, losses


@pytest.mark.torch
@pytest.mark.slow
def test_sliders_leave_a_running_loader_alone(ds):
    x = penstock.explore(ds)
    x.query = QUERY
    options = {"batch_size": 16, "resize": {"images": (32, 32)}, "tensors": ["images", "labels"]}
    quiet_rows, quiet_losses = train(x.loader(**options))
    loader = x.loader(**options)
    iterator = iter(loader)
    stop = threading.Event()
    moved = []

    def slide():
        while not stop.is_set():
            x.weights = np.array([1.0 + len(moved) % 40, 1.0])
            moved.append(x.spec.weights)
            time.sleep(0.001)

    slider = threading.Thread(target=slide)
    slider.start()
    try:
        rows, losses = train(iterator, pause=0.01)
    finally:
        stop.set()
        slider.join()
    assert len(moved) > 5
    assert rows == quiet_rows
    assert losses == quiet_losses
    assert loader.stats().stall_share < 0.9
    x.weights = np.array([0.0, 1.0])
    before = loader.weights
    next_rows, _ = train(loader.with_weights(x.spec))
    assert before != loader.weights == x.spec
    expected = x.plan.stream().slice(len(rows), 2 * len(rows)).tolist()
    assert next_rows == expected
