"""What the browser is told for labeling: one label or several, weights of a sample, the next one without, values of images."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import penstock
from penstock.tensors import decode_image
from tests.widgets.conftest import RpcError

CLASSES = ["cat", "dog", "owl"]


def encoded(pixels, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def dataset(path, labels, images=None):
    ds = penstock.empty(path)
    ds.create_tensor("images", htype="image")
    ds.create_tensor("labels", htype="class_label", class_names=CLASSES)
    ds.extend({"images": images or [encoded(np.zeros((8, 8), np.uint8))] * len(labels), "labels": labels})
    ds.commit("made")
    return ds


@pytest.mark.parametrize(
    ("labels", "single"),
    [
        ([[0], [2], [1]], True),
        ([[0], [], [1]], True),
        ([[0], [1, 2], [1]], False),
        ([[], [], []], False),
    ],
    ids=["one each", "one or none", "two", "none yet"],
)
def test_a_dataset_has_a_single_label_where_no_sample_has_two(open_front, tmp_path, labels, single):
    told = open_front(dataset(tmp_path / "a.penstock", labels)).ask("hello")[0]["dataset"]
    assert told["single_label"] is single


def test_labels_with_boxes_are_no_single_labels(open_front, tmp_path):
    ds = penstock.empty(tmp_path / "a.penstock")
    ds.create_tensor("images", htype="image")
    ds.create_tensor("labels", htype="class_label", class_names=CLASSES)
    ds.create_tensor("boxes", htype="bbox", aligned_with="labels")
    ds.extend({"images": [encoded(np.zeros((8, 8), np.uint8))], "labels": [[1]], "boxes": [[[1, 1, 4, 4]]]})
    told = open_front(ds).ask("hello")[0]["dataset"]
    assert (told["paired"], told["single_label"]) == (True, False)


@pytest.mark.parametrize(
    ("after", "position"),
    [(-1, 1), (0, 1), (1, 3), (3, 1), (10**9, 1)],
    ids=["from the start", "before it", "from one to the next", "around", "past the end"],
)
def test_the_next_sample_without_a_label_is_found(open_front, tmp_path, after, position):
    front = open_front(dataset(tmp_path / "a.penstock", [[0], [], [2], [], [1]]))
    assert front.ask("grid.unlabeled", after=after)[0]["position"] == position


def test_no_sample_without_a_label_is_found_where_each_has_one(open_front, tmp_path):
    front = open_front(dataset(tmp_path / "a.penstock", [[0], [1]]))
    assert front.ask("grid.unlabeled", after=0)[0]["position"] is None


def test_the_next_sample_without_a_label_is_counted_in_the_order_shown(open_front, tmp_path):
    front = open_front(dataset(tmp_path / "a.penstock", [[0], [], [2], [1]]))
    front.ask("grid.sort", sort="labels")
    assert front.ask("grid.unlabeled", after=-1)[0]["position"] == 3
    front.ask("grid.filter", classes=[2], how="any", states=[])
    assert front.ask("grid.unlabeled", after=-1)[0]["position"] is None


def test_a_sample_says_which_clauses_match_it_and_its_weight(open_front, tmp_path):
    front = open_front(dataset(tmp_path / "a.penstock", [[0], [1], [2]]))
    text = "select * sample by max_weight(contains(labels, 'dog'): 20, contains(labels, 'cat'): 3, True: 1)"
    front.ask("query.run", text=text)
    told = [front.ask("sample.get", position=i)[0]["sample"] for i in range(3)]
    assert [one["clauses"] for one in told] == [[1, 2], [0, 2], [2]]
    assert [one["weight"] for one in told] == [3, 20, 1]


def test_a_sample_weighed_by_a_column_has_a_weight_and_no_clauses(open_front, tmp_path):
    ds = penstock.empty(tmp_path / "a.penstock")
    ds.create_tensor("images", htype="image")
    ds.create_tensor("score", dtype="float64")
    ds.extend({"images": [encoded(np.zeros((8, 8), np.uint8))] * 3, "score": [0.5, 2.0, 4.0]})
    ds.commit("made")
    front = open_front(ds)
    front.ask("query.run", text="select * sample by score")
    told = [front.ask("sample.get", position=i)[0]["sample"] for i in range(3)]
    assert [(one["clauses"], one["weight"]) for one in told] == [(None, 0.5), (None, 2.0), (None, 4.0)]


WIDE = (np.arange(64, dtype=np.uint16) * 64).reshape(8, 8)  # 0 to 4032


def uid_of(front):
    return front.ask("sample.get", position=0)[0]["sample"]["uid"]


@pytest.mark.parametrize(
    ("pixels", "kind", "levels"),
    [
        (WIDE, "PNG", {"bits": 16, "low": 0, "high": 4032}),
        (WIDE, "TIFF", {"bits": 16, "low": 0, "high": 4032}),
        (WIDE.astype(np.float32) - 100.5, "TIFF", {"bits": 32, "low": -100.5, "high": 3931.5}),
        (WIDE.astype(np.uint8), "PNG", {"bits": 8, "low": 0, "high": 255}),
    ],
    ids=["16-bit PNG", "16-bit TIFF", "float TIFF", "8 bits"],
)
def test_an_image_says_the_range_of_its_values(open_front, tmp_path, pixels, kind, levels):
    front = open_front(dataset(tmp_path / "a.penstock", [[0]], [encoded(pixels, kind)]))
    assert front.ask("sample.levels", uid=uid_of(front))[0] == levels


def test_a_window_is_black_below_and_white_above(open_front, tmp_path):
    front = open_front(dataset(tmp_path / "a.penstock", [[0]], [encoded(np.repeat(np.repeat(WIDE, 8, 0), 8, 1))]))
    whole = {"uid": uid_of(front), "x": 0, "y": 0, "width": 64, "height": 64, "scale": 1}
    pixels = decode_image(front.ask("sample.region", **whole, window=[1024, 2048])[1][0])[4::8, 4::8, 0].astype(int)
    values = WIDE.astype(int)
    assert (pixels[values <= 1024] <= 3).all()
    assert (pixels[values >= 2048] >= 252).all()
    assert abs(int(pixels[3, 0]) - 128) <= 4  # 1536 is in the middle


def test_a_window_changes_nothing_of_an_image_of_8_bits(open_front, tmp_path):
    front = open_front(dataset(tmp_path / "a.penstock", [[0]], [encoded(np.full((16, 16), 90, np.uint8))]))
    whole = {"uid": uid_of(front), "x": 0, "y": 0, "width": 16, "height": 16, "scale": 1}
    assert front.ask("sample.region", **whole, window=[0, 10])[1] == front.ask("sample.region", **whole)[1]


@pytest.mark.parametrize("window", [[5, 5], [6, 5], [1], [1, 2, 3]], ids=["empty", "turned", "one", "three"])
def test_a_window_that_is_none_is_refused(open_front, tmp_path, window):
    front = open_front(dataset(tmp_path / "a.penstock", [[0]]))
    region = {"uid": uid_of(front), "x": 0, "y": 0, "width": 8, "height": 8, "scale": 1}
    with pytest.raises(RpcError, match="BadRequest"):
        front.ask("sample.region", **region, window=window)


def test_how_the_sample_is_shown_is_kept(tmp_path):
    widget = penstock.explore(dataset(tmp_path / "a.penstock", [[0]]))
    widget.panel = {"opened": True, "beside": 300, "under": 200}
    assert widget.panel == {"opened": True, "beside": 300, "under": 200}
    widget.panel = {"opened": 1, "beside": -3, "under": 10**9}
    assert widget.panel == {}
