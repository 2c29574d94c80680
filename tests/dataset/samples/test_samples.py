"""Single samples, tensors of several, and what a view refuses."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import penstock
from penstock.errors import DatasetError, PenstockError, ReadOnlyError, SampleError, SamplingError, TensorNotFoundError


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    ds = penstock.empty(tmp_path_factory.mktemp("samples") / "ds")
    ds.create_tensor("images", htype="image")
    ds.create_tensor("boxes", htype="bbox", coords="xyxy")
    ds.create_tensor("labels", htype="class_label", class_names=["cat", "dog"])
    ds.create_tensor("notes", htype="json")
    ds.create_tensor("marks", dtype="int64")
    for row in range(4):
        ds.append(
            {
                "images": np.full((2, 3, 1), row, np.uint8),
                "boxes": [[0, 0, row, 1]],
                "labels": [row % 2],
                "notes": {"row": row},
                "marks": [row] * row,
            }
        )
    ds.commit("four")
    return ds


@pytest.fixture
def ds(stored):
    return penstock.load(stored.path)


def test_sample_knows_its_row(ds):
    assert [sample.index for sample in ds[[2, 0]]] == [2, 0]


def test_sample_keeps_its_uid_in_a_view(ds):
    assert ds[[2, 0]][0].uid == ds[2].uid != ds[0].uid


def test_sample_lists_its_tensors(ds):
    assert list(ds[0]) == ds[0].keys() == ["images", "boxes", "labels", "notes", "marks"]


def test_sample_completes_its_tensors(ds):
    assert {"images", "labels"} <= set(dir(ds[0]))


def test_sample_reads_all_its_tensors(ds):
    arrays = ds[1].numpy()
    assert arrays["labels"].tolist() == [1]
    assert arrays["images"].tolist() == [[[1]] * 3] * 2


def test_sample_is_shown_with_its_tensors(ds):
    assert repr(ds[3]) == "Sample(3: images, boxes, labels, notes, marks)"


@pytest.mark.parametrize(
    "get", [lambda sample: sample["label"], lambda sample: sample.label], ids=["by name", "as an attribute"]
)
def test_tensor_that_a_sample_does_not_have_is_named(ds, get):
    with pytest.raises(TensorNotFoundError, match="did you mean 'labels'"):
        get(ds[0])


def test_private_attribute_of_a_sample_is_not_a_tensor(ds):
    with pytest.raises(AttributeError, match="_repr_png_"):
        ds[0]._repr_png_  # noqa: B018  notebooks ask for it


@pytest.mark.parametrize(
    ("tensor", "text"),
    [("labels", "class_names=['cat', 'dog']"), ("boxes", "coords='xyxy'"), ("marks", "TensorInfo()")],
)
def test_info_of_a_tensor_is_shown(ds, tensor, text):
    assert text in repr(ds[tensor].info)


@pytest.mark.parametrize(
    ("index", "text"), [(slice(None), "4 samples"), ([0, 2], "2 samples"), (1, "sample")], ids=["all", "two", "one"]
)
def test_tensor_is_shown_with_its_number_of_samples(ds, index, text):
    assert repr(ds.labels[index]) == f"Tensor('labels', class_label, {text})"


def test_tensor_is_an_array_for_numpy(ds):
    assert np.concatenate([ds.images[0], ds.images[3]]).max() == 3


def test_tensor_goes_through_its_samples(ds):
    assert [sample.numpy().tolist() for sample in ds.labels] == [[0], [1], [0], [1]]


def test_sample_of_one_sample_is_refused(ds):
    with pytest.raises(DatasetError, match="numpy"):
        ds.boxes[0][0]


def test_assignment_into_one_sample_is_refused(ds):
    with pytest.raises(DatasetError, match=r"ds\.boxes\[i\]"):
        ds.boxes[0][0] = 1


def test_assignment_of_one_value_to_several_samples_is_refused(ds):
    with pytest.raises(SampleError, match="one value"):
        ds.marks[:2] = 5


def test_samples_are_assigned_from_another_tensor(tmp_path, ds):
    other = penstock.empty(tmp_path / "other")
    other.create_tensor("labels", htype="class_label", class_names=["cat", "dog"])
    other.extend({"labels": [None, None]})
    other.labels[:] = [ds.labels[1], ds.labels[2]]
    assert [labels.tolist() for labels in other.labels.numpy(aslist=True)] == [[1], [0]]


def test_encoded_bytes_of_an_image_are_those_of_its_file(ds):
    assert ds.images[1].tobytes()[:4] == b"\x89PNG"
    assert len(ds.images.tobytes()) == 4


@pytest.mark.parametrize(
    "read", [lambda ds: ds.labels.tobytes(), lambda ds: ds.images.links()], ids=["bytes of labels", "links of images"]
)
def test_tensor_of_another_kind_is_refused(ds, read):
    with pytest.raises(DatasetError, match=r"(?i)expected an? (image|link) tensor"):
        read(ds)


@pytest.mark.parametrize("tensor", ["images", "notes", "marks"])
def test_tensor_that_holds_no_labels_is_refused_where_labels_are_counted(ds, tensor):
    from penstock.sampling import inverse_frequency

    with pytest.raises(SamplingError, match=tensor):
        inverse_frequency(ds[tensor])


VIEW_REFUSES = {
    "assignment": lambda view: view[0].__setitem__("labels", [1]),
    "assignment to a tensor": lambda view: view.labels.__setitem__(0, [1]),
    "new class": lambda view: view.labels.add_class("fox"),
    "new name": lambda view: view.labels.rename_class("cat", "fox"),
    "merge": lambda view: view.labels.merge_classes(["cat"], "dog"),
}


@pytest.mark.parametrize("change", VIEW_REFUSES.values(), ids=VIEW_REFUSES)
def test_view_refuses_changes(ds, change):
    with pytest.raises(ReadOnlyError, match="view"):
        change(ds[0:2])
    assert not ds.has_changes


def test_view_of_another_kind_has_html(ds):
    assert ds[0:2]._repr_html_().count("<tr>") == 6


def test_pandas_has_bytes_of_images_on_demand(ds):
    frame = ds.pandas(["images", "notes"])
    assert frame["images"][0][:4] == b"\x89PNG"
    assert frame["notes"].tolist() == [{"row": row} for row in range(4)]


@pytest.mark.parametrize("stratify", ["images", "marks"])
def test_split_by_what_is_not_a_label_is_refused(ds, stratify):
    with pytest.raises(DatasetError, match="class_label"):
        ds.split({"train": 0.5, "val": 0.5}, stratify=stratify)


@pytest.fixture
def noted(tmp_path):
    ds = penstock.empty(tmp_path / "noted")
    ds.info.update({"source": "camera", "sizes": [1, 2]})
    return ds


def test_notes_are_shown(noted):
    assert "camera" in repr(noted.info)
    assert sorted(noted.info) == ["sizes", "source"]


def test_notes_are_cleared_at_once(noted):
    noted.info.clear()
    assert len(penstock.load(noted.path).info) == 0


@pytest.mark.parametrize(
    "notes",
    [{3: "x"}, {"x": math.nan}, {"x": {1, 2}}, {"x": b"bytes"}, {"x": "caf\udce9"}],
    ids=["number for a name", "NaN", "set", "bytes", "surrogate"],
)
def test_notes_that_json_cannot_hold_are_refused(noted, notes):
    before = dict(noted.info)
    with pytest.raises(PenstockError):
        noted.info.update(notes)
    assert dict(noted.info) == before


def test_notes_are_json_beside_the_samples(noted):
    assert json.loads(json.dumps(dict(noted.info))) == {"source": "camera", "sizes": [1, 2]}
