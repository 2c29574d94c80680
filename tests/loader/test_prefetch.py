"""Images read for several batches at once."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import StorageError
from penstock.loader import Loader
from penstock.loader.batching._batch import Draw
from penstock.loader.reading._prefetch import Prefetch
from penstock.table import ArrayTable
from penstock.tensors import encode_image


def draw(rows):
    rows = np.asarray(rows)
    return Draw(epoch=0, start=0, positions=rows, pool=rows, rows=rows, valid=None)


class Store:
    """Takes note of what is read; images of `size` bytes that start with their row."""

    def __init__(self, size, fails=(), form=memoryview):
        self.size, self.fails, self.takes, self.form = size, set(fails), [], form

    def __call__(self, rows, tensors):
        self.takes.append(rows.tolist())
        if self.fails & set(rows.tolist()):
            raise StorageError("cannot read")
        return {name: [self.form(bytes([row % 256]) * self.size) for row in rows.tolist()] for name in tensors}


def read_all(store, num_batches=20, batch_size=8):
    batches = [list(range(batch_size * n, batch_size * (n + 1))) for n in range(num_batches)]
    prefetch = Prefetch(store, ["images"], lambda number: draw(batches[number]), num_batches)
    got = []
    for number, rows in enumerate(batches):
        claimed, images = prefetch.claim(number)
        assert claimed.rows.tolist() == rows
        got.append([image[0] for image in images(np.array(rows[::2]))["images"]])
    assert got == [[row % 256 for row in rows[::2]] for rows in batches]
    return [len(rows) // batch_size for rows in store.takes]


def test_groups_grow_from_one_batch():
    groups = read_all(Store(100))
    assert groups[0] == 1
    assert groups == sorted(groups[:-1]) + groups[-1:]
    assert max(groups) > 4


def test_groups_end_with_the_epoch():
    assert sum(read_all(Store(100))) == 20


@pytest.mark.parametrize("form", [memoryview, bytes])
def test_large_images_are_read_batch_by_batch(form):
    assert set(read_all(Store(2 << 20, form=form), num_batches=5)) == {1}


def test_an_epoch_holds_no_more_than_256_rows_at_once():
    assert max(read_all(Store(1), num_batches=200, batch_size=1)) <= 256
    assert set(read_all(Store(1), num_batches=3, batch_size=200)) == {1}


def test_a_group_that_fails_is_read_batch_by_batch_so_that_the_error_comes_where_it_belongs():
    store = Store(1, fails=[21])
    batches = [[10, 11], [12, 13], [20, 21], [22, 23], [24, 25]]
    prefetch = Prefetch(store, ["images"], lambda number: draw(batches[number]), 5)
    failed = []
    for number, rows in enumerate(batches):
        _, images = prefetch.claim(number)
        try:
            images(np.array(rows))
        except StorageError:
            failed.append(number)
    assert failed == [2]


class Lending(ArrayTable):
    """An in-memory table that lends views."""

    def take_views(self, rows, tensors):
        images = self.take(rows, tensors)
        return {
            name: [memoryview(value) if isinstance(value, bytes) else value for value in values]
            for name, values in images.items()
        }


@pytest.mark.parametrize("form", ["png", "jpeg"])
@pytest.mark.parametrize(
    "options", [{}, {"num_threads": 0}, {"resize": {"images": 5}}, {"decode_method": {"images": "tobytes"}},
                {"decode_method": {"images": "pil"}}],
    ids=["threads", "caller", "resized", "bytes", "pil"],
)  # fmt: skip
def test_lent_images_make_the_same_batches(form, options):
    columns = {
        "images": [encode_image(np.full((6, 7, 3), row, np.uint8), form) for row in range(60)],
        "labels": np.arange(60),
    }
    kept, lent = (
        list(Loader(table, seed=3).shuffle().batch(7).numpy(**options))
        for table in (ArrayTable(columns), Lending(columns))
    )
    for one, two in zip(kept, lent, strict=True):
        assert np.array_equal(one["labels"], two["labels"])
        for ours, theirs in zip(one["images"], two["images"], strict=True):
            assert ours == theirs if isinstance(ours, bytes) else np.array_equal(np.asarray(ours), np.asarray(theirs))


@pytest.fixture
def stored(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("images", htype="image", sample_compression="png")
    ds.create_tensor("labels")
    ds.extend({"images": [np.full((4, 5, 3), row, np.uint8) for row in range(64)], "labels": list(range(64))})
    ds.commit("all")
    return ds


def optimized(ds):
    ds[::-1].save_view(id="all")
    view = ds.load_view("all", optimize=True)
    return view, content_of(view).table.copy


def projected(ds):
    view = ds.query("select *, labels + 1 as next")
    return view, content_of(view).table.source


@pytest.mark.parametrize("kind", [optimized, projected], ids=["optimized view", "projection"])
def test_views_are_read_for_several_batches_at_once_too(stored, monkeypatch, kind):
    view, read = kind(stored)
    sizes = []
    take_views = read.take_views

    def noted(rows, tensors):
        if "images" in tensors:
            sizes.append(len(rows))
        return take_views(rows, tensors)

    monkeypatch.setattr(read, "take_views", noted)
    batches = list(view.dataloader(seed=0).shuffle().batch(2).numpy(num_threads=1))
    assert sorted(int(label) for batch in batches for label in batch["labels"]) == list(range(64))
    assert all((batch["images"][:, 0, 0, 0] == batch["labels"]).all() for batch in batches)
    assert sum(sizes) == 64
    assert max(sizes) > 2
