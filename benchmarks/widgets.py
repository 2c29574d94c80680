"""The Explorer's promises in a real browser: `python -m benchmarks.widgets [--check]`.

The slider at 1,000 strata and 100 classes in each, and at 1,203 classes: the time from the start of the input handler to
redrawn bars with layout forced, and paints a second over a drag. A page of the grid: 40 thumbnails with 860 polygons, from
the request to the screen, with penstock's caches empty and full. The Explorer: its first paint on a table as large as NIH
ChestX-ray14, the longest handler while 1,000,000 rows are scrolled, the next sample of as many, a key typed into the query to
the kernel's check of it, and what a notebook saves. With --check the run fails beyond four times a limit.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks import _explorer, _page
from tests.ui.chromium import find_chromium

WIDGETS = Path(__file__).resolve().parents[1] / "widgets_js"
SLACK = 4  # a shared machine


def main() -> int:
    npm, chromium = shutil.which("npm"), find_chromium()
    if npm is None or chromium is None:
        print(f"SKIPPED: no {'npm' if npm is None else 'Chromium'}. Hint: make node browser")
        return 0
    if not (WIDGETS / "node_modules" / "esbuild").exists():
        subprocess.run([npm, "ci", "--silent"], cwd=WIDGETS, check=True)
    environment = os.environ | {"PENSTOCK_CHROMIUM": chromium}
    command = [npm, "run", "--silent", "bench", "--", *sys.argv[1:]]
    slider = subprocess.run(command, cwd=WIDGETS, env=environment, check=False).returncode
    late = _printed(_page.measure(chromium), _page.LIMITS_MS) + _printed(_explorer.measure(chromium), _explorer.LIMITS)
    if "--check" in sys.argv[1:] and late:
        print(f"too slow: {', '.join(late)} beyond {SLACK} times the limit", file=sys.stderr)
        return 1
    return slider


def _printed(taken: Mapping[str, float], limits: Mapping[str, float]) -> list[str]:
    """Print each number beside its limit; return the names beyond four times theirs."""
    for name, limit in limits.items():
        print(f"{name:36} {taken[name]:8.1f}   limit {limit}", flush=True)
    return [name for name, limit in limits.items() if taken[name] > SLACK * limit]


if __name__ == "__main__":
    sys.exit(main())
