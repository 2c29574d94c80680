from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import io

import numpy as np
import pytest
from PIL import Image

from penstock.dataset.samples import content_of
from penstock.errors import ImporterError, PenstockError
from penstock.importers import from_huggingface, import_report
from penstock.tensors import object_groups

datasets = pytest.importorskip("datasets", reason="needs the package datasets")

BOX = datasets.Sequence(datasets.Value("float32"), length=4)
NAMES = datasets.ClassLabel(names=["a", "b"])
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
    assert {name.replace(" ", "_"): tensor.htype for name, tensor in ds.tensors.items()} == {
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
    with pytest.raises(ImporterError, match=r"a list. Expected"):
        from_huggingface([1], tmp_path / "out")


def hf(rows, **features):
    return datasets.Dataset.from_dict(rows, features=datasets.Features(features))


def made(source, tmp_path, **options):
    return from_huggingface(source, tmp_path / "out", progress=False, **options)


def test_none_or_minus_1_is_no_label(tmp_path):
    source = hf({"label": [1, -1, None], "marks": [[1, -1], None, [0]]}, label=NAMES, marks=datasets.Sequence(NAMES))
    ds = made(source, tmp_path)
    assert [labels.tolist() for labels in ds.label.numpy(aslist=True)] == [[1], [], []]
    assert [labels.tolist() for labels in ds.marks.numpy(aslist=True)] == [[1], [], [0]]
    assert [str(issue) for issue in import_report(ds).issues] == [
        "noted: label: -1 in 1 sample, treated as no label",
        "noted: marks: -1 in 1 sample, treated as no label",
    ]


def test_a_shuffled_split_keeps_its_order(tmp_path):
    source = hf({"label": [0, 1, -1, 1], "x": [0, 1, 2, 3]}, label=NAMES, x=datasets.Value("int64"))
    ds = made(source.select([3, 2, 0]).with_format("numpy"), tmp_path)
    assert ds.x.numpy().tolist() == [3, 2, 0]
    assert [labels.tolist() for labels in ds.label.numpy(aslist=True)] == [[1], [], [0]]


OBJECTS = {
    "sequence": datasets.Sequence({"bbox": BOX, "category": NAMES, "area": datasets.Value("float32")}),
    "list": [{"bbox": BOX, "category": NAMES, "area": datasets.Value("float32")}],
    "lists": {
        "bbox": datasets.Sequence(BOX),
        "category": datasets.Sequence(NAMES),
        "area": datasets.Sequence(datasets.Value("float32")),
    },
}


@pytest.mark.parametrize("form", OBJECTS)
def test_objects_become_tensors_of_one_group(tmp_path, form):
    rows = [{"bbox": [[1, 2, 3, 4]], "category": [1], "area": [12.0]}, {"bbox": [], "category": [], "area": []}, None]
    if form == "list":
        rows = [[{"bbox": [1, 2, 3, 4], "category": 1, "area": 12.0}], [], None]
    ds = made(hf({"objects": rows}, objects=OBJECTS[form]), tmp_path)
    assert [boxes.tolist() for boxes in ds.boxes.numpy(aslist=True)] == [[[1, 2, 3, 4]], [], []]
    assert [labels.tolist() for labels in ds.categories.numpy(aslist=True)] == [[1], [], []]
    assert [area.tolist() for area in ds.area.numpy(aslist=True)] == [[12], [], []]
    assert object_groups(content_of(ds).table.tensors) == {"boxes": ("boxes", "categories", "area")}


@pytest.mark.parametrize("form", ["sequence", "flat"])
@pytest.mark.parametrize("coords", ["xywh", "xyxy"])
def test_objects_go_with_the_boxes_that_are_refused(tmp_path, form, coords):
    boxes = np.array([[5, 2, 9, 4], [3, 3, -2, 5], [1, 1, 0, 2], [500, 500, 9, 9], [1, 1, 2, 2]], float)
    right = [[5, 2, 4, 4], [1, 1, 1, 2], [1, 1, 2, 2]]
    if coords == "xyxy":
        boxes[:, 2:] += boxes[:, :2]
        right = [[x, y, x + w, y + h] for x, y, w, h in right]
    image, labels = [Image.fromarray(PIXELS[0])], [0, 1, 0, 1, 1]
    if form == "flat":
        features = {"bbox": datasets.Sequence(BOX), "label": datasets.Sequence(NAMES)}
        source = hf({"image": image, "bbox": [boxes.tolist()], "label": [labels]}, image=datasets.Image(), **features)
    else:
        objects = [{"bbox": boxes.tolist(), "category": labels, "area": [1.0, 2.0, 3.0, 4.0, 5.0]}]
        source = hf({"image": image, "objects": objects}, image=datasets.Image(), objects=OBJECTS["sequence"])
    with pytest.raises(ImporterError, match=r"row 0, .* 1: box .* negative width or height"):
        made(source, tmp_path, coords=coords)
    ds = made(source, tmp_path, on_error="skip", coords=coords)
    names = ("bbox", "label") if form == "flat" else ("boxes", "categories")
    assert ds[names[0]][0].numpy().tolist() == right
    assert ds[names[1]][0].numpy().tolist() == [0, 0, 1]
    if form == "sequence":
        assert ds.area[0].numpy().tolist() == [1, 3, 5]
    assert [issue.action for issue in import_report(ds).issues] == ["rejected", "rejected", "repaired", "repaired"]


def test_an_object_without_category_is_refused_alone(tmp_path):
    objects = [{"bbox": [[1, 2, 3, 4]] * 3, "category": [-1, 1, None], "area": [1.0, 2.0, 3.0]}]
    ds = made(hf({"objects": objects}, objects=OBJECTS["sequence"]), tmp_path, on_error="skip")
    assert ds.categories[0].numpy().tolist() == [1]
    assert ds.boxes[0].numpy().shape == (1, 4)
    assert ds.area[0].numpy().tolist() == [2]


def test_a_sample_with_fewer_categories_than_boxes_is_refused_alone(tmp_path):
    rows = [{"bbox": [[1, 2, 3, 4]] * 2, "category": [1], "area": []}, {"bbox": [], "category": [], "area": []}]
    source = hf({"objects": rows}, objects=OBJECTS["lists"])
    with pytest.raises(ImporterError, match="row 0: 'objects' has 2 boxes and 1 classes"):
        made(source, tmp_path)
    assert len(made(source, tmp_path, on_error="skip")) == 1


@pytest.mark.parametrize(
    ("feature", "value", "htype", "expected"),
    [
        (datasets.Value("timestamp[s]"), dt.datetime(2020, 1, 2, 3), "text", "2020-01-02T03:00:00"),  # noqa: DTZ001  as arrow has it
        (datasets.Value("date32"), dt.date(2020, 1, 2), "text", "2020-01-02"),
        (datasets.Value("time32[s]"), dt.time(1, 2), "text", "01:02:00"),
        (datasets.Value("duration[s]"), dt.timedelta(minutes=1), "generic", 60.0),
        (datasets.Value("decimal128(10, 2)"), decimal.Decimal("1.50"), "generic", 1.5),
        (datasets.Value("decimal128(38, 2)"), decimal.Decimal("1.50"), "text", "1.50"),
        (datasets.Value("binary"), b"ab", "text", "YWI="),
        (datasets.Value("bool"), True, "generic", True),
        (datasets.Value("uint64"), 7, "generic", 7),
        (datasets.Array2D((2, 2), "float32"), [[1, 2], [3, 4]], "generic", [[1, 2], [3, 4]]),
        (datasets.Sequence(datasets.Value("float32")), [1.0, None], "generic", [1.0, float("nan")]),
        ([[datasets.Value("string")]], [["a"], []], "json", [["a"], []]),
        ({"t": datasets.Value("timestamp[s]")}, {"t": dt.datetime(2020, 1, 2)}, "json", {"t": "2020-01-02T00:00:00"}),  # noqa: DTZ001  as arrow has it
    ],
)
def test_values_of_every_type_become_the_tensor_that_holds_them(tmp_path, feature, value, htype, expected):
    ds = made(hf({"x": [value, None]}, x=feature), tmp_path)
    assert ds.x.htype == htype
    found = ds.x[0].data()["value"] if htype in ("text", "json") else ds.x[0].numpy()
    np.testing.assert_equal(found.tolist() if isinstance(found, np.ndarray) else found, expected)


def test_what_no_tensor_holds_is_reported(tmp_path):
    source = hf({"many": [None], "x": [1]}, many=[datasets.Image()], x=datasets.Value("int64"))
    ds = made(source, tmp_path)
    assert list(ds.tensors) == ["x"]
    assert [issue.source for issue in import_report(ds).ignored] == ["many"]


def test_names_that_meet_are_kept_apart(tmp_path):
    source = hf(
        {"boxes": ["a"], "objects": [None], "more": [None], "1?": [1], "1!": [2]},
        boxes=datasets.Value("string"),
        objects=OBJECTS["sequence"],
        more=OBJECTS["sequence"],
        **{"1?": datasets.Value("int64"), "1!": datasets.Value("int64")},
    )
    ds = made(source, tmp_path)
    assert ds.boxes[0].data()["value"] == "a"
    assert {"objects_boxes", "more_boxes", "categories", "more_categories"} <= set(ds.tensors)
    assert len(ds.tensors) == 10  # with what objects were None


@pytest.mark.parametrize("value", [None, {"bytes": b"no image", "path": None}, {"bytes": None, "path": "gone.png"}])
def test_an_image_that_cannot_be_read_is_refused_alone(tmp_path, value):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS[0]).save(buffer, "PNG")
    good = {"bytes": buffer.getvalue(), "path": None}
    ds = made(hf({"image": [good, value]}, image=datasets.Image()), tmp_path, on_error="skip")
    assert len(ds) == (2 if value is None else 1)


