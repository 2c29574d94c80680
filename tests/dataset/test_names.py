"""Tensors of any name: groups, dots, dashes and spaces, words of the language and of Python."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock import tql
from penstock.dataset.samples._reserved import ELSEWHERE, kinds_with, reserved_names
from penstock.errors import DatasetError, TensorNotFoundError
from penstock.sampling import inverse_frequency

NAMES = ["a/b", "a.b", "a-b", "a b", "pose/left.knee 2-d", "order", "uid", "Uid", "ä/ö", "2d", "a.b.c", "x/y/z"]


def filled(path, name, **options):
    ds = penstock.empty(path)
    ds.create_tensor(name, htype="class_label", class_names=["car", "dog"])
    ds.create_tensor(f"{name}/vector", **options)
    ds.create_tensor(f"{name}/image", htype="image")
    ds.create_tensor(f"{name}/box", htype="bbox")
    images = [np.full((2, 3, 3), value, np.uint8) for value in range(4)]
    boxes = [[[0, 0, 1, 1]]] * 4
    ds.extend({name: [0, 0, 0, 1], f"{name}/vector": [[1.0, 2.0]] * 4, f"{name}/image": images, f"{name}/box": boxes})
    ds.commit("made")
    return ds


@pytest.mark.filterwarnings("ignore:'uid' is also an attribute")
@pytest.mark.parametrize("name", NAMES)
def test_a_name_lasts_through_every_operation(tmp_path, name):
    ds = filled(tmp_path / "ds", name)
    ds.checkout("other", create=True)
    ds[name][0] = "dog"
    ds[f"{name}/vector"][1] = [5.0, 6.0]
    ds[f"{name}/image"][2] = np.full((4, 4, 3), 9, np.uint8)
    ds.commit("edited")
    ds.checkout("main")
    ds.pop(3)
    ds.commit("popped")
    assert ds.merge("other") == []
    again = penstock.load(tmp_path / "ds")
    assert [again[name][row].numpy().tolist() for row in range(3)] == [[1], [0], [0]]
    assert again[f"{name}/vector"][1].numpy().tolist() == [5.0, 6.0]
    assert again[f"{name}/image"].shape == (3, None, None, 3)
    assert again.verify().ok
    quoted = tql.unparse(tql.parse(f"select * where contains(\"{name}\", 'dog')"))
    assert again.query(quoted).indices.tolist() == [0]
    assert again.query(inverse_frequency(again[name]).to_tql().join(["select * sample by ", ""])).num_samples == 3
    batch = next(iter(again.dataloader().batch(3).numpy(tensors=[name, f"{name}/vector"])))
    assert sorted(batch) == sorted([name, f"{name}/vector", "index"])
    assert again.pandas([name])[name].tolist() == ["dog", "car", "car"]


def test_names_are_reached_in_brackets(tmp_path):
    ds = filled(tmp_path / "ds", "a/b")
    assert ds["a/b"].htype == "class_label"
    assert ds[0]["a/b"].numpy().tolist() == [0]


def test_names_that_need_brackets_are_listed_in_repr_alone(tmp_path):
    ds = filled(tmp_path / "ds", "a/b")
    assert "a/b" not in dir(ds)
    assert "a/b" in repr(ds)


def test_names_with_slashes_are_in_an_optimized_view(tmp_path):
    ds = filled(tmp_path / "ds", "a/b")
    view_id = ds.query("select *").save_view()
    assert ds.load_view(view_id, optimize=True)["a/b/image"][1].numpy().max() == 1


@pytest.mark.parametrize(
    "name",
    ["", "_a", "a/", "/a", "a//b", "a.", ".a", "a b ", "a/_b", "a\nb", "a\x1bb", "a'b", 'a"b', "a%b", "x" * 201, 3],
)
def test_other_names_are_refused(tmp_path, name):
    ds = penstock.empty(tmp_path / "ds")
    with pytest.raises(DatasetError, match="is not a valid tensor name"):
        ds.create_tensor(name)


@pytest.mark.parametrize("name", ["commit", "save_view", "pool", "spec", "index", "keys", "filter", "info", "indices"])
def test_a_part_of_datasets_or_views_is_never_a_tensor_behind_the_dot(tmp_path, name):
    ds = penstock.empty(tmp_path / "ds")
    with pytest.warns(UserWarning, match=r"Use ds\["):
        ds.create_tensor(name, htype="text")
    ds.append({name: "x"})
    assert ds[name][0].numpy().tolist() == "x"
    for owner in (ds, ds[:1]):
        if not hasattr(type(owner), name):
            with pytest.raises(AttributeError, match=r"use ds\["):
                getattr(owner, name)
        assert not isinstance(getattr(owner, name, None), penstock.dataset.Tensor)


def test_names_of_datasets_and_views_are_reserved():
    assert {"commit", "merge", "save_view", "pool", "query", "index", "uid"} <= reserved_names()
    assert not reserved_names() & set(ELSEWHERE)


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_a_name_of_another_library_says_what_to_write(tmp_path, name):
    ds = penstock.empty(tmp_path / "ds")
    with pytest.raises(TensorNotFoundError, match="Hint: use "):
        getattr(ds, name)


def test_a_tensor_of_such_a_name_is_a_tensor(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("description", htype="text")
    ds.append({"description": "x"})
    assert ds.description[0].numpy().tolist() == "x"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "name", ["table", "state", "origin", "assign", "resolver", "tensor_spec", "listeners", "names"]
)
def test_a_name_that_only_penstock_itself_used_is_a_tensor_behind_the_dot(tmp_path, name):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor(name, htype="text")
    ds.append({name: "x"})
    ds.commit("made")
    assert [getattr(owner, name)[0].numpy().tolist() for owner in (ds, ds[:1], ds.query("select *"))] == ["x"] * 3
    assert getattr(ds[0], name).numpy().tolist() == "x"


@pytest.mark.parametrize(
    ("name", "of"),
    [("commit", "datasets"), ("save_view", "views"), ("keys", "samples"), ("query", "datasets and views")],
)
def test_a_part_says_what_it_is_a_part_of(name, of):
    assert kinds_with(name) == of
