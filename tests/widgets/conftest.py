"""A small real dataset, and a front-end that speaks to a widget over a real comm."""

from __future__ import annotations

import queue
import shutil
import time
from collections.abc import Callable
from itertools import count

import comm
import numpy as np
import pytest
from comm.base_comm import BaseComm

import penstock
from penstock.widgets import Explorer

NUM_SAMPLES = 120


class WireComm(BaseComm):
    """A comm whose other end is a queue."""

    def __init__(self, *args, **kwargs):
        self.wire = queue.SimpleQueue()
        super().__init__(*args, **kwargs)

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        self.wire.put((msg_type, data or {}, [bytes(buffer) for buffer in buffers or []]))


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.error = error


class FrontEnd:
    """One browser view of a widget."""

    def __init__(self, widget, view="ab12cd"):
        self.widget, self.view = widget, view
        self.numbers = count(1)
        self.states, self.events, self.replies = {}, [], {}

    def send(self, op, args, number):
        content = {"v": 1, "id": f"{self.view}:{number}", "op": op, "args": args}
        self.receive(content)

    def receive(self, content):
        self.widget.comm.handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})

    def set_state(self, **state):
        self.widget.comm.handle_msg(
            {"content": {"data": {"method": "update", "state": state, "buffer_paths": []}}, "buffers": []}
        )

    def ask(self, op, **args):
        """Return (result, buffers) of a request, or raise what the kernel answered."""
        number = next(self.numbers)
        self.send(op, args, number)
        return self.wait_for(number)

    def wait_for(self, number, limit_s=20):
        wanted = f"{self.view}:{number}"
        deadline = time.monotonic() + limit_s
        while wanted not in self.replies:
            self._take(max(0.01, deadline - time.monotonic()))
        message, buffers = self.replies.pop(wanted)
        if not message["ok"]:
            raise RpcError(message["error"])
        return message["result"], buffers

    def wait_for_events(self, count, limit_s=20):
        deadline = time.monotonic() + limit_s
        while len(self.events) < count:
            self._take(max(0.01, deadline - time.monotonic()))

    def drain(self):
        while not self.widget.comm.wire.empty():
            self._take(0.1)
        return self.events

    def _take(self, limit_s):
        kind, data, buffers = self.widget.comm.wire.get(timeout=limit_s)
        if kind != "comm_msg":
            return
        if data["method"] in {"update", "echo_update"}:
            self.states |= data["state"]
        elif "event" in data["content"]:
            self.events.append((data["content"], buffers))
        else:
            message = data["content"]
            self.replies[message["id"]] = message, buffers
            if "news" in message and not message["id"].startswith(f"{self.view}:"):
                self.events.append(({"event": message["news"], **message["result"]}, buffers))


@pytest.fixture(autouse=True)
def wire(monkeypatch):
    monkeypatch.setattr(comm, "create_comm", WireComm)


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "shapes.penstock"
    penstock.demo(folder, num_samples=NUM_SAMPLES)
    return folder


@pytest.fixture
def ds(demo_folder, tmp_path):
    copy = tmp_path / "shapes.penstock"
    shutil.copytree(demo_folder, copy)
    return penstock.load(str(copy))


@pytest.fixture
def explorer(ds) -> Explorer:
    return penstock.explore(ds)


@pytest.fixture
def front(explorer) -> FrontEnd:
    return FrontEnd(explorer)


@pytest.fixture
def open_front() -> Callable:
    def open_it(source, **options):
        return FrontEnd(penstock.explore(source, **options))

    return open_it


def arrays_of(header, buffers):
    """Return the statistics' arrays by name."""
    return {
        entry["name"]: np.frombuffer(raw, entry["dtype"]) for entry, raw in zip(header["arrays"], buffers, strict=True)
    }


def labels_of(ds, row, tensor="labels"):
    return np.asarray(ds[tensor][row].numpy()).tolist()
