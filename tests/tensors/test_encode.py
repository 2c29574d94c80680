from __future__ import annotations

import zlib
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from penstock.errors import ImageDecodeError, SampleError, UnknownClassError
from penstock.tensors import (
    Link,
    class_ids,
    decode_image,
    encode_image,
    encode_sample,
    image_cell,
    image_digest,
    image_format,
    link,
    make_spec,
    unpack_mask,
)

LABELS = make_spec("labels", "class_label", class_names=["car", "bus", "truck"])
UNNAMED = make_spec("labels", "class_label")
BOXES = make_spec("boxes", "bbox")
IMAGES = make_spec("images", "image")
SMALL = settings(max_examples=50, deadline=None)


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        (None, []),
        ([], []),
        ("bus", [1]),
        (2, [2]),
        (np.int8(1), [1]),
        (["truck", 0], [2, 0]),
        (("car", "car"), [0, 0]),
        ([1.0], [1]),
        (np.array(["bus", "car"]), [1, 0]),
        (np.array("bus"), [1]),
        (np.array(2), [2]),
        (np.array([2, 0], np.uint8), [2, 0]),
        (np.array([1.0, 2.0]), [1, 2]),
        (iter(["bus"]), [1]),
    ],
    ids=[
        "None", "empty", "name", "index", "numpy index", "mixed", "twice", "whole float", "names", "a name of numpy",
        "an index of numpy", "indices", "whole floats", "iterator",
    ],
)  # fmt: skip
def test_labels_are_stored_as_indices(value, ids):
    stored = encode_sample(LABELS, value).value
    assert (stored.tolist(), stored.dtype) == (ids, np.int64)


@pytest.mark.parametrize("index", [-1, 3])
def test_index_outside_the_classes_is_refused(index):
    with pytest.raises(SampleError, match=rf"class index {index} .*xpected 0 to 2"):
        encode_sample(LABELS, [0, index])


def test_index_of_classes_without_names_is_bounded():
    assert encode_sample(UNNAMED, 2**31 - 1).value.tolist() == [2**31 - 1]
    with pytest.raises(SampleError, match="xpected 0 to 2,147,483,647"):
        encode_sample(UNNAMED, 2**31)


def test_unknown_class_is_refused_with_the_nearest():
    with pytest.raises(UnknownClassError, match="did you mean 'truck'"):
        encode_sample(LABELS, ["truk"])


def test_labels_of_two_dimensions_are_refused():
    with pytest.raises(SampleError, match="xpected a flat list of class names or indices"):
        encode_sample(LABELS, np.zeros((2, 2), int))


def test_ids_that_are_given_replace_those_of_the_tensor():
    assert encode_sample(LABELS, ["van"], ids={"van": 7, **{str(n): n for n in range(7)}}).value.tolist() == [7]


def test_class_ids_count_from_0():
    assert dict(class_ids(("a", "b"))) == {"a": 0, "b": 1}


@SMALL
@given(boxes=npst.arrays(np.float32, st.tuples(st.integers(0, 5), st.just(4)), elements=st.floats(-1e3, 1e3, width=32)))
def test_boxes_are_stored_row_by_row(boxes):
    boxes[:, 2:] = np.abs(boxes[:, 2:])
    cell = encode_sample(BOXES, boxes)
    np.testing.assert_array_equal(cell.value.reshape(cell.shape), boxes)


@pytest.mark.parametrize(
    ("value", "shape"),
    [(None, (0, 4)), ([], (0, 4)), ([1, 2, 3, 4], (1, 4)), ([[1, 2, 3, 4]] * 2, (2, 4)), (np.zeros((0, 4)), (0, 4))],
    ids=["None", "empty", "one box", "two boxes", "no rows"],
)
def test_boxes_have_four_columns(value, shape):
    assert encode_sample(BOXES, value).shape == shape


