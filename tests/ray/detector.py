"""Train a small detector on a saved view: `python detector.py DATASET VIEW`; the last line says what it saw."""

from __future__ import annotations

import json
import sys

import numpy as np
import torch

import penstock

SIDE, CELLS = 64, 8


def targets(boxes, shape):
    """Which cell of a grid has the middle of a box, and the box's size there, in parts of the image."""
    height, width = shape[:2]
    found = np.zeros((3, CELLS, CELLS), np.float32)
    for x, y, w, h in boxes:
        column, row = int((x + w / 2) / width * CELLS), int((y + h / 2) / height * CELLS)
        found[:, min(row, CELLS - 1), min(column, CELLS - 1)] = 1, w / width, h / height
    return found


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    view = penstock.load(sys.argv[1]).load_view(sys.argv[2])
    expected = {
        row: targets(boxes, shape)
        for row, boxes, shape in zip(
            view.indices.tolist(), view.boxes.numpy(aslist=True), (image.shape for image in view.images.numpy(aslist=True)),
            strict=True,
        )
    }  # fmt: skip
    loader = view.pytorch(shuffle=True, batch_size=16, tensors=["images"], resize={"images": (SIDE, SIDE)})
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, 2, 1), torch.nn.ReLU(), torch.nn.Conv2d(8, 16, 3, 2, 1), torch.nn.ReLU(),
        torch.nn.Conv2d(16, 3, 3, 2, 1),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(25):
        for batch in loader:
            wanted = torch.from_numpy(np.stack([expected[row] for row in batch["index"].tolist()]))
            found = model(batch["images"].permute(0, 3, 1, 2) / 255)
            there = torch.nn.functional.binary_cross_entropy_with_logits(found[:, 0], wanted[:, 0])
            size = ((found[:, 1:] - wanted[:, 1:]) * wanted[:, :1]).square().mean()
            loss = there + size
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    labels = [one.tolist() for one in view.categories.numpy(aslist=True)]
    names = [name for name in view.categories.info.class_names if name in {"car", "automobile"}]
    told = {"rows": view.indices.tolist(), "labels": labels, "names": names, "losses": losses}
    sys.stdout.write(f"\n{json.dumps(told)}\n")


if __name__ == "__main__":
    main()
