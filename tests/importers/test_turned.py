from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from penstock.errors import ImporterError
from penstock.importers.boxes._annotated import Detections
from penstock.importers.boxes._detections import judge_boxes
from penstock.importers.boxes._frames import Frame, frame_of
from penstock.importers.building._report import IssueLog
from penstock.tensors import decode_image

FLAT = (8, 20, 10, 6)  # left, top, width, height of a mark on the stored pixels, which are 64 × 48


def photo(path, orientation, kind="JPEG"):
    """Write a black image of 64 × 48 stored pixels with a white mark at FLAT."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    left, top, width, height = FLAT
    pixels[top : top + height, left : left + width] = 255
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(path, kind, exif=exif, **({"quality": 95} if kind != "PNG" else {}))
    return path


def mark_in(path):
    """Return left, top, width, height of the mark on the image as shown."""
    bright = decode_image(path.read_bytes())[..., 0] > 127
    ys, xs = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    return [xs[0], ys[0], xs[-1] - xs[0] + 1, ys[-1] - ys[0] + 1]


def boxes_of(*boxes, stated=(np.nan, np.nan), relative=False, images=1):
    return Detections(
        images=tuple(f"{n}.jpg" for n in range(images)),
        offsets=np.linspace(0, len(boxes), images + 1).astype(np.int64),
        boxes_xywh=np.array(boxes, np.float64).reshape(-1, 4),
        labels=np.zeros(len(boxes), np.int64),
        class_names=("mark",),
        describe=lambda box: f"box {box}",
        stated_sizes=np.array([stated] * images, np.float64),
        is_relative=relative,
    )


def judged(found, *frames, on_error="raise", **options):
    log = IssueLog(on_error)
    judged_boxes, kept = judge_boxes(found, frames, log, **options)
    return judged_boxes, kept.tolist(), log.issues


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_on_stored_pixels_turn_as_the_image_does(tmp_path, kind, orientation):
    path = photo(tmp_path / "x", orientation, kind)
    frame = frame_of(path)
    height, width = decode_image(path.read_bytes()).shape[:2]
    assert frame == Frame(width, height, orientation)
    found, _, _ = judged(boxes_of(FLAT), frame, exif="stored")
    np.testing.assert_allclose(found.boxes_xywh[0], mark_in(path), atol=1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_fractions_of_stored_pixels_turn_as_well(tmp_path, orientation):
    path = photo(tmp_path / "x", orientation)
    fractions = np.array(FLAT) / [64, 48, 64, 48]
    found, _, _ = judged(boxes_of(fractions, relative=True), frame_of(path), exif="stored")
    np.testing.assert_allclose(found.boxes_xywh[0], mark_in(path), atol=1)


TURNED = Frame(48, 64, 6)  # stored as 64 × 48
LOW, WIDE, SMALL = (10, 50, 20, 10), (50, 10, 10, 20), (4, 4, 10, 10)


@pytest.mark.parametrize(
    ("boxes", "stated", "expected"),
    [
        ([LOW], (64, 48), LOW),
        ([LOW, SMALL], (np.nan, np.nan), LOW),
        ([SMALL], (48, 64), SMALL),
        # (x, y) of a stored pixel is shown at (48 - y, x) when turned by a quarter
        ([WIDE], (64, 48), (18, 50, 20, 10)),
        ([WIDE], (np.nan, np.nan), (18, 50, 20, 10)),
    ],
    ids=["fits upright alone", "no size stated", "upright size stated", "fits stored alone", "fits stored, no size"],
)
def test_boxes_are_on_the_pixels_that_hold_them(boxes, stated, expected):
    found, _, _ = judged(boxes_of(*boxes, stated=stated), TURNED)
    assert found.boxes_xywh[0].tolist() == list(expected)


@pytest.mark.parametrize("frame", [TURNED, Frame(64, 48, 3), Frame(64, 64, 6), Frame(64, 48, 2)], ids=str)
def test_boxes_that_fit_both_ways_are_refused_by_name(frame):
    found = boxes_of(SMALL, stated=frame.stored_size)
    with pytest.raises(ImporterError, match=r"0.jpg: EXIF rotates this image .*exif='upright'"):
        judged(found, frame)
    left, kept, issues = judged(found, frame, on_error="skip")
    assert (len(left), kept) == (0, [False])
    assert issues[-1].action == "rejected"
    for exif in ("upright", "stored"):
        assert len(judged(found, frame, exif=exif)[0]) == 1


def test_other_images_of_the_source_tell_where_one_does_not():
    found, kept, _ = judged(boxes_of(LOW, SMALL, stated=(64, 48), images=2), TURNED, TURNED)
    assert (found.boxes_xywh.tolist(), kept) == ([list(LOW), list(SMALL)], [True, True])
    found, _, _ = judged(boxes_of(WIDE, SMALL, stated=(64, 48), images=2), TURNED, TURNED)
    assert found.boxes_xywh[1].tolist() == [34, 4, 10, 10]


def test_images_that_contradict_each_other_tell_nothing():
    three = boxes_of(LOW, WIDE, SMALL, stated=(64, 48), images=3)
    assert judged(three, TURNED, TURNED, TURNED, on_error="skip")[1] == [True, True, False]


def test_a_turned_image_without_boxes_is_kept():
    assert judged(boxes_of(), TURNED)[1] == [True]


def test_fractions_are_of_the_image_as_shown():
    found, _, issues = judged(boxes_of((0.5, 0.5, 0.25, 0.25), relative=True), TURNED)
    assert found.boxes_xywh.tolist() == [[24, 32, 12, 16]]
    assert [issue.action for issue in issues] == ["noted"]


def test_another_word_for_exif_is_refused():
    with pytest.raises(ImporterError, match="exif='turned' is not valid"):
        judged(boxes_of(SMALL), TURNED, exif="turned")


def test_a_stated_size_that_is_not_the_images_is_noted():
    _, _, issues = judged(boxes_of(SMALL, stated=(640, 480)), Frame(64, 48))
    assert [(issue.action, issue.source) for issue in issues] == [("noted", "0.jpg")]
    assert judged(boxes_of(SMALL, stated=(64, 48)), Frame(64, 48))[2] == []


@pytest.mark.parametrize(
    ("box", "expected", "action"),
    [
        ((50, 10, 54, 20), [50, 10, 14, 20], "repaired"),
        ((-5, -5, 10, 10), [0, 0, 5, 5], "repaired"),
        ((5, 5, 0, 5), [5, 5, 1, 5], "repaired"),
        ((64, 5, 0, 5), [63, 5, 1, 5], "repaired"),
        ((0, 0, 64.000001, 48), [0, 0, 64, 48], None),
        ((64, 5, 3, 5), None, "rejected"),
        ((500, 500, 20, 20), None, "rejected"),
        ((5, 5, -1, 5), None, "rejected"),
        ((5, 5, 1e300, 5), None, "rejected"),
        ((np.inf, 5, 5, 5), None, "rejected"),
    ],
)
def test_boxes_are_clipped_widened_or_refused_by_the_images_size(box, expected, action):
    found, _, issues = judged(boxes_of(box), Frame(64, 48), on_error="skip")
    assert found.boxes_xywh.tolist() == ([] if expected is None else [expected])
    assert [issue.action for issue in issues] == ([action] if action else [])


def test_a_file_that_is_no_image_has_no_frame(tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8\xff\xda")
    assert frame_of(tmp_path / "x.jpg") is None
    assert frame_of(tmp_path / "none.jpg") is None


def test_a_jpeg_with_a_long_head_has_its_frame(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(buffer, "JPEG")
    comment = b"\xff\xfe\xff\xff" + b"x" * 65_533
    content = buffer.getvalue()
    (tmp_path / "x.jpg").write_bytes(content[:2] + comment * 4 + content[2:])
    assert frame_of(tmp_path / "x.jpg") == Frame(64, 48)
