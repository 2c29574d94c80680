"""What a page is told of another process that edits: whatever else is asked, until it no longer does."""

from __future__ import annotations

import pytest

import penstock
from tests.dataset.peers import Peer
from tests.widgets.conftest import FrontEnd


@pytest.fixture(scope="module")
def other():
    peer = Peer()
    yield peer
    peer.end()


@pytest.fixture
def front(ds, other):
    other(f"ds = penstock.load({ds.path!r})")
    other("ds.labels[3] = []")
    yield FrontEnd(penstock.explore(ds))
    other("ds.take_over(); ds.discard_edits()")
    other("del ds")


REQUESTS = {
    "filter": ("grid.filter", {"classes": [0], "how": "any", "states": []}),
    "order": ("grid.sort", {"sort": "row"}),
    "query": ("query.run", {"text": "select * limit 5"}),
    "update": ("dataset.update", {}),
}


@pytest.mark.parametrize(("op", "args"), REQUESTS.values(), ids=REQUESTS)
def test_the_page_stays_read_only_whatever_is_asked(front, other, op, args):
    front.widget.plan  # noqa: B018  looks at the dataset
    assert front.ask("hello")[0]["dataset"]["holder"]["pid"] == other.pid
    front.drain()
    front.events.clear()
    front.ask(op, **args)
    told = [message["dataset"] for message, _ in front.drain() if "dataset" in message]
    info = [*told, front.ask("hello")[0]["dataset"]]
    assert [(one["read_only"], one["holder"]["pid"]) for one in info] == [(True, other.pid)] * len(info)
