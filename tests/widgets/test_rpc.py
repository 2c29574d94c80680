"""Every request gets exactly one answer, from any thread."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from types import SimpleNamespace

import pytest

from penstock.errors import QuerySyntaxError
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._failures import failure
from penstock.widgets.requests._operation import Reply, operation, operations_of
from penstock.widgets.requests._rpc import Dispatcher


class Works:
    def __init__(self):
        self.gate = threading.Event()
        self.started = threading.Event()
        self.order = []

    @operation("add", lane="read", a=check.integer(0, 9), b=check.integer(0, 9))
    def add(self, _call, *, a, b):
        return {"sum": a + b}

    @operation("bytes")
    def bytes(self, _call):
        return Reply(result={}, buffers=[b"\x00\xff"])

    @operation("fail")
    def fail(self, _call):
        raise ZeroDivisionError("division by zero")

    @operation("wait", lane="read")
    def wait(self, call):
        self.started.set()
        for _ in range(1000):
            call.check_cancelled()
            if self.gate.wait(0.01):
                return {"waited": True}
        raise AssertionError("nobody opened the gate")

    @operation("count", number=check.integer(0, 1000))
    def count(self, call, *, number):
        self.order.append(number)
        return {}

    @operation("work", lane="read", steps=check.integer(0, 1000))
    def work(self, call, *, steps):
        for step in range(1, steps + 1):
            call.progress(step, None, "working")
        return {"steps": steps}


class Greets:
    @operation("greet")
    def greet(self, _call):
        return {"hello": "world"}


class Changes:
    """Changes what a dispatcher reports, and answers with the news it is told to answer with."""

    def __init__(self):
        self.dispatcher = None

    @operation("change", what=check.choice("query", "grid", "dataset"), news=check.maybe(check.text()))
    def change(self, _call, *, what, news):
        self.dispatcher.changed(what, lambda: ({"event": what}, []))
        return Reply(result={"state": "new"}, news=news)

    @operation("change.and.fail")
    def change_and_fail(self, _call):
        self.dispatcher.changed("query", lambda: ({"event": "query"}, []))
        raise ZeroDivisionError("after the change")

    @operation("change.badly")
    def change_badly(self, _call):
        self.dispatcher.changed("query", lambda: 1 / 0)
        return {}

    @operation("nothing")
    def nothing(self, _call):
        return Reply(result={}, news="query")


@pytest.fixture
def sent():
    return queue.SimpleQueue()


@pytest.fixture
def works():
    return Works()


@pytest.fixture
def dispatcher(sent, works):
    changes = Changes()
    with ThreadPoolExecutor(1) as order:
        made = Dispatcher([works, Greets(), changes], lambda message, buffers: sent.put((message, buffers)), order)
        changes.dispatcher = made
        yield made


def request(op, args=None, number=1):
    return {"v": 1, "id": f"ab12:{number}", "op": op, "args": {} if args is None else args}


def reply(sent):
    return sent.get(timeout=10)


def test_an_answer_carries_the_id_of_the_request(dispatcher, sent):
    dispatcher.receive(request("add", {"a": 2, "b": 3}, number=7))
    assert reply(sent) == ({"v": 1, "id": "ab12:7", "ok": True, "result": {"sum": 5}}, [])


def test_each_object_answers_its_own_operations(dispatcher, sent):
    dispatcher.answer(request("greet"))
    dispatcher.answer(request("add", {"a": 1, "b": 2}))
    assert [reply(sent)[0]["result"] for _ in range(2)] == [{"hello": "world"}, {"sum": 3}]


def test_two_answers_to_one_operation_are_refused():
    with pytest.raises(ValueError, match="'greet' is answered twice"):
        operations_of([Greets(), Greets()])


def messages(sent):
    return [reply(sent)[0] for _ in range(sent.qsize())]


@pytest.mark.parametrize(
    ("what", "news", "events"),
    [
        ("query", "query", []),
        ("grid", "query", []),
        ("dataset", "query", []),
        ("grid", "grid", []),
        ("query", "grid", ["query"]),
        ("dataset", "grid", ["dataset"]),
        ("query", None, ["query"]),
    ],
)
def test_a_change_is_reported_once_by_the_reply_or_by_an_event(dispatcher, sent, what, news, events):
    dispatcher.answer(request("change", {"what": what, "news": news}))
    *before, answer = messages(sent)
    assert [message["event"] for message in before] == events
    assert (answer["ok"], answer.get("news")) == (True, news)


def test_a_reply_to_a_request_that_changed_nothing_is_no_news(dispatcher, sent):
    dispatcher.answer(request("nothing"))
    assert messages(sent) == [{"v": 1, "id": "ab12:1", "ok": True, "result": {}}]


def test_a_change_before_a_failure_is_an_event(dispatcher, sent):
    dispatcher.answer(request("change.and.fail"))
    event, answer = messages(sent)
    assert (event, answer["ok"]) == ({"event": "query"}, False)


def test_an_event_that_cannot_be_made_costs_no_answer(dispatcher, sent, caplog):
    dispatcher.answer(request("change.badly"))
    assert [message["ok"] for message in messages(sent)] == [True]
    assert "could not be reported" in caplog.text


def test_a_change_from_elsewhere_is_an_event_at_once(dispatcher, sent):
    dispatcher.changed("grid", lambda: ({"event": "grid"}, [b"x"]))
    assert reply(sent) == ({"event": "grid"}, [b"x"])


def test_a_change_while_a_request_runs_in_another_thread_is_an_event_at_once(dispatcher, sent, works):
    dispatcher.receive(request("wait"))
    assert works.started.wait(10)
    dispatcher.changed("grid", lambda: ({"event": "grid"}, []))
    assert reply(sent)[0] == {"event": "grid"}
    works.gate.set()
    assert reply(sent)[0]["result"] == {"waited": True}


def test_buffers_travel_beside_the_result(dispatcher, sent):
    dispatcher.answer(request("bytes"))
    assert reply(sent)[1] == [b"\x00\xff"]


def test_an_exception_becomes_an_answer(dispatcher, sent, caplog):
    dispatcher.receive(request("fail"))
    message, _ = reply(sent)
    assert (message["ok"], message["error"]["code"]) == (False, "ZeroDivisionError")
    assert message["error"]["message"] == "penstock failed (ZeroDivisionError); the log of the kernel has the details"
    assert "division by zero" in caplog.text
    assert "operation 'fail' failed" in caplog.text


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (request("add", {"a": 2}), "is missing the argument 'b'"),
        (request("add", {"a": 2, "b": 99}), "from 0 to 9"),
        (request("add", {"a": 1, "b": 1, "c": 1}), "no argument 'c'"),
        (request("add", [1, 2]), "named arguments"),
        (request("__init__"), "unknown operation '__init__'"),
        (request("gate"), "unknown operation 'gate'"),
        (request(None), "unknown operation None"),
        (request(["add"]), "unknown operation"),
        ({**request("greet"), "v": 2}, "protocol 2"),
        ({"v": 1, "id": "ab12:1", "op": "add"}, "is missing the argument 'a'"),
    ],
)
def test_a_bad_message_is_answered_with_what_was_expected(dispatcher, sent, bad, expected):
    dispatcher.receive(bad)
    message, _ = reply(sent)
    assert message["error"]["code"] == "BadRequest"
    assert expected in message["error"]["message"]


@pytest.mark.parametrize("bad", [None, 7, "text", [], {}, {"id": 7}, {"id": "ab12"}, {"id": "../x:1"}, {"id": "a:1\n"}])
def test_a_message_that_cannot_be_answered_is_dropped(dispatcher, sent, bad):
    dispatcher.receive(bad)
    dispatcher.answer(request("greet"))
    assert reply(sent)[0]["id"] == "ab12:1"
    assert sent.empty()


def test_a_cancelled_request_is_answered_as_cancelled(dispatcher, sent, works):
    dispatcher.receive(request("wait", number=1))
    assert works.started.wait(10)
    dispatcher.receive(request("cancel", number=1))
    assert reply(sent)[0]["error"]["code"] == "Cancelled"


def test_what_waits_in_the_lane_can_be_cancelled_before_it_runs(sent):
    with ThreadPoolExecutor(1) as order:
        operations = Works()
        dispatcher = Dispatcher([operations], lambda *message: sent.put(message), order)
        released = threading.Event()
        order.submit(released.wait, 10)
        dispatcher.receive(request("count", {"number": 1}))
        dispatcher.receive(request("cancel"))
        released.set()
        assert reply(sent)[0]["error"]["code"] == "Cancelled"
        assert operations.order == []


def test_the_order_lane_keeps_the_order_of_each_of_two_threads(dispatcher, sent, works):
    def feed(first):
        for number in range(first, 100, 2):
            dispatcher.receive(request("count", {"number": number}, number=number + 1))

    threads = [threading.Thread(target=feed, args=(first,)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({reply(sent)[0]["id"] for _ in range(100)}) == 100
    done = works.order
    assert [n for n in done if n % 2 == 0] == list(range(0, 100, 2))
    assert [n for n in done if n % 2] == list(range(1, 100, 2))


def test_progress_is_told_at_most_five_times_a_second(dispatcher, sent, monkeypatch):
    ticks = count()
    clock = SimpleNamespace(monotonic=lambda: next(ticks) / 64)  # a step lasts 1/64 of a second, and 13 of them 0.2
    monkeypatch.setattr("penstock.widgets.requests._operation.time", clock)
    dispatcher.answer(request("work", {"steps": 70}))
    told = [reply(sent)[0] for _ in range(sent.qsize())]
    assert told[-1]["result"] == {"steps": 70}
    assert [message["done"] for message in told[:-1]] == [13, 26, 39, 52, 65]
    assert all(message["event"] == "progress" and message["id"] == "ab12:1" for message in told[:-1])


def test_a_busy_order_lane_does_not_hold_reading_up(sent):
    with ThreadPoolExecutor(1) as order:
        dispatcher = Dispatcher([Works()], lambda *message: sent.put(message), order)
        released = threading.Event()
        order.submit(released.wait, 10)
        dispatcher.receive(request("add", {"a": 1, "b": 1}))
        assert reply(sent)[0]["result"] == {"sum": 2}
        released.set()


def test_a_query_error_carries_its_span_in_utf16():
    text = "select *\nwhere '😀' = lables"
    start = text.index("lables")
    error = QuerySyntaxError("no tensor 'lables'", text=text, start=start, end=start + 6, fix="labels", hint="labels?")
    assert failure(error) == {
        "code": "QuerySyntaxError",
        "message": "no tensor 'lables'",
        "hint": "labels?",
        "from": start + 1,
        "to": start + 7,
        "line": 2,
        "column": 14,
        "fix": "labels",
    }


def test_a_request_whose_id_is_in_use_is_dropped(dispatcher, sent, works, caplog):
    dispatcher.receive(request("wait", number=5))
    assert works.started.wait(20)
    dispatcher.receive(request("add", {"a": 1, "b": 2}, number=5))
    assert "dropped a request whose id is in use" in caplog.text
    works.gate.set()
    assert sent.get(timeout=20)[0]["result"] == {"waited": True}
    assert sent.empty()


def test_all_that_runs_is_cancelled_when_a_widget_is_closed(dispatcher, sent, works):
    dispatcher.receive(request("wait", number=5))
    assert works.started.wait(20)
    dispatcher.cancel_all()
    assert sent.get(timeout=20)[0]["error"]["code"] == "Cancelled"


@pytest.mark.parametrize("value", [1, "true", None], ids=repr)
def test_a_flag_is_true_or_false(value):
    with pytest.raises(check.BadRequestError, match="true or false"):
        check.check_arguments({"overwrite": value}, {"overwrite": check.boolean()})
