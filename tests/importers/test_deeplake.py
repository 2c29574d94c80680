from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import ImporterError, MissingDependencyError
from penstock.importers import from_deeplake
from penstock.tensors import image_format

PIXELS = np.random.default_rng(0).integers(0, 255, (3, 8, 9, 3), np.uint8)


@pytest.fixture
def source(tmp_path):
    deeplake = pytest.importorskip("deeplake", reason="needs the package deeplake")
    kinds = deeplake.types
    ds = deeplake.create(str(tmp_path / "lake"))
    ds.add_column("images", kinds.Image(sample_compression="png"))
    ds.add_column("boxes", kinds.BoundingBox(format="ltwh", bbox_type="pixel"))
    ds.add_column("label", kinds.ClassLabel("int32"))
    ds.add_column("note", kinds.Text())
    ds.add_column("vector", kinds.Embedding(4))
    ds.add_column("score", "float32")
    ds["label"].metadata["class_names"] = ["cat", "dog"]
    rows = {
        "images": list(PIXELS),
        "boxes": [np.full((count, 4), 2, np.float32) for count in (1, 2, 1)],
        "label": [0, 1, 0],
        "note": ["x", "y", "z"],
        "vector": np.arange(12, dtype=np.float32).reshape(3, 4),
        "score": [0.5, 1.5, 2.5],
    }
    ds.append(rows)
    ds.commit("three samples")
    return tmp_path / "lake"


def test_columns_become_tensors(source, tmp_path):
    ds = from_deeplake(source, tmp_path / "out", progress=False)
    np.testing.assert_array_equal(ds.images[2].numpy(), PIXELS[2])
    assert image_format(ds.images[0].tobytes()) == "png"
    assert [boxes.shape for boxes in ds.boxes.numpy(aslist=True)] == [(1, 4), (2, 4), (1, 4)]
    assert ds.label.numpy().tolist() == [[0], [1], [0]]
    assert ds.label.info.class_names == ["cat", "dog"]
    assert ds.vector.numpy()[1].tolist() == [4, 5, 6, 7]
    assert ds.score.numpy().ravel().tolist() == [0.5, 1.5, 2.5]
    assert [ds.note[row].numpy().item() for row in range(3)] == ["x", "y", "z"]


def test_a_path_without_dataset_is_refused(tmp_path):
    pytest.importorskip("deeplake", reason="needs the package deeplake")
    with pytest.raises(ImporterError, match="no Deep Lake dataset"):
        from_deeplake(tmp_path / "none", tmp_path / "out")


def test_without_the_package_the_pip_line_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "deeplake", None)
    with pytest.raises(MissingDependencyError, match="pip install deeplake"):
        from_deeplake(tmp_path, tmp_path / "out")
