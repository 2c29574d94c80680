"""Whatever a browser sends is answered in words: no raw error, and nothing passes the last net but an interrupt."""

from __future__ import annotations

import math
import queue
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import penstock
from penstock import errors
from penstock.dataset.samples import content_of
from penstock.widgets import Session
from penstock.widgets.operations._contract import all_operations
from penstock.widgets.operations.images._thumbnails import Thumbnails
from penstock.widgets.requests._operation import operation, operations_of
from penstock.widgets.requests._rpc import Dispatcher
from tests.widgets.conftest import FrontEnd, RpcError

KNOWN = {name for name, one in vars(errors).items() if isinstance(one, type)} | {"BadRequest", "Cancelled", "Outdated"}
BIG = 10**5000
OPERATIONS = operations_of(all_operations(session=None, draft=None))  # for their names and checks

NUMBERS = [0, 1, -1, 2**31, 2**53, 2**63, 2**64, -(2**70), BIG, -BIG, 0.5, 1e308, -0.0, math.nan, math.inf, -math.inf]
TEXTS = ["", " ", "select *", "select * where", "'", "\ud800", "\0", "é😀\u202e", "<b>x</b>", "%s{}", "x" * 200_000]
TEXTS += ["9" * 19, "9" * 40, "-9223372036854775808", "9223372036854775807", "9223372036854775808", "--1", "1e3", "٣"]
OTHERS = [None, True, False, [], {}, [[]], [None], {"a": 1}, b"bytes", (1, 2), [[0, 1]] * 20_000, list(range(50_000))]


def nested(depth=5000):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def odd_values():
    return [*NUMBERS, *TEXTS, *OTHERS, nested()]


