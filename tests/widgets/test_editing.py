"""Labels repaired in the browser: through the dataset, taken back, committed, heard by every widget."""

from __future__ import annotations

import time

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.widgets import Session, WeightTuner
from tests.widgets.conftest import NUM_SAMPLES, FrontEnd, RpcError, arrays_of, labels_of

ROW = 1  # a Triangle and a Circle, each with its box


def boxes_of(front, row=ROW):
    return front.ask("sample.get", position=row)[0]["sample"]["boxes"]


def uid_of(front, row=ROW):
    return front.ask("sample.get", position=row)[0]["sample"]["uid"]


def instances(result, buffers, num_classes):
    arrays = arrays_of(result["query"]["statistics"], buffers)
    return np.bincount(arrays["class_ids"], arrays["instances"], minlength=num_classes)


@pytest.fixture
def cross(ds):
    return ds.labels.info.class_names.index("Cross")


@pytest.fixture
def added(front, ds, cross):
    """Return the answer to one label added, its buffers, the labels before and the counts expected after."""
    before = labels_of(ds, ROW)
    counts = front.ask("hello")[0]["dataset"]["class_counts"]
    counts[cross] += 1
    boxes = [*boxes_of(front), 1, 2, 10, 20]
    return *front.ask("edit.labels", uid=uid_of(front), labels=[*before, cross], boxes=boxes), before, counts


def test_a_label_added_is_in_the_dataset(added, ds, cross):
    assert labels_of(ds, ROW) == [*added[2], cross]


def test_a_label_added_moves_the_counts(added):
    result, buffers, _, counts = added
    assert result["dataset"]["class_counts"] == counts
    assert instances(result, buffers, len(counts)).tolist() == counts
    assert result["grid"]["size"] == NUM_SAMPLES


def test_a_label_added_is_named_as_an_edit(added):
    result, _, before, _ = added
    assert result["done"] == f"added Cross to sample {ROW}"
    assert (result["dataset"]["num_edits"], result["dataset"]["can_undo"]) == (1, result["done"])
    assert result["sample"]["before"]["labels"] == before
    assert result["sample"]["edited"]


@pytest.fixture
def edited_twice(front, ds, cross):
    """Relabel sample 1 as two crosses, then as nothing; return its labels before."""
    before = labels_of(ds, ROW)
    front.ask("edit.labels", uid=uid_of(front), labels=[cross, cross])
    front.ask("edit.labels", uid=uid_of(front), labels=[], boxes=[])
    assert labels_of(ds, ROW) == []
    return before


def test_undo_goes_back_edit_by_edit(front, ds, cross, edited_twice):
    assert front.ask("edit.undo")[0]["done"].startswith("undone: removed Cross")
    assert labels_of(ds, ROW) == [cross, cross]
    front.ask("edit.undo")
    assert labels_of(ds, ROW) == edited_twice
    assert front.ask("edit.undo")[0]["done"] == "nothing to undo"


def test_redo_goes_forth_again(front, ds, cross, edited_twice):
    front.ask("edit.undo")
    front.ask("edit.undo")
    assert front.ask("edit.redo")[0]["dataset"]["can_undo"]
    assert labels_of(ds, ROW) == [cross, cross]


def test_an_edit_after_undo_ends_what_can_be_redone(front, edited_twice):
    front.ask("edit.undo")
    result = front.ask("edit.labels", uid=uid_of(front), labels=edited_twice)[0]
    assert result["dataset"]["can_redo"] is None


def test_boxes_not_touched_stay_bit_for_bit(front, ds):
    sample = front.ask("sample.get", position=ROW)[0]["sample"]
    before = ds.boxes[ROW].numpy()
    moved = [*sample["boxes"][:-4], 1.5, 2.5, 10, 20]
    result = front.ask("edit.labels", uid=sample["uid"], labels=sample["labels"], boxes=moved)[0]
    after = ds.boxes[ROW].numpy()
    assert after[-1].tolist() == [1.5, 2.5, 10, 20]
    assert after[:-1].tobytes() == before[:-1].tobytes()
    assert result["done"] == f"moved a box of sample {ROW}"
    assert result["sample"]["before"]["boxes"] == sample["boxes"]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({"labels": [99]}, "'99' is not a class"),
        ({"labels": [0]}, "1 labels and 2 boxes"),
        ({"labels": [0, 0], "boxes": [1, 2, 3, 4]}, "2 labels and 1 boxes"),
        ({"labels": [0, 0], "sources": [0, 5]}, "sources"),
        ({"labels": [0, 0], "sources": [1, 1]}, "none twice"),
        ({"labels": [0, 0], "sources": [0]}, "sources"),
        ({"labels": [0, 0], "state": "older"}, "Outdated.*has changed since it was shown"),
        ({"labels": [0], "boxes": [1, 2, 3]}, "x, y, width, height"),
        ({"labels": [0], "boxes": [1, 2, -3, 4]}, "x, y, width, height"),
        ({"labels": ["Cross"]}, "BadRequest"),
        ({"labels": [0], "uid": "77"}, "no sample has the uid 77"),
        ({"labels": [0], "uid": "1; drop"}, "BadRequest"),
    ],
)
def test_a_bad_edit_changes_nothing(front, ds, args, expected):
    before = labels_of(ds, ROW)
    with pytest.raises(RpcError, match=expected):
        front.ask("edit.labels", **{"uid": uid_of(front), **args})
    assert labels_of(ds, ROW) == before
    assert not ds.has_changes


