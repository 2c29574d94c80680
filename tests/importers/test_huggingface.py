from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from penstock.errors import ImporterError
from penstock.importers import from_huggingface

datasets = pytest.importorskip("datasets", reason="needs the package datasets")

PIXELS = np.random.default_rng(0).integers(0, 255, (3, 8, 9, 3), np.uint8)


@pytest.fixture
def source():
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=["cat", "dog"]),
            "marks": datasets.Sequence(datasets.ClassLabel(names=["x", "y"])),
            "objects": datasets.Sequence(
                {
                    "bbox": datasets.Sequence(datasets.Value("float32"), length=4),
                    "category": datasets.ClassLabel(names=["m", "n"]),
                }
            ),
            "a text": datasets.Value("string"),
            "age": datasets.Value("int32"),
            "meta": {"a": datasets.Value("string")},
        }
    )
    rows = {
        "image": [Image.fromarray(pixels) for pixels in PIXELS],
        "label": [0, 1, 0],
        "marks": [[0], [], [1, 0]],
        "objects": [
            {"bbox": [[1, 2, 3, 4]], "category": [1]},
            {"bbox": [], "category": []},
            {"bbox": [[1, 2, 3, 4]] * 2, "category": [0, 1]},
        ],
        "a text": ["a", "b", "c"],
        "age": [1, 2, 3],
        "meta": [{"a": "q"}] * 3,
    }
    return datasets.Dataset.from_dict(rows, features=features)


def test_features_become_tensors(source, tmp_path):
    ds = from_huggingface(source, tmp_path / "out", progress=False)
    assert {name: tensor.htype for name, tensor in ds.tensors.items()} == {
        "image": "image",
        "label": "class_label",
        "marks": "class_label",
        "boxes": "bbox",
        "categories": "class_label",
        "a_text": "text",
        "age": "generic",
        "meta": "json",
    }
    np.testing.assert_array_equal(ds.image[1].numpy(), PIXELS[1])
    assert ds.label.numpy().tolist() == [[0], [1], [0]]
    assert ds.label.info.class_names == ["cat", "dog"]
    assert [marks.tolist() for marks in ds.marks.numpy(aslist=True)] == [[0], [], [1, 0]]
    assert [boxes.shape for boxes in ds.boxes.numpy(aslist=True)] == [(1, 4), (0, 4), (2, 4)]
    assert ds.categories[2].numpy().tolist() == [0, 1]
    assert ds.age.numpy().ravel().tolist() == [1, 2, 3]


def test_image_files_are_kept_byte_for_byte(source, tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS[0]).save(buffer, "JPEG")
    features = datasets.Features({"image": datasets.Image()})
    one = datasets.Dataset.from_dict({"image": [{"bytes": buffer.getvalue(), "path": None}]}, features=features)
    ds = from_huggingface(one, tmp_path / "out", progress=False)
    assert ds.image[0].tobytes() == buffer.getvalue()


def test_what_is_no_split_is_refused(source, tmp_path):
    with pytest.raises(ImporterError, match=r"dataset\['train'\]"):
        from_huggingface(datasets.DatasetDict(train=source), tmp_path / "out")
    with pytest.raises(ImporterError, match="not streamed"):
        from_huggingface(source.to_iterable_dataset(), tmp_path / "out")
    with pytest.raises(ImporterError, match="a list; expected"):
        from_huggingface([1], tmp_path / "out")
