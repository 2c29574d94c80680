"""A kernel hears the browser beside a cell that runs: messages go to the subshell that the browser names."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

__all__ = ["HeardWidget", "hear_where_sent"]

_ROUTE = "_reply_subshell_for"


class HeardWidget(anywidget.AnyWidget):
    """A widget whose requests a kernel takes beside a cell that runs."""

    @traitlets.observe("comm")
    def _comm_opened(self, change: Any) -> None:
        hear_where_sent(change["new"])


def hear_where_sent(comm: Any) -> None:
    """Have a kernel hand a comm's messages to the subshell that the browser sent them to.

    ipykernel 7.4 hands them to whoever sent last on the comm. Where that was a cell, as one that makes a live loader,
    they wait until the cell has run, however many the browser sends to its subshell. Requests here are answered by
    threads, so none depends on the loop of a cell. Kernels without such a rule are left as they are.

    Parameters
    ----------
    comm : Comm or None
        Of a widget.

    Examples
    --------
    >>> class Comm:
    ...     def _reply_subshell_for(self, data, sent_to):
    ...         return None  # the cell that runs
    >>> comm = Comm()
    >>> hear_where_sent(comm)
    >>> comm._reply_subshell_for({}, "subshell of the browser")
    'subshell of the browser'
    """
    if hasattr(comm, _ROUTE):
        setattr(comm, _ROUTE, _as_sent)


def _as_sent(_data: Any, sent_to: str | None) -> str | None:
    return sent_to
