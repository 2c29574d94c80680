"""What is kept of thumbnails and shapes has a limit, whatever the values are."""

from __future__ import annotations

import numpy as np

import penstock
from penstock.dataset.samples import content_of
from penstock.widgets._byte_cache import ByteCache
from penstock.widgets.shapes._packed import PackedShapes

ENTRY = 512  # bytes counted for each entry besides its value


def test_the_least_recently_used_value_goes_first():
    cache = ByteCache(max_bytes=2 * ENTRY + 20, size=len)
    cache.put("a", b"12345")
    cache.put("b", b"12345")
    cache.get("a")
    cache.put("c", b"12345")
    assert [cache.get(key) for key in "abc"] == [b"12345", None, b"12345"]


def test_a_value_replaces_the_one_of_its_key():
    cache = ByteCache(max_bytes=10 * ENTRY, size=len)
    cache.put("a", b"12345")
    cache.put("a", b"1")
    assert cache.num_bytes == ENTRY + 1


def test_a_value_larger_than_the_limit_is_not_kept():
    cache = ByteCache(max_bytes=ENTRY, size=len)
    cache.put("a", b"1")
    assert (cache.get("a"), cache.num_bytes) == (None, 0)


def test_samples_without_shapes_do_not_fill_the_memory(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("boxes", htype="bbox")
    ds.create_tensor("segmentation", htype="json", aligned_with="boxes")
    ds.extend({"boxes": [np.zeros((0, 4), np.float32)] * 50, "segmentation": [[]] * 50})
    shapes = PackedShapes(max_bytes=10 * ENTRY)
    rows = np.arange(50)
    drawn = shapes.page(content_of(ds).table, rows, None, [(8, 8)] * 50, 16, ds)
    assert len(drawn) == 50
    assert 0 < shapes.num_bytes <= 10 * ENTRY
