"""A slider and a page of the grid in a real browser: `python -m benchmarks.widgets [--check]`.

The slider at 1,000 strata and 100 classes in each: medians of the time from the start of the input handler to redrawn bars
with layout forced (limit 8 ms), and to redrawn coverage (16 ms); paints a second over a drag of 3 s. The page: 40 thumbnails
with 860 polygons, from the request to the screen, with penstock's caches empty (400 ms) and full (50 ms). With --check the
run fails beyond four times the limits.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks._page import LIMITS_MS, measure
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
    return slider or _page(chromium, check="--check" in sys.argv[1:])


def _page(chromium: str, *, check: bool) -> int:
    taken = measure(chromium)
    print(json.dumps(taken, indent=2))
    late = [name for name, limit in LIMITS_MS.items() if taken[name] > SLACK * limit]
    if check and late:
        print(f"too slow: {', '.join(late)} beyond {SLACK} times the limit", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
