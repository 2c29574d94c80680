"""Samples that were relabeled stay in the grid where they were until it is arranged anew."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.widgets.grid._held import held_order
from tests.widgets.conftest import FrontEnd

NUM_ROWS = 6


@pytest.fixture
def front(tmp_path):
    """Six samples without a label, of two classes."""
    ds = penstock.empty(str(tmp_path / "a.penstock"))
    with ds:
        ds.create_tensor("labels", htype="class_label", class_names=["bus", "car"])
        ds.create_tensor("n", htype="generic", dtype="int64")
        ds.extend({"labels": [np.empty(0, np.uint32)] * NUM_ROWS, "n": np.arange(NUM_ROWS)})
    ds.commit("made")
    return FrontEnd(penstock.explore(ds))


def uids(front):
    return [row["uid"] for row in page(front)]


def page(front):
    return front.ask("table.rows", start=0, stop=NUM_ROWS, names=["n"])[0]["rows"]


def shown(front):
    """Return n of each sample in the grid, and which of them no longer match."""
    rows = page(front)
    return [row["cells"][0] for row in rows], [row["cells"][0] for row in rows if row["held"]]


def label(front, uid, labels):
    return front.ask("edit.labels", uid=uid, labels=labels)[0]


def only(front, states=(), classes=(), how="any"):
    return front.ask("grid.filter", classes=list(classes), how=how, states=list(states))[0]["grid"]


ASKED = {
    "the filter": lambda front: only(front, ["unlabeled"]),
    "a class": lambda front: only(front, classes=[0, 1], how="not"),
    "the query": lambda front: front.ask("query.run", text="select * where shape(labels)[0] = 0"),
    "a negated class": lambda front: front.ask("query.run", text="select * where not contains(labels, 'car')"),
}


@pytest.mark.parametrize("asked", ASKED)
def test_a_labeled_sample_keeps_its_place_when_it_no_longer_matches(front, asked):
    ASKED[asked](front)
    reply = label(front, uids(front)[1], [1])
    assert shown(front) == ([0, 1, 2, 3, 4, 5], [1])
    assert (reply["grid"]["size"], reply["grid"]["held"], reply["grid"]["stale"]) == (NUM_ROWS, 1, True)
    assert reply["sample"]["held"]
    assert reply["sample"]["position"] == 1


def test_every_sample_is_labeled_once_when_each_step_follows_its_label(front):
    only(front, ["unlabeled"])
    for position in range(NUM_ROWS):
        sample = front.ask("sample.get", position=position)[0]["sample"]
        assert sample["labels"] == []
        label(front, sample["uid"], [0])
    assert shown(front) == ([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5])
    assert only(front, ["unlabeled"])["size"] == 0


@pytest.mark.parametrize("anew", ["filter", "sort", "query"])
def test_held_samples_leave_when_the_grid_is_arranged_anew(front, anew):
    only(front, ["unlabeled"])
    label(front, uids(front)[1], [1])
    if anew == "filter":
        only(front, ["unlabeled"])
    elif anew == "sort":
        front.ask("grid.sort", sort="row")
    else:
        front.ask("query.run", text="select *")
    assert shown(front) == ([0, 2, 3, 4, 5], [])


def test_undo_makes_a_held_sample_match_again_in_its_place(front):
    only(front, ["unlabeled"])
    label(front, uids(front)[1], [1])
    grid = front.ask("edit.undo")[0]["grid"]
    assert shown(front) == ([0, 1, 2, 3, 4, 5], [])
    assert (grid["held"], grid["stale"]) == (0, False)
    assert front.ask("edit.redo")[0]["grid"]["held"] == 1


def test_undo_brings_a_sample_back_to_its_place_when_it_had_left(front):
    only(front, ["unlabeled"])
    label(front, uids(front)[1], [1])
    only(front, ["unlabeled"])
    front.ask("edit.undo")
    assert shown(front) == ([0, 1, 2, 3, 4, 5], [])


def test_undo_holds_a_sample_that_matched_by_the_edit(front):
    label(front, uids(front)[2], [1])
    only(front, classes=[1])
    assert shown(front) == ([2], [])
    front.ask("edit.undo")
    assert shown(front) == ([2], [2])


def test_an_edit_moves_no_sample_when_the_order_is_by_labels(front):
    front.ask("grid.sort", sort="labels", descending=True)
    grid = label(front, uids(front)[3], [1])["grid"]
    assert shown(front) == ([0, 1, 2, 3, 4, 5], [])
    assert (grid["held"], grid["stale"]) == (0, True)
    front.ask("grid.sort", sort="labels", descending=True)
    assert shown(front) == ([3, 0, 1, 2, 4, 5], [])


def test_a_relabeled_selection_stays_where_it_was(front):
    only(front, ["unlabeled"])
    front.ask("select.set", intervals=[[1, 3]])
    grid = front.ask("edit.bulk", add=[0], remove=[])[0]["grid"]
    assert shown(front) == ([0, 1, 2, 3, 4, 5], [1, 2])
    assert (grid["held"], grid["selection"]) == (2, [[1, 3]])


def test_the_filter_is_written_into_the_query_without_held_samples(front):
    only(front, ["unlabeled"])
    label(front, uids(front)[1], [1])
    front.ask("query.narrow", text="select *", by="filter")
    assert shown(front) == ([0, 2, 3, 4, 5], [])


def test_a_held_sample_outside_of_the_query_has_no_computed_value_and_no_weight(front):
    front.ask("query.run", text="select *, n * 2 as twice where shape(labels)[0] = 0")
    label(front, uids(front)[1], [1])
    rows = front.ask("table.rows", start=0, stop=3, names=["twice"])[0]["rows"]
    assert [row["cells"] for row in rows] == [[0], [None], [4]]
    assert front.ask("sample.get", position=1)[0]["sample"]["clauses"] is None


def test_next_unlabeled_passes_over_held_samples(front):
    only(front, ["unlabeled"])
    for place in (0, 1):
        label(front, uids(front)[place], [1])
    assert front.ask("grid.unlabeled", after=-1)[0]["position"] == 2


def test_a_commit_leaves_no_sample_held_under_the_filter_of_edits(front):
    label(front, uids(front)[1], [1])
    only(front, ["edited"])
    front.ask("edit.commit", message="one")
    assert shown(front) == ([], [])


@pytest.mark.parametrize(
    ("before", "matching", "expected", "held"),
    [
        ([1, 2, 3], [1, 2, 3], [1, 2, 3], []),
        ([1, 2, 3], [3], [1, 2, 3], [1, 2]),
        ([1, 2, 3], [], [1, 2, 3], [1, 2, 3]),
        ([], [4, 5], [4, 5], []),
        ([3, 1], [7, 3, 8, 9, 1], [7, 3, 8, 9, 1], []),
        ([1, 2, 3], [9, 1, 8, 3], [9, 1, 8, 2, 3], [2]),
        ([1, 2, 3], [3, 2, 1], [1, 2, 3], []),
    ],
)
def test_what_was_shown_keeps_its_order_and_new_ones_join_behind_their_neighbor(before, matching, expected, held):
    found = held_order(np.array(before, np.int64), np.array(matching, np.int64), 10)
    assert [part.tolist() for part in found] == [expected, held]
