"""The grid's order against Python's own stable sort."""

from __future__ import annotations

import math

import numpy as np
import pytest

import penstock
from penstock.errors import SamplingError, TensorNotFoundError
from penstock.widgets import Explorer, Session
from penstock.widgets.grid._order import stable_order
from tests.widgets.conftest import FrontEnd, RpcError

NUM_ROWS = 30
WEIGHED = "select * sample by max_weight(contains(labels, 'b'): 5, n > 20: 2, True: 1)"


@pytest.fixture(scope="module")
def samples():
    """Rows of every kind of value, with ties, missing ones and NaN."""
    rng = np.random.default_rng(3)
    rows = []
    for number in range(NUM_ROWS):
        boxes = rng.integers(1, 9, (rng.integers(0, 4), 4)).astype(float)
        score = [math.nan, 0.1, 1 / 3, -0.0, 0.0, math.inf, -2.5][rng.integers(7)]
        rows.append(
            {
                "images": np.zeros((int(rng.integers(4, 9)), int(rng.integers(4, 9)), 3), np.uint8),
                "labels": rng.integers(0, 3, len(boxes)).astype(np.uint32),
                "boxes": boxes,
                "n": number,
                "score": score,
                "big": int(rng.integers(-(2**62), 2**62)),
                "flag": bool(rng.integers(2)),
                "file": ["b.png", "a.png", "", "é.png"][rng.integers(4)],
                "age": None if rng.random() < 0.3 else int(rng.integers(3)),
            }
        )
    return rows


@pytest.fixture(scope="module")
def session(samples, tmp_path_factory):
    """A session on them; each test sorts anew."""
    ds = penstock.empty(str(tmp_path_factory.mktemp("order") / "a.penstock"))
    kinds = {"n": "int64", "score": "float64", "big": "int64", "flag": "bool", "age": "int32"}
    with ds:
        ds.create_tensor("images", htype="image", sample_compression="png")
        ds.create_tensor("labels", htype="class_label", class_names=["a", "b", "c"])
        ds.create_tensor("boxes", htype="bbox")
        for name, dtype in kinds.items():
            ds.create_tensor(name, htype="generic", dtype=dtype)
        ds.create_tensor("file", htype="text")
        ds.extend({name: [row[name] for row in samples] for name in samples[0]})
    ds.commit("made")
    return Session(ds)


def sorted_rows(rows, key, descending):
    """The oracle: rows by key, equal ones as they are; those without a key are left out."""
    keys = {row: key(row) for row in rows}
    there = [row for row in rows if keys[row] is not None and keys[row] == keys[row]]
    return sorted(there, key=keys.get, reverse=descending)


def missing_last(rows, found):
    return [*found, *(row for row in rows if row not in set(found))]


def area(box):
    return float(box[2] * box[3])


KEYS = {
    "row": lambda row, sample, largest: row,
    "labels": lambda row, sample, largest: len(sample["labels"]),
    "box_area": lambda row, sample, largest: (
        (max if largest else min)(map(area, sample["boxes"])) if len(sample["boxes"]) else None
    ),
    "image_size": lambda row, sample, largest: sample["images"].shape[0] * sample["images"].shape[1],
    "tensor:n": lambda row, sample, largest: sample["n"],
    "tensor:score": lambda row, sample, largest: sample["score"],
    "tensor:big": lambda row, sample, largest: sample["big"],
    "tensor:flag": lambda row, sample, largest: sample["flag"],
    "tensor:file": lambda row, sample, largest: sample["file"],
    "tensor:age": lambda row, sample, largest: sample["age"],
}


@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
@pytest.mark.parametrize("by", KEYS)
@pytest.mark.parametrize("query", ["select *", "select * where n > 4 order by n % 3 desc"], ids=["all", "ordered"])
def test_an_order_is_that_of_the_oracle(session, samples, by, descending, query):
    session.run_query(query)
    session.show()
    session.sort("query")
    rows = session.display.run.pool[session.display.positions].tolist()
    session.sort(by, descending=descending)
    found = session.display.run.pool[session.display.positions].tolist()
    expected = sorted_rows(rows, lambda row: KEYS[by](row, samples[row], descending), descending)
    assert found == missing_last(rows, expected)


def test_an_order_keeps_to_the_filter(session, samples):
    session.run_query("select *")
    session.show(classes=[1])
    session.sort("tensor:age")
    shown = session.display.run.pool[session.display.positions].tolist()
    assert sorted(shown) == [row for row, sample in enumerate(samples) if 1 in sample["labels"]]
    ages = [samples[row]["age"] for row in shown]
    assert ages == sorted(age for age in ages if age is not None) + [age for age in ages if age is None]
    session.show()


def weight_of(sample):
    return max(5 if 1 in sample["labels"] else 0, 2 if sample["n"] > 20 else 0, 1)


@pytest.mark.parametrize("by", ["weight", "drawn"])
@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
def test_the_heaviest_samples_come_first(session, samples, by, mode):
    session.run_query(WEIGHED, mode=mode)
    session.sort(by)
    shown = session.display.run.pool[session.display.positions].tolist()
    expected = sorted(range(NUM_ROWS), key=lambda row: -weight_of(samples[row]))
    if by == "weight" or mode != "once":  # once an epoch draws every sample once, whatever it weighs
        assert shown == expected
    else:
        assert shown == list(range(NUM_ROWS))


