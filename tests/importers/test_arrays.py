from __future__ import annotations

import collections
import contextlib
import datetime as dt
import decimal
import io
import random

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import penstock
from penstock.errors import ImporterError, PenstockError
from penstock.importers import from_arrays, import_report
from penstock.importers.columns._arrays import parse_arrays

IMAGES = np.zeros((3, 4, 5, 3), np.uint8)
PIXELS = np.random.default_rng(0).integers(0, 255, (8, 9, 3), np.uint8)


def column(values, name="x", **kwargs):
    """Return the kind and the samples of one array."""
    found = parse_arrays({name: values}, **kwargs)[0]
    return found.htype, [found.samples[row] for row in range(len(found.samples))]


def labels(values, **kwargs):
    found = parse_arrays({"labels": values}, **kwargs)[0]
    return [found.samples[row].tolist() for row in range(len(values))], found.options["class_names"]


def test_kinds_come_from_name_or_type():
    columns = parse_arrays(
        {"images": IMAGES, "labels": [0, 1, 0], "note": ["a", "b", "c"], "vector": np.zeros((3, 8)), "age": [1, 2, 3]}
    )
    assert [found.htype for found in columns] == ["image", "class_label", "text", "embedding", "generic"]


def test_labels_may_be_numbers_names_lists_or_multi_hot():
    assert labels([2, 0]) == ([[2], [0]], ("0", "1", "2"))
    assert labels(["b", "a", "b"]) == ([[0], [1], [0]], ("b", "a"))
    assert labels([["a", "b"], []], class_names=["b", "a"]) == ([[1, 0], []], ("b", "a"))
    assert labels(np.array([[True, False, True]]), class_names=["x", "y", "z"]) == ([[0, 2]], ("x", "y", "z"))
    assert labels(np.array([[1], [0]])) == ([[1], [0]], ("0", "1"))
    assert labels([None, 1]) == ([[], [1]], ("0", "1"))


