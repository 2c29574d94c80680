"""Every side-by-side run, one after the other: `python -m benchmarks [--deeplake PYTHON] [NAME ...]`."""

from __future__ import annotations

import argparse
import subprocess
import sys

SUITES = {
    "storage": False,
    "tql": True,
    "growth_queries": False,
    "sampling": False,
    "oversampling": False,
    "signals": False,
    "loading": True,
    "live": False,
    "memory": False,
    "growth": False,
    "batchup": False,
    "export": False,
    "widgets": False,
}  # whether Deep Lake is among the peers


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(SUITES)}; default: all")
    parser.add_argument("--deeplake", metavar="PYTHON", help="interpreter of an environment with deeplake 4")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(SUITES))
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(SUITES)}")
    worst = 0
    for name in options.names or SUITES:
        print(f"\n== {name}", flush=True)
        peer = ["--deeplake", options.deeplake] if options.deeplake and SUITES[name] else []
        worst = max(worst, subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *peer], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
