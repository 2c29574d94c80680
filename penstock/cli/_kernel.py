"""A kernel reached over its websocket: its language, and the output of a cell."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from penstock.errors import PenstockError

__all__ = ["execute", "language_of"]

_START_LIMIT_S = 90  # the server accepts the connection when the kernel is up
_PATIENCE_S = 1
_OUTPUTS = ("execute_result", "display_data", "stream", "error")


def execute(address: str, code: str, check_alive: Callable[[], None]) -> list[dict[str, Any]]:
    """Run code and return its outputs as they stand in a notebook.

    Parameters
    ----------
    address : str
        Of the kernel's websocket.
    code : str
        What is run.
    check_alive : callable
        Asked every second; raises when there is nobody left to answer.
    """
    import nbformat

    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
    content |= {"allow_stdin": False, "stop_on_error": True}
    replies = _ask(address, "execute_request", content, check_alive)
    messages = [reply for reply in replies if reply["header"]["msg_type"] in _OUTPUTS]
    return [dict(nbformat.v4.output_from_msg(message)) for message in messages]


def language_of(address: str, check_alive: Callable[[], None]) -> dict[str, Any]:
    """Return the notebook metadata ``language_info`` that JupyterLab would write."""
    replies = _ask(address, "kernel_info_request", {}, check_alive)
    found = [reply for reply in replies if reply["header"]["msg_type"] == "kernel_info_reply"]
    return dict(found[0]["content"]["language_info"])


def _ask(address: str, kind: str, content: dict[str, Any], check_alive: Callable[[], None]) -> list[dict[str, Any]]:
    import websocket

    try:
        with contextlib.closing(websocket.create_connection(address, timeout=_START_LIMIT_S)) as connection:
            connection.settimeout(_PATIENCE_S)
            request = _request(kind, content)
            connection.send(json.dumps(request))
            return list(_replies(connection, request["header"]["msg_id"], check_alive))
    except (OSError, websocket.WebSocketException) as error:
        check_alive()
        raise PenstockError(f"the kernel does not answer: {error}") from error


def _replies(connection: Any, request_id: str, check_alive: Callable[[], None]) -> Iterator[dict[str, Any]]:
    """Yield what answers a request, until it was answered and the kernel is idle again."""
    import websocket

    waiting = {"reply", "idle"}
    while waiting:
        try:
            frame = connection.recv()
        except websocket.WebSocketTimeoutException:
            check_alive()
            continue
        message = json.loads(frame) if isinstance(frame, str) else {}  # binary ones carry buffers of widgets
        if message.get("parent_header", {}).get("msg_id") != request_id:
            continue
        if message["channel"] == "shell":
            waiting.discard("reply")
        elif message["content"].get("execution_state") == "idle":
            waiting.discard("idle")
        yield {key: message[key] for key in ("header", "content", "metadata")}


def _request(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": uuid.uuid4().hex}
    header |= {"username": "penstock", "version": "5.3", "date": ""}
    empty: dict[str, Any] = {"parent_header": {}, "metadata": {}, "buffers": []}
    return {"header": header, "content": content, "channel": "shell", **empty}
