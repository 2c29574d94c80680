"""A real Jupyter server of its own: fresh settings, no news popup, a token, a folder of notebooks."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
ROOT = Path(__file__).resolve().parents[2]
_TRIES = 3


@dataclass
class JupyterServer:
    """A running server; `lab_url` and `notebook_url` open one of its notebooks."""

    folder: Path
    port: int
    token: str
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lab_url(self, name: str) -> str:
        return f"{self.url}/doc/tree/{name}?token={self.token}&reset"

    def notebook_url(self, name: str) -> str:
        return f"{self.url}/notebooks/{name}?token={self.token}"

    def request(self, method: str, path: str) -> object:
        request = urllib.request.Request(
            f"{self.url}/api/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=20) as reply:
            body = reply.read()
        return json.loads(body) if body else None

    def shutdown_kernels(self) -> None:
        for session in self.request("GET", "sessions"):
            self.request("DELETE", f"sessions/{session['id']}")

    def write_notebook(self, name: str, cells: list[str | nbformat.NotebookNode]) -> Path:
        """Write a notebook of cells; a text is a code cell."""
        made = [nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
        notebook = nbformat.v4.new_notebook(cells=made)
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path = self.folder / name
        nbformat.write(notebook, path)
        return path

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)


def start_server(home: Path, *, application: str = "lab") -> JupyterServer:
    """Start JupyterLab (`application="lab"`) or Notebook 7 (`"notebook"`) and wait until it answers."""
    folder, settings = home / "notebooks", home / "settings"
    folder.mkdir(parents=True)
    news = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text(json.dumps(QUIET))
    for left in reversed(range(_TRIES)):
        server = _launched(home, folder, application)
        try:
            _wait_until_up(server, home / "server.log")
        except PortTakenError:
            if not left:
                raise
        else:
            return server
    raise AssertionError("the last try returns or raises")


class PortTakenError(RuntimeError):
    """Somebody was faster between the choice of a free port and the server's start."""


def _launched(home: Path, folder: Path, application: str) -> JupyterServer:
    port, token = free_port(), secrets.token_hex(8)
    command = [
        *(
            sys.executable,
            "-m",
            "jupyter",
            application,
            "--no-browser",
            "--ip=127.0.0.1",
            f"--port={port}",
            "--allow-root",
        ),
        *("--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}"),
        *("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly", "--LabApp.news_url=None"),
    ]
    if application == "notebook":
        command.append("--JupyterNotebookApp.expose_app_in_browser=True")
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=_environment(home), stdout=log, stderr=log)
    return JupyterServer(folder, port, token, process)


def _environment(home: Path) -> dict[str, str]:
    folders = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    folders |= {
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
        "XDG_CACHE_HOME": "cache",
    }
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {
        **os.environ,
        **{name: str(home / folder) for name, folder in folders.items()},
        "PYTHONPATH": path,
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(server: JupyterServer, log: Path, limit_s: float = 60) -> None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            server.request("GET", "status")
        except OSError:
            time.sleep(0.1)
        else:
            return
    server.process.kill()
    printed = log.read_text(errors="replace")[-2000:]
    server.process.wait(5)
    failure = PortTakenError if "is already in use" in printed else RuntimeError
    raise failure(f"the Jupyter server did not come up within {limit_s} s:\n{printed}")