def good_arguments(uid):
    text = "select * sample by max_weight(contains(labels, 'Cross'): 3, True: 1)"
    return {
        "text": text, "uid": uid, "labels": [0], "boxes": [1, 2, 3, 4], "sources": [0], "only": [uid], "keep": [uid],
        "marked": [uid], "state": "0", "position": 1,
        "shapes": [{"object": 0, "polygons": [[0, 0, 4, 0, 4, 4]], "keypoints": [1, 2, 2]}],
        "start": 0, "stop": 3, "size": 32, "class_index": 1, "weight": 2.0, "weights": [3, 1], "clause": 0, "mode": "deck",
        "seed": 3, "preset": "balanced", "parameter": 0.5, "targets": [{"class_index": 1, "share": 0.2}], "add": [],
        "unit": "samples", "steps": "[[], []]", "max_repeats": 9.0, "intervals": [[0, 2]], "token": "1", "sort": "row", "message": "m",
        "remove": [], "replace": [{"from": 0, "to": 1}], "on_conflict": "ours", "name": "n", "x": 0, "y": 0, "width": 8,
        "height": 8, "scale": 0.5, "num_epochs": 2, "num_batches": 2, "batch_size": 4, "framework": "numpy", "id": "v",
        "classes": [0, 1], "old": "Ring", "new": "Torus", "names": ["Star"], "into": "Circle", "color": "#102030",
        "format": "coco", "path": "out.json", "query_only": True, "images": "copy", "overwrite": True, "options": [],
        "first": 0, "last": 1, "data": "1",
        "how": "any", "states": ["edited"], "descending": True, "keep_hidden": True, "condition": 0, "by": "filter",
        "resize": 64, "window": [0, 100], "after": 2, "on": True, "schedule": False,
    }  # fmt: skip


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """A dispatcher without a comm, whose answers come back at once."""
    ds = penstock.demo(tmp_path_factory.mktemp("hostile") / "shapes.penstock", num_samples=30)
    session = Session(ds)
    answers = []
    dispatcher = Dispatcher(
        all_operations(session, draft=lambda: ""), lambda message, _: answers.append(message), session.order
    )

    def ask(op, args, number=1):
        answers.clear()
        dispatcher.answer({"v": 1, "id": f"ab:{number}", "op": op, "args": args})
        assert len(answers) == 1
        return answers[0]

    ask.uid = str(int(content_of(ds).table.uids(np.array([1]))[0]))
    return ask


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Exports go to a folder of the test."""
    monkeypatch.chdir(tmp_path)


def answered_in_words(message):
    if message["ok"]:
        return True
    return message["error"]["code"] in KNOWN and len(message["error"]["message"]) <= 2100


@pytest.mark.parametrize("op", sorted(OPERATIONS))
def test_every_argument_of_every_operation_takes_anything(kernel, op):
    checks = OPERATIONS[op].checks
    usual = {name: value for name, value in good_arguments(kernel.uid).items() if name in checks}
    if op == "sample.get":
        usual.pop("position")
    wrong = []
    for name in checks:
        for value in odd_values():
            message = kernel(op, usual | {name: value})
            if not answered_in_words(message):
                wrong.append((name, str(type(value)), message["error"]))
    for arguments in [{}, None, [], "x", 3, {"no": 1}, {1: 2}, dict.fromkeys(checks), {"\ud800": 1}]:
        message = kernel(op, arguments)
        if not answered_in_words(message):
            wrong.append((arguments, message["error"]))
    assert wrong == []


@pytest.mark.slow
def test_random_sequences_of_messages_are_answered_in_words(kernel):
    rng = np.random.default_rng(0)
    pool = odd_values()
    names = [name for name in sorted(OPERATIONS) if name != "views.save"]
    wrong = []
    for number in range(2000):
        op = names[rng.integers(len(names))]
        usual = good_arguments(kernel.uid)
        arguments = {name: usual[name] for name in OPERATIONS[op].checks if rng.random() < 0.9}
        for name in arguments:
            if rng.random() < 0.3:
                arguments[name] = pool[rng.integers(len(pool))]
        message = kernel(op, arguments, number)
        if not answered_in_words(message):
            wrong.append((op, message["error"]))
    assert wrong == []


@pytest.mark.parametrize(
    "message",
    [
        None, 3, [], "x", {}, {"id": BIG}, {"id": None}, {"id": ["ab:1"]}, {"id": "ab:1\n"}, {"id": "x" * 10**6},
        {"id": "ab:1", "v": BIG}, {"id": "ab:2", "v": 1, "op": BIG}, {"id": "ab:3", "v": 1, "op": nested()},
        {"id": "ab:4", "v": 1, "op": {"a": 1}}, {"id": "ab:5", "op": "cancel"}, {"id": "ab:6", "v": math.nan},
    ],
    ids=range(16),
)  # fmt: skip
def test_a_message_that_is_none_never_reaches_the_kernels_own_net(front, message):
    front.receive(message)
    assert front.ask("hello")[0]["query"]["text"] == "select *"


@pytest.mark.parametrize(
    "uid", ["9223372036854775808", "-9223372036854775809", "9999999999999999999", 5, 1.5, math.nan, "", None, "1.0"]
)
@pytest.mark.parametrize("op", ["sample.get", "edit.labels", "sample.region"])
def test_a_uid_no_sample_can_have_is_refused(front, op, uid):
    more = {"edit.labels": {"labels": []}, "sample.region": {"x": 0, "y": 0, "width": 1, "height": 1, "scale": 1}}
    with pytest.raises(RpcError, match="BadRequest"):
        front.ask(op, uid=uid, **more.get(op, {}))


class PanicError(BaseException):
    """As the engine's own: no Exception."""


class Panicking:
    @operation("panic", lane="read")
    def panic(self, _call):
        raise PanicError("the manifest is damaged\nat line 3")

    @operation("interrupt", lane="read")
    def interrupt(self, _call):
        raise KeyboardInterrupt

    @operation("leave", lane="read")
    def leave(self, _call):
        raise SystemExit(3)


