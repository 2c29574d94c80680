"""Requests that can be made by hand, by an old page or by another program: refused in words, and nothing changes."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.errors import DatasetError
from penstock.widgets import Session
from tests.widgets.conftest import FrontEnd, RpcError

TABLE = "select label, count(*) as n group by label"


@pytest.fixture(scope="module")
def plain_folder(tmp_path_factory):
    """Four numbers with labels: no image, no box."""
    folder = tmp_path_factory.mktemp("plain") / "plain.penstock"
    penstock.from_arrays(
        {"x": np.array([1.0, np.inf, 2.0, 3.0]), "label": [0, 0, 1, 1]},
        folder,
        class_names={"label": ["car", "bus"]},
        progress=False,
    )
    return str(folder)


@pytest.fixture
def plain(plain_folder):
    return penstock.load(plain_folder)


@pytest.fixture
def plain_front(plain):
    return FrontEnd(penstock.explore(plain))


def test_a_table_result_has_no_targets_to_solve(plain_front):
    with pytest.raises(RpcError, match="returns a table, not samples; there is nothing to weigh"):
        plain_front.ask("targets.solve", text=TABLE, targets=[{"class_index": 0, "share": 0.5}], unit="samples")


def test_a_table_result_draws_nothing(plain_front):
    plain_front.ask("query.run", text=TABLE)
    with pytest.raises(RpcError, match="returns a table, not samples; nothing is drawn from it"):
        plain_front.ask("plan.drawn", num_epochs=1, weights=[], mode="iid", seed=0)


def test_a_target_is_of_a_class_that_exists(plain_front):
    with pytest.raises(RpcError, match="class 7 does not exist; the dataset has 2 classes"):
        plain_front.ask("targets.solve", text="select *", targets=[{"class_index": 7, "share": 0.5}], unit="samples")


def test_there_is_a_weight_for_each_clause(plain_front):
    plain_front.ask("query.run", text="select * sample by max_weight(label == 'car': 3, True: 1)")
    with pytest.raises(RpcError, match="3 weights given; the query has 2 weight clauses"):
        plain_front.ask("plan.drawn", num_epochs=1, weights=[1, 2, 3], mode="iid", seed=0)


def test_boxes_are_drawn_only_where_there_is_a_tensor_for_them(plain, plain_front):
    sample = plain_front.ask("sample.get", position=0)[0]["sample"]
    with pytest.raises(RpcError, match="the dataset has no bbox tensor"):
        plain_front.ask("edit.labels", uid=sample["uid"], labels=[0], boxes=[1, 2, 3, 4])
    assert not plain.has_changes


def test_a_region_is_of_an_image(plain_front):
    uid = plain_front.ask("sample.get", position=0)[0]["sample"]["uid"]
    with pytest.raises(RpcError, match="the dataset has no images"):
        plain_front.ask("sample.region", uid=uid, x=0, y=0, width=1, height=1, scale=1)


def test_a_saved_view_of_picked_rows_is_not_opened_as_a_query(front, ds):
    view_id = ds[[3, 1]].save_view("picked")
    with pytest.raises(RpcError, match=f"view '{view_id}' has no query"):
        front.ask("views.open", id=view_id)


def test_a_view_of_a_result_table_is_not_explored(plain):
    with pytest.raises(DatasetError, match="cannot explore a view of a result table"):
        penstock.explore(plain.query(TABLE))


def test_a_cell_is_inserted_only_in_a_notebook(explorer):
    with pytest.raises(RuntimeError, match="a cell can only be inserted in a notebook"):
        explorer.export_cell()


def test_a_widget_that_cannot_be_reached_keeps_nobody_else_from_news(plain):
    class Broken:
        def session_changed(self, what):
            raise ConnectionError(what)

    class Hears:
        def __init__(self):
            self.heard = []

        def session_changed(self, what):
            self.heard.append(what)

    session, watchers = Session(plain), [Broken(), Hears(), Broken()]
    for watcher in watchers:
        session.watch(watcher)
    session.run_query("select * limit 2")
    assert watchers[1].heard == ["query"]


def test_cells_of_a_table_name_the_classes(plain_front):
    query = plain_front.ask("query.run", text=f"{TABLE} order by label")[0]["query"]
    assert query["table"] == {"columns": ["label", "n"], "rows": [["car", 2], ["bus", 2]]}


def test_a_number_without_end_is_a_text_in_a_table(plain_front):
    text = "select label, max(x) as most group by label order by label"
    query = plain_front.ask("query.run", text=text)[0]["query"]
    assert query["table"]["rows"] == [["car", "inf"], ["bus", 3.0]]


def test_a_box_of_corners_is_stored_as_corners(tmp_path):
    ds = penstock.empty(tmp_path / "corners.penstock")
    ds.create_tensor("images", htype="image")
    ds.create_tensor("boxes", htype="bbox", coords="xyxy")
    ds.create_tensor("labels", htype="class_label", class_names=["car"])
    ds.append({"images": np.zeros((20, 30, 3), np.uint8), "boxes": [[1, 2, 11, 22]], "labels": [0]})
    ds.commit("one")
    front = FrontEnd(penstock.explore(ds))
    sample = front.ask("sample.get", position=0)[0]["sample"]
    assert sample["boxes"] == [1, 2, 10, 20]
    front.ask("edit.labels", uid=sample["uid"], labels=[0, 0], boxes=[1, 2, 10, 20, 5, 6, 7, 8])
    assert ds.boxes[0].numpy().tolist() == [[1, 2, 11, 22], [5, 6, 12, 14]]


def test_weights_come_from_the_browser_as_doubles(front):
    front.ask("query.run", text="select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)")
    state = {"method": "update", "state": {}, "buffer_paths": [["weights"]]}
    front.widget.comm.handle_msg({"content": {"data": state}, "buffers": [np.array([3.0, 0.5], "<f8").tobytes()]})
    assert front.widget.weights.tolist() == [3, 0.5]


def test_weights_may_come_as_a_list(front):
    front.ask("query.run", text="select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)")
    front.set_state(weights=[3, 0.5])
    assert front.widget.weights.tolist() == [3, 0.5]


def test_an_edit_that_python_has_replaced_cannot_be_undone(front, ds):
    sample = front.ask("sample.get", position=1)[0]["sample"]
    front.ask("edit.labels", uid=sample["uid"], labels=[], boxes=[])
    ds.labels[1], ds.boxes[1] = ["Ring"], [[1, 2, 3, 4]]
    done = front.ask("edit.undo")[0]["done"]
    assert done.startswith("nothing to undo")
    # said by whoever came first: the answer, or the follower of the dataset in its note
    assert "1 earlier edit" in f"{done} {front.widget.session.note}"
    assert ds.labels[1].data()["text"] == ["Ring"]


def test_an_undone_edit_that_python_has_replaced_cannot_be_redone(front, ds):
    sample = front.ask("sample.get", position=1)[0]["sample"]
    front.ask("edit.labels", uid=sample["uid"], labels=[], boxes=[])
    front.ask("edit.undo")
    ds.labels[1], ds.boxes[1] = ["Ring"], [[1, 2, 3, 4]]
    done = front.ask("edit.redo")[0]["done"]
    assert done.startswith("nothing to redo")
    # said by whoever came first: the answer, or the follower of the dataset in its note
    assert "1 earlier edit" in f"{done} {front.widget.session.note}"
    assert ds.labels[1].data()["text"] == ["Ring"]
