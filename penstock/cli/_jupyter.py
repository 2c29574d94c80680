"""A JupyterLab server as a child process, and requests to it over REST and websocket."""

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
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import quote

from penstock.errors import MissingDependencyError, PenstockError

__all__ = ["JupyterLab", "check_installed", "running_lab"]

_NEWS = "@jupyterlab/apputils-extension:announcements"  # its question would cover the Explorer's corner
_KERNEL = "python3"
_PACKAGES = {name: name for name in ("ipykernel", "jupyterlab", "nbformat")} | {"websocket": "websocket-client"}
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
        body = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": _KERNEL}}
        session = self._request("POST", "sessions", body)
        return str(session["kernel"]["id"])

    def kernelspec(self) -> dict[str, str]:
        """Return the notebook metadata ``kernelspec`` that JupyterLab would write."""
        spec = self._request("GET", "kernelspecs")["kernelspecs"][_KERNEL]["spec"]
        return {"display_name": spec["display_name"], "language": spec["language"], "name": _KERNEL}

    def address_of(self, kernel: str) -> str:
        """Return the address of a kernel's websocket."""
        return f"ws://127.0.0.1:{self.port}/api/kernels/{kernel}/channels?token={self.token}"

    def wait_until_up(self) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + _START_LIMIT_S
        while time.monotonic() < deadline:
            self.check_alive()
            with contextlib.suppress(PenstockError):
                self._request("GET", "status")
                return
            time.sleep(0.1)
        raise PenstockError(f"JupyterLab did not answer within {_START_LIMIT_S} s; it printed: {self.printed()}")

    def check_alive(self) -> None:
        """Raise, with what it printed last, when the server has ended."""
        if self.process.poll() is not None:
            raise PenstockError(
                f"JupyterLab exited with status {self.process.returncode}; it printed: {self.printed()}"
            )

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
            _kill(self.process)
            self.process.wait()

    def _request(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=_REQUEST_LIMIT_S) as reply:
                return cast("dict[str, Any]", json.loads(reply.read()))
        except OSError as error:
            raise PenstockError(f"JupyterLab does not answer {method} {path}: {error}") from error


def check_installed() -> None:
    """Refuse where a package of the extra ``lab`` is missing.

    Raises
    ------
    MissingDependencyError
        With the packages and what installs them.
    """
    missing = [package for name, package in _PACKAGES.items() if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingDependencyError(
            f"{', '.join(missing)} not found; penstock explore needs the extra 'lab'",
            hint="pip install 'penstock[lab]'",
        )


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
    check_installed()
    with tempfile.TemporaryDirectory(prefix="penstock-") as settings, tempfile.TemporaryFile() as log:
        lab = _start(folder, port or _free_port(), Path(settings), log)
        try:
            lab.wait_until_up()
            yield lab
        finally:
            lab.stop()


def _start(folder: Path, port: int, settings: Path, log: IO[bytes]) -> JupyterLab:
    token = secrets.token_hex(24)
    page = settings / "labconfig" / "page_config.json"
    page.parent.mkdir()
    page.write_text(json.dumps({"disabledExtensions": {_NEWS: True}}))
    others = os.environ.get("JUPYTER_CONFIG_PATH")
    environment = {
        **os.environ,
        "JUPYTER_TOKEN": token,  # not on the command line, which others can read
        "JUPYTER_CONFIG_PATH": os.pathsep.join([str(settings), *([others] if others else [])]),
    }
    process = subprocess.Popen(  # noqa: S603  our own interpreter and options
        _command(folder, port),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=environment,
        start_new_session=True,
    )
    return JupyterLab(port=port, token=token, process=process, log=log)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a server that does not end by itself, and on Linux and macOS all that it started."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _command(folder: Path, port: int) -> list[str]:
    root = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0", *root]
    return [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={folder}"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
