"""Print the trainers' table: `python -m tests.trainers [WORD ...]` runs the rows that hold all of the words."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.trainers.handed import KINDS
from tests.trainers.job import TRAINERS

PACKAGES = ("torch", "torchdata", "accelerate", "transformers", "lightning", "mmengine")
LONGEST = 300


def verdicts(trainer, kind, world):
    """Run a row in processes of its own, one for each rank."""
    with tempfile.TemporaryDirectory() as folder:
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.trainers.job", trainer, kind, str(rank), str(world), str(Path(folder, "store"))],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )
            for rank in range(world)
        ]  # fmt: skip
        try:
            return [_read(process.communicate(timeout=LONGEST)[0]) for process in started]
        except subprocess.TimeoutExpired:
            return [(0, f"took more than {LONGEST} s")]
        finally:
            for process in started:
                process.kill()


def _read(text):
    lines = [line for line in text.splitlines() if line.strip()]
    told = [line.removeprefix("VERDICT ") for line in lines if line.startswith("VERDICT ")]
    return tuple(json.loads(told[-1])) if told else (0, lines[-1] if lines else "ended without a word")


def row(trainer, kind, world):
    resumes, wrong = zip(*verdicts(trainer, kind, world), strict=True)
    said = "; ".join(sorted({text for text in wrong if text}))
    return f"wrong: {said}" if said else f"right, {min(resumes)} of {max(resumes)} resumes"


def main(words):
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    print(f"Python {sys.version.split()[0]}, {versions}\n")
    print("| trainer | handed in | 1 process | 2 processes |\n|---|---|---|---|")
    bad = 0
    for trainer in TRAINERS:
        for kind in KINDS:
            if not all(word.lower() in f"{trainer} {kind}".lower() for word in words):
                continue
            cells = [row(trainer, kind, world) for world in (1, 2)]
            bad += sum(cell.startswith("wrong") for cell in cells)
            print(f"| {trainer} | {kind} | {' | '.join(cells)} |", flush=True)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
