"""The grid's filter against a plain oracle: lists and sets, sample by sample."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import SampleIndexError, SamplingError
from penstock.table import Ragged
from penstock.tensors import encode_image
from penstock.widgets import Session
from penstock.widgets.grid._filter import with_classes
from tests.widgets.conftest import FrontEnd, RpcError

NAMES = ["bus", "car", "what?", "o'hare", "w*", "never"]
NUM_ROWS = 60


def random_labels(rng, num_rows=NUM_ROWS):
    """Return up to four labels a row, some rows without any, some with one twice; nobody has the last class."""
    return [rng.integers(0, len(NAMES) - 1, rng.integers(0, 5)).tolist() for _ in range(num_rows)]


def labeled(path, labels, names=NAMES):
    ds = penstock.empty(str(path))
    with ds:
        ds.create_tensor("labels", htype="class_label", class_names=list(names))
        ds.create_tensor("n", htype="generic", dtype="int64")
        ds.extend({"labels": [np.array(row, np.uint32) for row in labels], "n": np.arange(len(labels))})
    ds.commit("made")
    return ds


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Four samples, of the first two classes in turn; nobody edits them."""
    return labeled(tmp_path_factory.mktemp("plain") / "a.penstock", [[0], [1], [0], [1]])


def fits(labels, classes, how):
    """The oracle: whether one sample's labels fit a filter by classes."""
    if not classes:
        return True
    found = [index in labels for index in classes]
    return {"any": any(found), "all": all(found), "not": not any(found)}[how]


def shown_rows(session):
    display = session.display
    return display.run.pool[display.positions].tolist()


@pytest.mark.parametrize("seed", range(3))
def test_a_filter_by_classes_shows_what_the_oracle_does(tmp_path, seed):
    rng = np.random.default_rng(seed)
    labels = random_labels(rng)
    session = Session(labeled(tmp_path / "a.penstock", labels))
    for _ in range(40):
        classes = rng.choice(len(NAMES), rng.integers(0, len(NAMES)), replace=False).tolist()
        how = ["any", "all", "not"][rng.integers(3)]
        number = session.show(classes=classes, how=how)
        expected = [row for row, own in enumerate(labels) if fits(own, classes, how)]
        assert (shown_rows(session), number) == (expected, len(expected))


@pytest.mark.parametrize("how", ["any", "all", "not"])
@pytest.mark.parametrize("opened", ["view", "repeated rows", "query", "ordered"])
def test_a_filter_shows_samples_of_the_pool_in_its_order(tmp_path, opened, how):
    rng = np.random.default_rng(7)
    labels = random_labels(rng)
    ds = labeled(tmp_path / "a.penstock", labels)
    rows = {
        "view": list(range(10, 40)),
        "repeated rows": [5, 9, 5, 30, 9, 9, 1],
        "query": [row for row in range(NUM_ROWS) if 1 in labels[row]],
        "ordered": list(range(NUM_ROWS))[::-1],
    }[opened]
    queries = {"query": "select * where contains(labels, 'car')", "ordered": "select * order by n desc"}
    source = ds[rows] if opened in {"view", "repeated rows"} else ds
    session = Session(source, query=queries.get(opened, "select *"))
    session.show(classes=[0, 2], how=how)
    assert shown_rows(session) == [row for row in rows if fits(labels[row], [0, 2], how)]


@pytest.mark.parametrize("seed", range(2))
def test_a_filter_follows_edits_in_the_draft(tmp_path, seed):
    rng = np.random.default_rng(seed)
    labels = random_labels(rng)
    ds = labeled(tmp_path / "a.penstock", labels)
    session = Session(ds)
    edited = set()
    for step in range(12):
        states = ["edited"] * (step % 3 == 0) + ["unlabeled"] * (step % 4 == 1)
        classes, how = rng.choice(5, rng.integers(0, 3), replace=False).tolist(), ["any", "all", "not"][step % 3]
        session.show(classes=classes, how=how, states=states)
        row = int(rng.integers(NUM_ROWS))
        labels[row] = random_labels(rng, 1)[0]
        ds.labels[row] = np.array(labels[row], np.uint32)
        edited.add(row)
        session.follow(store=True)
        expected = [
            row
            for row, own in enumerate(labels)
            if fits(own, classes, how)
            and ("edited" not in states or row in edited)
            and ("unlabeled" not in states or own == [])
        ]
        assert shown_rows(session) == expected


