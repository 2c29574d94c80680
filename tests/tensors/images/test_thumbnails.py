from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from penstock.errors import ImageDecodeError
from penstock.tensors import check_image, decode_image, encode_image, image_format, image_region, image_shape, thumbnail
from penstock.tensors.images import _reducing
from penstock.tensors.images._reducing import reduced

SIDES = st.integers(1, 90)
FORMS = st.sampled_from(["png", "jpeg", "webp"])


@settings(max_examples=60, deadline=None)
@given(height=SIDES, width=SIDES, longest=st.integers(1, 120), form=FORMS)
def test_thumbnail_keeps_the_proportions(height, width, longest, form):
    scale = min(1.0, longest / max(height, width))
    small, full_width, full_height = thumbnail(encode_image(np.zeros((height, width, 3), np.uint8), form), longest)
    assert (full_width, full_height) == (width, height)
    rows, columns, _ = image_shape(small)
    assert max(rows, columns) == (longest if scale < 1 else max(height, width))
    assert abs(rows - height * scale) <= 1
    assert abs(columns - width * scale) <= 1


@settings(max_examples=40, deadline=None)
@given(value=st.integers(0, 255), channels=st.sampled_from([1, 3]), form=FORMS, longest=st.integers(1, 60))
def test_thumbnail_of_one_color_has_that_color(value, channels, form, longest):
    pixels = decode_image(thumbnail(encode_image(np.full((37, 53, channels), value, np.uint8), form), longest)[0])
    assert np.abs(pixels.astype(int) - value).max() <= 2


def test_thumbnail_is_a_jpeg():
    assert image_format(thumbnail(encode_image(np.zeros((4, 4), np.uint8), "webp"), 2)[0]) == "jpeg"


@settings(max_examples=60, deadline=None)
@given(
    x=st.integers(-30, 70), y=st.integers(-30, 50), width=st.integers(1, 80), height=st.integers(1, 80),
    scale=st.sampled_from([0.1, 0.5, 1.0, 3.0]),
)  # fmt: skip
def test_region_has_the_size_of_what_lies_inside(x, y, width, height, scale):
    encoded = encode_image(np.zeros((40, 60), np.uint8), "png")
    columns = min(x + width, 60) - max(x, 0)
    rows = min(y + height, 40) - max(y, 0)
    if columns <= 0 or rows <= 0:
        with pytest.raises(ImageDecodeError, match="outside the image of 60 × 40"):
            image_region(encoded, x, y, width, height, scale)
        return
    wanted = (rows, columns) if scale >= 1 else (max(1, round(rows * scale)), max(1, round(columns * scale)))
    assert image_shape(image_region(encoded, x, y, width, height, scale))[:2] == wanted


def test_region_shows_the_pixels_it_covers():
    pixels = np.zeros((40, 60), np.uint8)
    pixels[10:30, 20:40] = 250
    cut = decode_image(image_region(encode_image(pixels, "png"), 20, 10, 20, 20, 0.5))
    assert cut.shape == (10, 10, 1)
    assert cut.min() > 230


def test_region_outside_the_image_is_refused():
    with pytest.raises(ImageDecodeError, match="outside the image of 60 × 40"):
        image_region(encode_image(np.zeros((40, 60), np.uint8), "png"), 60, 0, 5, 5)


def test_region_of_a_turned_image_is_in_upright_pixels():
    upright = np.zeros((20, 30, 3), np.uint8)
    upright[:10, 20:] = 255
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(upright, 1)).save(buffer, "PNG", exif=exif)
    assert decode_image(image_region(buffer.getvalue(), 20, 0, 10, 10)).min() > 250


