"""Data with nothing to count, to show or to draw: every panel says so, none breaks."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.tensors import encode_image
from tests.widgets.conftest import FrontEnd, RpcError, arrays_of


def image(seed=0):
    return encode_image(np.random.default_rng(seed).integers(0, 255, (24, 32, 3), np.uint8), "png")


def opened(path, tensors, rows):
    ds = penstock.empty(str(path / "odd.penstock"))
    for name, options in tensors.items():
        ds.create_tensor(name, **options)
    ds.extend(rows)
    ds.commit("made")
    return ds


def test_no_labels_no_images(tmp_path):
    ds = penstock.from_arrays({"x": np.arange(6.0), "y": np.ones((6, 3))}, tmp_path / "plain.penstock")
    front = FrontEnd(penstock.explore(ds))
    hello, _ = front.ask("hello")
    assert hello["dataset"]["label_tensor"] is None
    assert hello["dataset"]["image_tensor"] is None
    assert hello["query"]["rare_classes"] == []
    tiles = front.ask("grid.page", start=0, stop=6, size=64)[0]["tiles"]
    assert {tile["error"] for tile in tiles} == {"the dataset has no images"}
    sample = front.ask("sample.get", position=2)[0]["sample"]
    assert [(field["name"], field["value"]) for field in sample["fields"]] == [("x", "2.0"), ("y", "[1., 1., 1.]")]
    run = front.ask("query.run", text="select * where x > 2 sample by max_weight(x > 4: 3, True: 1)")[0]["query"]
    assert (run["pool_size"], run["statistics"]["num_classes"]) == (3, 0)
    drawn = front.ask("plan.drawn", num_epochs=1, weights=[3, 1], mode="iid", seed=0)[0]
    assert drawn["counts"] == []
    for op, args in (
        ("edit.labels", {"uid": sample["uid"], "labels": [0]}),
        ("edit.new_class", {"name": "a"}),
        ("clause.add", {"text": "select *", "class_index": 0, "weight": 2}),
        ("clause.preset", {"text": "select *", "preset": "balanced"}),
    ):
        with pytest.raises(RpcError):
            front.ask(op, **args)


def test_no_samples(tmp_path):
    ds = opened(
        tmp_path,
        {"images": {"htype": "image"}, "labels": {"htype": "class_label", "class_names": ["a", "b"]}},
        {"images": [], "labels": []},
    )
    front = FrontEnd(penstock.explore(ds))
    hello, buffers = front.ask("hello")
    assert (hello["query"]["pool_size"], hello["dataset"]["class_counts"]) == (0, [0, 0])
    assert arrays_of(hello["query"]["statistics"], buffers)["sizes"].tolist() == []
    page = front.ask("grid.page", start=0, stop=10, size=64)[0]
    assert (page["tiles"], page["pool_size"], page["token"]) == ([], 0, hello["grid"]["token"])
    assert front.ask("plan.drawn", num_epochs=2, weights=[], mode="iid", seed=0)[0] == {
        "unique": [0, 0],
        "counts": [0, 0],
    }
    with pytest.raises(RpcError):
        front.ask("sample.get", position=0)
    with pytest.raises(penstock.PenstockError, match="no sample"):
        front.widget.loader()


def test_one_sample(tmp_path):
    ds = opened(
        tmp_path,
        {"images": {"htype": "image"}, "labels": {"htype": "class_label", "class_names": ["a", "b"]}},
        {"images": [image()], "labels": [[1]]},
    )
    front = FrontEnd(penstock.explore(ds))
    assert front.ask("grid.page", start=0, stop=10, size=64)[0]["tiles"][0]["labels"] == [1]
    assert front.ask("plan.drawn", num_epochs=1, weights=[], mode="iid", seed=0)[0] == {"unique": [1], "counts": [0, 1]}


@pytest.fixture
def tiles_of_boxes_alone(tmp_path):
    """Return the tiles of boxes without labels; the second image is missing."""
    ds = opened(
        tmp_path,
        {"images": {"htype": "image"}, "boxes": {"htype": "bbox", "coords": "xyxy"}},
        {"images": [image(), None, image(1)], "boxes": [[[1, 2, 11, 22]], [], [[0, 0, 5, 5], [2, 2, 4, 8]]]},
    )
    return FrontEnd(penstock.explore(ds)).ask("grid.page", start=0, stop=3, size=64)[0]["tiles"]


def test_boxes_without_labels_are_shown(tiles_of_boxes_alone):
    assert [tile["boxes"] for tile in tiles_of_boxes_alone] == [[1, 2, 10, 20], [], [0, 0, 5, 5, 2, 2, 2, 6]]
    assert [tile["labels"] for tile in tiles_of_boxes_alone] == [[], [], []]


def test_a_missing_image_is_reported_on_its_tile(tiles_of_boxes_alone):
    assert [tile["error"] for tile in tiles_of_boxes_alone] == [None, "this sample has no image", None]


def test_a_tensor_of_scalars_weighs_rows(tmp_path):
    ds = penstock.from_arrays(
        {"x": np.array([0.0, 1, 2, 3]), "labels": [0, 1, 0, 1]},
        tmp_path / "w.penstock",
        class_names={"labels": ["a", "b"]},
    )
    front = FrontEnd(penstock.explore(ds))
    query = front.ask("query.run", text="select * sample by x")[0]["query"]
    assert query["has_sampling"]
    assert all(clause["from"] is None for clause in query["clauses"])
    rows = np.concatenate([batch["index"] for batch in front.widget.loader(2, "numpy")])
    assert 0 not in rows
    names = {}
    exec(compile(front.widget.export_code(2, "numpy"), "cell", "exec"), names)
    assert np.concatenate([batch["index"] for batch in names["loader"]]).tolist() == rows.tolist()
    drawn = front.ask("plan.drawn", num_epochs=1, weights=[1], mode="iid", seed=0)[0]
    assert drawn["unique"] == [len(set(rows.tolist()))]
    front.ask("weights.set", weights=[1], text="select * sample by x", mode="deck", seed=3)
    assert (front.widget.spec.mode, front.widget.spec.seed) == ("deck", 3)


ROW_QUERIES = [
    "select * order by x desc limit 3",
    "select * where x > 1 union select * where x < 1",
    "select x * 2 as twice, labels where x > 0",
    "select * limit 2 offset 1",
]


@pytest.fixture
def numbered(tmp_path):
    return penstock.from_arrays(
        {"x": np.array([0.0, 1, 2, 3]), "labels": [0, 1, 0, 1]},
        tmp_path / "w.penstock",
        class_names={"labels": ["a", "b"]},
    )


@pytest.mark.parametrize("text", ROW_QUERIES)
def test_other_row_queries_are_explored(numbered, text):
    front = FrontEnd(penstock.explore(numbered))
    query = front.ask("query.run", text=text)[0]["query"]
    pool = numbered.query(text).indices
    assert (query["kind"], query["pool_size"]) == ("rows", len(pool))
    tiles = front.ask("grid.page", start=0, stop=9, size=64)[0]["tiles"]
    assert [tile["row"] for tile in tiles] == pool.tolist()


@pytest.mark.parametrize("text", ROW_QUERIES)
def test_other_row_queries_are_exported(numbered, text):
    front = FrontEnd(penstock.explore(numbered))
    front.ask("query.run", text=text)
    names = {}
    exec(compile(front.widget.export_code(2, "numpy"), "cell", "exec"), names)
    rows = np.concatenate([batch["index"] for batch in names["loader"]])
    assert sorted(rows.tolist()) == sorted(numbered.query(text).indices.tolist())
