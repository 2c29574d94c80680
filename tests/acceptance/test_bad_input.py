"""Bad input: one clear error each, nothing half written."""

from __future__ import annotations

import json

import numpy as np
import pytest

import penstock
from penstock.errors import DatasetNotFoundError, ImporterError, PenstockError, QueryBindError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return penstock.demo(tmp_path_factory.mktemp("demo") / "demo.penstock", num_samples=40)


def left_behind(folder, *, besides=()):
    return sorted(path.name for path in folder.iterdir() if path.name not in besides)


def test_wrong_path_is_named(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="nowhere"):
        penstock.load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError):
        penstock.load(tmp_path / "nowhere")
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "JSON"), ('{"a": 1}', "images"), ("[1, 2]", "COCO"), ('{"images": [], "annotations": 3}', "annotations")],
    ids=["cut short", "other keys", "a list", "annotations no list"],
)
def test_json_that_is_no_coco_is_refused(tmp_path, content, said):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ImporterError, match=said):
        penstock.from_coco(tmp_path / "a.json", tmp_path, tmp_path / "out.penstock")
    assert left_behind(tmp_path, besides=["a.json"]) == []


@pytest.fixture
def two_images(tmp_path):
    from penstock.tensors import encode_image

    good = encode_image(np.full((40, 60, 3), 90, np.uint8), "jpeg")
    (tmp_path / "good.jpg").write_bytes(good)
    (tmp_path / "broken.jpg").write_bytes(good[: len(good) // 3])
    images = [
        {"id": number, "file_name": name, "width": 60, "height": 40}
        for number, name in enumerate(["good.jpg", "broken.jpg"])
    ]
    annotations = [
        {"id": number, "image_id": number, "category_id": 7, "bbox": [1, 2, 3, 4], "iscrowd": 0, "area": 12}
        for number in range(2)
    ]
    content = {"images": images, "annotations": annotations, "categories": [{"id": 7, "name": "car"}]}
    (tmp_path / "a.json").write_text(json.dumps(content))
    return tmp_path


def test_missing_images_are_named(two_images):
    (two_images / "good.jpg").unlink()
    with pytest.raises(PenstockError, match=r"good\.jpg"):
        penstock.from_coco(two_images / "a.json", two_images, two_images / "out.penstock")
    assert left_behind(two_images, besides=["a.json", "broken.jpg"]) == []


def test_truncated_jpeg_stops_the_import_by_name(two_images):
    with pytest.raises(PenstockError, match=r"broken\.jpg"):
        penstock.from_coco(two_images / "a.json", two_images, two_images / "out.penstock")
    assert left_behind(two_images, besides=["a.json", "broken.jpg", "good.jpg"]) == []


def test_truncated_jpeg_can_be_left_out(two_images):
    dataset = penstock.from_coco(two_images / "a.json", two_images, two_images / "out.penstock", on_error="skip")
    assert len(dataset) == 1


@pytest.fixture
def unknown_class(demo):
    with pytest.raises(QueryBindError) as caught:
        demo.query("select * where contains(labels, 'Rng')")
    return caught.value


def test_unknown_class_has_the_nearest_name(unknown_class):
    assert unknown_class.suggestion == "Ring"


def test_unknown_class_has_a_caret(unknown_class):
    assert str(unknown_class).splitlines()[-1].strip() == "^^^^^"


def test_all_weights_zero_says_so_at_once(demo):
    with pytest.raises(PenstockError, match="zero"):
        demo.query("select * sample by max_weight(contains(labels, 'Ring'): 0, True: 0)")
