"""Which subshell of a kernel hears the browser, whoever has sent last on the widget's comm."""

from __future__ import annotations

import pytest

import penstock
from penstock.widgets.requests._subshells import hear_where_sent

MAIN, PAGE = None, "subshell of the page"


class RoutingComm:
    """As of ipykernel 7.4: what sent last hears what comes next, and what sent a request of an id hears its answer."""

    comm_id = "1"

    def __init__(self):
        self.sent_last = MAIN

    def _reply_subshell_for(self, _data, _sent_to):
        return self.sent_last

    def on_msg(self, callback):
        pass

    def close(self, *_args, **_options):
        pass

    send = close


def test_the_page_is_heard_where_it_speaks_after_a_cell_has_sent():
    comm = RoutingComm()
    assert comm._reply_subshell_for({}, PAGE) is MAIN
    hear_where_sent(comm)
    assert comm._reply_subshell_for({}, PAGE) == PAGE
    assert comm._reply_subshell_for({"content": {"id": "0:1"}}, MAIN) is MAIN


def test_a_widget_is_heard_so_from_the_moment_its_comm_is_there(ds):
    widget = penstock.explore(ds)
    for _ in range(2):  # a comm may be replaced
        widget.comm = RoutingComm()
        assert widget.comm._reply_subshell_for({}, PAGE) == PAGE
    widget.close()


def test_the_kernel_that_is_installed_asks_its_comms_so():
    kernel = pytest.importorskip("ipykernel.comm.comm")
    comm = kernel.BaseComm(comm_id="1")
    if not hasattr(comm, "_reply_subshell_for"):
        pytest.skip("this ipykernel hands messages to the subshell they were sent to")
    comm._reply_subshell_id = MAIN
    hear_where_sent(comm)
    assert comm._reply_subshell_for({"content": {"id": "0:1"}}, PAGE) == PAGE


def test_a_comm_without_such_a_rule_is_left_alone():
    for comm in (None, object()):
        hear_where_sent(comm)