def test_an_edit_that_changes_nothing_makes_no_draft(front, ds):
    result = front.ask("edit.labels", uid=uid_of(front), labels=labels_of(ds, ROW))[0]
    assert result["done"] == "nothing changed"
    assert not ds.has_changes


def test_a_selection_is_relabeled_in_one_step(front, ds, cross):
    before = [labels_of(ds, row) for row in range(10)]
    front.ask("select.set", intervals=[[0, 10]])
    result = front.ask("edit.bulk", add=[], remove=[0], replace=[{"from": 2, "to": cross}])[0]
    expected = [[cross if label == 2 else label for label in labels if label != 0] for labels in before]
    assert [labels_of(ds, row) for row in range(10)] == expected
    assert "removed Circle, Triangle → Cross" in result["done"]
    front.ask("edit.undo")
    assert [labels_of(ds, row) for row in range(10)] == before
    assert not ds.has_changes


def test_relabeling_needs_a_selection(front):
    with pytest.raises(RpcError, match="no sample is selected"):
        front.ask("edit.bulk", add=[0], remove=[])


def test_a_new_class_can_be_given(front, ds):
    result = front.ask("edit.new_class", name=" Hexagon ")[0]
    names = result["dataset"]["class_names"]
    assert names[-1] == "Hexagon"
    front.ask("edit.labels", uid=uid_of(front), labels=[len(names) - 1, 0])
    assert ds.labels[ROW].data()["text"] == ["Hexagon", "Circle"]
    for wrong in ("", "  ", "Hexagon", "x" * 300):
        with pytest.raises(RpcError):
            front.ask("edit.new_class", name=wrong)


@pytest.fixture
def committed(front, ds, cross):
    """Relabel sample 1 and commit; return the labels of all samples before, and the answer."""
    before = [labels_of(ds, row) for row in range(NUM_SAMPLES)]
    front.ask("edit.labels", uid=uid_of(front), labels=[cross, 0])
    return before, front.ask("edit.commit", message="relabel sample 1")[0]


def test_a_commit_is_answered_with_a_clean_dataset(ds, committed):
    result = committed[1]
    assert (result["dataset"]["num_edits"], result["dataset"]["uncommitted"]) == (0, False)
    assert result["done"] == f"committed {ds.version[:7]}"
    assert "relabel sample 1" in str(ds.log())


def test_a_fresh_load_after_a_commit_differs_in_the_edited_sample_alone(ds, cross, committed):
    before, _ = committed
    fresh = penstock.load(ds.path)
    after = [labels_of(fresh, row) for row in range(NUM_SAMPLES)]
    assert after == [[cross, 0] if row == ROW else before[row] for row in range(NUM_SAMPLES)]


@pytest.mark.usefixtures("committed")
def test_a_second_commit_has_nothing_to_commit(front):
    with pytest.raises(RpcError, match="nothing to commit"):
        front.ask("edit.commit", message="again")


@pytest.fixture
def discarded(front, ds, cross):
    """Relabel sample 1 and discard; return its labels before, and the answer."""
    before = labels_of(ds, ROW)
    front.ask("edit.labels", uid=uid_of(front), labels=[cross, cross])
    return before, front.ask("edit.discard")[0]


def test_discard_takes_every_edit_back(ds, discarded):
    before, result = discarded
    assert labels_of(ds, ROW) == before
    assert result["done"] == f"discarded the edits of sample {ROW}"
    assert not ds.has_changes


@pytest.mark.usefixtures("discarded")
def test_discard_can_be_undone(front, ds, cross):
    assert front.ask("edit.undo")[0]["dataset"]["num_edits"] == 1
    assert labels_of(ds, ROW) == [cross, cross]


@pytest.mark.usefixtures("discarded")
def test_discard_without_edits_says_so(front):
    front.ask("edit.undo")
    front.ask("edit.redo")
    assert front.ask("edit.discard")[0]["done"] == "there are no edits to discard"


def test_an_edit_moves_the_sample_out_of_the_query_and_the_grid_holds_it(front, ds):
    text = "select * where contains(labels, 'Cross')"
    size = front.ask("query.run", text=text)[0]["query"]["pool_size"]
    tile = front.ask("grid.page", start=0, stop=1, size=16)[0]["tiles"][0]
    result, _ = front.ask("edit.labels", uid=tile["uid"], labels=[], boxes=[])
    assert result["query"]["pool_size"] == len(front.widget.view) == size - 1
    assert (result["grid"]["size"], result["sample"]["position"]) == (size, 0)


