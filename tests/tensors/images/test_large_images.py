from __future__ import annotations

import io
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from penstock.errors import ImageDecodeError, SampleError
from penstock.tensors import (
    TensorSpec,
    check_image,
    decode_image,
    decode_jpeg_into,
    decode_then,
    encode_image,
    encode_sample,
    image_shape,
    load_pillow,
    thumbnail,
    unpack_mask,
)
from penstock.tensors.images._decoding import _in_parts
from penstock.tensors.images.opening._memory import Memory
from penstock.tensors.images.opening._opening import opened

MIB = 2**20
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def _pil(image: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _zeros(count: int) -> bytes:
    packer = zlib.compressobj(1)
    pieces = [packer.compress(bytes(min(MIB, count - start))) for start in range(0, count, MIB)]
    return b"".join(pieces) + packer.flush()


def _png(width: int, height: int, bits: int, color: int, *, interlaced: int = 0, data: bytes | None = None) -> bytes:
    """A PNG of zeros, or of data given unpacked."""
    row = -(-width * bits * CHANNELS[color] // 8) + 1
    packed = _zeros(height * row) if data is None else zlib.compress(data)
    palette = _chunk(b"PLTE", (bytes(range(256)) * 3)[: 3 * 2**bits]) if color == 3 else b""
    head = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + palette + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _with_size(jpeg: bytes, width: int, height: int) -> bytes:
    """The JPEG with another size in its header."""
    changed = bytearray(jpeg)
    place = max(jpeg.find(marker) for marker in (b"\xff\xc0", b"\xff\xc2"))
    changed[place + 5 : place + 9] = struct.pack(">HH", height, width)
    return bytes(changed)


def _tiff_of_one_tile(side: int) -> bytes:
    """A TIFF of 4 × 4 pixels in one tile of side × side."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tile = zlib.compress(bytes(1000))
    for tag, value in {
        256: 4,
        257: 4,
        258: 8,
        259: 8,
        262: 1,
        277: 1,
        322: side,
        323: side,
        324: 8,
        325: len(tile),
    }.items():
        tags[tag] = value
    buffer = io.BytesIO()
    buffer.write(b"II*\x00" + struct.pack("<I", 8 + len(tile)) + tile)
    tags.save(buffer)
    return buffer.getvalue()


class _Peak:
    """How many bytes of memory a block takes at its worst, beside what there was."""

    def __enter__(self):
        Path("/proc/self/clear_refs").write_text("5")  # the worst so far is forgotten
        self._before = self._read("VmRSS")
        return self

    def __exit__(self, *_):
        self.num_bytes = self._read("VmHWM") - self._before

    @staticmethod
    def _read(name: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


TOO_LARGE = {
    "png": lambda: _png(13_000, 13_000, 8, 6, data=b""),
    "png of a palette": lambda: _png(20_000, 20_000, 8, 3, data=b""),
    "png of 16 bits": lambda: _png(17_000, 17_000, 16, 0, data=b""),
    "interlaced png": lambda: _png(14_000, 14_000, 8, 2, interlaced=1, data=b""),
    "jpeg": lambda: _with_size(encode_image(np.zeros((8, 8, 3), np.uint8), "jpeg"), 60_000, 60_000),
    "webp": lambda: (
        _pil(Image.new("RGB", (9, 9)), "WEBP", lossless=True)[:21] + struct.pack("<I", 0x0FFFFFFE) + bytes(8)
    ),
    "gif": lambda: b"GIF89a" + struct.pack("<HHBBB", 60_000, 60_000, 0xF0, 0, 0) + bytes(6) + b"," + bytes(20),
    "bmp": lambda: b"BM" + struct.pack("<IIIIiiHHIIiiII", 100, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0),
    "tiff of one huge tile": lambda: _tiff_of_one_tile(32_000),
}


@pytest.mark.parametrize("name", TOO_LARGE)
@pytest.mark.parametrize("function", [decode_image, check_image, load_pillow, lambda data: decode_then(data, len)])
def test_an_image_that_would_be_too_large_is_refused_from_its_header(name, function):
    encoded = TOO_LARGE[name]()
    with _Peak() as peak, pytest.raises(ImageDecodeError, match=r"takes .* when decoded. Expected at most 512 MiB"):
        function(encoded)
    assert peak.num_bytes < 32 * MIB


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_the_bound_is_what_the_caller_says(form):
    encoded = _pil(Image.new("RGB", (100, 90), (7, 7, 7)), form)
    assert decode_image(encoded, max_bytes=27_000).shape == (90, 100, 3)
    assert decode_image(encoded, max_bytes=None).shape == (90, 100, 3)
    for function in (decode_image, check_image, load_pillow):
        with pytest.raises(ImageDecodeError, match=r"100 × 90 pixels.*max_image_bytes"):
            function(encoded, max_bytes=8_999)


def test_the_bound_holds_for_a_jpeg_that_is_decoded_into_memory():
    jpeg = encode_image(np.zeros((90, 100, 3), np.uint8), "jpeg")
    small, large = np.empty(10, np.uint8), np.empty(27_000, np.uint8)
    with pytest.raises(ImageDecodeError, match="Expected at most"):
        decode_jpeg_into(jpeg, lambda size: large if size else small, max_bytes=26_999)


def test_16_bits_count_twice():
    encoded = _pil(Image.fromarray(np.zeros((90, 100), np.uint16)), "PNG")
    assert decode_image(encoded, max_bytes=18_000).shape == (90, 100, 1)
    with pytest.raises(ImageDecodeError, match="Expected at most"):
        decode_image(encoded, max_bytes=17_999)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoded", "most"),
    [
        (lambda: _png(6000, 6000, 8, 6), 128),
        (lambda: _png(6000, 6000, 8, 2, interlaced=1, data=bytes(_interlaced_bytes(6000, 6000, 3))), 128),
        (lambda: _png(6000, 6000, 16, 0), 96),
        (lambda: _png(9000, 9000, 1, 0), 96),
        (lambda: _png(9000, 8000, 8, 3), 96),
        (lambda: encode_image(np.zeros((8000, 8000, 3), np.uint8), "jpeg"), 64),
        (lambda: _pil(Image.new("CMYK", (6000, 6000)), "JPEG"), 64),
        (lambda: _pil(Image.new("P", (9000, 8000)), "GIF"), 160),
    ],
    ids=["rgba", "interlaced", "16 bits", "1 bit", "palette", "jpeg", "cmyk", "gif"],
)
def test_a_thumbnail_of_a_large_image_takes_little_memory(encoded, most):
    content = encoded()
    thumbnail(encode_image(np.zeros((8, 8, 3), np.uint8)), 8)
    with _Peak() as peak:
        small, width, height = thumbnail(content, 256)
    assert peak.num_bytes < most * MIB
    assert (height, width) == image_shape(content)[:2]
    assert max(image_shape(small)[:2]) == 256


def _interlaced_bytes(width: int, height: int, channels: int) -> int:
    """Bytes of the rows of all passes, with their filters."""
    rows = ((-(-(height - y) // down), -(-(width - x) // across)) for x, y, across, down in PASSES)
    return sum(count * (length * channels + 1) for count, length in rows)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP", "WEBP"])
def test_a_thumbnail_of_a_large_image_is_the_mean_of_what_it_covers(form):
    halves = np.zeros((4501, 5003, 3), np.uint8)
    halves[:, 2501:] = (200, 100, 50)
    options = {"lossless": True, "quality": 0, "method": 0} if form == "WEBP" else {}
    small, width, height = thumbnail(_pil(Image.fromarray(halves), form, **options), 100)
    assert (width, height) == (5003, 4501)
    pixels = decode_image(small).astype(int)
    assert pixels.shape == (90, 100, 3)
    assert pixels[:, :46].max() < 20
    assert np.abs(pixels[:, 54:] - (200, 100, 50)).max() <= 12


@pytest.mark.slow
def test_a_thumbnail_of_a_large_transparent_image_lies_on_gray_without_its_hidden_color():
    hidden = np.zeros((4200, 4200, 4), np.uint8)
    hidden[..., 0] = 255  # red, and transparent
    hidden[:, 2100:] = (0, 0, 255, 255)
    pixels = decode_image(thumbnail(encode_image(hidden, "png"), 84)[0]).astype(int)
    assert np.abs(pixels[:, :36] - 128).max() <= 12
    assert np.abs(pixels[:, 48:] - (0, 0, 255)).max() <= 16


@pytest.mark.slow
def test_a_large_turned_png_has_an_upright_thumbnail():
    exif = Image.Exif()
    exif[0x0112] = 6
    encoded = _pil(Image.new("RGB", (6000, 5000)), "PNG", exif=exif, compress_level=1)
    assert thumbnail(encoded, 60)[1:] == (5000, 6000)
    assert image_shape(thumbnail(encoded, 60)[0]) == (60, 50, 3)


def _random_png(width: int, height: int, bits: int, color: int, interlaced: int) -> bytes:
    """A PNG of noise whose rows have every filter."""
    rng = np.random.default_rng([width, bits, color, interlaced])
    rows = []
    for x, y, across, down in PASSES if interlaced else ((0, 0, 1, 1),):
        columns, count = -(-(width - x) // across), -(-(height - y) // down)
        length = -(-columns * bits * CHANNELS[color] // 8)
        rows += [
            bytes([number % 5]) + rng.integers(0, 256, length, np.uint8).tobytes()
            for number in range(count if columns > 0 else 0)
        ]
    return _png(width, height, bits, color, interlaced=interlaced, data=b"".join(rows))


@pytest.mark.parametrize("interlaced", [0, 1], ids=["plain", "interlaced"])
@pytest.mark.parametrize(
    ("bits", "color"),
    [
        (1, 0),
        (2, 0),
        (4, 0),
        (8, 0),
        (16, 0),
        (8, 2),
        (16, 2),
        (1, 3),
        (2, 3),
        (4, 3),
        (8, 3),
        (8, 4),
        (16, 4),
        (8, 6),
        (16, 6),
    ],
)
def test_a_png_decoded_in_parts_is_the_png_decoded_whole(bits, color, interlaced):
    for width, height in ((1, 1), (5, 3), (37, 61)):
        encoded = _random_png(width, height, bits, color, interlaced)
        with opened(encoded) as image:
            np.testing.assert_array_equal(_in_parts(encoded, image), decode_image(encoded))


def test_a_large_png_that_ends_too_soon_is_refused():
    encoded = _png(5000, 5000, 8, 6)
    for cut in (encoded[: len(encoded) // 2], encoded[:41]):
        for function in (decode_image, check_image, lambda data: thumbnail(data, 64)):
            with pytest.raises(ImageDecodeError, match="truncated or has too little"):
                function(cut)


def test_a_large_png_with_an_unknown_filter_is_refused():
    rows = bytearray(5000 * 15_001)
    rows[::15_001] = bytes([9]) * 5000
    with pytest.raises(ImageDecodeError, match="unknown filter"):
        thumbnail(_png(5000, 5000, 8, 2, data=bytes(rows)), 64)


def test_a_file_a_thousand_times_smaller_than_its_image_is_not_unpacked_for_a_thumbnail():
    with pytest.raises(ImageDecodeError, match=r"1\.1 GiB .* from a file of [\d,]+ bytes.*250 times"):
        thumbnail(_png(20_000, 20_000, 8, 2, data=bytes(1000)), 64)


def test_a_progressive_jpeg_of_endless_scans_is_refused():
    jpeg = _pil(Image.new("RGB", (64, 64)), "JPEG", progressive=True)
    first = jpeg.find(b"\xff\xda")
    bomb = _with_size(jpeg, 6000, 6000).replace(jpeg[first:-2], jpeg[first:-2] * 400)
    for function in (decode_image, check_image, lambda data: thumbnail(data, 64)):
        with pytest.raises(ImageDecodeError, match=r"scans over .*Expected at most"):
            function(bomb)


def test_text_that_unpacks_to_much_is_not_unpacked():
    text = _chunk(b"zTXt", b"Comment\0\0" + _zeros(100 * MIB))
    plain = encode_image(np.full((4, 4, 3), 9, np.uint8), "png")
    with _Peak() as peak:
        for function in (decode_image, image_shape, check_image):
            with pytest.raises(ImageDecodeError, match="cannot be decoded"):
                function(plain[:33] + text + plain[33:])
    assert peak.num_bytes < 32 * MIB


def test_a_page_of_another_program_is_no_image():
    with pytest.raises(ImageDecodeError, match="not a readable image"):
        decode_image(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (200, 200), (300, 255), (65_535, 255)])
def test_a_16_bit_image_of_one_value_is_read(value, expected):
    pixels = decode_image(_pil(Image.fromarray(np.full((3, 4), value, np.uint16)), "PNG"))
    assert np.unique(pixels).tolist() == [expected]


# ---- memory that threads share --------------------------------------------------------------


def test_threads_that_want_more_than_there_is_wait_for_one_another():
    memory = Memory(100 * MIB)
    inside, most, lock = [0], [0], threading.Lock()

    def work():
        with memory.taken(40 * MIB):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            threading.Event().wait(0.05)  # the others may come in, if there is room
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 2


def test_an_error_gives_memory_back():
    memory = Memory(100 * MIB)
    with pytest.raises(ZeroDivisionError), memory.taken(100 * MIB):
        raise ZeroDivisionError
    done = threading.Event()
    _take_and_tell(memory, done)
    assert done.is_set()


def test_what_is_larger_than_all_memory_goes_alone():
    memory = Memory(100 * MIB)
    with memory.taken(200 * MIB):
        done = threading.Event()
        waiting = threading.Thread(target=lambda: _take_and_tell(memory, done))
        waiting.start()
        assert not done.wait(0.05)
    assert done.wait(10)
    waiting.join()


def _take_and_tell(memory, done):
    with memory.taken(20 * MIB):
        done.set()


# ---- masks ------------------------------------------------------------------------------------

MASK = TensorSpec(name="mask", htype="segment_mask", dtype="uint8", ndim=2)


def test_a_mask_that_unpacks_to_more_than_its_shape_is_refused_without_unpacking_it():
    with _Peak() as peak, pytest.raises(SampleError, match="has more than the 16 bytes"):
        unpack_mask(MASK, _zeros(100 * MIB), (4, 4))
    assert peak.num_bytes < 16 * MIB


@pytest.mark.parametrize(
    ("packed", "shape", "words"),
    [
        (zlib.compress(bytes(15)), (4, 4), "fewer than the 16 bytes"),
        (zlib.compress(bytes(16))[:-3], (4, 4), "damaged"),
        (b"none", (4, 4), "damaged"),
        (zlib.compress(bytes(16)), (-4, -4), "damaged"),
        (zlib.compress(bytes(16)), (40_000, 40_000), r"takes 1\.5 GiB. Expected at most 512 MiB"),
    ],
)
def test_a_mask_that_is_not_of_its_shape_is_refused(packed, shape, words):
    with pytest.raises(SampleError, match=words):
        unpack_mask(MASK, packed, shape)


def test_a_mask_too_large_to_be_read_again_is_refused_when_it_is_added():
    mask = np.broadcast_to(np.uint8(1), (100, 200))
    with pytest.raises(SampleError, match="max_image_bytes"):
        encode_sample(MASK, mask, max_bytes=19_999)
    cell = encode_sample(MASK, mask, max_bytes=20_000)
    np.testing.assert_array_equal(unpack_mask(MASK, cell.value, cell.shape, max_bytes=None), mask)
