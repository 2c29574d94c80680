"""The Explorer on rows that repeat: positions are shown, samples are selected, edited and counted."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import SamplingError
from penstock.widgets import Session
from tests.widgets.conftest import RpcError, arrays_of, labels_of

ROWS = [6, 7, 6, 9, 6, 7]
CROSS = "select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)"


@pytest.fixture
def repeating(ds):
    return ds[ROWS]


@pytest.fixture
def front(open_front, repeating):
    return open_front(repeating)


def rows_shown(front):
    tiles, _ = front.ask("grid.page", start=0, stop=6, size=64)
    return [tile["row"] for tile in tiles["tiles"]]


def test_a_view_sampled_with_replacement_opens_with_the_bars_of_its_rows(ds):
    balanced = ds.query(CROSS)
    session = Session(balanced)
    labels = np.concatenate(balanced.labels.numpy(aslist=True))
    histogram = session.plan.histogram()
    assert histogram.expected.tolist() == np.bincount(labels, minlength=len(session.class_names)).tolist()
    assert histogram.low.tolist() == histogram.high.tolist() == histogram.expected.tolist()
    coverage = session.plan.coverage(1)
    assert coverage.unique.tolist() == [len(set(balanced.indices.tolist()))]
    assert coverage.num_rows < len(balanced)


def test_weights_on_top_of_it_count_distinct_samples(ds):
    balanced = ds.query(CROSS)
    explorer = penstock.explore(balanced, query="select * sample by max_weight(contains(labels, 'Ring'): 3, True: 1)")
    coverage = explorer.plan.coverage(1)
    assert coverage.num_rows == len(set(balanced.indices.tolist()))
    assert content_of(explorer.view).table.num_rows == len(ds)
    explorer.weights = [5, 1]
    assert explorer.plan.coverage(1).num_rows == coverage.num_rows


@pytest.mark.parametrize(
    ("opened", "kind"),
    [
        (lambda ds: ds, "dataset"),
        (lambda ds: ds[10:30], "view"),
        (lambda ds: ds.query("select * where shape(boxes)[0] > 1"), "view"),
        (lambda ds: ds.query(CROSS), "frozen view"),
        (
            lambda ds: ds.sample_by("max_weight(contains(labels, 'Cross'): 3, True: 1)", mode="once", size=9),
            "frozen view",
        ),
        (lambda ds: ds[ROWS], "frozen view"),
        (lambda ds: ds.load_view(ds.query(CROSS).save_view("balanced")), "frozen view"),
    ],
    ids=["dataset", "slice", "query", "sampled query", "sampled once", "rows that repeat", "saved sampled view"],
)
def test_what_was_opened_is_reported(open_front, ds, opened, kind):
    assert open_front(opened(ds)).ask("hello")[0]["dataset"]["opened"] == kind


def test_the_grid_shows_every_position(front):
    assert rows_shown(front) == ROWS


def test_the_grid_sorts_copies_together(front):
    front.ask("grid.sort", sort="row")
    assert rows_shown(front) == sorted(ROWS)


def test_a_selected_copy_selects_the_sample_with_all_its_copies(front):
    assert front.ask("select.set", intervals=[[0, 2]])[0]["grid"]["num_selected"] == 2
    session = front.widget.session
    assert session.selected.tolist() == [6, 7]
    grid, _ = front.ask("grid.sort", sort="row")
    assert (grid["grid"]["num_selected"], grid["grid"]["selection"]) == (2, [[0, 5]])
    front.ask("grid.sort", sort="query")
    front.ask("select.set", intervals=[[0, 3]])
    session.select_rows([7, 7, 9])
    assert session.selected.tolist() == [7, 9]


def test_copies_are_marked_wherever_they_stand(front):
    front.ask("select.set", intervals=[[2, 3]])
    hello, _ = front.ask("hello")
    assert hello["grid"]["selection"] == [[0, 1], [2, 3], [4, 5]]
    assert hello["grid"]["num_selected"] == 1


@pytest.mark.parametrize("position", range(6))
def test_a_copy_is_looked_at_where_it_stands(front, position):
    sample, _ = front.ask("sample.get", position=position)
    assert (sample["sample"]["position"], sample["sample"]["row"]) == (position, ROWS[position])
    again, _ = front.ask("sample.get", uid=sample["sample"]["uid"], position=position)
    assert again["sample"]["position"] == position


def test_a_sample_that_is_no_longer_there_is_found_where_it_is(front):
    sample, _ = front.ask("sample.get", position=3)
    moved, _ = front.ask("sample.get", uid=sample["sample"]["uid"], position=0)
    assert moved["sample"]["position"] == 3


def test_an_edit_of_a_copy_is_an_edit_of_the_sample(front, ds):
    detail, _ = front.ask("sample.get", position=4)
    labels = [(label + 1) % 6 for label in labels_of(ds, 6)]
    front.ask("edit.labels", uid=detail["sample"]["uid"], labels=labels)
    tiles, _ = front.ask("grid.page", start=0, stop=6, size=64)
    assert [tile["labels"] == labels for tile in tiles["tiles"]] == [row == 6 for row in ROWS]
    assert labels_of(ds, 6) == labels
    assert front.widget.session.edits.done[-1].changes[0].uid == int(detail["sample"]["uid"])
    front.ask("edit.undo")
    assert labels_of(ds, 6) == detail["sample"]["labels"]


def test_a_bulk_edit_of_copies_changes_each_sample_once(front, ds):
    front.ask("select.set", intervals=[[0, 6]])
    front.ask("edit.bulk", add=[], remove=[], replace=[{"from": number, "to": 5} for number in range(5)])
    changed = [change.uid for change in front.widget.session.edits.done[-1].changes]
    assert len(changed) == len(set(changed)) <= 3


@pytest.mark.parametrize("mode", ["deck", "once"])
def test_modes_that_count_samples_are_refused_before_anything_changes(repeating, mode):
    session = Session(repeating, query="select * sample by max_weight(contains(labels, 'Ring'): 3, True: 1)")
    with pytest.raises(SamplingError, match="twice"):
        session.set_weights(mode=mode)
    assert (session.mode, session.plan.spec.mode) == ("iid", "iid")


def test_dots_drawn_from_the_stream_count_distinct_samples(front):
    drawn, _ = front.ask("plan.drawn", num_epochs=2, weights=[1], mode="once", seed=0)
    assert drawn["unique"] == [3, 3]


def test_the_browser_is_told_how_often_the_pool_holds_a_sample(front):
    hello, buffers = front.ask("hello")
    arrays = arrays_of(hello["query"]["statistics"], buffers)
    assert sorted(zip(arrays["fold_times"].tolist(), arrays["fold_sizes"].tolist(), strict=True)) == [
        (1.0, 1.0),
        (2.0, 1.0),
        (3.0, 1.0),
    ]


@pytest.mark.parametrize(
    "query", ["select * union all select *", "select * from (select * sample by max_weight(True: 1))"]
)
def test_a_dataset_whose_query_repeats_rows_is_shown_alike(open_front, ds, query):
    front = open_front(ds, query=query)
    rows = front.widget.session.run.pool
    assert front.widget.plan.coverage(1).unique.tolist() == [len(set(rows.tolist()))]
    grid = front.ask("select.set", intervals=[[0, len(rows)]])[0]["grid"]
    assert grid["num_selected"] == len(set(rows.tolist()))


@pytest.fixture
def balanced(ds):
    return ds.query(CROSS, seed=3)


def loaded_rows(loader):
    return np.concatenate([batch["index"] for batch in loader]).tolist()


def test_the_loader_brings_the_rows_of_the_view(balanced):
    got = loaded_rows(penstock.explore(balanced).loader(batch_size=16, framework="numpy"))
    assert sorted(got) == sorted(balanced.indices.tolist())


def test_the_exported_code_brings_the_batches_of_the_loader(balanced):
    explorer = penstock.explore(balanced)
    space = {}
    exec(explorer.export_code(batch_size=16, framework="numpy"), space)
    assert loaded_rows(space["loader"]) == loaded_rows(explorer.loader(batch_size=16, framework="numpy"))


def test_a_saved_view_keeps_the_repeats(front, ds, repeating):
    views, _ = front.ask("views.save", message="three")
    assert ds.load_view(views["views"][0]["id"]).indices.tolist() == repeating.indices.tolist()


def test_a_request_for_no_sample_is_refused(front):
    with pytest.raises(RpcError, match="a position, a uid, or both"):
        front.ask("sample.get")