def test_region_lays_transparency_over_gray():
    cut = decode_image(image_region(encode_image(np.zeros((10, 10, 4), np.uint8), "png"), 2, 2, 4, 4))
    assert np.abs(cut.astype(int) - 128).max() <= 2


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_check_image_refuses_what_is_cut(form):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    encoded = encode_image(noise, form)
    check_image(encoded)
    with pytest.raises(ImageDecodeError, match="cannot be decoded"):
        check_image(encoded[: len(encoded) // 2])


@pytest.fixture
def everything_is_large(monkeypatch):
    monkeypatch.setattr(_reducing, "LARGE", 0)


def saved(pixels: np.ndarray, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels).save(
        buffer, form, **options
    )
    return buffer.getvalue()


def means(pixels: np.ndarray, factor: int) -> np.ndarray:
    """The mean of every square of factor × factor pixels."""
    rows, columns = pixels.shape[0] // factor, pixels.shape[1] // factor
    squares = pixels.reshape(rows, factor, columns, factor, pixels.shape[2]).astype(float)
    return squares.mean(axis=(1, 3))


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("channels", [1, 3])
def test_large_image_is_reduced_to_means_of_squares(form, channels):
    pixels = np.random.default_rng(2).integers(0, 256, (24, 32, channels), np.uint8)
    if form == "GIF":
        pixels = np.repeat(pixels[:, :, :1] // 8 * 8, channels, axis=2)  # a palette holds 256 colors
    small, width, height = reduced(saved(pixels, form), 8, None)
    assert (width, height) == (32, 24)
    expected = means(pixels, 4)
    assert np.abs(small.astype(float)[:, :, :1] - expected[:, :, :1]).max() <= 1


@pytest.mark.usefixtures("everything_is_large")
def test_large_image_of_odd_sides_has_means_of_what_is_left_over():
    pixels = np.zeros((10, 13, 1), np.uint8)
    pixels[8:, :] = 200
    small, _, _ = reduced(saved(pixels, "PNG"), 3, None)
    assert small.shape == (3, 4, 1)
    assert small[:2].max() == 0
    assert small[2].tolist() == [[200]] * 4


@pytest.mark.usefixtures("everything_is_large")
def test_large_image_that_is_small_enough_stays_as_it_is():
    pixels = np.random.default_rng(2).integers(0, 256, (12, 16, 3), np.uint8)
    np.testing.assert_array_equal(reduced(saved(pixels, "PNG"), 16, None)[0], pixels)


@pytest.mark.usefixtures("everything_is_large")
def test_large_jpeg_is_drafted_by_its_reader():
    pixels = np.full((64, 64, 3), 90, np.uint8)
    small, width, height = reduced(saved(pixels, "JPEG"), 8, None)
    assert (small.shape, width, height) == ((8, 8, 3), 64, 64)
    assert np.abs(small.astype(int) - 90).max() <= 1


@pytest.mark.usefixtures("everything_is_large")
def test_large_transparent_image_is_laid_over_gray_without_its_hidden_color():
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, :, 0] = 255  # red that no one sees
    pixels[:, 4:, 3] = 255
    small, _, _ = reduced(saved(pixels, "PNG"), 2, None)
    assert small.tolist() == [[[128, 128, 128], [255, 0, 0]]] * 2


@pytest.mark.usefixtures("everything_is_large")
def test_large_image_of_16_bits_is_spread_after_it_is_reduced():
    pixels = np.zeros((8, 8), np.uint16)
    pixels[:, 4:] = 40_000
    small, _, _ = reduced(saved(pixels, "PNG"), 2, None)
    assert small[:, :, 0].tolist() == [[0, 255]] * 2


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize(("orientation", "turned"), [(1, False), (3, False), (6, True), (8, True)])
def test_large_turned_image_is_upright(orientation, turned):
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.zeros((8, 16, 3), np.uint8)
    small, width, height = reduced(saved(pixels, "TIFF", exif=exif), 4, None)
    assert (width, height) == ((8, 16) if turned else (16, 8))
    assert small.shape == ((4, 2, 3) if turned else (2, 4, 3))


@pytest.mark.usefixtures("everything_is_large")
def test_large_image_that_is_too_large_whole_is_refused():
    with pytest.raises(ImageDecodeError, match="Expected at most"):
        reduced(saved(np.zeros((1024, 1024, 3), np.uint8), "BMP"), 8, 2**20)
