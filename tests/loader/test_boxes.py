"""Boxes that are scaled with their resized images."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from penstock.errors import LoaderError, TensorNotFoundError
from penstock.loader import Loader
from penstock.table import ArrayTable
from penstock.tensors import encode_image

SIDEWAYS = 6  # EXIF: shown turned by a quarter


def encoded(height, width, orientation=None):
    if orientation is None:
        return encode_image(np.zeros((height, width, 3), np.uint8), "png")
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x112] = orientation
    Image.new("RGB", (width, height)).save(out, "JPEG", exif=exif)
    return out.getvalue()


BOXES = [
    np.array([[8, 4, 16, 8]], np.float32),
    np.array([[10, 10, 20, 20], [0, 0, 50, 100]], np.float32),
    np.zeros((0, 4), np.float32),
]
SCALED = [[[2, 2, 4, 4]], [[8, 2, 16, 4], [0, 0, 40, 20]], []]
"""Images of 40 x 160, of 50 x 100 stored sideways (100 high, 50 wide) and of 20 x 20, resized to 20 x 40."""


def table(**more):
    images = [encoded(40, 160), encoded(50, 100, SIDEWAYS), encoded(20, 20)]
    columns = {"images": images, "boxes": BOXES, "labels": [0, 0, 1], **more}
    return ArrayTable(columns, class_names={"labels": ["a", "b"]}, htypes={"boxes": "bbox"})


def as_lists(boxes):
    return [np.asarray(sample).tolist() for sample in boxes]


@pytest.mark.parametrize("threads", [0, 2], ids=["caller", "threads"])
@pytest.mark.parametrize(
    "framework",
    ["numpy", "pytorch", pytest.param("tensorflow", marks=[pytest.mark.tensorflow, pytest.mark.slow])],
)
def test_boxes_follow_their_upright_image(framework, threads):
    pytest.importorskip({"numpy": "numpy", "pytorch": "torch", "tensorflow": "tensorflow"}[framework])
    output = getattr(Loader(table()).batch(3), framework)
    batch = next(iter(output(resize={"images": (20, 40)}, scale_boxes=True, num_threads=threads)))
    boxes = [batch["boxes"][number] for number in range(3)]
    boxes = [sample.to_tensor() if hasattr(sample, "to_tensor") else sample for sample in boxes]
    assert as_lists(boxes) == SCALED
    assert all(np.asarray(sample).dtype == np.float32 for sample in boxes)


def test_a_sample_that_comes_twice_is_scaled_once():
    loader = Loader(table()).sample_by([1, 0, 0], size=4).batch(4)
    batch = next(iter(loader.numpy(resize={"images": (20, 40)}, scale_boxes=True)))
    assert as_lists(batch["boxes"]) == SCALED[:1] * 4


def test_corners_of_one_box_a_sample_are_scaled_into_one_array():
    corners = [np.array([[1, 2, 3, 4]], np.float32)] * 2
    source = ArrayTable({"images": [encoded(10, 10), encoded(20, 40)], "boxes": corners}, htypes={"boxes": "bbox"})
    batch = next(iter(Loader(source).batch(2).numpy(resize={"images": 20}, scale_boxes=True)))
    assert batch["boxes"].tolist() == [[[2, 4, 6, 8]], [[0.5, 2, 1.5, 4]]]


def test_boxes_are_scaled_where_the_images_are_not_read():
    loader = Loader(table()).batch(3)
    batch = next(iter(loader.numpy(tensors=["boxes"], resize={"images": (20, 40)}, scale_boxes=True)))
    assert as_lists(batch["boxes"]) == SCALED


def test_boxes_stay_as_they_are_unless_asked():
    batch = next(iter(Loader(table()).batch(3).numpy(resize={"images": (20, 40)})))
    assert as_lists(batch["boxes"]) == [boxes.tolist() for boxes in BOXES]


def test_a_transform_gets_scaled_boxes():
    seen = []
    loader = Loader(table()).transform(lambda sample: seen.append(sample["boxes"].tolist()) or sample).batch(3)
    next(iter(loader.numpy(resize={"images": (20, 40)}, scale_boxes=True)))
    assert seen == SCALED


def test_boxes_of_several_image_tensors_are_told_apart():
    wide = [encoded(10, 80)] * 3
    source = table(other=wide)
    with pytest.raises(
        LoaderError, match=r"'boxes' may belong to 'images', 'other'.*scale_boxes=\{'boxes': 'images'\}"
    ):
        Loader(source).batch(3).numpy(resize={"images": 20}, scale_boxes=True)
    loader = Loader(source).batch(3).numpy(resize={"other": (20, 40)}, scale_boxes={"boxes": "other"})
    assert as_lists(next(iter(loader))["boxes"])[0] == [[4, 8, 8, 16]]


def test_names_in_one_folder_belong_together():
    columns = {"left/images": [encoded(10, 10)], "right/images": [encoded(20, 20)]}
    boxes = {f"{side}/boxes": [np.array([[1, 1, 2, 2]], np.float32)] for side in ("left", "right")}
    source = ArrayTable({**columns, **boxes}, htypes=dict.fromkeys(boxes, "bbox"))
    sizes = {"left/images": 20, "right/images": 20}
    batch = next(iter(Loader(source).batch(1).numpy(resize=sizes, scale_boxes=True)))
    assert batch["left/boxes"].tolist() == [[[2, 2, 4, 4]]]
    assert batch["right/boxes"].tolist() == [[[1, 1, 2, 2]]]


REFUSED = {
    "no size": ({"scale_boxes": True}, LoaderError, "scale_boxes is set without resize"),
    "no boxes": ({"tensors": ["images"], "scale_boxes": True}, LoaderError, "no bbox tensor is read"),
    "a typo": ({"scale_boxes": {"box": "images"}}, TensorNotFoundError, "did you mean 'boxes'"),
    "no box tensor": ({"scale_boxes": {"labels": "images"}}, LoaderError, "names 'labels', a class_label"),
    "no image tensor": ({"scale_boxes": {"boxes": "labels"}}, LoaderError, "names 'labels'"),
    "a text": ({"scale_boxes": "boxes"}, LoaderError, "Expected True, or the images"),
    "bytes": ({"scale_boxes": True, "decode_method": {"boxes": "tobytes"}}, LoaderError, "by 'tobytes'"),
}


@pytest.mark.parametrize(("options", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_scaled_is_refused(options, kind, message):
    sized = {} if options == {"scale_boxes": True} else {"resize": {"images": 5}}
    with pytest.raises(kind, match=message):
        Loader(table()).batch(1).numpy(**sized, **options)


@pytest.mark.parametrize("pairs", [True, {"boxes": "images"}], ids=["found", "named"])
@pytest.mark.parametrize("framework", ["numpy", "pytorch"])
def test_boxes_of_one_shape_that_are_read_alone_are_scaled(framework, pairs):
    """Arrays of one shape are gathered where nothing has to be done with them; here something has to."""
    pytest.importorskip({"numpy": "numpy", "pytorch": "torch"}[framework])
    images = [encoded(40, 160), encoded(50, 100, SIDEWAYS), encoded(20, 20)]
    boxes = np.array([[[8, 4, 16, 8]], [[10, 10, 20, 20]], [[1, 2, 3, 4]]], np.float32)
    same = ArrayTable({"images": images, "boxes": boxes}, htypes={"boxes": "bbox"})
    output = getattr(Loader(same).batch(3), framework)
    batch = next(iter(output(tensors=["boxes"], resize={"images": (20, 40)}, scale_boxes=pairs)))
    assert as_lists(batch["boxes"]) == [[[2, 2, 4, 4]], [[8, 2, 16, 4]], [[2, 2, 6, 4]]]


def test_boxes_that_belong_to_a_list_of_images_are_refused():
    with pytest.raises(TensorNotFoundError, match="is not a tensor"):
        Loader(table()).batch(3).numpy(resize={"images": (20, 40)}, scale_boxes={"boxes": ["images"]})
