"""A view as a Ray Dataset."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import DatasetError, TensorNotFoundError

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray"), pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def ds(tmp_path_factory):
    return penstock.demo(str(tmp_path_factory.mktemp("ray") / "ds"), num_samples=80)


def test_rows_come_in_the_order_of_the_view_with_their_values(connected, ds):
    view = ds[[5, 70, 5, *range(40, 0, -1)]]
    rows = view.to_ray(num_blocks=5).take_all()
    assert [row["index"] for row in rows] == view.indices.tolist()
    for name in view.tensors:
        for row, expected in zip(rows, view[name].numpy(aslist=True), strict=True):
            np.testing.assert_array_equal(row[name], expected, strict=True)


def test_images_may_stay_encoded(connected, ds):
    batch = next(iter(ds.to_ray(["images"], decode=False).iter_batches(batch_size=4)))
    assert sorted(batch) == ["images", "index"]
    stored = content_of(ds).table.take(np.arange(4), ["images"])["images"]
    assert [bytes(image) for image in batch["images"]] == list(stored)


def test_counting_reads_nothing(connected, ds):
    assert ds.query("select * limit 7").to_ray().count() == 7


def test_what_is_no_tensor_is_refused(ds):
    with pytest.raises(TensorNotFoundError, match="label"):
        ds.to_ray(["labelz"])
    with pytest.raises(DatasetError, match="Expected a list of names"):
        ds.to_ray("labels")