def test_a_commit_leaves_nothing_edited(tmp_path):
    ds = labeled(tmp_path / "a.penstock", [[0], [1]])
    session = Session(ds)
    ds.labels[1] = np.array([0], np.uint32)
    session.follow(store=True)
    assert session.show(states=["edited"]) == 1
    ds.commit("done")
    session.follow(store=True)
    assert shown_rows(session) == []


def test_the_filter_selected_shows_the_selection_of_now(tmp_path):
    session = Session(labeled(tmp_path / "a.penstock", random_labels(np.random.default_rng(0))))
    session.select_rows([4, 2, 9])
    assert session.show(states=["selected"]) == 3
    session.select([(0, 1)])
    assert shown_rows(session) == [2]
    session.select_rows([1, 8])
    assert shown_rows(session) == [1, 8]


@pytest.mark.parametrize("keep", [False, True], ids=["replaced", "kept"])
def test_selected_samples_that_are_not_shown_are_kept_when_asked(plain, keep):
    session = Session(plain)
    session.select_rows([0, 3])
    session.show(classes=[1])
    session.select([(0, 1)], keep_hidden=keep)
    assert sorted(session.selected.tolist()) == ([0, 1] if keep else [1])


def test_a_selection_stays_through_filter_and_order(plain):
    session = Session(plain)
    session.select_rows([0, 3])
    session.show(classes=[1])
    session.sort("row", descending=True)
    assert session.selected.tolist() == [0, 3]
    assert session.display.selection.intervals == ((0, 1),)


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"classes": [6]}, SampleIndexError),
        ({"classes": [-1]}, SampleIndexError),
        ({"classes": [0], "how": "some"}, SamplingError),
        ({"states": ["broken"]}, SamplingError),
    ],
    ids=["class too large", "class below 0", "unknown how", "unknown state"],
)
def test_a_wrong_filter_is_refused_and_changes_nothing(plain, wanted, error):
    session = Session(plain)
    session.show(classes=[1])
    with pytest.raises(error):
        session.show(**wanted)
    assert shown_rows(session) == [1, 3]


def test_a_filter_of_a_dataset_without_labels_shows_no_class(tmp_path):
    ds = penstock.empty(str(tmp_path / "a.penstock"))
    with ds:
        ds.create_tensor("n", htype="generic", dtype="int64")
        ds.extend({"n": np.arange(3)})
    session = Session(ds)
    assert session.show(states=["unlabeled"]) == 3
    with pytest.raises(SampleIndexError):
        session.show(classes=[0])


# ---- classes that move -----------------------------------------------------------------


@pytest.fixture
def moving(tmp_path):
    """A dataset whose classes are renamed, merged and removed, and a session that shows cars or buses."""
    ds = labeled(tmp_path / "a.penstock", [[0], [1], [2], [0, 1]], ["bus", "car", "tram", "none"])
    return ds, Session(ds)


@pytest.mark.parametrize(
    ("change", "classes", "rows"),
    [
        (lambda ds: ds.labels.rename_class("car", "auto"), (0, 1), [0, 1, 3]),
        (lambda ds: ds.labels.merge_classes(["bus"], into="tram"), (1, 0), [0, 1, 2, 3]),
        (lambda ds: ds.labels.merge_classes(["bus", "car"], into="tram"), (0,), [0, 1, 2, 3]),
        (lambda ds: ds.labels.merge_classes(["bus"], into="car"), (0,), [0, 1, 3]),
        (lambda ds: ds.labels.remove_class("none"), (0, 1), [0, 1, 3]),
    ],
    ids=["renamed", "one merged away", "both merged away", "one merged into the other", "another one removed"],
)
def test_a_filter_follows_its_classes(moving, change, classes, rows):
    ds, session = moving
    session.show(classes=[0, 1])
    change(ds)
    session.follow(store=True)
    assert (session.display.filter.classes, shown_rows(session)) == (classes, rows)


