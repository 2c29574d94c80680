"""The notebooks run from their first cell to their last, in an empty home; the tour is the copy that is shipped."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
TOUR = ROOT / "notebooks" / "tour.ipynb"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TWENTY_TRAININGS = "curriculum"  # five seeds of four schedules
STANDARD = {"batchup": "mnist"}  # notebooks that read a standard dataset, which tests do not download
NEEDED = {"chained_loader": "tensorflow"}  # notebooks that need a package that is not for every Python


def test_the_shipped_tour_is_the_one_in_notebooks():
    assert (ROOT / "penstock/cli/tour.ipynb").read_bytes() == TOUR.read_bytes()


def place(name, shared_data, home):
    """Place the files of a standard dataset by hand, as a user without a network does."""
    files = sorted((shared_data / name).glob("*.gz"))
    if not files:
        pytest.skip(f"the files of {name} are not in the real data")
    folder = home / "data" / name
    folder.mkdir(parents=True)
    for file in files:
        (folder / file.name).symlink_to(file)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_has_no_outputs(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)


def test_the_tour_opens_the_explorer_first():
    cells = nbformat.read(TOUR, as_version=4).cells
    assert cells[0].source.split("\n") == [
        "import penstock",
        "",
        "ds = penstock.demo(fresh=True)",
        "x = penstock.explore(ds)",
        "x",
    ]


@pytest.mark.slow
@pytest.mark.notebook
@pytest.mark.torch
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.exhaustive] if path.stem == TWENTY_TRAININGS else [])
        for path in NOTEBOOKS
    ],
)
def test_the_notebook_runs(path, tmp_path, request):
    if path.stem in NEEDED and find_spec(NEEDED[path.stem]) is None:
        pytest.skip(f"{NEEDED[path.stem]} is not installed")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    if path.stem in STANDARD:
        environment["PENSTOCK_HOME"] = str(tmp_path / "home")
        place(STANDARD[path.stem], request.getfixturevalue("shared_data"), tmp_path / "home")
    for name in ("XDG_CACHE_HOME", "IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
        environment[name] = str(tmp_path / name.lower())
    options = ["--nbval-lax", "-q", "-p", "no:cacheprovider", "-o", "addopts="]
    command = [sys.executable, "-m", "pytest", *options, str(path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
