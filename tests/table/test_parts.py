"""A part of a table has the rows of the whole table, and reads no others."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.storage import SnapshotPart

LABELS = [[], ["a"], ["a", "b"], ["b"], [], ["c"], ["a", "c", "b"]] * 3
NUMBERS = {"a": 0, "b": 1, "c": 2}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    ds = penstock.empty(str(tmp_path_factory.mktemp("parts") / "ds"))
    ds.create_tensor("labels", htype="class_label", class_names=list(NUMBERS))
    for rows in (LABELS[:8], LABELS[8:]):  # two files
        ds.extend({"labels": rows})
        ds.commit("some")
    return content_of(ds).table.stored.snapshot


@pytest.mark.parametrize("rows", [(0, 21), (0, 1), (3, 9), (7, 8), (8, 21), (20, 21)])
def test_a_part_has_the_lists_of_its_rows(snapshot, rows):
    start, stop = rows
    values, offsets, _ = SnapshotPart(snapshot, start, stop).lists("labels")
    wanted = [[NUMBERS[name] for name in row] for row in LABELS[start:stop]]
    assert [values[begin:end].tolist() for begin, end in pairwise(offsets)] == wanted
    assert offsets.dtype == np.int64
