"""A JupyterLab server as a child process, and what is asked of it over REST and websocket."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import quote

from penstock.errors import MissingDependencyError, PenstockError

__all__ = ["JupyterLab", "running_lab"]

_START_LIMIT_S = 90
_STOP_LIMIT_S = 15
_REQUEST_LIMIT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class JupyterLab:
    """A running server.

    Parameters
    ----------
    port : int
    token : str
    process : Popen
    log : file
        What the server prints.
    """

    port: int
    token: str = field(repr=False)
    process: subprocess.Popen[bytes] = field(repr=False)
    log: IO[bytes] = field(repr=False)

    def url_of(self, notebook: str) -> str:
        """Return the address that opens a notebook in JupyterLab."""
        return f"http://127.0.0.1:{self.port}/lab/tree/{quote(notebook)}?token={self.token}"

    def start_kernel(self, notebook: str) -> str:
        """Start a notebook's kernel as JupyterLab would, and return the kernel's id."""
        body = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": "python3"}}
        session = self._request("POST", "sessions", body)
        return str(session["kernel"]["id"])

    def execute(self, kernel: str, code: str) -> list[dict[str, Any]]:
        """Run code in a kernel and return its outputs as they stand in a notebook."""
        import nbformat
        import websocket

        address = f"ws://127.0.0.1:{self.port}/api/kernels/{kernel}/channels?token={self.token}"
        with contextlib.closing(websocket.create_connection(address, timeout=1)) as connection:
            request = _execute_request(code)
            connection.send(json.dumps(request))
            messages = self._replies(connection, request["header"]["msg_id"])
            return [dict(nbformat.v4.output_from_msg(_plain(message))) for message in messages]

    def wait_until_up(self) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + _START_LIMIT_S
        while time.monotonic() < deadline:
            self.check_alive()
            with contextlib.suppress(OSError):
                self._request("GET", "status")
                return
            time.sleep(0.1)
        raise PenstockError(f"JupyterLab did not answer within {_START_LIMIT_S} s; it printed: {self.printed()}")

    def check_alive(self) -> None:
        """Raise, with what it printed last, when the server has ended."""
        if self.process.poll() is not None:
            raise PenstockError(f"JupyterLab ended with status {self.process.returncode}; it printed: {self.printed()}")

    def printed(self) -> str:
        """Return the last lines the server printed."""
        self.log.seek(0)
        return " | ".join(self.log.read().decode(errors="replace").splitlines()[-5:])

    def stop(self) -> None:
        """End the server and every kernel it started."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()

    def _request(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=_REQUEST_LIMIT_S) as reply:
            return cast("dict[str, Any]", json.loads(reply.read()))

    def _replies(self, connection: Any, request_id: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401  websocket-client has no types
        """Yield the outputs of a request until the kernel is idle again."""
        import websocket

        while True:
            try:
                frame = connection.recv()
            except websocket.WebSocketTimeoutException:
                self.check_alive()
                continue
            message = json.loads(frame) if isinstance(frame, str) else {}
            if message.get("parent_header", {}).get("msg_id") != request_id or message.get("channel") != "iopub":
                continue
            kind = message["header"]["msg_type"]
            if kind == "status" and message["content"]["execution_state"] == "idle":
                return
            if kind in ("execute_result", "display_data", "stream", "error"):
                yield message


@contextlib.contextmanager
def running_lab(folder: Path, port: int = 0) -> Iterator[JupyterLab]:
    """Run JupyterLab on a folder; leaving the block stops it and its kernels.

    Parameters
    ----------
    folder : Path
        What the server shows.
    port : int
        0 takes a free one.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise MissingDependencyError("JupyterLab is not installed", hint="pip install 'penstock[lab]'")
    port = port or _free_port()
    token = secrets.token_hex(24)
    log = tempfile.TemporaryFile()  # noqa: SIM115  closed by stop, after the server that writes it
    environment = {**os.environ, "JUPYTER_TOKEN": token}  # not on the command line, which others can read
    process = subprocess.Popen(  # noqa: S603  our own interpreter and options
        _command(folder, port),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=environment,
        start_new_session=True,
    )
    lab = JupyterLab(port=port, token=token, process=process, log=log)
    try:
        lab.wait_until_up()
        yield lab
    finally:
        lab.stop()


def _command(folder: Path, port: int) -> list[str]:
    root = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0", *root]
    return [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={folder}", "--LabApp.news_url=None"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _execute_request(code: str) -> dict[str, Any]:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": uuid.uuid4().hex}
    header |= {"username": "penstock", "version": "5.3", "date": ""}
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
    content |= {"allow_stdin": False, "stop_on_error": True}
    return {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "channel": "shell",
        "buffers": [],
    }


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    return {"header": message["header"], "content": message["content"], "metadata": message["metadata"]}
