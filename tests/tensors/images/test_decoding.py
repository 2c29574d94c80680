from __future__ import annotations

import io

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from penstock.errors import ImageDecodeError, LinkError, SampleError
from penstock.tensors import (
    decode_image,
    decode_jpeg_into,
    encode_image,
    image_format,
    image_shape,
    thumbnail,
)

UNREADABLE = [
    "broken.png",
    "zero_width.gif",
    "decompression_bomb.gif",
    "png_decompression_dos.png",
    "truncated_end_chunk.png",
    "truncated_image.png",
    "truncated_jpeg.jpg",
    "broken_data_stream.png",
    "bmp__b__shortfile.bmp",
    "ultrahdr.jpg",
]


def _pil(image: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


@settings(max_examples=40, deadline=None)
@given(
    pixels=npst.arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24), st.sampled_from([1, 3, 4]))),
    compression=st.sampled_from(["png", "webp"]),
)
def test_lossless_images_come_back_as_they_were(pixels, compression):
    if compression == "webp":
        pixels = pixels[:, :, :3] if pixels.shape[2] > 1 else np.repeat(pixels, 3, axis=2)
    encoded = encode_image(pixels, compression)
    assert image_format(encoded) == compression
    assert image_shape(encoded) == pixels.shape
    np.testing.assert_array_equal(decode_image(encoded), pixels)


def test_jpeg_comes_back_close():
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    assert np.abs(decode_image(encode_image(ramp, "jpg"))[:, :, 0].astype(int) - ramp).max() <= 4


