"""Filter and selection written into WHERE; chips taken out of it."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.errors import DatasetError
from penstock.widgets import Session
from penstock.widgets.session._narrowing import MAX_NAMED
from tests.widgets.conftest import FrontEnd, RpcError

NAMES = ["bus", "car", "what?", "o'hare", "w*"]
LABELS = [[0], [1], [2], [0, 1], [], [3, 3], [4, 2], [1, 2, 3], [0], []]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    ds = penstock.empty(str(tmp_path_factory.mktemp("narrow") / "a.penstock"))
    with ds:
        ds.create_tensor("labels", htype="class_label", class_names=NAMES)
        ds.create_tensor("n", htype="generic", dtype="int64")
        ds.extend({"labels": [np.array(row, np.uint32) for row in LABELS], "n": np.arange(len(LABELS))})
    ds.commit("made")
    return ds


def narrowed(session, by="filter"):
    run = session.narrow(by, text=session.query)
    return run.pool.tolist()


FILTERS = {
    "one class": {"classes": [0]},
    "any of two": {"classes": [0, 3]},
    "all of two": {"classes": [0, 1], "how": "all"},
    "none of two": {"classes": [0, 1], "how": "not"},
    "any of four": {"classes": [0, 1, 3, 4]},
    "none of four": {"classes": [0, 1, 3, 4], "how": "not"},
    "all of four": {"classes": [0, 1, 2, 3], "how": "all"},
    "a name with a wildcard": {"classes": [2]},
    "a name that is one": {"classes": [4], "how": "not"},
    "unlabeled": {"states": ["unlabeled"]},
    "class and state": {"classes": [0], "how": "not", "states": ["unlabeled"]},
}


@pytest.mark.parametrize("query", ["select *", "select * order by n desc limit 8", "select * where n > 0 or n = 0"])
@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
def test_a_filter_becomes_a_query_of_the_same_samples(stored, wanted, query):
    session = Session(stored, query=query)
    session.show(**wanted)
    shown = session.display.run.pool[session.display.positions].tolist()
    assert narrowed(session) == shown
    assert not session.display.filter
    assert session.display.run.pool[session.display.positions].tolist() == shown


def test_weights_stay_as_they_are(stored):
    session = Session(stored, query="select * sample by max_weight(contains(labels, 'car'): 4, True: 1) limit 50")
    session.set_weights([7, 1])
    session.show(classes=[0])
    assert narrowed(session) == [0, 3, 8]
    assert (session.weights.tolist(), session.run.spec.size) == ([7, 1], 50)


def test_a_selection_becomes_a_query_that_stays_right_after_commits(tmp_path):
    ds = penstock.empty(str(tmp_path / "a.penstock"))
    with ds:
        ds.create_tensor("labels", htype="class_label", class_names=NAMES)
        ds.extend({"labels": [np.array(row, np.uint32) for row in LABELS]})
    ds.commit("made")
    session = Session(ds)
    session.select_rows([7, 2, 5])
    assert narrowed(session, "selection") == [2, 5, 7]
    text = session.query
    ds.pop(0)
    ds.commit("one less")
    assert ds.query(text).indices.tolist() == [1, 4, 6]


def test_a_selection_of_samples_that_the_filter_hides_is_written_whole(stored):
    session = Session(stored)
    session.select_rows([0, 1])
    session.show(classes=[0])
    assert narrowed(session, "selection") == [0, 1]


@pytest.mark.parametrize(
    ("prepare", "by", "said"),
    [
        (lambda session: None, "filter", "every sample"),
        (lambda session: None, "selection", "no sample is selected"),
        (lambda session: session.show(states=["edited"]), "filter", "no edited samples"),
        (
            lambda session: (session.run_query("select * limit 2"), session.select_rows([1, 9])),
            "selection",
            "1 of the 2",
        ),
    ],
    ids=["no filter", "no selection", "nothing edited", "selected outside"],
)
def test_what_no_condition_says_is_refused_and_changes_nothing(stored, prepare, by, said):
    session = Session(stored)
    prepare(session)
    text = session.query
    with pytest.raises(DatasetError, match=said):
        narrowed(session, by)
    assert session.query == text


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """More samples than a query names, every third of the first class."""
    ds = penstock.empty(str(tmp_path_factory.mktemp("many") / "a.penstock"))
    with ds:
        ds.create_tensor("labels", htype="class_label", class_names=["x", "y"])
        ds.extend({"labels": [np.array([min(row % 3, 1)], np.uint32) for row in range(4 * MAX_NAMED)]})
    return ds


def test_too_many_selected_samples_are_refused_in_words(many):
    session = Session(many)
    session.select_rows(np.arange(MAX_NAMED + 1))
    with pytest.raises(
        DatasetError, match=f"501 selected samples cannot be named in a query. Expected at most {MAX_NAMED}"
    ):
        narrowed(session, "selection")


def test_many_selected_samples_are_named_by_the_filter_that_shows_them(many):
    session = Session(many)
    number = session.show(classes=[0])
    session.select([(0, number)])
    assert narrowed(session, "selection") == list(range(0, 4 * MAX_NAMED, 3))
    assert "uid" not in session.query


# ---- the browser ---------------------------------------------------------------------------


def test_conditions_of_the_query_are_told_with_their_places(front):
    text = "select * where shape(boxes)[0] > 0 and contains(labels, 'Cross') limit 5"
    query = front.ask("query.run", text=text)[0]["query"]
    assert [one["text"] for one in query["conditions"]] == ["shape(boxes)[0] > 0", "contains(labels, 'Cross')"]
    assert [text[one["from"] : one["to"]] for one in query["conditions"]] == [
        one["text"] for one in query["conditions"]
    ]


def test_a_condition_is_taken_out_of_the_text(front):
    text = "select * where shape(boxes)[0] > 0 and contains(labels, 'Cross') limit 5"
    assert front.ask("query.without", text=text, condition=0)[0]["text"] == (
        "select * where contains(labels, 'Cross') limit 5"
    )
    with pytest.raises(RpcError, match="BadRequest"):
        front.ask("query.without", text=text, condition=2)


def test_a_narrowed_query_is_the_news_of_every_view(front):
    front.ask("grid.filter", classes=[1], how="any", states=[])
    size = front.ask("hello")[0]["grid"]["size"]
    other = FrontEnd(front.widget, "cafe")
    result = front.ask("query.narrow", text="select *", by="filter")[0]
    assert (result["query"]["pool_size"], result["grid"]["size"]) == (size, size)
    assert result["grid"]["filter"] == {"classes": [], "how": "any", "states": []}
    assert other.ask("hello")[0]["query"]["text"] == result["query"]["text"] == front.widget.query
