"""Every Python block of the README and of the docs runs as written, page by page, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ALONE = {"README", "batchup", "datasets", "loader", "object-stores", "standard-datasets", "trainers"}  # with processes
TOGETHER = [page for page in PAGES if page.stem not in ALONE]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks_of(page):
    return BLOCK.findall(page.read_text())


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks_of(page) and page not in TOGETHER], ids=lambda page: page.name
)
def test_page_runs(page, tmp_path, request):
    script = tmp_path / "page.py"
    body = "\n".join(f"# block {number}\n{block}" for number, block in enumerate(blocks_of(page), 1))
    script.write_text(f'if __name__ == "__main__":\n{_indented(body)}')
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    if "s3://my-bucket/" in body:
        server = request.getfixturevalue("object_store")
        server.new_bucket("my-bucket")
        environment |= server.environment
    run = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-3000:]


EACH = """
import os, pathlib, sys, traceback

failed = False
for path in sys.argv[1:]:
    os.chdir(pathlib.Path(path).parent)
    try:
        exec(compile(pathlib.Path(path).read_text(), path, "exec"), {"__name__": "__main__"})
    except BaseException:
        traceback.print_exc()
        failed = True
sys.exit(failed)
"""


@pytest.mark.slow
@pytest.mark.torch
def test_short_pages_run(tmp_path):
    """Each in a folder and with names of its own, in one process: starting one takes longer than most of them."""
    scripts = []
    for page in (page for page in TOGETHER if blocks_of(page)):
        script = tmp_path / page.parent.name / page.stem / f"{page.stem}.py"
        script.parent.mkdir(parents=True)
        script.write_text("\n".join(blocks_of(page)))
        scripts.append(str(script))
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", EACH, *scripts], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-5000:]


def _indented(text):
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))
