from __future__ import annotations

import numpy as np
import pytest

from penstock.exporters._boxes import negative_boxes
from penstock.table import ArrayTable

BOXES = [[[1, 1, 2, 2]], [], [[5, 5, 0, 9], [5, 5, 2, -3]], [[5, 5, -1, 2]]]


@pytest.mark.parametrize(
    ("rows", "issues"),
    [
        ([0, 1, 2, 3], ("2 boxes have a negative width or height, the first in sample 2",)),
        ([3, 1, 0], ("1 box has a negative width or height, the first in sample 3",)),
        ([0, 1], ()),
        ([], ()),
    ],
    ids=["all", "another order", "others", "none"],
)
def test_stored_boxes_of_negative_size_are_named(rows, issues):
    boxes = [np.array(one, np.float32).reshape(-1, 4) for one in BOXES]
    table = ArrayTable({"boxes": boxes}, htypes={"boxes": "bbox"})
    assert negative_boxes(table, np.array(rows, np.int64), "boxes") == issues