def dispatcher_of_panics():
    sent = queue.SimpleQueue()
    return Dispatcher([Panicking()], lambda message, _: sent.put(message), ThreadPoolExecutor(1)), sent


def test_a_panic_of_the_engine_is_an_answer():
    dispatcher, sent = dispatcher_of_panics()
    dispatcher.receive({"v": 1, "id": "ab:1", "op": "panic", "args": {}})
    message = sent.get(timeout=10)
    said = "penstock failed (PanicError); the log of the kernel has the details"
    assert (message["ok"], message["error"]["message"]) == (False, said)


@pytest.mark.parametrize(("op", "error"), [("interrupt", KeyboardInterrupt), ("leave", SystemExit)])
def test_an_interrupt_passes(op, error):
    dispatcher, _ = dispatcher_of_panics()
    with pytest.raises(error):
        dispatcher.answer({"v": 1, "id": "ab:1", "op": op, "args": {}})


@pytest.fixture
def bars_before_panic(ds, front, monkeypatch):
    """Change a label while every read ends in a panic; return the bars of before."""

    def panic(*_args, **_kwargs):
        raise PanicError("damaged")

    before = front.widget.plan.histogram().raw.tolist()
    monkeypatch.setattr("penstock.widgets.session._session.execute", panic)
    ds.labels[1] = ["Cross", "Cross"]
    with pytest.warns(UserWarning, match=r"cannot be read as it is now: penstock failed \(PanicError\)"):
        front.widget.export_code() if not ds.has_changes else front.widget.loader(framework="numpy")
    return before


def test_a_panic_while_the_dataset_is_read_leaves_the_charts(front, bars_before_panic):
    assert front.widget.plan.histogram().raw.tolist() == bars_before_panic


@pytest.mark.usefixtures("bars_before_panic")
def test_a_panic_while_the_dataset_is_read_is_reported(front):
    assert "PanicError" in front.ask("hello")[0]["dataset"]["behind"]["message"]


def test_the_charts_follow_again_after_a_panic(front, bars_before_panic, monkeypatch):
    monkeypatch.undo()
    assert front.widget.plan.histogram().raw.tolist() != bars_before_panic
    assert front.ask("hello")[0]["dataset"]["behind"] is None


@pytest.mark.parametrize("error", [PanicError("damaged"), RuntimeError("broken"), OSError("gone")], ids=type)
def test_one_picture_that_cannot_be_read_leaves_the_others(ds, monkeypatch, error):
    table = content_of(ds).table
    take = type(table).take

    def some(self, rows, tensors):
        if 2 in np.asarray(rows):
            raise error
        return take(self, rows, tensors)

    monkeypatch.setattr(type(table), "take", some)
    made = Thumbnails().page(table, np.arange(4), "images", 32)
    assert [bool(one.jpeg) for one in made] == [True, True, False, True]
    assert type(error).__name__ in made[2].error
    assert str(error) not in made[2].error
    assert made[2].problem == "other"


@pytest.mark.parametrize(
    "names",
    [["<b>bold</b>", "<img src=x onerror=alert(1)>"], ["2020-01-01", "2021-06-30"], ["1", "2"], ["a\nb", "\u202eabc"]],
    ids=["html", "dates", "numbers", "control characters"],
)
def test_names_reach_the_browser_as_they_are(tmp_path, names):
    ds = penstock.from_arrays(
        {"x": [1.0, 2.0, 3.0], "labels": [[names[0]], [names[1]], [names[0]]]}, tmp_path / "names", progress=False
    )
    front = FrontEnd(penstock.explore(ds))
    hello = front.ask("hello")[0]
    assert hello["dataset"]["class_names"] == names
    assert [bar["name"] for bar in front.widget.snapshot["bars"]] == names
    page = tmp_path / "page.html"
    front.widget.to_html(page)
    assert "<img src=x" not in page.read_text(encoding="utf-8")
