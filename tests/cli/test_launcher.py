"""A real JupyterLab: the first cell has run, its outputs are trusted, and an interrupt leaves no process behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress

import nbformat
import pytest
from nbformat.sign import NotebookNotary
from PIL import Image

from penstock.cli._jupyter import running_lab
from penstock.cli._launcher import launch, notebook_for, tour_notebook
from penstock.errors import MissingDependencyError, PenstockError

pytestmark = [pytest.mark.slow, pytest.mark.notebook]

LAUNCH = """
import sys
from pathlib import Path
from penstock.cli._launcher import launch
launch(Path(sys.argv[1]), open_browser=False)
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def write(folder, *sources):
    cells = [nbformat.v4.new_markdown_cell("# title"), *(nbformat.v4.new_code_cell(source) for source in sources)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.write(notebook, folder / "n.ipynb")
    return folder / "n.ipynb"


@pytest.fixture
def launched(home):
    """Return a function that launches a notebook and gives the process and the address it printed."""
    processes = []

    def launch_it(path):
        command = [sys.executable, "-c", LAUNCH, str(path)]
        processes.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=home))
        lines = []
        for line in processes[-1].stderr:
            lines.append(line)
            if "http://" in line:
                return processes[-1], line.split()[-1]
        raise AssertionError(f"the launcher ended early: {lines}")

    yield launch_it
    for process in processes:
        process.terminate()
        process.wait(40)
        process.stderr.close()


def children_of(pid):
    import psutil

    return psutil.Process(pid).children(recursive=True)


def arguments_of(pids):
    """Return the arguments of the processes that are there still."""
    import psutil

    found = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            found += psutil.Process(pid).cmdline()
    return found


def ask(url, path):
    base, token = url.split("/lab/")[0], url.split("token=")[1]
    request = urllib.request.Request(f"{base}/api/{path}", headers={"Authorization": f"token {token}"})
    with urllib.request.urlopen(request, timeout=20) as reply:
        return json.loads(reply.read())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["interrupt", "terminate"])
def test_launch_runs_the_first_cell_until_it_is_stopped(home, how, launched):
    path = write(home, "import ipywidgets\nprint('alive')\nipywidgets.IntSlider(7)", "never = 1")
    process, url = launched(path)
    notebook = nbformat.read(path, as_version=4)
    assert notebook.cells[1].execution_count == 1
    assert notebook.cells[1].outputs[0].text == "alive\n"
    assert "application/vnd.jupyter.widget-view+json" in notebook.cells[1].outputs[1].data
    assert notebook.cells[2].execution_count is None
    assert NotebookNotary().check_signature(notebook)
    sessions = ask(url, "sessions")
    assert [session["path"] for session in sessions] == ["n.ipynb"]
    family = children_of(process.pid)
    assert len(family) >= 2
    token = url.split("token=")[1]
    assert not any(token in argument for argument in arguments_of([process.pid, *(one.pid for one in family)]))
    process.send_signal(how)
    assert process.wait(40) == 0
    deadline = time.monotonic() + 10
    while any(one.is_running() for one in family) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [one for one in family if one.is_running()]


def test_a_first_cell_that_fails_ends_the_launch_with_its_error(home):
    with pytest.raises(PenstockError, match=r"first cell of .*n.ipynb failed: ValueError: no such thing"):
        launch(write(home, "raise ValueError('no such\\nthing')"), open_browser=False)


def test_a_server_that_ends_is_said_with_what_it_printed(home):
    with (
        pytest.raises(PenstockError, match=r"JupyterLab exited with status .*it printed"),
        running_lab(home / "no such folder"),
    ):
        pass


def test_without_jupyterlab_the_pip_line_is_said(home, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'penstock\[lab\]'"), running_lab(home):
        pass


NO_WEBSOCKET = """
import importlib.util, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in ("websocket", "nbformat") else found(name, *more)
from penstock.cli import main
sys.exit(main(["explore", sys.argv[1]]))
"""


def test_a_missing_package_of_the_lab_is_named_before_anything_is_imported(home):
    Image.new("RGB", (8, 8)).save(home / "a.png")
    environment = {**os.environ, "XDG_CACHE_HOME": str(home / "cache")}
    command = [sys.executable, "-c", NO_WEBSOCKET, str(home)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=home, env=environment, check=False)
    assert ended.returncode == 1
    assert "nbformat, websocket-client not found" in ended.stderr
    assert sorted(path.name for path in home.iterdir()) == ["a.png"]


def test_a_notebook_of_the_user_is_not_overwritten(home):
    path = notebook_for("data/shapes.penstock", home)
    assert path.name == "explore-shapes.ipynb"
    assert "penstock.load('data/shapes.penstock')" in nbformat.read(path, as_version=4).cells[0].source
    edited = path.read_text().replace("explore(ds)", "explore(ds, seed=7)")
    path.write_text(edited)
    assert notebook_for("data/shapes.penstock", home).read_text() == edited
    other = notebook_for("other/shapes.penstock", home)
    assert other.name == "explore-shapes-2.ipynb"
    assert path.read_text() == edited
    tour_notebook(home).write_text("mine")
    assert tour_notebook(home).read_text() == "mine"