@pytest.mark.parametrize("source", [None, 5, "imdb", {}, [{"a": 1}], np.zeros(3)])
def test_what_is_no_dataset_never_raises_an_error_of_another_kind(tmp_path, source):
    with pytest.raises(ImporterError):
        made(source, tmp_path)


@pytest.mark.parametrize(
    "boxes",
    [[[1, 2]], [[float("nan")] * 4], [[float("inf")] * 4], [None], [[None, 1, 2, 3]], [[1, 2, 3, 4, 5]], [[]]],
)
def test_odd_boxes_never_raise_an_error_of_another_kind(tmp_path, boxes):
    loose = datasets.Sequence({"bbox": datasets.Sequence(datasets.Value("float32")), "category": NAMES})
    source = hf({"objects": [{"bbox": boxes, "category": [0] * len(boxes)}]}, objects=loose)
    with contextlib.suppress(PenstockError):
        made(source, tmp_path)
    ds = made(source, tmp_path, on_error="skip")
    assert all(len(found) == 0 for found in ds.boxes.numpy(aslist=True))


def test_names_of_features_stay_as_they_are_where_a_tensor_may_have_them(tmp_path):
    names = ["a/b", "x.y", "2nd score", "p-value"]
    number = datasets.Value("int64")
    ds = made(hf({name: [1] for name in (*names, "_")}, **dict.fromkeys((*names, "_"), number)), tmp_path)
    assert list(ds.tensors) == [*names, "column"]