def test_a_class_that_is_removed_leaves_the_filter(moving):
    ds, session = moving
    session.show(classes=[3, 1])
    ds.labels.remove_class("none")
    session.follow(store=True)
    assert session.display.filter.classes == (1,)


# ---- images that cannot be read -----------------------------------------------------------


def test_unreadable_shows_missing_and_broken_images(tmp_path):
    ds = penstock.empty(str(tmp_path / "a.penstock"))
    good = encode_image(np.zeros((8, 8, 3), np.uint8), "png")
    fine, broken, absent = (tmp_path / f"{name}.png" for name in ("fine", "broken", "absent"))
    for file in (fine, broken, absent):
        file.write_bytes(good)
    with ds:
        ds.create_tensor("images", htype="link[image]")
        ds.extend({"images": [penstock.link(str(one)) for one in (fine, broken, absent, fine)]})
    ds.commit("made")
    broken.write_bytes(good[:40])
    absent.unlink()
    session = Session(ds)
    assert session.show(states=["unreadable"]) == 2
    assert shown_rows(session) == [1, 2]
    broken.write_bytes(good)
    assert session.check_images() == 1
    session.show(states=["unreadable"])
    assert shown_rows(session) == [2]


def test_images_that_were_verified_are_not_read_again(ds):
    session, read = Session(ds), []
    assert session.show(states=["unreadable"], progress=lambda done, total: read.append(total)) == 0
    assert read == []


# ---- a reload ------------------------------------------------------------------------------


def test_a_reload_shows_the_same_filter_order_and_samples(front):
    front.ask("grid.filter", classes=[0, 1], how="all", states=[])
    grid = front.ask("grid.sort", sort="box_area", descending=False)[0]["grid"]
    front.ask("select.set", intervals=[[0, 2]])
    again = FrontEnd(front.widget, "beef").ask("hello")[0]["grid"]
    assert again["filter"] == {"classes": [0, 1], "how": "all", "states": []}
    assert (again["sort"], again["descending"], again["token"]) == ("box_area", False, grid["token"])
    assert (again["size"], again["selection"]) == (grid["size"], [[0, 2]])


@pytest.mark.parametrize(
    "args",
    [
        {"classes": [0], "how": "both", "states": []},
        {"classes": [0], "how": "any", "states": ["odd"]},
        {"classes": ["0"], "how": "any", "states": []},
        {"classes": [0] * 5000, "how": "any", "states": []},
        {"classes": [0], "how": "any", "states": ["edited"] * 5},
        {"classes": [0], "how": "any"},
        {"class_index": 0},
    ],
    ids=["how", "state", "class as text", "too many classes", "too many states", "no states", "the old form"],
)
def test_a_filter_that_is_not_of_the_contract_is_refused(front, args):
    with pytest.raises(RpcError, match="BadRequest"):
        front.ask("grid.filter", **args)


def test_classes_that_most_rows_have_are_found_as_rare_ones_are():
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 3, 5000))])
    column = Ragged(values=rng.integers(0, 7, offsets[-1]).astype(np.uint16), offsets=offsets)
    found = with_classes(column, (3, 5), "any")
    rows = np.repeat(np.arange(5000), column.lengths)
    assert np.array_equal(np.flatnonzero(found), np.unique(rows[np.isin(column.values, (3, 5))]))


def test_uids_of_the_table_are_those_of_the_grid(ds):
    session = Session(ds)
    session.show(classes=[0])
    table = content_of(ds).table
    assert session.display.uids.tolist() == table.uids(np.array(shown_rows(session))).tolist()
