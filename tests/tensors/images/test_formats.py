from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from penstock.errors import ImageDecodeError
from penstock.tensors import image_format, image_shape
from penstock.tensors.images.formats._jpeg_scans import coefficient_bytes
from penstock.tensors.images.formats._orientation import upright
from penstock.tensors.images.formats._webp import decode_webp, webp_orientation, webp_shape
from penstock.tensors.images.opening._opening import num_piece_bytes, num_working_bytes, opened

RNG = np.random.default_rng(5)
COLOR = Image.fromarray(RNG.integers(0, 256, (17, 23, 3), np.uint8))
CLEAR = Image.fromarray(RNG.integers(0, 256, (17, 23, 4), np.uint8))


def saved(image: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def turned_by(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("JPEG", "jpeg"), ("PNG", "png"), ("GIF", "gif"), ("BMP", "bmp"), ("TIFF", "tiff"), ("JPEG2000", "jpeg2000"),
        ("WEBP", "webp"), ("PPM", "pnm"),
    ],
)  # fmt: skip
def test_format_is_read_from_the_first_bytes(form, name):
    assert image_format(saved(COLOR, form)) == name


@pytest.mark.parametrize("head", [b"", b"\xff\xd8", b"RIFF1234WAVE", b"P8 1 1", b"P5", b"%PDF-1.4"])
def test_first_bytes_of_something_else_have_no_format(head):
    assert image_format(head) is None


@pytest.mark.parametrize(
    ("image", "options", "channels"),
    [(COLOR, {}, 3), (COLOR, {"lossless": True}, 3), (CLEAR, {"lossless": True}, 4), (CLEAR, {}, 4)],
    ids=["lossy", "lossless", "lossless with alpha", "extended"],
)
def test_shape_of_webp_is_in_its_header(image, options, channels):
    assert webp_shape(saved(image, "WEBP", **options)) == (17, 23, channels)


@pytest.mark.parametrize("encoded", [saved(COLOR, "PNG"), saved(COLOR, "WEBP")[:29], b"RIFF....WEBPVP9 " + bytes(20)])
def test_shape_of_what_is_not_webp_is_none(encoded):
    assert webp_shape(encoded) is None


@pytest.mark.parametrize("image", [COLOR, CLEAR], ids=["color", "alpha"])
def test_webp_is_decoded_as_pillow_decodes_it(image):
    encoded = saved(image, "WEBP", lossless=True, exact=True)
    np.testing.assert_array_equal(decode_webp(encoded, len(image.getbands())), np.asarray(image))


def test_webp_that_is_cut_is_refused():
    encoded = saved(COLOR, "WEBP")
    with pytest.raises(ImageDecodeError, match="WebP data is truncated or damaged"):
        decode_webp(encoded[: len(encoded) // 2], 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_webp_is_in_its_exif_block(orientation):
    assert webp_orientation(saved(COLOR, "WEBP", exif=turned_by(orientation))) == orientation


def test_webp_without_exif_is_upright():
    assert webp_orientation(saved(COLOR, "WEBP")) == 1


def test_webp_with_a_broken_exif_block_is_upright():
    encoded = saved(COLOR, "WEBP", exif=turned_by(6))
    place = encoded.index(b"EXIF") + 8
    assert webp_orientation(encoded[:place] + b"\xff" * (len(encoded) - place)) == 1


@pytest.mark.parametrize(
    ("orientation", "rows"),
    [
        (1, ["ab", "cd", "ef"]),
        (2, ["ba", "dc", "fe"]),
        (3, ["fe", "dc", "ba"]),
        (4, ["ef", "cd", "ab"]),
        (5, ["ace", "bdf"]),
        (6, ["eca", "fdb"]),
        (7, ["fdb", "eca"]),
        (8, ["bdf", "ace"]),
        (0, ["ab", "cd", "ef"]),
        (9, ["ab", "cd", "ef"]),
    ],
)
def test_upright_undoes_an_orientation(orientation, rows):
    stored = np.frombuffer(b"abcdef", np.uint8).reshape(3, 2, 1)
    assert [bytes(row).decode() for row in upright(stored, orientation)[:, :, 0]] == rows


def test_baseline_jpeg_holds_no_coefficients():
    assert coefficient_bytes(saved(COLOR, "JPEG"), None) == 0


@pytest.mark.parametrize(
    ("subsampling", "num_bytes"),
    # rows and columns of each component, rounded up to blocks, times 2 bytes
    [
        ("4:4:4", 2 * 3 * (16 + 8) ** 2),
        ("4:2:0", 2 * ((16 + 8) ** 2 + 2 * (8 + 8) ** 2)),
        ("4:2:2", 2 * ((16 + 8) ** 2 + 2 * (8 + 8) * (16 + 8))),
    ],
)
def test_progressive_jpeg_holds_its_coefficients(subsampling, num_bytes):
    encoded = saved(Image.new("RGB", (16, 16)), "JPEG", progressive=True, subsampling=subsampling)
    assert coefficient_bytes(encoded, None) == num_bytes


def test_progressive_jpeg_with_fill_bytes_holds_its_coefficients():
    encoded = saved(Image.new("L", (16, 16)), "JPEG", progressive=True)
    assert coefficient_bytes(encoded[:2] + b"\xff" * 3 + encoded[2:], None) == 2 * (16 + 8) ** 2


def test_progressive_jpeg_whose_coefficients_are_too_many_is_refused():
    encoded = saved(Image.new("L", (1024, 1024)), "JPEG", progressive=True)
    with pytest.raises(ImageDecodeError, match="at most 1 MiB"):
        coefficient_bytes(encoded, 2**20)


@pytest.mark.parametrize("encoded", [b"\xff\xd8", b"\xff\xd8" + bytes(100)], ids=["short", "no marker"])
def test_jpeg_without_segments_holds_no_coefficients(encoded):
    assert coefficient_bytes(encoded, None) == 0


@pytest.mark.parametrize(
    ("image", "options", "num_bytes"),
    [
        (Image.new("L", (40, 30)), {}, 40 * 30),
        (Image.new("RGB", (40, 30)), {}, 40 * 30 * 3),
        (
            Image.new("RGB", (40, 30)),
            {"tiffinfo": {278: 10}, "compression": "tiff_lzw", "strip_size": 1200},
            40 * 10 * 3,
        ),
        (Image.new("I;16", (40, 30)), {}, 40 * 30 * 2),
        (Image.new("1", (40, 30)), {}, 40 * 30 // 8),
    ],
    ids=["gray", "color", "strips of ten rows", "16 bits", "1 bit"],
)
def test_tiff_is_unpacked_strip_by_strip(image, options, num_bytes):
    with opened(saved(image, "TIFF", **options)) as tiff:
        assert num_piece_bytes(tiff) == num_bytes


@pytest.mark.parametrize(
    ("form", "mode", "per_pixel"),
    [
        ("PNG", "L", 1),
        ("PNG", "RGB", 4),
        ("PNG", "I;16", 2),
        ("JPEG", "RGB", 4),
        ("BMP", "RGB", 5),
        ("GIF", "P", 1),
        ("JPEG2000", "RGB", 24),
    ],
)
def test_working_memory_is_that_of_pillow_with_its_decoder(form, mode, per_pixel):
    with opened(saved(Image.new(mode, (40, 30)), form)) as image:
        assert num_working_bytes(image) == 40 * 30 * per_pixel


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "JPEG2000", "WEBP", "PPM"])
def test_shape_is_read_from_the_header_of_every_format(form):
    assert image_shape(saved(COLOR, form)) == (17, 23, 3)
