"""The Explorer's promises in a real browser: `python -m benchmarks.widgets [--check] [WORD ...]`.

The slider at 1,000 strata and 100 classes in each, and at 1,203 classes: the time from the start of the input handler to
redrawn bars with layout forced, and paints a second over a drag. A page of the grid: 40 thumbnails with 860 polygons, from
the request to the screen, with penstock's caches empty and full. The Explorer: its first paint on a table as large as NIH
ChestX-ray14, the longest handler while 1,000,000 rows are scrolled, the next sample of as many, a key typed into the query to
the kernel's check of it, and what a notebook saves. Words choose the numbers whose names have one of them, as ``page`` or ``next_sample``; ``slider``
chooses the slider. With --check the run fails beyond four times a limit.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks import _explorer, _page
from tests.ui.chromium import find_chromium

WIDGETS = Path(__file__).resolve().parents[1] / "widgets_js"
SLACK = 4  # a shared machine
MEASURED = ((_page.LIMITS_MS, _page.measure), (_explorer.LIMITS, _explorer.measure))


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.widgets", description=__doc__.splitlines()[0])
    parser.add_argument(
        "words", nargs="*", metavar="WORD", help="measure only what has a word in its name; default: all"
    )
    parser.add_argument("--check", action="store_true", help=f"fail beyond {SLACK} times a limit")
    options = parser.parse_args()
    npm, chromium = shutil.which("npm"), find_chromium()
    if npm is None or chromium is None:
        print(f"SKIPPED: no {'npm' if npm is None else 'Chromium'}. Hint: make node browser")
        return 0
    if not (WIDGETS / "node_modules" / "esbuild").exists():
        subprocess.run([npm, "ci", "--silent"], cwd=WIDGETS, check=True)
    slider = _slider(npm, chromium, check=options.check) if _chosen(["slider"], options.words) else 0
    late: list[str] = []
    for limits, measure in MEASURED:
        names = _chosen(limits, options.words)
        if names:
            late += _printed(measure(chromium, names), limits)
    if options.check and late:
        print(f"too slow: {', '.join(late)} beyond {SLACK} times the limit", file=sys.stderr)
        return 1
    return slider


def _slider(npm: str, chromium: str, *, check: bool) -> int:
    environment = os.environ | {"PENSTOCK_CHROMIUM": chromium}
    command = [npm, "run", "--silent", "bench", "--", *(["--check"] if check else [])]
    return subprocess.run(command, cwd=WIDGETS, env=environment, check=False).returncode


def _chosen(names: Iterable[str], words: Sequence[str]) -> list[str]:
    return [name for name in names if not words or any(word in name for word in words)]


def _printed(taken: Mapping[str, float], limits: Mapping[str, float]) -> list[str]:
    """Print each number beside its limit; return the names beyond four times theirs."""
    for name, took in taken.items():
        print(f"{name:36} {took:8.1f}   limit {limits[name]}", flush=True)
    return [name for name, took in taken.items() if took > SLACK * limits[name]]


if __name__ == "__main__":
    sys.exit(main())
