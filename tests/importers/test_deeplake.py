from __future__ import annotations

import sys

import numpy as np
import pytest

from penstock.errors import ImporterError, MissingDependencyError
from penstock.importers import from_deeplake, import_report
from penstock.tensors import image_format

pytestmark = pytest.mark.xdist_group("deeplake")  # which runs before what imports tensorflow

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
    with pytest.raises(ImporterError, match="cannot be opened"):
        from_deeplake(tmp_path / "none", tmp_path / "out")


def test_without_the_package_the_pip_line_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "deeplake", None)
    with pytest.raises(MissingDependencyError, match="pip install deeplake"):
        from_deeplake(tmp_path, tmp_path / "out")


def lake(tmp_path, class_names=(), **columns):
    """Make a Deep Lake dataset of name to (type's maker, rows) and return its path."""
    kinds = pytest.importorskip("deeplake", reason="needs the package deeplake").types
    ds = __import__("deeplake").create(str(tmp_path / "lake"))
    for name, (kind, _) in columns.items():
        ds.add_column(name, kind(kinds))
    for name in class_names:
        ds[name].metadata["class_names"] = ["cat", "dog"]
    ds.append({name: rows for name, (_, rows) in columns.items()})
    ds.commit()
    return tmp_path / "lake"


def test_nested_types_become_what_holds_them(tmp_path):
    path = lake(
        tmp_path,
        class_names=["marks"],
        meta=(lambda t: t.Dict(), [{"a": 1, "b": [1, 2], "c": {"d": "e"}}, {"a": "z"}]),
        both=(lambda t: t.Struct({"a": t.Int32(), "b": t.Text()}), [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
        marks=(lambda t: t.Sequence(t.ClassLabel("int32")), [[0, 1], [-1]]),
        numbers=(lambda t: t.Sequence(t.Int32()), [[1, 2], [3]]),
        maybe=(lambda t: t.Nullable(t.Int32()), [1, None]),
        raw=(lambda t: t.Bytes(), [b"ab", b"c"]),
    )
    ds = from_deeplake(path, tmp_path / "out", progress=False)
    assert [ds.meta[row].data()["value"] for row in range(2)] == [{"a": 1, "b": [1, 2], "c": {"d": "e"}}, {"a": "z"}]
    assert ds.both[1].data()["value"] == {"a": 2, "b": "y"}
    assert [labels.tolist() for labels in ds.marks.numpy(aslist=True)] == [[0, 1], []]
    assert ds.marks.info.class_names == ["cat", "dog"]
    assert [numbers.tolist() for numbers in ds.numbers.numpy(aslist=True)] == [[1, 2], [3]]
    assert [ds.maybe[0].numpy().tolist(), ds.maybe[1].numpy().size] == [1, 0]
    assert ds.raw[0].data()["value"] == "YWI="
    assert [str(issue) for issue in import_report(ds).issues] == ["noted: marks: -1 in 1 sample, treated as no label"]


@pytest.fixture
def boxed(tmp_path):
    boxes = np.array([[5, 2, 9, 4], [3, 3, -2, 5], [1, 1, 0, 2]], np.float32)
    return lake(
        tmp_path,
        class_names=["label"],
        images=(lambda t: t.Image(sample_compression="png"), [PIXELS[0]]),
        boxes=(lambda t: t.BoundingBox(), [boxes]),
        label=(lambda t: t.Sequence(t.ClassLabel("int32")), [[0, 1, 1]]),
    )


def test_a_box_of_negative_size_is_refused(boxed, tmp_path):
    with pytest.raises(ImporterError, match="row 0, boxes 1: box"):
        from_deeplake(boxed, tmp_path / "out", progress=False)


def test_labels_go_with_the_boxes_that_are_refused(boxed, tmp_path):
    ds = from_deeplake(boxed, tmp_path / "out", progress=False, on_error="skip")
    assert ds.boxes[0].numpy().tolist() == [[5, 2, 4, 4], [1, 1, 1, 2]]
    assert ds.label[0].numpy().tolist() == [0, 1]
    assert [issue.action for issue in import_report(ds).issues] == ["rejected", "repaired", "repaired"]


def test_what_no_tensor_holds_is_reported(tmp_path):
    path = lake(
        tmp_path,
        many=(lambda t: t.Sequence(t.Image(sample_compression="png")), [[PIXELS[0]]]),
        x=(lambda t: t.Int32(), [1]),
    )
    ds = from_deeplake(path, tmp_path / "out", progress=False)
    assert list(ds.tensors) == ["x"]
    assert [issue.source for issue in import_report(ds).ignored] == ["many"]


@pytest.mark.parametrize("path", [None, 5, "", b"x"])
def test_what_is_no_path_is_refused(path, tmp_path):
    with pytest.raises(ImporterError, match="Expected the path"):
        from_deeplake(path, tmp_path / "out")


def test_beside_tensorflow_it_is_refused_in_words_instead_of_ending_the_process(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "deeplake", raising=False)
    monkeypatch.setitem(sys.modules, "tensorflow", sys)
    with pytest.raises(ImporterError, match="beside TensorFlow"):
        from_deeplake(tmp_path / "lake", tmp_path / "out")
