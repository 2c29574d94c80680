"""Tables that loaders read in these tests: pictures whose pixels say which row they are."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.table import ArrayTable
from penstock.tensors import encode_image

NUM_ROWS = 50


def picture(row: int, shape: tuple[int, int, int] = (12, 16, 3)) -> np.ndarray:
    return np.full(shape, row, np.uint8)


@pytest.fixture
def table() -> ArrayTable:
    """50 rows: equal images, one label each, ragged tags and boxes, text, JSON, a float."""
    rng = np.random.default_rng(0)
    tags = [rng.integers(0, 4, row % 4) for row in range(NUM_ROWS)]
    boxes = [np.full((row % 3, 4), row, np.float32) for row in range(NUM_ROWS)]
    return ArrayTable(
        {
            "images": [encode_image(picture(row), "png") for row in range(NUM_ROWS)],
            "labels": np.arange(NUM_ROWS) % 5,
            "tags": tags,
            "boxes": boxes,
            "caption": [f"row {row}" for row in range(NUM_ROWS)],
            "meta": [{"row": row} for row in range(NUM_ROWS)],
            "score": np.arange(NUM_ROWS) / 2,
        },
        class_names={"labels": list("abcde"), "tags": list("wxyz")},
        htypes={"boxes": "bbox"},
    )


@pytest.fixture
def ragged_images() -> ArrayTable:
    """12 rows whose images differ in size, as JPEG."""
    shapes = [(8 + row, 20 - row, 3) for row in range(12)]
    return ArrayTable({"images": [encode_image(picture(row * 10, shape), "jpeg") for row, shape in enumerate(shapes)]})
