"""A slider in a real browser, at 1,000 strata and 100 classes in each: `python -m benchmarks.widgets [--check]`.

Medians of the time from the start of the input handler to redrawn bars with layout forced (limit 8 ms), and to redrawn
coverage (16 ms); paints a second over a drag of 3 s. With --check the run fails beyond four times the limits.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.ui.chromium import find_chromium

WIDGETS = Path(__file__).resolve().parents[1] / "widgets_js"


def main() -> int:
    npm, chromium = shutil.which("npm"), find_chromium()
    if npm is None or chromium is None:
        print(f"SKIPPED: no {'npm' if npm is None else 'Chromium'}. Hint: make node browser")
        return 0
    if not (WIDGETS / "node_modules" / "esbuild").exists():
        subprocess.run([npm, "ci", "--silent"], cwd=WIDGETS, check=True)
    environment = os.environ | {"PENSTOCK_CHROMIUM": chromium}
    command = [npm, "run", "--silent", "bench", "--", *sys.argv[1:]]
    return subprocess.run(command, cwd=WIDGETS, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
