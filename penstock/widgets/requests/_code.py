"""The operation that gives the browser the second part of its code."""

from __future__ import annotations

from penstock.widgets._runtime import read_extra
from penstock.widgets.requests._operation import Call, Reply, operation

__all__ = ["CodeOperations"]


class CodeOperations:
    """Give the browser what it needs after the first paint."""

    @operation("runtime.extra", lane="read")
    def extra(self, _call: Call) -> Reply:
        """Return the gzip of the second part as one buffer; a page asks once for each build."""
        return Reply(result={}, buffers=[read_extra()])
