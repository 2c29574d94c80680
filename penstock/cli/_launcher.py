"""`penstock explore`: a notebook whose first cell has run by the time the browser shows it."""

from __future__ import annotations

import signal
import webbrowser
from importlib import resources
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

from penstock.cli._jupyter import JupyterLab, running_lab
from penstock.cli._kernel import execute, language_of
from penstock.cli._terminal import complain
from penstock.errors import PenstockError

__all__ = ["launch", "notebook_for", "tour_notebook"]

_TOUR_NAME = "penstock-tour.ipynb"
_CELL = """import penstock

ds = penstock.load({path!r})
x = penstock.explore(ds)
x"""


def tour_notebook(folder: Path) -> Path:
    """Return the tour in `folder`, copied there unless it is there already."""
    path = folder / _TOUR_NAME
    if not path.exists():
        path.write_bytes(resources.files("penstock.cli").joinpath("tour.ipynb").read_bytes())
    return path


def notebook_for(dataset: Path | str, folder: Path) -> Path:
    """Return a notebook in `folder` that opens the Explorer on a dataset, written unless one is there already."""
    import nbformat

    name = Path(str(dataset).rstrip("/")).name.removesuffix(".penstock")
    paths = (folder / f"explore-{name}{'' if number == 1 else f'-{number}'}.ipynb" for number in count(1))
    path = next(path for path in paths if not path.exists() or repr(str(dataset)) in path.read_text())
    if not path.exists():
        code = _CELL.format(path=str(dataset))
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, path)
    return path


def launch(notebook: Path, *, port: int = 0, open_browser: bool = True) -> None:
    """Start JupyterLab, run the notebook's first code cell, open the browser, and stay until interrupted.

    Parameters
    ----------
    notebook : Path
        Its first code cell is run in the kernel that the browser will find.
    port : int
        0 takes a free one.
    open_browser : bool
        False prints the address alone.
    """
    _say("starting JupyterLab …")
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with running_lab(notebook.parent.resolve(), port) as lab:
            _run_first_cell(lab, notebook)
            _say(f"the Explorer is at {lab.url_of(notebook.name)}\n          Ctrl-C stops it")
            if open_browser:
                webbrowser.open(lab.url_of(notebook.name))
            lab.process.wait()
            lab.check_alive()
    except KeyboardInterrupt:
        _say("stopped")
    finally:
        signal.signal(signal.SIGTERM, previous)


def _run_first_cell(lab: JupyterLab, path: Path) -> None:
    """Run the first code cell, write its outputs into the notebook and trust them."""
    import nbformat
    from nbformat.sign import NotebookNotary

    notebook = nbformat.read(path, as_version=4)
    cell = next((cell for cell in notebook.cells if cell.cell_type == "code"), None)
    if cell is None:
        raise PenstockError(f"{path} has no code cell. Expected one that opens the Explorer")
    _say("running the first cell …")
    address = lab.address_of(lab.start_kernel(path.name))
    outputs = execute(address, cell.source, lab.check_alive)
    _raise_failure(outputs, path)
    notebook.metadata["kernelspec"] = lab.kernelspec()  # as JupyterLab has it: the notebook opens unchanged
    notebook.metadata["language_info"] = language_of(address, lab.check_alive)
    cell.outputs = [nbformat.from_dict(output) for output in outputs]
    cell.execution_count = 1
    nbformat.write(notebook, path)
    NotebookNotary().sign(notebook)


def _raise_failure(outputs: list[dict[str, Any]], path: Path) -> None:
    failure = next((output for output in outputs if output["output_type"] == "error"), None)
    if failure is not None:
        reason = " ".join(f"{failure['ename']}: {failure['evalue']}".split())
        raise PenstockError(f"the first cell of {path} failed: {reason}")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    complain(text)