@pytest.mark.parametrize(
    ("coords", "box"), [("xywh", [5, 5, -3, 2]), ("xywh", [5, 5, 3, -0.5]), ("xyxy", [5, 5, 3, 9])], ids=repr
)
def test_a_box_of_negative_size_is_refused_with_the_other_form(coords, box):
    with pytest.raises(SampleError, match="negative width or height") as caught:
        encode_sample(make_spec("boxes", "bbox", coords=coords), [[1, 1, 2, 2], box])
    assert {"xywh": "coords='xyxy'", "xyxy": "coords='xywh'"}[coords] in str(caught.value)


@pytest.mark.parametrize("value", [[1, 2, 3], [[1, 2]], np.zeros((1, 2, 4))], ids=["three", "two", "three dimensions"])
def test_boxes_of_another_shape_are_refused(value):
    with pytest.raises(SampleError, match=r"xpected boxes of shape \(num_boxes, 4\), xywh in pixels"):
        encode_sample(BOXES, value)


@pytest.mark.parametrize("value", [[Decimal("1.5")] * 4, [Fraction(3, 2)] * 4], ids=["Decimal", "Fraction"])
def test_exact_numbers_become_floats(value):
    assert encode_sample(BOXES, value).value.tolist() == [1.5] * 4


def test_array_that_is_filled_again_is_not_the_stored_one():
    spec, reused = make_spec("x", dtype="float64"), np.zeros(3)
    cell = encode_sample(spec, reused)
    reused[:] = 9
    assert cell.value.tolist() == [0, 0, 0]


@SMALL
@given(
    mask=npst.arrays(np.bool_, npst.array_shapes(min_dims=2, max_dims=3, max_side=9)),
    htype=st.sampled_from(["binary_mask", "segment_mask"]),
)
def test_mask_is_unpacked_as_it_was_packed(mask, htype):
    spec = make_spec("mask", htype)
    cell = encode_sample(spec, mask)
    np.testing.assert_array_equal(unpack_mask(spec, cell.value, cell.shape), mask)


@pytest.mark.parametrize(
    "value", [[1, 0], np.zeros((2, 2, 2, 2), bool), np.zeros((2, 2))], ids=["one dimension", "four", "floats"]
)
def test_mask_of_another_shape_is_refused(value):
    with pytest.raises(SampleError, match="xpected a mask of shape"):
        encode_sample(make_spec("mask", "binary_mask"), value)


@pytest.mark.parametrize(
    ("packed", "shape", "message"),
    [
        (zlib.compress(bytes(4)), (2, 3), "fewer than the 6 bytes"),
        (zlib.compress(bytes(8)), (2, 3), "more than the 6 bytes"),
        (zlib.compress(bytes(6))[:-3], (2, 3), "fewer than the 6 bytes"),
        (b"no zlib", (2, 3), "is damaged"),
        (zlib.compress(bytes(6)), (-2, -3), r"its shape is \(-2, -3\)"),
    ],
    ids=["fewer", "more", "cut", "not packed", "negative shape"],
)
def test_damaged_mask_is_refused(packed, shape, message):
    with pytest.raises(SampleError, match=message):
        unpack_mask(make_spec("mask", "binary_mask"), packed, shape)


def test_values_that_are_masked_are_refused():
    with pytest.raises(SampleError, match="xpected values without a mask"):
        encode_sample(make_spec("x"), np.ma.array([1, 2], mask=[0, 1]))


def test_masked_array_without_masked_values_is_stored():
    assert encode_sample(make_spec("x"), np.ma.array([1.0, 2.0])).value.tolist() == [1, 2]


@pytest.mark.parametrize("as_path", [str, lambda path: path], ids=["text", "path"])
def test_image_file_is_stored_as_it_is(tmp_path, as_path):
    file = tmp_path / "a.jpg"
    file.write_bytes(encode_image(np.zeros((4, 6, 3), np.uint8), "jpeg"))
    cell = encode_sample(IMAGES, as_path(file))
    assert (cell.value, cell.shape) == (file.read_bytes(), (4, 6, 3))


