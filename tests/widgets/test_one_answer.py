"""A change is sent once: in the reply to whoever asked for it, as an event to everybody else."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.widgets import Explorer, Session
from tests.widgets.conftest import FrontEnd

SAMPLED = "select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)"
MOVED = SAMPLED.replace(": 20", ": 5")


@pytest.fixture
def pair(ds):
    """Two widgets of one session, each with a browser."""
    session = Session(ds, query=SAMPLED)
    fronts = FrontEnd(Explorer(session), "aaaa"), FrontEnd(Explorer(session), "bbbb")
    for front in fronts:
        front.ask("hello")
        messages_to(front)
    return fronts


def messages_to(front):
    """Return what has come over the wire since the last look, traits left out: content and buffers."""
    found = []
    while not front.widget.comm.wire.empty():
        kind, data, buffers = front.widget.comm.wire.get()
        if kind == "comm_msg" and data["method"] == "custom":
            found.append((data["content"], buffers))
    return found


def asked(pair, op, args):
    """Return the messages to the browser that asks for an operation, and those to the other one."""
    asking, other = pair
    content = {"v": 1, "id": "aaaa:900", "op": op, "args": args}
    asking.receive(content)
    session = asking.widget.session
    session.order.submit(session.follow).result()  # the lane has answered, and the follower finds nothing to add
    return messages_to(asking), messages_to(other)


def uid_of(front, position):
    return front.ask("sample.get", position=position)[0]["sample"]["uid"]


ARGUMENTS = {
    "query.run": {"text": "select * limit 9"},
    "grid.filter": {"classes": [1], "how": "any", "states": []},
    "grid.sort": {"sort": "labels"},
    "select.set": {"intervals": [[0, 3]]},
    "edit.new_class": {"name": "Hexagon"},
}
EVENTS = {"query.run": "query", "edit.new_class": "query"}


@pytest.mark.parametrize("op", ARGUMENTS)
def test_a_change_is_one_message_to_who_asked(pair, op):
    to_asker, _ = asked(pair, op, ARGUMENTS[op])
    assert [(message["id"], message["news"]) for message, _ in to_asker] == [("aaaa:900", EVENTS.get(op, "grid"))]


@pytest.mark.parametrize("op", ARGUMENTS)
def test_a_change_is_one_message_to_another_widget(pair, op):
    _, to_other = asked(pair, op, ARGUMENTS[op])
    assert [message["event"] for message, _ in to_other] == [EVENTS.get(op, "grid")]


@pytest.mark.parametrize("op", ["edit.labels", "edit.undo", "edit.redo", "edit.discard", "edit.commit"])
def test_an_edit_sends_its_statistics_once(pair, op):
    labels = {"uid": uid_of(pair[0], 3), "labels": [0]}
    if op == "edit.labels":
        args = labels
    else:
        pair[0].ask("edit.labels", **labels)
        args = {"message": "m"} if op == "edit.commit" else {}
    if op == "edit.redo":
        pair[0].ask("edit.undo")
    session = pair[0].widget.session
    session.order.submit(session.follow).result()
    for front in pair:
        messages_to(front)
    ((answer, buffers),), events = asked(pair, op, args)
    header = answer["result"]["query"]["statistics"]
    assert [len(buffer) for buffer in buffers] == [
        array["length"] * np.dtype(array["dtype"]).itemsize for array in header["arrays"]
    ]
    assert {message["event"] for message, _ in events} == {"query"}


def test_a_slider_move_is_sent_by_traits_alone(pair):
    to_asker, to_other = asked(pair, "weights.set", {"weights": [5, 1], "text": MOVED})
    assert to_asker == [({"v": 1, "id": "aaaa:900", "ok": True, "result": {}}, [])]
    assert to_other == []
    assert [front.widget.weights.tolist() for front in pair] == [[5, 1], [5, 1]]


def test_the_reply_holds_what_the_event_to_others_holds(pair):
    ((answer, buffers),), ((event, others),) = asked(pair, "query.run", {"text": "select * limit 9"})
    assert {name: answer["result"][name] for name in ("dataset", "query", "grid")} == {
        name: event[name] for name in ("dataset", "query", "grid")
    }
    assert buffers == others


def test_a_wrong_query_is_answered_to_who_asked_alone(pair):
    to_asker, to_other = asked(pair, "query.run", {"text": "select * whre"})
    assert [message["ok"] for message, _ in to_asker] == [False]
    assert to_other == []


def test_an_assignment_in_python_is_one_event_to_every_browser(pair):
    pair[0].widget.query = "select * limit 9"
    for front in pair:
        assert [message["event"] for message, _ in messages_to(front)] == ["query"]


def test_an_assignment_asks_the_session_once(pair, monkeypatch):
    session = pair[0].widget.session
    calls, real = [], session.set_weights

    def counted(*args, **kwargs):
        calls.append(args)
        real(*args, **kwargs)

    monkeypatch.setattr(session, "set_weights", counted)
    pair[0].widget.weights = [5, 1]
    assert len(calls) == 1
    assert [front.widget.weights.tolist() for front in pair] == [[5, 1], [5, 1]]
    pair[0].widget.weights = [5, 1]
    assert len(calls) == 1


def test_reading_a_page_sorts_nothing(pair, monkeypatch):
    front = pair[0]
    front.ask("grid.sort", sort="labels")
    display = front.widget.session.display
    monkeypatch.setattr(
        "penstock.widgets.session._display.arranged_positions", None
    )  # whatever would arrange the grid anew fails
    first = front.ask("grid.page", start=0, stop=9, size=16)[0]
    assert [tile["position"] for tile in first["tiles"]] == list(range(9))
    assert first["token"] == display.token
    assert front.widget.session.display is display


def test_a_closed_widget_still_takes_an_assignment(ds):
    explorer = Explorer(ds, query=SAMPLED)
    explorer.close()
    explorer.weights = [5, 1]
    assert explorer.weights.tolist() == explorer.session.weights.tolist() == [5, 1]
