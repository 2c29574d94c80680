"""Every request gets exactly one answer, from any thread."""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from penstock.errors import QuerySyntaxError
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._failures import failure
from penstock.widgets.requests._rpc import Dispatcher, Operations, Reply, operation


class Base(Operations):
    def __init__(self):
        self.gate = threading.Event()
        self.started = threading.Event()
        self.order = []

    @operation("add", lane="read", a=check.integer(0, 9), b=check.integer(0, 9))
    def add(self, _call, *, a, b):
        return {"sum": a + b}

    @operation("greet")
    def greet(self, _call):
        return {"from": "base"}

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

    @operation("work", lane="read")
    def work(self, call):
        started = time.monotonic()
        steps = 0
        while time.monotonic() < started + 0.7:
            steps += 1
            call.progress(steps, None, "working")
        return {"steps": steps}


class Derived(Base):
    def greet(self, _call):
        return {"from": "derived"}


@pytest.fixture
def sent():
    return queue.SimpleQueue()


@pytest.fixture
def dispatcher(sent):
    with ThreadPoolExecutor(1) as order:
        yield Dispatcher(Derived(), lambda message, buffers: sent.put((message, buffers)), order)


def request(op, args=None, number=1):
    return {"v": 1, "id": f"ab12:{number}", "op": op, "args": {} if args is None else args}


def reply(sent):
    return sent.get(timeout=10)


def test_an_answer_carries_the_id_of_the_request(dispatcher, sent):
    dispatcher.receive(request("add", {"a": 2, "b": 3}, number=7))
    assert reply(sent) == ({"v": 1, "id": "ab12:7", "ok": True, "result": {"sum": 5}}, [])


def test_the_most_derived_method_answers_although_it_is_not_marked(dispatcher, sent):
    dispatcher.answer(request("greet"))
    assert reply(sent)[0]["result"] == {"from": "derived"}


def test_buffers_travel_beside_the_result(dispatcher, sent):
    dispatcher.answer(request("bytes"))
    assert reply(sent)[1] == [b"\x00\xff"]


def test_an_exception_becomes_an_answer(dispatcher, sent, caplog):
    dispatcher.receive(request("fail"))
    message, _ = reply(sent)
    assert (message["ok"], message["error"]["code"]) == (False, "ZeroDivisionError")
    assert "division by zero" in message["error"]["message"]
    assert "operation 'fail' failed" in caplog.text


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (request("add", {"a": 2}), "lacks the argument 'b'"),
        (request("add", {"a": 2, "b": 99}), "from 0 to 9"),
        (request("add", {"a": 1, "b": 1, "c": 1}), "no argument 'c'"),
        (request("add", [1, 2]), "named arguments"),
        (request("__init__"), "no operation '__init__'"),
        (request("gate"), "no operation 'gate'"),
        (request(None), "no operation None"),
        (request(["add"]), "no operation"),
        ({**request("greet"), "v": 2}, "protocol 2"),
        ({"v": 1, "id": "ab12:1", "op": "add"}, "lacks the argument 'a'"),
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


def test_a_cancelled_request_is_answered_as_cancelled(dispatcher, sent):
    dispatcher.receive(request("wait", number=1))
    assert dispatcher._operations.started.wait(10)
    dispatcher.receive(request("cancel", number=1))
    assert reply(sent)[0]["error"]["code"] == "Cancelled"


def test_what_waits_in_the_lane_can_be_cancelled_before_it_runs(sent):
    with ThreadPoolExecutor(1) as order:
        operations = Derived()
        dispatcher = Dispatcher(operations, lambda *message: sent.put(message), order)
        released = threading.Event()
        order.submit(released.wait, 10)
        dispatcher.receive(request("count", {"number": 1}))
        dispatcher.receive(request("cancel"))
        released.set()
        assert reply(sent)[0]["error"]["code"] == "Cancelled"
        assert operations.order == []


def test_the_order_lane_keeps_the_order_of_each_of_two_threads(dispatcher, sent):
    def feed(first):
        for number in range(first, 100, 2):
            dispatcher.receive(request("count", {"number": number}, number=number + 1))

    threads = [threading.Thread(target=feed, args=(first,)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({reply(sent)[0]["id"] for _ in range(100)}) == 100
    done = dispatcher._operations.order
    assert [n for n in done if n % 2 == 0] == list(range(0, 100, 2))
    assert [n for n in done if n % 2] == list(range(1, 100, 2))


def test_progress_is_told_a_few_times_a_second(dispatcher, sent):
    dispatcher.answer(request("work"))
    told = [reply(sent)[0] for _ in range(sent.qsize())]
    assert told[-1]["result"]["steps"] > 100
    assert 1 <= len(told) - 1 <= 4
    assert all(message["event"] == "progress" and message["id"] == "ab12:1" for message in told[:-1])


def test_a_busy_order_lane_does_not_hold_reading_up(sent):
    with ThreadPoolExecutor(1) as order:
        dispatcher = Dispatcher(Derived(), lambda *message: sent.put(message), order)
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
