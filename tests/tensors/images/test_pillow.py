from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import penstock
from penstock.errors import ImageDecodeError
from penstock.tensors import is_pillow, pillow_pixels

PIXELS = np.random.default_rng(0).integers(0, 255, (8, 9, 3), np.uint8)


def test_an_image_of_pillow_is_told_from_everything_else():
    assert is_pillow(Image.fromarray(PIXELS))
    assert not any(is_pillow(value) for value in (None, 5, PIXELS, "a", b"a", Image))


def test_a_palette_is_never_stored_as_gray(tmp_path):
    image = Image.fromarray(PIXELS).convert("P", palette=Image.Palette.ADAPTIVE)
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("images", htype="image")
    ds.append({"images": image})
    np.testing.assert_array_equal(ds.images[0].numpy(), np.asarray(image.convert("RGB")))


def test_a_file_that_is_turned_is_upright():
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = 8
    Image.fromarray(PIXELS).save(buffer, "PNG", exif=exif)
    np.testing.assert_array_equal(pillow_pixels(Image.open(buffer)), np.rot90(PIXELS))


def test_a_file_that_ends_too_soon_is_an_image_that_cannot_be_read():
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG")
    with pytest.raises(ImageDecodeError, match="of mode RGB cannot be read"):
        pillow_pixels(Image.open(io.BytesIO(buffer.getvalue()[:-60])))


def test_lab_is_converted_by_its_profile():
    white = Image.frombytes("LAB", (1, 1), bytes([255, 0, 0]))  # a and b are signed
    assert (pillow_pixels(white) >= 250).all()
