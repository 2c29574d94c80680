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
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks_of(page):
    return BLOCK.findall(page.read_text())


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("page", [page for page in PAGES if blocks_of(page)], ids=lambda page: page.name)
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


def _indented(text):
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))
