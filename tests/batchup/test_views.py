"""Sources of views: images are decoded by several threads, in the order of the batch."""

from __future__ import annotations

import io
import os
import threading

import numpy as np
import pytest
from PIL import Image

import penstock
from penstock.batchup import work_pool
from penstock.batchup.data_source import ArrayDataSource
from penstock.dataset.samples import content_of
from penstock.errors import SampleError


def png(color, side=6):
    out = io.BytesIO()
    Image.new("RGB", (side, side), (color, color, color)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for number in range(64):
        path = folder / "all" / f"{number:02}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(png(number))
    return penstock.from_folder(folder, tmp_path_factory.mktemp("ds") / "ds", progress=False).query("select *")


@pytest.fixture(autouse=True)
def four_cores(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 4)


ORDERS = {
    "shuffled": np.random.default_rng(0).permutation(64),
    "repeated": np.repeat([5, 63, 0], 12),
    "from the end": np.arange(-1, -41, -1),
    "few": np.array([3, 1]),
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_images_are_those_of_the_indices_in_their_order(view, order):
    for data in (view, view.images):
        (batch,) = ArrayDataSource([data]).samples_by_indices_nomapping(order)
        images = batch["images"] if data is view else batch
        assert images.shape == (len(order), 6, 6, 3)
        assert images[:, 0, 0, 0].tolist() == (order % 64).tolist()
    (sliced,) = ArrayDataSource([view.images]).samples_by_indices_nomapping(slice(60, 2, -1))
    assert sliced[:, 0, 0, 0].tolist() == list(range(60, 2, -1))


def test_images_are_decoded_by_several_threads(view, monkeypatch):
    from penstock.batchup.reading import _decoding

    seen = set()
    arrays = _decoding._arrays
    barrier = threading.Barrier(4, timeout=20)

    def watched(tensor, part):
        seen.add(threading.get_ident())
        barrier.wait()
        return arrays(tensor, part)

    monkeypatch.setattr(_decoding, "_arrays", watched)
    ArrayDataSource([view.images]).samples_by_indices(np.arange(64))
    assert len(seen) == 4


def test_a_single_image_is_read(view):
    assert ArrayDataSource([view.images]).samples_by_indices(7)[0][0, 0, 0] == 7


def test_images_of_a_mask_are_read(view):
    found = ArrayDataSource([view.images]).samples_by_indices(np.arange(64) % 2 == 1)
    assert found[0][:, 0, 0, 0].tolist() == list(range(1, 64, 2))


def test_images_of_different_sizes_are_a_list(tmp_path):
    for number in range(40):
        (tmp_path / "in" / "all").mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / "all" / f"{number:02}.png").write_bytes(png(number, 4 + number % 3))
    images = penstock.from_folder(tmp_path / "in", tmp_path / "ds", progress=False).query("select *").images
    (batch,) = next(ArrayDataSource([images]).batch_iterator(40, shuffle=1))
    order = next(ArrayDataSource([images]).batch_indices_iterator(40, shuffle=1)).tolist()
    assert [image[0, 0, 0] for image in batch] == order
    assert [len(image) for image in batch] == [4 + number % 3 for number in order]


def test_error_is_of_the_first_image_that_cannot_be_read(view):
    table, _ = content_of(view).state()
    broken = {33, 50}
    source = ArrayDataSource([view.images])
    take = type(table).take

    def damaged(self, rows, tensors):
        found = {name: list(values) for name, values in take(self, rows, tensors).items()}
        for place, row in enumerate(rows.tolist()):
            if row in broken:
                found["images"][place] = b"\x89PNG broken %d" % row
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(table), "take", damaged)
        with pytest.raises(SampleError) as one:
            view.images[np.arange(64)].numpy()
        with pytest.raises(SampleError) as other:
            source.samples_by_indices(np.arange(64))
    assert str(other.value) == str(one.value)
    assert len(source.samples_by_indices(np.arange(64))[0]) == 64


@pytest.mark.slow
def test_workers_read_images_too(view):
    order = np.random.default_rng(1).permutation(64)
    source = ArrayDataSource([view.images], indices=order)
    for kind in (work_pool.WorkerThreadPool, work_pool.WorkerProcessPool):
        with kind(2) as pool:
            batches = list(pool.parallel_data_source(source).batch_iterator(32))
        assert np.concatenate([images[:, 0, 0, 0] for (images,) in batches]).tolist() == order.tolist()
