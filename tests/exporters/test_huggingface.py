from __future__ import annotations

import datetime as dt
import decimal
import io
import typing

import datasets
import numpy as np
import pytest
from datasets import ClassLabel, Features, Image, List, Sequence, Value
from PIL import Image as Pillow

import penstock
from penstock.errors import ExportError


def png(shade=0):
    buffer = io.BytesIO()
    Pillow.fromarray(np.full((40, 60, 3), shade, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


IMAGES = [{"bytes": png(shade), "path": None} for shade in (1, 2)]
BOXES = List(List(Value("float32"), length=4))
OBJECT = {
    "bbox": List(Value("float64"), length=4),
    "category": ClassLabel(names=["cat", "dog"]),
    "area": Value("float32"),
    "note": Value("string"),
    "when": Value("timestamp[us]"),
}
TIME = dt.datetime.fromisoformat("2026-01-02T03:04:05.000006")
ROWS = [
    [
        {"bbox": [1.5, 2, 3, 4], "category": 1, "area": 1.5, "note": "a", "when": TIME},
        {"bbox": [10.123456789, 2, 90, 0], "category": 0, "area": None, "note": None, "when": None},
    ],
    [],
]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def of_lists(rows):
    return [{key: [one[key] for one in row] for key in OBJECT} for row in rows]


CASES = {
    "image": (Image(), IMAGES),
    "image with a path": (Image(), [{**IMAGES[0], "path": "a/ä.png"}, {**IMAGES[1], "path": None}]),
    "image of none": (Image(), [IMAGES[0], None]),
    "label": (ClassLabel(names=["cat", "dog"]), [1, 0]),
    "label of none": (ClassLabel(names=["cat", "dog"]), [None, 0]),
    "label of -1": (ClassLabel(names=["cat", "dog"]), [-1, None]),
    "labels": (Sequence(ClassLabel(names=["cat", "dog"])), [[1, 0], []]),
    "labels of none": (List(ClassLabel(names=["cat", "dog"])), [None, [1, None, -1]]),
    "objects in a list": (List(OBJECT), ROWS),
    "objects in lists": (Sequence(OBJECT), of_lists(ROWS)),
    "objects of none": (Sequence(OBJECT), [None, of_lists(ROWS)[0]]),
    "text": (Value("string"), ["ä\n", ""]),
    "text of none": (Value("large_string"), [None, "a"]),
    "int8": (Value("int8"), [-3, None]),
    "uint64": (Value("uint64"), [2**40, 0]),
    "bool": (Value("bool"), [True, None]),
    "float32": (Value("float32"), [0.5, None]),
    "float64": (Value("float64"), [0.1, 1e300]),
    "numbers": (List(Value("int32")), [[1, 2], []]),
    "numbers of none": (List(Value("float64")), [[0.1, 2.0], None]),
    "a fixed number of numbers": (List(Value("int64"), length=2), [[1, 2], [3, 4]]),
    "matrix": (datasets.Array2D((2, 2), "float32"), [[[1, 2], [3, 4]], [[0, 0], [0, 0]]]),
    "texts": (List(Value("string")), [["a", None], []]),
    "dictionary": ({"a": Value("int64"), "b": {"c": Value("string")}}, [{"a": 1, "b": {"c": "x"}}, {"a": None, "b": {"c": None}}]),
    "dictionaries": (List({"a": Value("int64"), "t": Value("date32")}), [[{"a": 1, "t": dt.date(2026, 1, 2)}], []]),
    "date": (Value("date32"), [dt.date(2026, 1, 2), None]),
    "time": (Value("time64[us]"), [dt.time(1, 2, 3, 4), None]),
    "timestamp": (Value("timestamp[s]"), [TIME.replace(microsecond=0), None]),
    "timestamp of a zone": (Value("timestamp[us, tz=UTC]"), [dt.datetime(2026, 1, 2, tzinfo=dt.UTC), None]),
    "timestamp of nanoseconds": (Value("timestamp[ns]"), [np.datetime64("2026-01-02T03:04:05.123456789"), None]),
    "duration": (Value("duration[us]"), [dt.timedelta(days=3, microseconds=7), None]),
    "decimal": (Value("decimal128(9, 2)"), [decimal.Decimal("1.25"), None]),
    "long decimal": (Value("decimal128(30, 2)"), [decimal.Decimal("1234567890123456789.25"), None]),
    "binary": (Value("binary"), [b"\x00\xff", None]),
    "?! name": (Value("int64"), [1, 2]),
}  # fmt: skip


def rows_of(dataset):
    for name, feature in dataset.features.items():
        if isinstance(feature, Image):
            dataset = dataset.cast_column(name, Image(decode=False))
    return list(dataset)


def made(features, columns, tmp_path):
    source = datasets.Dataset.from_dict(columns, features=Features(features))
    return source, penstock.from_huggingface(source, tmp_path / "ds", progress=False)


def exported(source):
    return penstock.to_huggingface(source, progress=False)


@pytest.mark.parametrize("case", CASES)
def test_a_feature_comes_back(tmp_path, case):
    feature, values = CASES[case]
    source, ds = made({"image": Image(), case: feature}, {"image": IMAGES, case: values}, tmp_path)
    found = exported(ds)
    assert found.features == source.features
    assert rows_of(found) == rows_of(source)


def test_all_features_come_back_together_in_their_order(tmp_path):
    columns = {case: values for case, (_, values) in CASES.items()}
    source, ds = made({case: feature for case, (feature, _) in CASES.items()}, columns, tmp_path)
    found = exported(ds)
    assert found.features == source.features
    assert list(found.features) == list(source.features)
    assert rows_of(found) == rows_of(source)


def test_boxes_beside_their_labels_come_back(tmp_path):
    features = {"boxes": BOXES, "labels": List(ClassLabel(names=["a"])), "image": Image()}
    columns = {"boxes": [[[1, 2, 3, 4], [50, 30, 99, 99]], []], "labels": [[0, 0], []], "image": IMAGES}
    source, ds = made(features, columns, tmp_path)
    found = exported(ds)
    assert (found.features, rows_of(found)) == (source.features, rows_of(source))


def test_edits_change_their_rows_alone(tmp_path):
    features = {"image": Image(), "label": CASES["label"][0], "objects": List(OBJECT)}
    source, ds = made(features, {"image": IMAGES, "label": [1, 0], "objects": ROWS}, tmp_path)
    ds.label[1] = ["dog"]
    ds.boxes[0] = [[5, 6, 7, 8], ds.boxes[0].numpy()[1]]
    ds.categories.rename_class("cat", "kitten")
    found = exported(ds)
    expected = rows_of(source)
    expected[1]["label"] = 1
    expected[0]["objects"][0]["bbox"] = [5, 6, 7, 8]
    assert rows_of(found) == expected
    assert found.features["objects"].feature["category"].names == ["kitten", "dog"]
    assert found.features["label"].names == ["cat", "dog"]


@pytest.fixture
def ds(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("boxes", htype="bbox")
    ds.create_tensor("images", htype="image")
    ds.create_tensor("categories", htype="class_label", class_names=["a", "b"], aligned_with="boxes")
    ds.create_tensor("attributes", htype="json", aligned_with="boxes")
    ds.create_tensor("subset", htype="class_label", class_names=["train", "val"])
    ds.create_tensor("masks", htype="segment_mask", dtype="uint8")
    ds.append({"images": png(), "boxes": [[1, 2, 3, 4]], "categories": [1], "attributes": [{"x": 1}], "subset": [0],
               "masks": np.eye(3, dtype=np.uint8)})  # fmt: skip
    ds.append({"images": png(), "boxes": [], "categories": [], "attributes": [], "subset": [1], "masks": None})
    return ds


def test_another_dataset_becomes_images_and_objects_by_split(ds):
    found = exported(ds)
    assert list(found) == ["train", "val"]
    train = found["train"]
    assert list(train.features) == ["images", "objects", "masks"]
    assert train[0]["objects"] == {"bbox": [[1, 2, 3, 4]], "category": [1], "attributes": ['{"x": 1}']}
    assert np.array(train[0]["masks"]).tolist() == np.eye(3).tolist()
    assert train.features["objects"]["category"].feature.names == ["a", "b"]
    assert found["val"][0]["masks"] is None


def test_what_was_exported_is_imported_again(ds, tmp_path):
    again = penstock.from_huggingface(exported(ds)["train"], tmp_path / "again", progress=False)
    assert again.boxes[0].numpy().tolist() == [[1, 2, 3, 4]]
    assert again.categories.info.class_names == ["a", "b"]


def test_its_types_are_known_without_the_package():
    assert set(typing.get_type_hints(penstock.to_huggingface)) == {"source", "progress", "return"}


def test_a_view_without_rows_has_the_features(tmp_path):
    _, ds = made({"label": CASES["label"][0]}, {"label": [1, 0]}, tmp_path)
    found = exported(ds[[]])
    assert (len(found), list(found.features)) == (0, ["label"])


def test_repeated_rows_are_refused(tmp_path):
    _, ds = made({"label": CASES["label"][0]}, {"label": [1, 0]}, tmp_path)
    with pytest.raises(ExportError, match="more than once"):
        exported(ds[[0, 0]])
