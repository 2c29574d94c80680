from __future__ import annotations

import tempfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import penstock
from penstock.errors import SampleError

FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])

texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
finite = st.floats(-1e6, 1e6, width=32)
jsons = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module", autouse=True)
def _home(tmp_path_factory):
    """Every example has a dataset of its own, which goes with the other folders of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("examples")))
        yield


def _through_the_store(values, **tensor):
    """Append half, extend the rest, commit, and give the tensor as another session reads it."""
    ds = penstock.empty(tempfile.mkdtemp() + "/ds")
    ds.create_tensor("x", **tensor)
    half = len(values) // 2
    for value in values[:half]:
        ds.append({"x": value})
    ds.extend({"x": values[half:]})
    before = ds.x.numpy(aslist=True)
    ds.commit("all")
    again = penstock.load(ds.path)
    for one, two in zip(before, again.x.numpy(aslist=True), strict=True):
        np.testing.assert_array_equal(one, two)
    return again.x


@FEW
@given(st.lists(st.none() | st.lists(names, max_size=4), min_size=1, max_size=8))
def test_class_names_come_back(samples):
    tensor = _through_the_store(samples, htype="class_label")
    assert tensor.data()["text"] == [list(sample or []) for sample in samples]
    firsts = list(dict.fromkeys(name for sample in samples for name in sample or []))
    assert tensor.info.class_names == firsts
    assert all(labels.dtype == np.int64 and labels.ndim == 1 for labels in tensor.numpy(aslist=True))
    counts = {len(sample or []) for sample in samples}
    assert tensor._spec.single_valued == (counts == {1})


@FEW
@given(
    st.lists(
        st.none()
        | npst.arrays(np.float32, st.tuples(st.integers(0, 4), st.just(4)), elements=finite).map(
            lambda boxes: np.hstack([boxes[:, :2], abs(boxes[:, 2:])])  # sizes are not negative
        ),
        min_size=1,
        max_size=8,
    )
)
def test_boxes_come_back(samples):
    tensor = _through_the_store(samples, htype="bbox")
    for boxes, sample in zip(tensor.numpy(aslist=True), samples, strict=True):
        np.testing.assert_array_equal(boxes, np.zeros((0, 4), np.float32) if sample is None else sample)
        assert (boxes.dtype, boxes.shape[1]) == (np.float32, 4)


@FEW
@given(st.lists(texts, min_size=1, max_size=8))
def test_text_comes_back(samples):
    assert _through_the_store(samples, htype="text").data()["value"] == samples


@FEW
@given(st.lists(jsons, min_size=1, max_size=6))
def test_json_comes_back(samples):
    assert _through_the_store(samples, htype="json").data()["value"] == samples


@FEW
@given(
    dtype=st.sampled_from(["int64", "uint8", "float32", "float64", "bool", "int16"]),
    ndim=st.integers(0, 3),
    data=st.data(),
)
def test_arrays_of_any_shape_come_back(dtype, ndim, data):
    shapes = npst.array_shapes(min_dims=ndim, max_dims=ndim, min_side=0, max_side=3) if ndim else st.just(())
    samples = data.draw(st.lists(npst.arrays(dtype, shapes, elements=_elements(dtype)), min_size=1, max_size=6))
    tensor = _through_the_store(samples)
    for array, sample in zip(tensor.numpy(aslist=True), samples, strict=True):
        np.testing.assert_array_equal(array, sample)
        assert array.shape == sample.shape


def _elements(dtype):
    return finite if dtype.startswith("float") else None


@FEW
@given(
    samples=st.lists(
        st.none() | npst.arrays(bool, npst.array_shapes(min_dims=2, max_dims=2, max_side=9)), min_size=1, max_size=5
    )
)
def test_masks_come_back(samples):
    tensor = _through_the_store(samples, htype="binary_mask")
    for mask, sample in zip(tensor.numpy(aslist=True), samples, strict=True):
        assert mask.dtype == bool
        np.testing.assert_array_equal(mask, np.empty((0,) * mask.ndim, bool) if sample is None else sample)


images = st.lists(
    npst.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 4]))),
    min_size=1,
    max_size=5,
)


@FEW
@given(samples=images)
def test_images_come_back(samples):
    tensor = _through_the_store(samples, htype="image")
    for image, sample in zip(tensor.numpy(aslist=True), samples, strict=True):
        np.testing.assert_array_equal(image, sample)


@FEW
@given(samples=images)
def test_images_tell_their_shapes(samples):
    tensor = _through_the_store(samples, htype="image")
    assert [tensor[index].shape for index in range(len(samples))] == [sample.shape for sample in samples]


@FEW
@given(
    start=st.lists(st.lists(st.integers(0, 3), max_size=3), min_size=4, max_size=10),
    steps=st.lists(
        st.tuples(
            st.sampled_from(["edit", "pop", "append", "commit", "reopen"]),
            st.integers(0, 30),
            st.lists(st.integers(0, 3), max_size=3),
        ),
        max_size=14,
    ),
)
def test_any_order_of_edits_gives_what_a_list_would(start, steps):
    ds = penstock.empty(tempfile.mkdtemp() + "/ds")
    ds.create_tensor("x", htype="class_label", class_names=["a", "b", "c", "d"])
    ds.create_tensor("n")
    ds.extend({"x": start, "n": list(range(len(start)))})
    expected = [(labels, number) for number, labels in enumerate(start)]
    for step, place, labels in steps:
        row = place % max(len(expected), 1)
        if step == "append":
            ds.append({"x": labels, "n": place})
            expected.append((labels, place))
        elif step == "edit" and expected:
            ds.x[row] = labels
            expected[row] = (labels, expected[row][1])
        elif step == "pop" and expected:
            ds.pop(row)
            del expected[row]
        elif step == "commit" and ds.has_changes:
            ds.commit(f"{place}")
        elif step == "reopen":
            ds.close()
            ds = penstock.load(ds.path)
    found = zip([labels.tolist() for labels in ds.x.numpy(aslist=True)], ds.n.numpy().tolist(), strict=True)
    assert list(found) == expected


@pytest.mark.parametrize(
    ("tensor", "value", "message"),
    [
        ({"htype": "class_label", "class_names": ["a"]}, [1], "class index 1 of 'x' is out of range. Expected 0 to 0"),
        ({"htype": "class_label"}, [-1], "class index -1"),
        ({"htype": "class_label"}, [[0], [1]], "Expected"),
        ({"htype": "class_label"}, [0.5], "Expected class names or indices"),
        ({"htype": "bbox"}, [[0, 0, np.nan, 1]], "finite"),
        ({"htype": "text"}, 5, "Expected a str"),
        ({"htype": "json"}, {"a": float("nan")}, "JSON"),
        ({"htype": "embedding"}, [[1.0]], "a vector of numbers"),
        ({"dtype": "uint8"}, 300, "values that uint8 can hold"),
        ({"dtype": "int64"}, 0.5, "values that int64 can hold"),
        ({}, "text", "htype='text'"),
        ({"htype": "image"}, b"no image", "not a readable image"),
        ({"htype": "image"}, "/nowhere/at/all.png", "'/nowhere/at/all.png' cannot be read"),
        ({"htype": "image"}, penstock.link("a.png"), r"htype='link\[image\]'"),
        ({"htype": "link[image]"}, b"bytes", r"Expected penstock.link\(url\) or a path"),
        ({"htype": "binary_mask"}, [1, 0], "a mask of shape"),
    ],
)
def test_values_that_do_not_fit_are_refused(tmp_path, tensor, value, message):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("x", **tensor)
    with pytest.raises(SampleError, match=message):
        ds.append({"x": value})
    assert len(ds) == 0


@pytest.fixture
def vectors(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("x")
    ds.create_tensor("vector", htype="embedding")
    ds.append({"x": [1.5, 2], "vector": [1, 2, 3]})
    return ds


def test_samples_keep_their_number_of_dimensions(vectors):
    with pytest.raises(SampleError, match="1 dimensions, as in earlier samples, but got 0"):
        vectors.append({"x": 1.0, "vector": [1, 2, 3]})


def test_embeddings_keep_their_length(vectors):
    with pytest.raises(SampleError, match="a vector of 3 numbers"):
        vectors.append({"x": [1], "vector": [1, 2]})
    with pytest.raises(SampleError, match="a vector of 3 numbers"):
        vectors.vector[0] = [1, 2]
    assert vectors.vector.numpy().tolist() == [[1, 2, 3]]


def test_names_after_numbers_are_refused(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("x", htype="class_label")
    ds.append({"x": [4]})
    with pytest.raises(SampleError, match="whose classes have no names"):
        ds.append({"x": ["cat"]})


def test_an_array_that_is_filled_again_is_kept_as_it_was_appended(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    tensors = {
        "boxes": "bbox",
        "labels": "class_label",
        "vector": "embedding",
        "numbers": "generic",
        "mask": "binary_mask",
    }
    arrays = {
        "boxes": np.zeros((1, 4), np.float32),
        "labels": np.zeros(4, np.int64),
        "vector": np.zeros(4, np.float32),
        "numbers": np.zeros(4),
        "mask": np.zeros((2, 2), bool),
    }
    for name, htype in tensors.items():
        ds.create_tensor(name, htype=htype)
    for turn in range(3):
        for array in arrays.values():
            array[...] = turn % 2
        ds.append(arrays)
    for name in tensors:
        assert [int(sample.max()) for sample in ds[name].numpy(aslist=True)] == [0, 1, 0], name