@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32", "bool", "object"])
def test_a_matrix_as_wide_as_there_are_classes_has_a_number_for_each(dtype):
    matrix = np.array([[0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]).astype(dtype)
    assert labels(matrix, class_names=list("abcd")) == ([[1, 3], [0], []], tuple("abcd"))


def test_a_bool_matrix_without_names_has_a_class_for_each_column():
    assert labels(np.array([[True, False, False]])) == ([[0]], ("0", "1", "2"))
    assert labels([[True, False], [False, True]]) == ([[0], [1]], ("0", "1"))


@pytest.mark.parametrize("class_names", [None, ["a", "b"], ["a", "b", "c", "d"]], ids=["none", "fewer", "more"])
def test_a_matrix_of_zeros_or_ones_of_another_width_is_refused_with_a_hint(class_names):
    with pytest.raises(ImporterError, match=r"matrix of 0 and 1 of shape \(2, 3\).*class_names=\[...\] with 3 names"):
        labels(np.array([[0, 1, 1], [1, 0, 0]]), class_names=class_names)


def test_lists_of_zeros_or_ones_as_long_as_there_are_classes_are_refused():
    with pytest.raises(ImporterError, match=r"np\.array\(labels\) if there is one number per class"):
        labels([[0, 1, 0], [1, 0, 0]], class_names=["a", "b", "c"])


def test_lists_of_zeros_or_ones_of_other_lengths_are_indices():
    assert labels([[0, 1], [1]], class_names=["a", "b", "c"])[0] == [[0, 1], [1]]


def test_a_padded_matrix_of_indices_has_no_label_where_it_is_minus_1():
    assert labels(np.array([[2, 0, -1], [1, -1, -1]]))[0] == [[2, 0], [1]]


@pytest.fixture
def with_minus_1(tmp_path):
    return from_arrays({"labels": [1, -1, 0, -1.0, None]}, tmp_path / "out", progress=False)


def test_minus_1_is_no_label(with_minus_1):
    assert [found.tolist() for found in with_minus_1.labels.numpy(aslist=True)] == [[1], [], [0], [], []]


def test_minus_1_is_noted(with_minus_1):
    issues = import_report(with_minus_1).issues
    assert [str(issue) for issue in issues] == ["noted: labels: -1 in 2 samples, treated as no label"]


def test_labels_of_either_minus_1_or_1_are_refused():
    with pytest.raises(ImporterError, match=r"-1 could mean a class or no label.*\(labels \+ 1\) // 2"):
        labels([-1, 1, 1])


def test_whole_floats_are_indices():
    assert labels(np.array([0.0, 2.0, np.nan])) == ([[0], [2], []], ("0", "1", "2"))


def test_floats_that_are_not_whole_are_refused_with_a_hint():
    with pytest.raises(ImporterError, match=r"label 0\.5.*htypes=\{'labels': 'generic'\}"):
        labels([0.5])


def test_a_huge_index_makes_no_names():
    with pytest.raises(ImporterError, match="Expected class indices below 10,000"):
        labels([10**9])


def test_categories_of_pandas_are_classes_in_their_order():
    cells = pd.Categorical(["x", "y", None], categories=["z", "y", "x"])
    assert labels(pd.Series(cells)) == ([[2], [1], []], ("z", "y", "x"))
    assert parse_arrays({"mark": pd.Series(cells)})[0].options["class_names"] == ("z", "y", "x")
    assert labels(pd.Series(pd.Categorical([7, 5]))) == ([[1], [0]], ("5", "7"))


def test_class_names_make_a_class_label_of_a_tensor_of_any_name(tmp_path):
    findings = np.array([[1, 0, 1], [0, 1, 0]], bool)
    names = {"findings": ["Mass", "Edema", "Hernia"]}
    ds = from_arrays({"findings": findings}, tmp_path / "out", class_names=names, progress=False)
    assert ds.findings.htype == "class_label"
    assert len(ds.query("select * where contains(findings, 'Hernia')")) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"class_names": ["a"]}, "none of x is a class label"),
        ({"class_names": {"y": ["a"]}}, "class_names contains 'y', which is not an array. Expected one of: x"),
        ({"htypes": {"X": "text"}}, "did you mean 'x'"),
        ({"htypes": ["text"]}, "htypes="),
        ({"class_names": {"x": "ab"}}, "Expected a list of names"),
        ({"class_names": {"x": [1, 2]}}, "Expected a list of names"),
        ({"class_names": {"x": 5}}, "Expected a list of names"),
        ({"class_names": {"x": ["a", "a"]}}, "'a' twice"),
        ({"class_names": {"x": ["a"]}, "htypes": {"x": "generic"}}, "Expected htype 'class_label'"),
        ({"htypes": {"x": "picture"}}, "'picture' is not an htype"),
    ],
)
def test_options_that_would_be_ignored_are_refused(options, said):
    with pytest.raises(ImporterError, match=said):
        parse_arrays({"x": [0, 0]}, **options)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"images": IMAGES, "labels": [0]}, "unequal lengths: images 3, labels 1"),
        ({}, "no arrays were given"),
        ({"images": IMAGES.transpose(0, 3, 1, 2)}, "move the channels to the end"),
        ({"images": IMAGES / 255}, "multiply by 255"),
        ({"images": IMAGES.astype(np.int64) + 7}, "Expected uint8"),
        ({"images": np.zeros((3, 4), np.uint8)}, r"shape \(4,\)"),
        ({"labels": [-2]}, "label -2"),
        ({"labels": [0.5]}, "label 0.5"),
        ({"labels": np.zeros(2, bool)}, "label False"),
        ({"labels": np.zeros((2, 2, 2), int)}, r"shape \(2, 2, 2\)"),
    ],
)
def test_what_fits_no_tensor_is_refused(arrays, said):
    with pytest.raises(ImporterError, match=said):
        [list(found.samples) for found in parse_arrays(arrays)]


