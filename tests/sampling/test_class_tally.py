"""Rows by stratum, class and number of instances: counted in blocks, equal to what is counted row by row."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from penstock.sampling import ClassCounts, Strata
from penstock.sampling.pool import _tally
from penstock.sampling.pool._tally import are_single, class_tally


def counted_by_row(labels: ClassCounts, ids: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Return (stratum, class, instances, rows) in order, by a loop over rows."""
    found: Counter[tuple[int, int, int]] = Counter()
    for row in range(labels.num_rows):
        own = labels.values[labels.offsets[row] : labels.offsets[row + 1]]
        found.update((int(ids[row]), number, count) for number, count in Counter(own.tolist()).items())
    return [(*key, rows) for key, rows in sorted(found.items())]


def drawn(rng: np.random.Generator, num_rows: int, most: int, num_classes: int, dtype: type) -> ClassCounts:
    lengths = rng.integers(most == 1, most + 1, num_rows)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = rng.integers(0, num_classes, offsets[-1]).astype(dtype)
    return ClassCounts(values=values, offsets=offsets, class_names=tuple(map(str, range(num_classes))))


@pytest.mark.parametrize("block", [1, 7, 1 << 15])
@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize(("num_strata", "num_classes"), [(1, 4), (5, 4), (200, 70_000)])
def test_a_tally_is_what_is_counted_row_by_row(block, most, num_strata, num_classes, monkeypatch):
    """The last one has more pairs of stratum and class than instances, so that they are sorted, not looked up."""
    monkeypatch.setattr(_tally, "_BLOCK", block)
    monkeypatch.setattr(_tally, "_SPARSE_BLOCK", block)
    monkeypatch.setattr(_tally, "_SMALL", 1)
    rng = np.random.default_rng(block + most)
    for dtype in (np.uint8 if num_classes < 256 else np.uint32, np.int64):
        labels = drawn(rng, 60, most, num_classes, dtype)
        labels = labels if num_classes < 256 else drawn(rng, 60, most, 3, dtype)
        labels = ClassCounts(values=labels.values, offsets=labels.offsets, class_names=("x",) * num_classes)
        ids = rng.integers(0, num_strata, labels.num_rows).astype(np.uint8)
        tally = class_tally(labels.values, labels.offsets, num_classes, ids, num_strata)
        columns = (tally.strata, tally.classes, tally.counts, tally.rows)
        assert list(zip(*(one.tolist() for one in columns), strict=True)) == counted_by_row(labels, ids)
        assert all(one.dtype == np.int64 for one in columns)


@pytest.mark.parametrize("lists", [[], [[]], [[], []], [[0]], [[0, 0]], [[1, 0, 1], [], [2]]])
def test_sums_and_values_are_those_of_the_rows(lists):
    labels = ClassCounts.from_lists(lists, class_names=("a", "b", "c"))
    strata = Strata.from_masks([], labels=labels, num_rows=len(lists))
    counts = np.zeros((len(lists), 3))
    for row, own in enumerate(lists):
        for number in own:
            counts[row, number] += 1
    table = np.zeros((3, 3))
    sums = strata.class_sums
    for place, one in enumerate((sums.rows_with_class, sums.instances, sums.instances_squared)):
        table[place, sums.classes] = one
    assert table.tolist() == [(counts > 0).sum(0).tolist(), counts.sum(0).tolist(), (counts**2).sum(0).tolist()]
    assert labels.samples.tolist() == (counts > 0).sum(0).tolist()
    often = [number for number, _ in strata.class_values.items()]
    assert often == np.flatnonzero((counts > 1).any(0)).tolist()
    for number, (_, found, rows) in strata.class_values.items():
        own = counts[:, number]
        assert dict(zip(found.tolist(), rows.tolist(), strict=True)) == Counter(own[own > 0].tolist())


def test_labels_of_a_row_in_any_order_make_the_same_tally():
    one, other = ([[2, 0, 2], [1, 0]], [[0, 2, 2], [0, 1]])
    found = [class_tally(x.values, x.offsets, 3) for x in map(ClassCounts.from_lists, (one, other))]
    assert found[0].classes.tolist() == found[1].classes.tolist() == [0, 1, 2]
    assert found[0].counts.tolist() == found[1].counts.tolist() == [1, 1, 2]


@pytest.mark.parametrize(
    ("offsets", "single"), [([0], True), ([0, 1, 2], True), ([0, 0, 2], False), ([0, 2, 2], False), ([0, 1, 3], False)]
)
def test_rows_are_single_where_each_has_one_label(offsets, single):
    assert are_single(np.array(offsets)) is single
    assert are_single(np.array(offsets), block=1) is single
