"""Try faults and print what came of them; exits 1 if anything is wrong.

crashes: the n-th change of a file kills the process, finds the disk full, or fails once, at every point of every call;
power: what was not synced is lost, after each call, and at every point of those that promise to last;
sequences, merges: random ones against plain Python; damage: damaged files; races: sessions at the same time.
"""

from __future__ import annotations

import argparse
import collections
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from tests.faults import preload
from tests.faults.points import CRASHES, try_points
from tests.faults.serving import in_a_folder

_HEADS = ("points", "before", "after", "else", "litter", "raw errors")


def _crashes(args, kinds):
    from tests.faults.operations import ALL

    reason = preload.why_not()
    if reason:
        print(f"not tried: {reason}")
        return True
    chosen = [operation for operation in ALL if re.search(args.only, operation.name)]
    print(f"{'operation':34} {'fault':14}" + "".join(f"{head:>11}" for head in _HEADS), flush=True)
    told = partial(_print_row, verbose=args.verbose)
    rows = try_points(chosen, kinds=kinds, num_workers=args.workers, sample=args.sample, seed=args.seed, told=told)
    for kind in dict.fromkeys(row.kind for row in rows):
        _print_numbers(
            "all", kind, *(sum(each) for each in zip(*(row.numbers() for row in rows if row.kind == kind), strict=True))
        )
    return not any(row.wrong or row.litter or row.raw for row in rows)


def _print_numbers(name, kind, *numbers):
    print(f"{name:34} {kind:14}" + "".join(f"{number:11}" for number in numbers), flush=True)


def _print_row(row, *, verbose):
    _print_numbers(row.operation, row.kind, *row.numbers())
    for at, told in [*row.wrong, *row.litter, *row.raw][: None if verbose else 2]:
        lines = str(told).splitlines()
        print(f"    at {at}: {lines[0][:300]}" + (f" … {lines[-1][:200]}" if len(lines) > 1 else ""), flush=True)


def _random(args, what, function, count):
    wrong = 0
    count = args.sample or count
    with ProcessPoolExecutor(args.workers, mp_context=get_context("spawn")) as pool:
        for number, told in enumerate(pool.map(partial(in_a_folder, function), range(count))):
            if told:
                wrong += 1
                print(f"    {what} {number}: {told if args.verbose else told[:400]}", flush=True)
    print(f"{what}: {count}, equal {count - wrong}, not {wrong}", flush=True)
    return not wrong


def _sequences(args):
    from tests.faults.sequences import NUM_SEQUENCES, wrong_in_sequence

    return _random(args, "random sequences", wrong_in_sequence, NUM_SEQUENCES)


def _merges(args):
    from tests.faults.merges import NUM_MERGES, wrong_in_merge

    return _random(args, "three-way merges", wrong_in_merge, NUM_MERGES)


def _damage(args):
    from tests.faults.damage import OUTCOMES, try_damages

    found = try_damages(args.sample or 20, seed=args.seed, num_workers=args.workers)
    counts = collections.Counter((kind, outcome) for kind, _, outcome, _ in found)
    print(f"{'file':30}" + "".join(f"{outcome:>10}" for outcome in OUTCOMES))
    for kind in sorted({kind for kind, _ in counts}):
        print(f"{kind:30}" + "".join(f"{counts[kind, outcome]:10}" for outcome in OUTCOMES))
    bad = [one for one in found if one[2] in {"silent", "raw error", "crash"}]
    for kind, how, outcome, told in bad if args.verbose else bad[:12]:
        print(f"    {kind}, {how}: {outcome}: {str(told)[:300]}")
    return not bad


def _races(args):
    from tests.faults.races import RACES

    right = True
    for name, race in RACES.items():
        wrong = in_a_folder(lambda path, race: race(path, 12), race)
        print(f"{name}: {'nothing lost, no error' if not wrong else f'{len(wrong)} wrong'}", flush=True)
        for told in wrong if args.verbose else wrong[:4]:
            print(f"    {told[:300]}")
        right = right and not wrong
    return right


PARTS = {
    "crashes": partial(_crashes, kinds=CRASHES),
    **{kind: partial(_crashes, kinds=(kind,)) for kind in (*CRASHES, "power")},
    "sequences": _sequences,
    "merges": _merges,
    "damage": _damage,
    "races": _races,
}
_WHOLE = ["crashes", "power", "sequences", "merges", "damage", "races"]


def main():
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", help=f"what is tried, of {', '.join(PARTS)}; by default all")
    parser.add_argument("--only", default="", help="a regular expression of the names of the calls that are tried")
    parser.add_argument("--sample", type=int, help="how many points of each call, sequences, merges; by default all")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true", help="print all that is wrong, not the first few")
    args = parser.parse_args()
    began = time.monotonic()
    right = [PARTS[part](args) for part in args.parts or _WHOLE]
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(not all(right))


if __name__ == "__main__":
    main()