def test_labels_outside_the_class_names_are_refused():
    with pytest.raises(ImporterError, match=r"label 2. Expected 0 to 1, or one of: a, b"):
        labels([2], class_names=["a", "b"])
    with pytest.raises(ImporterError, match=r"label 'bb'.*did you mean 'b'"):
        labels(["bb"], class_names=["a", "b"])


def test_skip_leaves_out_the_samples_that_are_wrong_alone(tmp_path):
    arrays = {
        "images": [PIXELS, PIXELS.astype(float), PIXELS, b"no image", PIXELS],
        "labels": ["a", "b", "wrong", "a", "b"],
    }
    ds = from_arrays(arrays, tmp_path / "out", class_names=["a", "b"], on_error="skip", progress=False)
    assert [found.tolist() for found in ds.labels.numpy(aslist=True)] == [[0], [1]]
    assert [issue.source for issue in import_report(ds).rejected] == ["row 1", "row 2", "row 3"]


@pytest.mark.parametrize(
    ("values", "htype", "samples"),
    [
        ([1, None, 3], "generic", [1, None, 3]),
        ([1, 2.5], "generic", [1, 2.5]),
        ([True, None], "generic", [True, None]),
        ([None, "a"], "text", [None, "a"]),
        ([{"a": 1}, None], "json", [{"a": 1}, None]),
        ([dt.datetime(2020, 1, 2, 3, tzinfo=dt.UTC), None], "text", ["2020-01-02T03:00:00+00:00", None]),
        ([dt.date(2020, 1, 2)], "text", ["2020-01-02"]),
        (np.array(["2020-01-02"], "datetime64[s]"), "text", ["2020-01-02T00:00:00"]),
        ([dt.timedelta(seconds=90)], "generic", [90.0]),
        ([decimal.Decimal("0.10"), None], "generic", [0.1, None]),
        ([decimal.Decimal("0.1234567890123456789")], "text", ["0.1234567890123456789"]),
        ([2**80, 1], "text", [str(2**80), "1"]),
        (np.ma.masked_array([1, 2], [False, True]), "generic", [1, None]),
        (pd.Series([1, 2], index=[7, 9]), "generic", [1, 2]),
        (pd.Series([1, None], dtype="Int8"), "generic", [1, None]),
        (collections.deque([1, 2]), "generic", [1, 2]),
        (range(2), "generic", [0, 1]),
        (np.array(["a", "b"]), "text", ["a", "b"]),
        (np.array([1, 2], ">i4"), "generic", [1, 2]),
        ([], "text", []),
    ],
)
def test_values_become_the_tensor_that_holds_them(values, htype, samples):
    assert column(values) == (htype, samples)


def test_lists_of_numbers_have_one_type_for_all(tmp_path):
    values = [[1, 2]] * 300 + [[1.5]]  # the last is of another type and beyond the first chunk
    ds = from_arrays({"x": values}, tmp_path / "out", progress=False)
    assert ds.x[300].numpy().tolist() == [1.5]


def palette(alpha):
    image = Image.fromarray(PIXELS).convert("P", palette=Image.Palette.ADAPTIVE)
    if alpha:
        image.info["transparency"] = 0
    return image


MODES = {
    "1": lambda: Image.fromarray(PIXELS).convert("1"),
    "L": lambda: Image.fromarray(PIXELS).convert("L"),
    "LA": lambda: Image.fromarray(PIXELS).convert("LA"),
    "La": lambda: Image.fromarray(PIXELS).convert("LA").convert("La"),
    "P": lambda: palette(alpha=False),
    "P with transparency": lambda: palette(alpha=True),
    "P of RGBA": lambda: palette(alpha=False).remap_palette(range(256), b"\1\2\3\4" * 256),
    "PA": lambda: palette(alpha=False).convert("PA"),
    "RGB": lambda: Image.fromarray(PIXELS),
    "RGBA": lambda: Image.fromarray(PIXELS).convert("RGBA"),
    "RGBa": lambda: Image.fromarray(PIXELS).convert("RGBA").convert("RGBa"),
    "RGBX": lambda: Image.fromarray(PIXELS).convert("RGBX"),
    "CMYK": lambda: Image.fromarray(PIXELS).convert("CMYK"),
    "YCbCr": lambda: Image.fromarray(PIXELS).convert("YCbCr"),
    "HSV": lambda: Image.fromarray(PIXELS).convert("HSV"),
    "LAB": lambda: Image.frombytes("LAB", (9, 8), PIXELS.tobytes()),
    "I": lambda: Image.fromarray(PIXELS[:, :, 0].astype(np.int32) * 300),
    "I;16": lambda: Image.fromarray(PIXELS[:, :, 0].astype(np.uint16) * 200),
    "F": lambda: Image.fromarray(PIXELS[:, :, 0].astype(np.float32) / 7),
}