def test_every_session_of_the_dataset_hears_of_an_edit(ds, cross):
    session = Session(ds, query="select * sample by max_weight(contains(labels, 'Cross'): 3, True: 1)")
    first, linked = FrontEnd(penstock.explore(ds)), FrontEnd(WeightTuner(session))
    linked.drain()
    before = session.plan.histogram().raw[cross]
    front_uid = uid_of(first, 0)
    first.ask("edit.labels", uid=front_uid, labels=[cross, *labels_of(ds, 0)[1:]])
    assert session.plan.histogram().raw[cross] == before + 1
    events = [message for message, _ in linked.drain() if message["event"] == "query"]
    assert events[-1]["dataset"]["num_edits"] == 1


def test_labels_edited_in_python_are_seen_at_the_next_run(front, ds, cross):
    ds.labels[ROW] = [cross, cross]
    result = front.ask("query.run", text="select *")[0]
    assert result["query"]["pool_size"] == NUM_SAMPLES
    assert front.ask("sample.get", position=ROW)[0]["sample"]["labels"] == [cross, cross]


@pytest.fixture
def conflict(front, ds, cross):
    """Edit samples 1 and 2 while another session commits sample 1; return the error of the commit."""
    other = penstock.load(ds.path)
    front.ask("edit.labels", uid=uid_of(front), labels=[cross, 0])
    front.ask("edit.labels", uid=uid_of(front, 2), labels=[cross])
    other.labels[ROW] = [ds.labels.info.class_names.index("Ring"), 0]
    other.commit("theirs")
    with pytest.raises(RpcError) as caught:
        front.ask("edit.commit", message="mine")
    return caught.value.error


def test_a_conflict_with_another_session_is_named(conflict):
    values = {"base": "Triangle", "ours": "Cross", "theirs": "Ring"}
    expected = [{"row": ROW, "object": 0, "tensor": "labels", **values}]
    assert (conflict["code"], conflict["num_conflicts"], conflict["conflicts"]) == ("ConflictError", 1, expected)


@pytest.mark.usefixtures("conflict")
def test_no_edit_is_lost_in_a_conflict(front, ds, cross):
    assert labels_of(ds, ROW) == [cross, 0]
    assert front.ask("hello")[0]["dataset"]["num_edits"] == 2


@pytest.mark.usefixtures("conflict")
@pytest.mark.parametrize(("choice", "kept"), [("ours", "Cross"), ("theirs", "Ring")])
def test_a_conflict_is_settled_by_a_choice(front, ds, cross, choice, kept):
    result = front.ask("edit.commit", message="mine", on_conflict=choice)[0]
    assert (result["dataset"]["num_edits"], result["dataset"]["uncommitted"]) == (0, False)
    fresh = penstock.load(ds.path)
    assert fresh.labels[ROW].data()["text"] == [kept, "Circle"]
    assert labels_of(fresh, 2) == [cross]


def test_a_conflict_about_a_deleted_object_names_it(front, ds, cross):
    other = penstock.load(ds.path)
    front.ask("edit.labels", uid=uid_of(front), labels=[cross, *labels_of(ds, ROW)[1:]])
    for name in ("boxes", "labels"):
        other[name][ROW] = other[name][ROW].numpy()[1:]
    other.commit("theirs")
    with pytest.raises(RpcError) as caught:
        front.ask("edit.commit", message="mine")
    values = {"base": "Triangle", "ours": "Cross", "theirs": "deleted"}
    assert caught.value.error["conflicts"] == [{"row": ROW, "object": 0, "tensor": "labels", **values}]


@pytest.mark.slow
def test_statistics_follow_an_edit_of_100k_rows_fast(tmp_path):
    rng = np.random.default_rng(0)
    rows = 100_000
    ds = penstock.from_arrays(
        {"score": rng.random(rows), "labels": rng.integers(0, 15, rows)},
        tmp_path / "many.penstock",
        class_names={"labels": [f"c{i}" for i in range(15)]},
    )
    terms = ", ".join(f"contains(labels, 'c{i}'): {i + 2}" for i in range(6))
    front = FrontEnd(penstock.explore(ds, query=f"select * sample by max_weight({terms}, True: 1)"))
    session = front.widget.session
    taken = []
    for row in range(10, 15):
        uid = int(content_of(ds).table.uids(np.array([row]))[0])
        ds.labels[row] = [int(rng.integers(0, 15))]
        started = time.perf_counter()
        session.follow()
        taken.append(time.perf_counter() - started)
        assert session.run.table.uids(np.array([row]))[0] == uid
    assert min(taken) < 0.2, f"{min(taken) * 1000:.0f} ms; the goal is 50 ms, asserted at 4 times"
