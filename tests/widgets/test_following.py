"""The Explorer and its dataset never disagree: whatever changes the data, the charts follow or say that they do not."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.widgets import Session
from tests.widgets.conftest import FrontEnd, RpcError

TEXT = "select * sample by max_weight(contains(labels, 'a'): 5, True: 1)"
NUM_A, NUM_B = 10, 50


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    """Make the dataset once; each test has a copy."""
    images = np.zeros((NUM_A + NUM_B, 8, 8, 3), np.uint8)
    labels = ["a"] * NUM_A + ["b"] * NUM_B
    folder = tmp_path_factory.mktemp("letters") / "letters"
    return penstock.from_arrays({"images": images, "labels": labels}, folder, progress=False).path


@pytest.fixture
def ds(letters, tmp_path):
    return penstock.load(str(shutil.copytree(letters, tmp_path / "letters")))


@pytest.fixture
def front(ds):
    return FrontEnd(penstock.explore(ds, query=TEXT))


def wait_until(condition, limit_s=10):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "never"
        time.sleep(0.005)


def shown(front):
    """Return what the browser is shown: samples, instances of each class, edits, uncommitted, behind."""
    info = front.ask("hello")[0]["dataset"]
    return info["num_samples"], info["class_counts"], info["num_edits"], info["uncommitted"], info["behind"]


def drawn(x, num_epochs=40):
    """Return the instances of each class an epoch of x.loader() draws, on average."""
    loader = x.loader(batch_size=NUM_A + NUM_B, framework="numpy")
    epochs = [np.concatenate([batch["labels"].ravel() for batch in loader]) for _ in range(num_epochs)]
    return np.mean([np.bincount(epoch, minlength=2) for epoch in epochs], axis=0)


def edit(ds):
    ds.labels[0:5] = [["b"]] * 5


def edit_and_commit(ds):
    edit(ds)
    ds.commit("five are b")


def append_in_block(ds):
    with ds:
        for _ in range(5):
            ds.append({"images": np.zeros((8, 8, 3), np.uint8), "labels": ["a"]})


def go_back(ds):
    edit_and_commit(ds)
    ds.checkout(str(ds.log()[1].id))


CHANGES = {
    "edit": (edit, (60, [5, 55], 5, True)),
    "commit": (edit_and_commit, (60, [5, 55], 0, False)),
    "append": (
        lambda ds: ds.append({"images": np.zeros((8, 8, 3), np.uint8), "labels": ["a"]}),
        (61, [11, 50], 0, True),
    ),
    "block": (append_in_block, (65, [15, 50], 0, True)),
    "pop": (lambda ds: ds.pop(0), (59, [9, 50], 0, True)),
    "new class": (lambda ds: ds.labels.add_class("c"), (60, [10, 50, 0], 0, True)),
    "checkout of a branch": (lambda ds: ds.checkout("dev", create=True), (60, [10, 50], 0, False)),
    "checkout of a commit": (go_back, (60, [10, 50], 0, False)),
    "reset": (lambda ds: (edit(ds), ds.reset()), (60, [10, 50], 0, False)),
    "discard": (lambda ds: (edit(ds), ds.discard_edits()), (60, [10, 50], 0, False)),
}


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_change_in_python_reaches_all_that_is_shown(ds, front, change, expected):
    change(ds)
    wait_until(lambda: shown(front) == (*expected, None))
    num_samples, counts, *_ = expected
    assert front.widget.plan.histogram().raw.tolist() == counts
    tiles = front.ask("grid.page", start=0, stop=100, size=16)[0]
    assert tiles["pool_size"] == num_samples
    assert [tile["labels"] for tile in tiles["tiles"]] == [labels.tolist() for labels in ds.labels.numpy(aslist=True)]
    assert front.ask("hello")[0]["dataset"]["branch"] == ds.branch


@pytest.mark.parametrize("change", [edit, edit_and_commit], ids=["edit", "commit"])
def test_the_loader_draws_what_the_charts_promise_after_a_change(ds, front, change):
    change(ds)
    x = front.widget
    promised = x.plan.histogram().expected
    assert promised == pytest.approx([60 * 25 / 80, 60 * 55 / 80])
    assert drawn(x) == pytest.approx(promised, abs=3)


def test_a_loader_is_of_the_state_the_charts_show_whatever_comes_later(ds, front):
    loader = front.widget.loader(batch_size=60, framework="numpy")
    first = [batch["index"].tolist() for batch in loader]
    again = front.widget.loader(batch_size=60, framework="numpy")
    ds.labels[0:60] = [["b"]] * 60
    assert [batch["index"].tolist() for batch in again] == first


def test_an_idle_explorer_follows_within_300_ms(ds, front):
    wait_until(lambda: shown(front)[0] == 60)
    waited = math.inf
    for turn in range(40):  # a busy machine may be late now and then, not always
        front.drain()
        front.events.clear()
        started = time.perf_counter()
        ds.labels[0] = ["ab"[turn % 2 - 1]]
        wait_until(lambda: any(message["event"] == "query" for message, _ in front.drain()))
        waited = min(waited, time.perf_counter() - started)
        if waited < 0.3:
            break
    assert waited < 0.3


def test_many_changes_are_shown_as_few(ds, front):
    front.drain()
    front.events.clear()
    for turn in range(300):
        ds.labels[turn % 60] = ["b"]
    wait_until(lambda: shown(front)[1] == [0, 60])
    assert sum(message["event"] == "query" for message, _ in front.drain()) < 100


def append_a(ds):
    ds.append({"images": np.zeros((8, 8, 3), np.uint8), "labels": ["a"]})


def test_a_block_that_is_open_is_reported_until_it_ends(ds, front):
    with ds:
        append_a(ds)
        wait_until(lambda: shown(front)[4] is not None)
        assert "`with` block" in shown(front)[4]["message"]
    wait_until(lambda: shown(front)[0] == 61)
    assert shown(front)[4] is None


def test_a_block_that_is_open_is_not_written_for_the_charts(ds, front):
    with ds:
        append_a(ds)
        wait_until(lambda: shown(front)[4] is not None)
        assert shown(front)[0] == 60
        assert len(ds) == 61
        assert content_of(ds).opened.buffer.num_rows == 1


def test_a_loader_made_in_an_open_block_has_what_the_block_wrote(ds, front):
    x = front.widget
    with ds:
        ds.append({"images": np.zeros((8, 8, 3), np.uint8), "labels": ["a"]})
        x.loader(framework="numpy")
        assert x.plan.histogram().raw.tolist() == [11, 50]


def test_another_dataset_object_of_the_path_is_noticed(ds, front):
    edit_and_commit(penstock.load(ds.path))
    wait_until(lambda: shown(front)[4] is not None)
    assert shown(front)[:2] == (60, [10, 50])
    assert shown(front)[4]["remedy"] == "update"


def test_another_dataset_object_of_the_path_is_read_at_the_next_action(ds, front):
    edit_and_commit(penstock.load(ds.path))
    wait_until(lambda: shown(front)[4] is not None)
    front.ask("query.run", text=TEXT)
    assert shown(front) == (60, [5, 55], 0, False, None)


def test_another_process_is_noticed_at_the_next_action(ds, front):
    script = f"import penstock; ds = penstock.load({ds.path!r}); ds.labels[0:5] = [['b']] * 5; ds.commit('five')"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
    assert drawn(front.widget, 5).shape == (2,)
    assert shown(front) == (60, [5, 55], 0, False, None)
    assert f"version={ds.version!r}" in front.widget.export_code()


def test_update_reads_what_others_wrote(ds, front):
    edit_and_commit(penstock.load(ds.path))
    result = front.ask("dataset.update")[0]
    assert (result["done"], result["dataset"]["class_counts"]) == ("up to date", [5, 55])


def test_edits_of_ones_own_stay_where_another_session_commits(ds, front):
    other = penstock.load(ds.path)
    ds.labels[20] = ["a"]
    other.labels[0] = ["b"]
    other.commit("other")
    front.ask("query.run", text=TEXT)
    assert shown(front) == (60, [10, 50], 1, True, None)
    front.ask("edit.commit", message="both")
    assert [labels.tolist() for labels in ds.labels[[0, 20]].numpy(aslist=True)] == [[1], [0]]


@pytest.fixture
def version_before(ds, front):
    """Delete the tensor that the query names; return the version that was shown."""
    before = ds.version[:7]
    ds.delete_tensor("labels")
    wait_until(lambda: shown(front)[4] is not None)
    return before


def test_a_query_that_no_longer_runs_is_reported_with_the_version_shown(front, version_before):
    message = shown(front)[4]["message"]
    assert "does not run" in message
    assert f"Version {version_before}" in message


@pytest.mark.usefixtures("version_before")
def test_a_query_that_no_longer_runs_keeps_the_charts(front):
    assert front.ask("hello")[0]["dataset"]["class_names"] == ["a", "b"]


def test_a_query_that_no_longer_runs_is_exported_with_the_version_shown(ds, front, version_before):
    ds.commit("without labels")
    with pytest.warns(UserWarning, match="does not run"):
        code = front.widget.export_code()
    assert version_before in code


@pytest.mark.usefixtures("version_before")
def test_a_query_that_runs_again_ends_the_report(front):
    front.ask("query.run", text="select *")
    assert front.ask("hello")[0]["dataset"]["behind"] is None


def test_a_dataset_that_cannot_be_read_any_more_is_reported(ds, front):
    shown(front)
    shutil.rmtree(ds.path)
    x = front.widget
    with pytest.warns(UserWarning, match="cannot be read"):
        x.export_code()
    assert "cannot be read" in shown(front)[4]["message"]


def test_exported_code_names_the_version_the_charts_show(ds, front):
    edit(ds)
    with pytest.raises(RpcError, match="not committed"):
        front.ask("export.code", batch_size=8, framework="numpy")
    ds.commit("five")
    result = front.ask("export.code", batch_size=8, framework="numpy")[0]
    assert f"version={ds.version!r}" in result["code"]
    assert front.ask("hello")[0]["dataset"]["version"] == ds.version[:7]


def test_an_export_of_more_than_was_on_show_says_so(ds, front):
    edit_and_commit(penstock.load(ds.path))
    result = front.ask("export.code", batch_size=8, framework="numpy")[0]
    assert "had changed" in result["note"]
    assert front.ask("export.code", batch_size=8, framework="numpy")[0]["note"] is None


def test_a_view_follows_the_edits_of_its_rows(ds, open_front):
    front = open_front(ds[5:15])
    ds.labels[5] = ["b"]
    wait_until(lambda: front.widget.plan.histogram().raw.tolist() == [4, 6])
    assert front.ask("hello")[0]["query"]["pool_size"] == 10


def test_a_view_leaves_out_rows_that_are_gone(ds, open_front):
    front = open_front(ds[5:15])
    ds.pop(5)
    ds.labels[5] = ["b"]
    wait_until(lambda: front.ask("hello")[0]["query"]["pool_size"] == 9)
    wait_until(lambda: front.widget.plan.histogram().raw.tolist() == [3, 6])
    assert "1 samples of the view" in front.ask("hello")[0]["query"]["warnings"][0]


# ---- filter, selection, undo ------------------------------------------------------------


@pytest.fixture
def filtered_by_b(ds, front):
    """Filter the grid by class 'b', which becomes class 0 as 'a' is merged into 'c'."""
    front.ask("query.run", text="select *")
    front.ask("grid.filter", classes=[1], how="any", states=[])
    ds.labels.add_class("c")
    ds.labels.merge_classes(["a"], into="c")
    wait_until(lambda: front.ask("hello")[0]["dataset"]["class_names"] == ["b", "c"])


@pytest.mark.usefixtures("filtered_by_b")
def test_a_class_filter_follows_its_class(front):
    grid = front.ask("hello")[0]["grid"]
    assert (grid["filter"]["classes"], grid["size"]) == ([0], NUM_B)


@pytest.mark.usefixtures("filtered_by_b")
def test_a_class_filter_follows_into_a_merged_class(ds, front):
    ds.labels.merge_classes(["b"], into="c")
    wait_until(lambda: front.ask("hello")[0]["dataset"]["class_names"] == ["c"])
    grid = front.ask("hello")[0]["grid"]
    assert (grid["filter"]["classes"], grid["size"]) == ([0], NUM_A + NUM_B)


def test_a_selection_stays_on_its_samples_when_rows_before_it_go(ds, front):
    front.ask("select.set", intervals=[[4, 6], [8, 9]])
    ds.pop(0)
    ds.pop(4)
    wait_until(lambda: shown(front)[0] == 58)
    grid = front.ask("hello")[0]["grid"]
    assert (grid["selection"], grid["num_selected"]) == ([[3, 4], [6, 7]], 2)
    assert front.widget.selected.tolist() == [3, 6]


def test_positions_of_a_grid_that_is_no_more_select_nothing(ds, front):
    token = front.ask("hello")[0]["grid"]["token"]
    ds.pop(0)
    wait_until(lambda: shown(front)[0] == 59)
    with pytest.raises(RpcError, match=r"Outdated.*select again"):
        front.ask("select.set", intervals=[[0, 1]], token=token)
    assert front.widget.selected.tolist() == []


def uid_of(front, position):
    return front.ask("sample.get", position=position)[0]["sample"]["uid"]


def name_of(change):
    return next(name for name, one in UNDONE.items() if one is change)


UNDONE = {
    "overwritten in Python": lambda ds: ds.labels.__setitem__(0, ["a", "b"]),
    "removed": lambda ds: ds.pop(0),
    "classes renumbered": lambda ds: (ds.labels.add_class("c"), ds.labels.merge_classes(["a"], into="c")),
}


@pytest.mark.parametrize("change", UNDONE.values(), ids=UNDONE)
def test_an_edit_that_no_longer_applies_cannot_be_undone(ds, front, change):
    front.ask("query.run", text="select *")
    front.ask("edit.labels", uid=uid_of(front, 30), labels=[0])
    front.ask("edit.labels", uid=uid_of(front, 0), labels=[1])
    ds.commit("two edits")
    change(ds)
    before = [labels.tolist() for labels in ds.labels.numpy(aslist=True)]
    done = front.ask("edit.undo")[0]["done"]
    after = [labels.tolist() for labels in ds.labels.numpy(aslist=True)]
    assert done.startswith("nothing to undo" if change is UNDONE["classes renumbered"] else "undone: b → a in sample")
    changed = [row for row, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
    assert changed == {"removed": [29], "classes renumbered": []}.get(name_of(change), [30])


def test_dropped_edits_are_said_in_a_note(ds, front):
    front.ask("edit.labels", uid=uid_of(front, 0), labels=[1])
    ds.labels[0] = ["a", "b"]
    wait_until(lambda: any(message["event"] == "warning" for message, _ in front.drain()))
    note = next(message["message"] for message, _ in front.events if message["event"] == "warning")
    assert "1 earlier edit can no longer be undone" in note
    assert front.ask("hello")[0]["dataset"]["can_undo"] is None
    assert ds.labels[0].numpy().tolist() == [0, 1]


# ---- a reload and a second view -----------------------------------------------------------


@pytest.fixture
def second_view(front):
    """Return a second view and the last grid that it was sent, after the first one filtered, sorted and selected."""
    second = FrontEnd(front.widget, view="ffee")
    requests = {
        "query.run": {"text": "select *"},
        "grid.filter": {"classes": [0], "how": "any", "states": []},
        "grid.sort": {"sort": "labels"},
        "select.set": {"intervals": [[1, 3]]},
    }
    for number, (op, args) in enumerate(requests.items()):
        front.send(op, args, number)
    second.wait_for_events(len(requests))
    return second, [message["grid"] for message, _ in second.events if message["event"] == "grid"][-1]


def test_a_second_view_is_sent_the_grid_of_the_first(second_view):
    second, told = second_view
    assert (told["filter"]["classes"], told["sort"], told["selection"]) == ([0], "labels", [[1, 3]])
    assert second.ask("hello")[0]["grid"] == told


def test_a_second_view_reads_the_tiles_of_the_first(second_view):
    second, told = second_view
    tiles = second.ask("grid.page", start=0, stop=60, size=16)[0]
    assert (len(tiles["tiles"]), tiles["pool_size"], tiles["token"]) == (NUM_A, NUM_A, told["token"])


def test_another_question_keeps_the_filter(front):
    front.ask("grid.filter", classes=[0], how="any", states=[])
    result = front.ask("query.run", text="select * where contains(labels, 'b')")[0]
    assert (result["grid"]["filter"]["classes"], result["grid"]["size"]) == ([0], 0)
    result = front.ask("query.run", text="select * where contains(labels, 'a')")[0]
    assert (result["grid"]["filter"]["classes"], result["grid"]["size"]) == ([0], NUM_A)


def test_other_weights_keep_filter_and_selection(front):
    front.ask("grid.filter", classes=[0], how="any", states=[])
    front.ask("select.set", intervals=[[1, 3]])
    result = front.ask("query.run", text=TEXT.replace("5", "7"))[0]
    assert (result["grid"]["filter"]["classes"], result["grid"]["selection"]) == ([0], [[1, 3]])


PANEL = {"tiles": "large", "boxes": False, "hidden": [1], "uid": "12"}


def test_panels_are_kept(front):
    front.set_state(panel=PANEL)
    assert front.widget.panel == PANEL


def test_no_other_settings_are_kept_beside_panels(front):
    front.set_state(panel=PANEL | {"evil": "x" * 10**6})
    assert front.widget.panel == PANEL


def test_no_other_values_are_kept_of_panels(front):
    front.set_state(panel=PANEL)
    front.set_state(panel={"tiles": ["large"], "boxes": 1, "hidden": ["1"], "uid": 3})
    assert front.widget.panel == {}


def test_a_size_set_in_python_reaches_the_charts_of_the_browser(front):
    front.drain()
    front.events.clear()
    front.widget.size = 7
    assert [message["query"]["draws"] for message, _ in front.drain() if message["event"] == "query"] == [7]


def test_a_slider_reads_nothing_from_disk(ds, front, monkeypatch):
    front.ask("hello")

    def touched(*_args):
        raise AssertionError("the store was read")

    for name in ("latest_version", "head", "at"):
        monkeypatch.setattr(type(content_of(ds).store), name, touched)
    front.ask("weights.set", weights=[7, 1], text=TEXT.replace("5", "7"))
    assert front.widget.plan.histogram().expected == pytest.approx([60 * 70 / 120, 60 * 50 / 120])


def test_a_session_dies_with_its_last_widget(ds):
    import gc
    import weakref

    session = Session(ds)
    alive = weakref.ref(session)
    del session
    gc.collect()
    assert alive() is None
    ds.labels[0] = ["b"]