@pytest.mark.parametrize("mode", MODES)
def test_an_image_of_pillow_is_read_as_its_file_would_be(mode):
    image = MODES[mode]()
    kind, (pixels,) = column([image], "images")
    alpha = mode in ("LA", "La", "P with transparency", "P of RGBA", "PA", "RGBA", "RGBa")
    channels = 4 if alpha else 1 if mode in ("1", "L", "I", "I;16", "F") else 3
    assert (kind, pixels.dtype, pixels.shape) == ("image", np.uint8, (8, 9, channels))
    if mode in ("1", "L", "P", "RGB", "YCbCr", "HSV", "CMYK", "RGBX"):
        wanted = np.asarray(image.convert("L" if channels == 1 else "RGB"))
        np.testing.assert_array_equal(pixels.squeeze(), wanted)


def turned_png():
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PIXELS).save(buffer, "PNG", exif=exif)
    return buffer.getvalue()


def test_an_image_of_pillow_is_upright(tmp_path):
    ds = from_arrays({"photo": [Image.open(io.BytesIO(turned_png()))]}, tmp_path / "out", progress=False)
    np.testing.assert_array_equal(ds.photo[0].numpy(), np.rot90(PIXELS, -1))


def test_a_broken_image_of_pillow_is_skipped(tmp_path):
    images = [Image.open(io.BytesIO(content)) for content in (turned_png(), turned_png()[:-60])]
    assert len(from_arrays({"photo": images}, tmp_path / "out", on_error="skip", progress=False)) == 1