def test_image_file_that_is_missing_is_refused(tmp_path):
    with pytest.raises(SampleError, match=r"image file .*none\.png"):
        encode_sample(IMAGES, tmp_path / "none.png")


@pytest.mark.parametrize("compression", ["jpeg", "png", "webp"])
def test_image_is_stored_in_the_form_that_is_declared(compression):
    spec = make_spec("images", "image", sample_compression=compression)
    gif = np.zeros((4, 6, 3), np.uint8)
    for value in (gif, encode_image(gif, "png"), encode_image(gif, "webp"), encode_image(gif, "jpeg")):
        assert image_format(encode_sample(spec, value).value) == compression


def test_image_that_has_the_declared_form_is_not_encoded_again():
    encoded = encode_image(np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8), "jpeg")
    assert encode_sample(make_spec("images", "image", sample_compression="jpg"), encoded).value == encoded


@pytest.mark.parametrize(
    "value",
    [np.eye(3, dtype=bool), Image.fromarray(np.eye(3, dtype=np.uint8))],
    ids=["bool", "Pillow"],
)
def test_arrays_of_pixels_are_stored_as_png(value):
    cell = encode_sample(IMAGES, value)
    assert image_format(cell.value) == "png"
    assert decode_image(cell.value)[:, :, 0].tolist() == np.eye(3, dtype=int).tolist()


def test_link_in_a_tensor_of_images_is_refused():
    with pytest.raises(SampleError, match=r"htype='link\[image\]'"):
        encode_sample(IMAGES, link("s3://bucket/x.png"))


@pytest.mark.parametrize("verify", [True, False])
def test_bytes_that_are_not_an_image_are_refused(verify):
    with pytest.raises(ImageDecodeError, match="image"):
        image_cell(make_spec("images", "image", verify=verify), b"root:x:0:0", verify=verify)


def test_image_cell_records_what_the_spec_asks():
    encoded = encode_image(np.zeros((4, 6), np.uint8), "png")
    bare = make_spec("images", "image", create_shape_tensor=False, create_sample_info_tensor=False)
    assert (image_cell(bare, encoded, verify=False).shape, image_cell(bare, encoded, verify=False).digest) == (
        None,
        None,
    )
    full = image_cell(IMAGES, encoded, verify=False)
    assert (full.shape, full.digest) == ((4, 6, 1), image_digest(encoded))


def test_digest_is_64_bits_of_blake2():
    # from the reference implementation: b2sum -l 64 of "abc" is d8bb14d833d59559, least byte first
    assert image_digest(b"abc").to_bytes(8, "little", signed=True).hex() == "d8bb14d833d59559"


def test_link_is_stored_with_the_name_of_its_credentials():
    cell = encode_sample(make_spec("images", "link[image]"), link("s3://bucket/x.png", "mine"))
    assert (cell.value, cell.creds_key) == ("s3://bucket/x.png", "mine")


@pytest.mark.parametrize("value", [3, b"x", Link(3), Link("a", 3)], ids=["number", "bytes", "no text", "no name"])
def test_link_that_is_not_an_address_is_refused(value):
    with pytest.raises(SampleError, match=r"xpected penstock\.link\(url"):
        encode_sample(make_spec("images", "link[image]"), value)


def test_embedding_keeps_the_length_of_the_first():
    spec = make_spec("x", "embedding")
    assert encode_sample(spec, [1, 2]).value.tolist() == [1, 2]
    for value in ([], [[1, 2]], 3.0):
        with pytest.raises(SampleError, match="xpected a vector of numbers"):
            encode_sample(spec, value)


@pytest.mark.parametrize(
    ("value", "num_bytes"),
    [(None, 8), (b"abc", 35), ("abcd", 36), (np.zeros(3, np.int16), 38)],
    ids=["None", "bytes", "text", "array"],
)
def test_cell_counts_what_it_takes(value, num_bytes):
    from penstock.tensors import Cell

    assert Cell(value=value).num_bytes == num_bytes
