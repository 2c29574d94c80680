"""Print the trainers' table: `python -m tests.trainers [WORD ...]` runs the rows that hold all of the words."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys

from tests.trainers.names import KINDS, RECORDED, SCHEDULED, TRAINERS, WITH_WORKERS

PACKAGES = ("torch", "torchdata", "accelerate", "transformers", "lightning", "mmengine")


def rows(trainer, kinds):
    """Run some rows of a trainer in a process that has loaded this trainer and no other."""
    command = [sys.executable, "-m", "tests.trainers.job", trainer, *kinds]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("ROW "):
                yield json.loads(line.removeprefix("ROW "))


def main(words):
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    print(f"Python {sys.version.split()[0]}, {versions}\n")
    print("| trainer | handed in | 1 process | 2 processes |\n|---|---|---|---|", flush=True)
    asked = bad = 0
    for trainer in TRAINERS:
        of = KINDS + WITH_WORKERS * (trainer == "Lightning Trainer") + SCHEDULED + RECORDED
        kinds = [kind for kind in of if all(word.lower() in f"{trainer} {kind}".lower() for word in words)]
        asked += len(kinds)
        for kind, *cells in rows(trainer, kinds) if kinds else ():
            asked -= 1
            bad += sum(cell.startswith("wrong") for cell in cells)
            print(f"| {trainer} | {kind} | {' | '.join(cells)} |", flush=True)
    return bad > 0 or asked > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
