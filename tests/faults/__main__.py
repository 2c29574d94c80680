"""Try faults and print what came of them: ``python -m tests.faults [crashes | power | sequences | merges | damage | races]``."""

from __future__ import annotations

import argparse
import sys
import time

from tests.faults import preload


def _crashes(args, kinds):
    from tests.faults.operations import ALL
    from tests.faults.points import try_points

    reason = preload.why_not()
    if reason:
        print(f"not tried: {reason}")
        return True
    chosen = [operation for operation in ALL if args.only is None or args.only in operation.name]
    print(f"{'operation':34} {'fault':14} {'points':>6} {'before':>6} {'after':>6} {'else':>5} {'litter':>6} {'raw errors':>10}", flush=True)
    rows = try_points(
        chosen,
        kinds=kinds,
        num_workers=args.workers,
        sample=args.sample,
        seed=args.seed,
        told=lambda row: _print_row(row, args.verbose),
    )
    for kind in dict.fromkeys(row.kind for row in rows):
        of_kind = [row for row in rows if row.kind == kind]
        sums = [sum(getattr(row, name) for row in of_kind) for name in ("points", "before", "after")]
        wrong, litter, raw = (sum(len(getattr(row, name)) for row in of_kind) for name in ("wrong", "litter", "raw"))
        print(f"{'all':34} {kind:14} {sums[0]:6} {sums[1]:6} {sums[2]:6} {wrong:5} {litter:6} {raw:10}")
    return not any(row.wrong or row.litter or row.raw for row in rows)


def _print_row(row, verbose):
    print(
        f"{row.operation:34} {row.kind:14} {row.points:6} {row.before:6} {row.after:6} {len(row.wrong):5} "
        f"{len(row.litter):6} {len(row.raw):10}",
        flush=True,
    )
    for at, told in [*row.wrong, *row.litter, *row.raw][: None if verbose else 2]:
        lines = str(told).splitlines()
        print(f"    at {at}: {lines[0][:300]}" + (f" … {lines[-1][:200]}" if len(lines) > 1 else ""), flush=True)


PARTS = {
    "crashes": lambda args: _crashes(args, ("kill", "full", "broken")),
    "kill": lambda args: _crashes(args, ("kill",)),
    "full": lambda args: _crashes(args, ("full",)),
    "broken": lambda args: _crashes(args, ("broken",)),
    "power": lambda args: _crashes(args, ("power",)),
}


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=["crashes", "power"])
    parser.add_argument("--only", help="a part of the names of the calls that are tried")
    parser.add_argument("--sample", type=int, help="how many points of each call; by default all")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    began = time.monotonic()
    right = [PARTS[part](args) for part in args.parts]
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(not all(right))


if __name__ == "__main__":
    main()