def test_images_may_be_paths_or_bytes(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    images = [tmp_path / "a.png", str(tmp_path / "a.png"), (tmp_path / "a.png").read_bytes(), PIXELS, None]
    ds = from_arrays({"images": images}, tmp_path / "out", progress=False)
    for row in range(4):
        np.testing.assert_array_equal(ds.images[row].numpy(), PIXELS)


BOXES = np.array([[5, 2, 9, 4], [3, 3, -2, 5], [1, 1, 0, 2], [500, 500, 9, 9], [1, 1, 2, 2]], float)


def boxed(coords):
    boxes = BOXES.copy()
    if coords == "xyxy":
        boxes[:, 2:] += boxes[:, :2]
    return {"images": [PIXELS], "boxes": [boxes]}, {"htypes": {"boxes": "bbox"}, "coords": coords, "progress": False}


@pytest.mark.parametrize("coords", ["xywh", "xyxy"])
def test_box_of_negative_size_is_refused(tmp_path, coords):
    arrays, options = boxed(coords)
    with pytest.raises(ImporterError, match=r"row 0, boxes 1: box .* negative width or height"):
        from_arrays(arrays, tmp_path / "out", **options)


@pytest.mark.parametrize("coords", ["xywh", "xyxy"])
def test_boxes_are_repaired_by_their_image(tmp_path, coords):
    arrays, options = boxed(coords)
    right = [[5, 2, 4, 4], [1, 1, 1, 2], [1, 1, 2, 2]]
    if coords == "xyxy":
        right = [[x, y, x + w, y + h] for x, y, w, h in right]
    ds = from_arrays(arrays, tmp_path / "out", on_error="skip", **options)
    assert ds.boxes[0].numpy().tolist() == right
    assert [issue.action for issue in import_report(ds).issues] == ["rejected", "rejected", "repaired", "repaired"]


ODD = {
    "generator": lambda: (row for row in range(2)),
    "text": lambda: "ab",
    "number": lambda: 5,
    "none": lambda: None,
    "mapping": lambda: {"a": 1},
    "set": lambda: {1, 2},
    "no axis": lambda: np.array(5),
    "ragged": lambda: [[1, 2], [3]],
    "nested ragged": lambda: [[[1, 2], [3]], [[4]]],
    "mixed": lambda: [1, "a"],
    "objects": lambda: [object(), object()],
    "complex": lambda: np.array([1j, 2]),
    "bytes": lambda: [b"a", b"b"],
    "bytes array": lambda: np.array([b"a", b"b"]),
    "fields": lambda: np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
    "nan": lambda: [float("nan"), None],
    "old years": lambda: np.array(["0001", "9999"], "datetime64[Y]"),
    "empty lists": lambda: [[], []],
    "dictionaries of odd things": lambda: [{"a": object()}, {1: {2, "b"}}],
    "surrogate": lambda: ["\ud800", "a"],
    "large": lambda: [2**63, 2**64],
    "infinite": lambda: [float("inf"), 1],
    "frame": lambda: pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
    "wide float": lambda: np.array([1, 2], np.longdouble),
    "no rows": lambda: np.empty((0, 4)),
    "zero wide": lambda: np.empty((2, 0)),
    "tuples": lambda: [(1, "a"), (2, "b")],
    "classes": lambda: [int, str],
    "matrix list": lambda: [np.zeros((2, 2)), np.zeros(3)],
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("name", ["images", "labels", "x", "boxes"])
def test_odd_input_never_raises_an_error_of_another_kind(tmp_path, kind, name):
    options = {"htypes": {"boxes": "bbox"}} if name == "boxes" else {}
    for on_error in ("raise", "skip"):
        with contextlib.suppress(PenstockError):
            from_arrays({name: ODD[kind]()}, tmp_path / on_error, on_error=on_error, progress=False, **options)


@pytest.mark.slow
def test_random_input_never_raises_an_error_of_another_kind(tmp_path):
    rng = random.Random(5)
    atoms = [0, 1, -1, 2.5, float("nan"), None, "a", "", b"x", True, [], [1], ["a", None], {"a": 1}, (1, 2), PIXELS]
    for number in range(60):
        values = [rng.choice(atoms) for _ in range(rng.randint(1, 4))]
        name = rng.choice(["images", "labels", "x", "target"])
        names = rng.choice([None, ["a"], ["a", "b"]])
        with contextlib.suppress(PenstockError):
            from_arrays({name: values}, tmp_path / str(number), class_names=names, on_error="skip", progress=False)


@pytest.mark.parametrize("arrays", [None, 5, [1, 2], {1: [1]}, {None: [1]}, {"": [1]}, np.zeros((2, 2)), "ab"])
def test_what_is_no_mapping_of_names_is_refused(arrays, tmp_path):
    with pytest.raises(ImporterError, match="Expected"):
        from_arrays(arrays, tmp_path / "out", progress=False)


@pytest.mark.parametrize("dest", [None, 5, "", "a\0b"])
def test_a_destination_that_is_no_path_is_refused(dest):
    with pytest.raises(ImporterError, match="Expected the path"):
        from_arrays({"x": [1]}, dest, progress=False)


def test_class_names_of_no_tensor_are_refused_with_the_nearest(tmp_path):
    with pytest.raises(
        ImporterError,
        match=r"contains 'finding', which is not an array. Expected one of: findings.*did you mean 'findings'",
    ):
        penstock.from_arrays({"findings": np.eye(2, dtype=bool)}, tmp_path / "x", class_names={"finding": ["a", "b"]})
    assert not (tmp_path / "x").exists()