def test_gray_jpeg_keeps_one_channel():
    assert image_shape(encode_image(np.zeros((48, 64), np.uint8), "jpg")) == (48, 64, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_upright_by_exif(orientation):
    upright = np.zeros((20, 30, 3), np.uint8)
    upright[:10, :10] = (255, 0, 0)  # red in the left upper corner
    turn = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    for form in ("JPEG", "PNG"):
        encoded = _pil(Image.fromarray(np.ascontiguousarray(turn(upright))), form, exif=exif)
        pixels = decode_image(encoded)
        assert pixels.shape == image_shape(encoded) == (20, 30, 3)
        assert pixels[4, 4, 0] > 200
        assert pixels[15, 25].max() < 60
        small, width, height = thumbnail(encoded, 15)
        assert (width, height) == (30, 20)
        assert decode_image(small)[2, 2, 0] > 150


def test_sixteen_bits_are_spread_without_clipping():
    values = np.linspace(1000, 60000, 256).astype(np.uint16).reshape(16, 16)
    pixels = decode_image(_pil(Image.fromarray(values), "PNG"))
    assert pixels.shape == (16, 16, 1)
    assert pixels.min() == 0
    assert pixels.max() == 255
    assert len(np.unique(pixels)) == 256


def test_cmyk_becomes_rgb():
    encoded = _pil(Image.new("CMYK", (8, 6), (0, 255, 255, 0)), "JPEG")
    pixels = decode_image(encoded)
    assert pixels.shape == image_shape(encoded) == (6, 8, 3)
    assert pixels[0, 0, 0] > 200
    assert pixels[0, 0, 1:].max() < 60


def test_thumbnail_lays_transparency_over_gray():
    clear = np.zeros((10, 10, 4), np.uint8)
    small, _, _ = thumbnail(encode_image(clear, "png"), 10)
    assert np.abs(decode_image(small).astype(int) - 128).max() <= 3


def test_thumbnail_of_a_large_jpeg_is_the_mean_of_what_it_covers():
    halves = np.zeros((1200, 1600, 3), np.uint8)
    halves[:, 800:] = 200
    small, width, height = thumbnail(encode_image(halves, "jpeg"), 160)
    assert (width, height) == (1600, 1200)
    pixels = decode_image(small)
    assert pixels.shape == (120, 160, 3)
    assert pixels[:, :70].max() < 20
    assert np.abs(pixels[:, 90:].astype(int) - 200).max() < 20


@pytest.mark.parametrize("function", [decode_image, image_shape, lambda data: thumbnail(data, 8)])
def test_what_is_no_image_is_refused_with_the_reason(function):
    with pytest.raises(ImageDecodeError, match="not a readable image"):
        function(b"root:x:0:0:root")
    with pytest.raises(ImageDecodeError, match="no bytes"):
        function(b"")
    with pytest.raises(LinkError, match="gone"):
        function(LinkError("gone"))


def test_a_truncated_jpeg_is_refused():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    encoded = encode_image(noise, "jpeg")
    with pytest.raises(ImageDecodeError, match="truncated"):
        decode_image(encoded[: len(encoded) // 2])


@pytest.mark.parametrize(
    ("pixels", "compression", "message"),
    [
        (np.zeros((2, 2), np.float32), "png", "Expected uint8"),
        (np.zeros((2, 2, 2), np.uint8), "png", "1, 3 or 4 channels"),
        (np.zeros((0, 2, 3), np.uint8), "png", r"shape \(0, 2, 3\)"),
        (np.zeros((2, 2, 4), np.uint8), "jpeg", "no transparency"),
        (np.zeros((2, 2, 3), np.uint8), "tga", "Expected 'jpeg', 'png' or 'webp'"),
    ],
)
def test_pixels_that_cannot_be_encoded_are_refused(pixels, compression, message):
    with pytest.raises(SampleError, match=message):
        encode_image(pixels, compression)


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore")
def test_every_awkward_file_is_decoded_or_refused(shared_data):
    files = [path for path in sorted((shared_data / "messy/pillow").iterdir()) if path.suffix != ".txt"]
    refused = []
    for path in files:
        encoded = path.read_bytes()
        try:
            pixels = decode_image(encoded)
        except ImageDecodeError:
            refused.append(path.name)
            continue
        small, width, height = thumbnail(encoded, 64)
        assert pixels.shape == image_shape(encoded), path.name
        assert (height, width) == pixels.shape[:2], path.name
        assert max(image_shape(small)[:2]) <= 64, path.name
    assert sorted(refused) == sorted(UNREADABLE)
    assert len(files) - len(refused) == 63


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return _pil(Image.fromarray(np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)), "JPEG", exif=exif)


JPEGS = {
    "color": _pil(Image.new("RGB", (9, 7), (10, 200, 30)), "JPEG"),
    "progressive": _pil(Image.effect_noise((40, 30), 80).convert("RGB"), "JPEG", progressive=True),
    "turned": _turned(),
    "turned, after another segment": _turned()[:2] + _segment(0xEC, b"Ducky" * 400) + _turned()[2:],
    "turned, after fill bytes": _turned()[:2] + b"\xff" * 5 + _turned()[2:],
    "a comment that speaks of Exif": _pil(Image.new("RGB", (8, 8)), "JPEG", comment=b"Exif\x00 \xff\xda"),
}


@pytest.mark.parametrize("name", JPEGS)
@pytest.mark.parametrize("view", [bytes, memoryview, lambda data: np.frombuffer(data, np.uint8).data])
def test_jpegs_are_decoded_into_memory_as_decode_image_does(name, view):
    expected = decode_image(JPEGS[name])
    memory = np.empty(1 << 16, np.uint8)
    for channels in (0, 3):
        pixels = decode_jpeg_into(view(JPEGS[name]), lambda _: memory, channels=channels)
        np.testing.assert_array_equal(pixels, expected)


def test_gray_becomes_color_where_three_channels_are_asked_for():
    gray = encode_image(np.arange(48, dtype=np.uint8).reshape(6, 8, 1), "jpeg")
    memory = np.empty(1000, np.uint8)
    assert decode_jpeg_into(gray, lambda _: memory).shape == (6, 8, 1)
    colored = decode_jpeg_into(gray, lambda _: memory, channels=3)
    np.testing.assert_array_equal(colored, np.repeat(decode_image(gray), 3, axis=2))


@pytest.mark.parametrize("channels", [0, 3])
def test_jpeg_that_does_not_fit_is_not_decoded_into_memory(channels):
    small = np.empty(100, np.uint8)
    assert decode_jpeg_into(JPEGS["progressive"], lambda _: small, channels=channels) is None


@pytest.mark.parametrize("channels", [0, 3])
def test_jpeg_is_decoded_into_memory_that_grows(channels):
    small, large = np.empty(100, np.uint8), np.empty(10_000, np.uint8)
    grown = decode_jpeg_into(JPEGS["progressive"], lambda size: large if size else small, channels=channels)
    np.testing.assert_array_equal(grown, decode_image(JPEGS["progressive"]))


@pytest.mark.parametrize("channels", [0, 3])
@pytest.mark.parametrize(
    "encoded",
    [
        _pil(Image.new("CMYK", (8, 6), (0, 255, 255, 0)), "JPEG"),
        encode_image(np.zeros((4, 4, 3), np.uint8), "png"),
        JPEGS["color"][:200],
    ],
    ids=["CMYK", "PNG", "cut"],
)
def test_what_needs_pillow_is_not_decoded_into_memory(encoded, channels):
    large = np.empty(10_000, np.uint8)
    assert decode_jpeg_into(encoded, lambda _: large, channels=channels) is None


def test_memory_that_is_too_small_is_never_handed_to_the_jpeg_library():
    jpeg = encode_image(np.zeros((16, 16, 3), np.uint8), "jpeg")
    memory = np.empty(10, np.uint8)

    def resident():
        return psutil.Process().memory_info().rss

    sizes = []
    for _ in range(2):
        for _ in range(3_000):  # each decoder that is lost holds 4 kB
            assert decode_jpeg_into(jpeg, lambda _: memory, channels=3) is None
        sizes.append(resident())
    assert sizes[1] - sizes[0] < 4 << 20
