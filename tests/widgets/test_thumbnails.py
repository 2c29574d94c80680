"""Thumbnails: small, kept by bytes, broken ones with their reason."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import QueryCancelledError
from penstock.table import ArrayTable
from penstock.tensors import decode_image, encode_image
from penstock.widgets.operations.images._thumbnails import Thumbnails


class CountingTable(ArrayTable):
    taken = 0

    def take(self, rows, tensors):
        self.taken += len(rows)
        return super().take(rows, tensors)


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    images = [encode_image(rng.integers(0, 255, (40, 80, 3), np.uint8), "png") for _ in range(40)]
    images[3] = images[3][:50]
    images[5] = None
    images[7] = b"no image at all"
    return CountingTable({"images": images}, htypes={"images": "image"})


def test_a_page_has_one_thumbnail_a_row_in_order(table):
    page = Thumbnails().page(table, np.array([9, 0, 9]), "images", 20)
    assert [(made.width, made.height, made.error) for made in page] == [(80, 40, None)] * 3
    assert decode_image(page[0].jpeg).shape == (10, 20, 3)
    assert page[0].jpeg == page[2].jpeg != page[1].jpeg


def test_a_broken_image_is_a_tile_with_its_reason(table):
    page = Thumbnails().page(table, np.arange(8), "images", 20)
    assert [i for i, made in enumerate(page) if made.error] == [3, 5, 7]
    assert "no image" in page[5].error
    assert all(made.jpeg == b"" and "image" in made.error for made in (page[3], page[7]))


def test_what_was_made_is_not_made_again(table):
    thumbnails = Thumbnails()
    first = thumbnails.page(table, np.array([0, 1, 2]), "images", 20)
    again = thumbnails.page(table, np.array([2, 1]), "images", 20)
    assert table.taken == 3
    assert again == [first[2], first[1]]
    thumbnails.page(table, np.array([0]), "images", 30)
    assert table.taken == 4


def test_kept_bytes_stay_under_the_limit(table):
    thumbnails = Thumbnails(max_bytes=3000)
    rows = np.array([i for i in range(40) if i not in {3, 5, 7}])
    assert all(made.jpeg for made in thumbnails.page(table, rows, "images", 40))
    assert 0 < thumbnails.num_bytes <= 3000


def test_a_page_nobody_wants_any_more_stops(table):
    checks = []

    def check():
        checks.append(1)
        if len(checks) == 2:
            raise QueryCancelledError("cancelled")

    with pytest.raises(QueryCancelledError):
        Thumbnails().page(table, np.arange(40), "images", 20, check)
    assert table.taken == 16