def test_an_order_by_weight_follows_the_sliders(session, samples):
    session.run_query(WEIGHED, mode="iid")
    session.sort("weight")
    token = session.display.token
    session.set_weights([0, 9, 1])
    shown = session.display.run.pool[session.display.positions].tolist()
    weights = [max(9 if samples[row]["n"] > 20 else 0, 1) for row in range(NUM_ROWS)]
    assert shown == sorted(range(NUM_ROWS), key=lambda row: -weights[row])
    assert session.display.token != token


def test_a_sample_that_the_pool_repeats_is_drawn_as_often_as_all_of_its_copies(session):
    repeated = Session(session.dataset[[4, 4, 4, 7, 9, 9]])
    repeated.sort("drawn")
    run = repeated.display.run
    assert run.times_drawn.tolist() == pytest.approx([3, 3, 3, 1, 2, 2])
    assert run.pool[repeated.display.positions].tolist() == [4, 4, 4, 9, 9, 7]


def test_weights_that_draw_nothing_leave_the_order_of_the_query(session):
    session.run_query("select * sample by max_weight(n < 0: 1, n < 3: 1)")
    session.set_weights([0, 0])
    session.sort("drawn")
    assert session.display.run.pool[session.display.positions].tolist() == list(range(NUM_ROWS))
    session.run_query("select *")


@pytest.mark.parametrize(
    ("by", "error"),
    [
        ("shoe size", SamplingError),
        ("tensor:shoe", TensorNotFoundError),
        ("tensor:boxes", SamplingError),
        ("tensor:images", SamplingError),
        ("tensor:", TensorNotFoundError),
    ],
    ids=["no order", "no tensor", "boxes", "images", "no name"],
)
def test_an_order_that_does_not_exist_is_refused(session, by, error):
    session.sort("row")
    with pytest.raises(error):
        session.sort(by)
    assert session.display.order.by == "row"


def test_scalar_tensors_are_offered(front, ds):
    dataset = front.ask("hello")[0]["dataset"]
    assert set(dataset["scalar_tensors"]) <= set(ds.tensors)
    assert not {"images", "boxes", "labels"} & set(dataset["scalar_tensors"])


@pytest.mark.parametrize("args", [{"sort": 3}, {"sort": "row", "descending": 1}, {"sort": "x" * 2000}, {}])
def test_an_order_that_is_not_of_the_contract_is_refused(front, args):
    with pytest.raises(RpcError, match="BadRequest"):
        front.ask("grid.sort", **args)


def test_a_tensor_that_is_gone_gives_the_order_of_the_query(tmp_path):
    ds = penstock.empty(str(tmp_path / "a.penstock"))
    with ds:
        for name in ("n", "m"):
            ds.create_tensor(name, htype="generic", dtype="int64")
        ds.extend({"n": np.array([2, 1, 3]), "m": np.arange(3)})
    session = Session(ds)
    session.sort("tensor:n", descending=True)
    assert session.display.positions.tolist() == [2, 0, 1]
    ds.delete_tensor("n")
    session.follow(store=True)
    assert (session.display.order.by, session.display.positions.tolist()) == ("query", [0, 1, 2])


@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
@pytest.mark.parametrize(
    "keys",
    [
        np.array([], np.float64),
        np.array([2**63 - 1, -(2**63), 0, -1, 2**63 - 1]),
        np.array([2**64 - 1, 0, 2**63], np.uint64),
        np.array([1e300, -1e300, 1e-300, 0.0, -0.0, np.inf, -np.inf]),
        np.array([0.1, 0.1 + 1e-16, 0.1], np.float64),
        np.array([1.5, -2.5, 0.0, -0.0, 1.5], np.float32),
        np.array([True, False, True]),
        np.array([5, 5, 5], np.uint8),
    ],
    ids=["none", "whole range", "unsigned", "huge floats", "close floats", "short floats", "booleans", "equal"],
)
def test_a_packed_sort_is_a_stable_sort(keys, descending):
    places = sorted(range(len(keys)), key=lambda i: _exact(keys[i], descending))
    assert stable_order(keys, descending=descending).tolist() == places


def _exact(value, descending):
    number = value.item()
    return -number if descending else number


def test_tiles_tell_what_they_are_sorted_by(session, samples):
    front = FrontEnd(Explorer(session))
    session.sort("tensor:score", descending=True)
    shown = front.ask("grid.page", start=0, stop=NUM_ROWS, size=32)[0]["tiles"]
    for tile in shown:
        score = samples[tile["row"]]["score"]
        assert tile["value"] == (score if math.isfinite(score) else str(score))
    session.sort("tensor:big")
    shown = front.ask("grid.page", start=0, stop=NUM_ROWS, size=32)[0]["tiles"]
    assert [int(tile["value"]) for tile in shown] == sorted(row["big"] for row in samples)
    session.sort("query")
    assert all("value" not in tile for tile in front.ask("grid.page", start=0, stop=3, size=32)[0]["tiles"])


def test_tiles_tell_what_a_query_computed(session, samples):
    front = FrontEnd(Explorer(session))
    session.run_query("select images, n * 2 as double where n > 3")
    session.sort("column:double", descending=True)
    shown = front.ask("grid.page", start=0, stop=4, size=32)[0]["tiles"]
    assert [(tile["row"], tile["value"]) for tile in shown] == [(row, 2 * row) for row in range(29, 25, -1)]
    session.run_query("select *")
