"""What a user gets: the wheel and the source distribution, built without a network and looked into."""

from __future__ import annotations

import email
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
STATIC = ("runtime.js.gz", "runtime-extra.js.gz", "stub.js", "static-page.js", "style.css")
NOTICES = ("LICENSE", "widgets_js/licenses.txt")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    with zipfile.ZipFile(next(built.glob("*.whl"))) as file:
        yield file


@pytest.fixture(scope="module")
def source_names(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as file:
        return {name.partition("/")[2] for name in file.getnames()}


def info_of(wheel, name):
    (path,) = (path for path in wheel.namelist() if re.fullmatch(rf"penstock-[^/]*\.dist-info/{name}", path))
    return wheel.read(path).decode()


def package_files():
    files = (path for path in (ROOT / "penstock").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(ROOT).as_posix() for path in files}


def test_wheel_holds_the_package_and_nothing_else(wheel):
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == package_files()
    assert names >= {"penstock/py.typed", "penstock/cli/tour.ipynb", *(f"penstock/widgets/static/{n}" for n in STATIC)}


def test_wheel_holds_no_real_data(wheel):
    assert not [name for name in wheel.namelist() if name.endswith((".jpg", ".jpeg", ".csv", ".csv.gz", ".lance"))]


@pytest.mark.parametrize("name", NOTICES)
def test_wheel_holds_the_licenses(wheel, name):
    assert info_of(wheel, f"licenses/{name}") == (ROOT / name).read_text()


def test_licenses_name_every_package_of_the_front_end():
    lock = json.loads((ROOT / "widgets_js" / "package-lock.json").read_text())["packages"]
    shipped = {
        f"{folder.split('node_modules/')[-1]} {package['version']}"
        for folder, package in lock.items()
        if folder and not package.get("dev")
    }
    lines = (ROOT / "widgets_js" / "licenses.txt").read_text().splitlines()
    rules = [number for number, line in enumerate(lines) if line == "-" * 80]
    assert {name for number in rules[::2] for name in lines[number + 1].split(", ")} == shipped


def test_one_line_installs_what_the_tour_needs(wheel):
    metadata = email.message_from_string(info_of(wheel, "METADATA"))
    assert {"lab", "torch"} <= set(metadata.get_all("Provides-Extra"))
    assert metadata["Requires-Python"] == PROJECT["requires-python"]
    assert "penstock = penstock.cli:main" in info_of(wheel, "entry_points.txt")


def test_source_distribution_builds_the_same_wheel_and_runs_the_tests(source_names):
    assert package_files() <= source_names
    assert {
        "Makefile",
        "constraints.txt",
        "tests/conftest.py",
        "widgets_js/package-lock.json",
        *NOTICES,
    } <= source_names
    assert not [name for name in source_names if name.startswith((".ci/", ".git/")) or "node_modules/" in name]


TRY = """
import sys
from pathlib import Path
import penstock
from penstock.cli import main
from penstock.cli._launcher import tour_notebook
assert Path(penstock.__file__).is_relative_to(sys.argv[1]), penstock.__file__
ds = penstock.demo("shapes.penstock", num_samples=12)
penstock.explore(ds).to_html("page.html")
assert tour_notebook(Path()).stat().st_size > 1000
sys.exit(main(["log", "shapes.penstock"]))
"""


def test_wheel_works_outside_the_checkout(wheel, tmp_path):
    wheel.extractall(tmp_path / "site")
    folder = tmp_path / "empty"
    folder.mkdir()
    environment = {"PYTHONPATH": str(tmp_path / "site"), "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-P", "-c", TRY, str(tmp_path / "site")]
    run = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert "import 12 samples" in run.stdout
    assert (folder / "page.html").stat().st_size > 100_000
