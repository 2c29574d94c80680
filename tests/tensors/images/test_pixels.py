from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from penstock.tensors import flatten_alpha
from penstock.tensors.images.opening import _pixels
from penstock.tensors.images.opening._pixels import Extremes, channels_of_mode, pixels_of, strips_of

MODES = ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F", "LA", "PA", "RGBX", "I;16", "RGBa"]


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_has_the_channels_that_are_stated(mode):
    pixels = pixels_of(Image.new(mode, (5, 3)))
    assert pixels.shape == (3, 5, channels_of_mode(mode, transparent=False))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_transparent_color_of_a_mode_without_alpha_makes_four_channels(mode):
    image = Image.new(mode, (5, 3))
    image.info["transparency"] = (0, 0, 0) if mode == "RGB" else 0
    pixels = pixels_of(image)
    assert pixels.shape == (3, 5, channels_of_mode(mode, transparent=True)) == (3, 5, 4)
    assert pixels[0, 0, 3] == 0


@settings(max_examples=60, deadline=None)
@given(pixels=npst.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(4))))
def test_flattened_pixels_are_the_weighted_mean_of_color_with_gray(pixels):
    color, alpha = pixels[:, :, :3].astype(float), pixels[:, :, 3:].astype(float) / 255
    exact = color * alpha + 128 * (1 - alpha)
    assert np.abs(flatten_alpha(pixels) - exact).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_without_alpha_are_not_copied(channels):
    pixels = np.zeros((2, 2, channels), np.uint8)
    assert flatten_alpha(pixels) is pixels


@settings(max_examples=60, deadline=None)
@given(
    values=npst.arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9)))
    | npst.arrays(np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)))
    | npst.arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)))
)
def test_spread_keeps_the_order_of_wide_pixels(values):
    extremes = Extremes()
    spread = extremes.spread(extremes.including(values)).astype(int)
    exact = np.nan_to_num(values).astype(np.float64).reshape(-1)
    order = np.argsort(exact, kind="stable")
    assert (np.diff(spread.reshape(-1)[order]) >= 0).all()


@pytest.mark.parametrize(
    ("values", "spread"),
    [
        ([0, 128, 255], [0, 128, 255]),
        ([0, 30_000, 60_000], [0, 128, 255]),
        ([7, 7], [7, 7]),
        ([60_000, 60_000], [255, 255]),
    ],
    ids=["fits 8 bits", "16 bits", "one value", "one large value"],
)
def test_spread_of_16_bits_by_hand(values, spread):
    extremes = Extremes()
    assert extremes.spread(extremes.including(np.array(values, np.uint16))).tolist() == spread


@pytest.mark.parametrize(
    ("values", "spread"),
    [
        ([-1.0, 0.0, 1.0], [0, 128, 255]),
        ([-5.0, -5.0], [0, 0]),
        ([np.nan, 0.0, 510.0], [0, 0, 255]),
        ([np.inf, 0.0, 1.0], [255, 0, 0]),
        ([-np.inf, 0.0, np.inf], [0, 128, 255]),
    ],
    ids=["negative", "one negative value", "not a number", "infinity", "both infinities"],
)
def test_spread_of_floats_by_hand(values, spread):
    extremes = Extremes()
    assert extremes.spread(extremes.including(np.array(values, np.float32))).tolist() == spread


def test_spread_of_many_16_bit_pixels_is_that_of_each():
    values = np.arange(2**16 + 10, dtype=np.uint32).clip(max=2**16 - 1).astype(np.uint16)
    extremes = Extremes()
    whole = extremes.spread(extremes.including(values))
    assert whole.tolist() == np.round(values * (255 / 65_535)).astype(int).tolist()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "I;16", "F"])
def test_strips_put_together_are_the_image(mode, monkeypatch):
    monkeypatch.setattr(_pixels, "_STRIP_BYTES", 4 * 10 * 3)  # three rows of ten pixels
    values = np.random.default_rng(1).integers(0, 256, (8, 10, 3), np.uint8)
    image = Image.fromarray(values).convert("L" if mode in {"I;16", "F"} else mode).convert(mode)
    strips = list(strips_of(image))
    assert [first for first, _ in strips] == [0, 3, 6]
    wide = mode in {"I;16", "F"}
    whole = np.asarray(image)[:, :, None] if wide else pixels_of(image)
    np.testing.assert_array_equal(np.concatenate([strip for _, strip in strips]), whole)
