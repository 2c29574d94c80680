"""Sampling against torch and numpy, both sides in one interleaved run.

Run ``python benchmarks/sampling.py [--rows 112120 1000000] [--repeats 5] [--huge]``. Prints medians in milliseconds
and the ratio of the medians. Labels follow the class frequencies of a chest X-ray table, made up on the spot.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time

import numpy as np

from penstock.sampling import ClassCounts, Clause, SamplingSpec, Strata

SHARES = (
    0.538,
    0.177,
    0.119,
    0.103,
    0.0565,
    0.0516,
    0.0473,
    0.0416,
    0.0302,
    0.0248,
    0.0224,
    0.0205,
    0.015,
    0.0128,
    0.002,
)
WEIGHTS = (20.0, 8.0, 5.0, 5.0, 2.0, 1.0)
TORCH_LIMIT = 1 << 24


def interleaved(repeats, **sides):
    """Median time of each side in milliseconds; the sides take turns."""
    times = {name: [] for name in sides}
    for _ in range(repeats):
        for name, run in sides.items():
            begin = time.perf_counter()
            run()
            times[name].append(1e3 * (time.perf_counter() - begin))
    return {name: statistics.median(spent) for name, spent in times.items()}


def often(run, times):
    """The same many times: what a slider does, caches warm."""

    def loop():
        for _ in range(times):
            run()

    return loop


def made_labels(num_rows, rng):
    """Labels with the shares of SHARES, in class order in each row."""
    has = np.stack([rng.random(num_rows) < share for share in SHARES[1:]], axis=1)
    none = ~has.any(axis=1)
    rows, classes = np.nonzero(np.column_stack([none, has]))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=num_rows))])
    return ClassCounts(
        values=classes.astype(np.int64), offsets=offsets, class_names=tuple(map(str, range(len(SHARES))))
    )


def masks_of(labels):
    """Masks of the five rarest classes and True."""
    rows = np.repeat(np.arange(labels.num_rows), np.diff(labels.offsets))
    masks = {}
    for number in (14, 13, 12, 11, 10):
        masks[str(number)] = np.zeros(labels.num_rows, bool)
        masks[str(number)][rows[labels.values == number]] = True
    return {**masks, "True": np.ones(labels.num_rows, bool)}


def spec_of(masks, weights=WEIGHTS, **options):
    return SamplingSpec(
        clauses=tuple(Clause(name, weight) for name, weight in zip(masks, weights, strict=True)), **options
    )


def random_strata(num_rows, num_strata, rng):
    """A plan of some strata of random size and weight."""
    ids = rng.integers(0, num_strata, num_rows)
    weights = rng.choice([1.0, 2.0, 5.0, 8.0, 20.0], num_strata) + np.arange(num_strata) * 1e-6
    return Strata.from_weights(weights[ids])


def draw(num_rows, repeats, rng):
    """An epoch of draws: ours at 17 and at 836 strata, torch, numpy."""
    import torch
    from torch.utils.data import WeightedRandomSampler

    few, many = random_strata(num_rows, 17, rng), random_strata(num_rows, 836, rng)
    row_weights = few.row_weights[few.ids]
    tensor = torch.as_tensor(row_weights)
    probabilities = row_weights / row_weights.sum()
    _ = few.rows, many.rows
    epochs = iter(range(10**9))
    sides = {
        "iid, 17 strata": lambda: few.with_spec(SamplingSpec(seed=next(epochs))).stream().epoch(0),
        "iid, 836 strata": lambda: many.with_spec(SamplingSpec(seed=next(epochs))).stream().epoch(0),
        "deck, 17 strata": lambda: few.with_spec(SamplingSpec(mode="deck", seed=next(epochs))).stream().epoch(0),
        "deck, 836 strata": lambda: many.with_spec(SamplingSpec(mode="deck", seed=next(epochs))).stream().epoch(0),
        "once of a quarter": lambda: (
            few.with_spec(SamplingSpec(mode="once", size=num_rows // 4, seed=next(epochs))).stream().epoch(0)
        ),
    }
    if num_rows <= 4_000_000:
        sides["list(WeightedRandomSampler)"] = lambda: list(WeightedRandomSampler(tensor, num_rows))
    if num_rows < TORCH_LIMIT:
        sides["torch.multinomial"] = lambda: torch.multinomial(tensor, num_rows, replacement=True)
    if num_rows <= 4_000_000:
        sides["np.choice"] = lambda: rng.choice(num_rows, num_rows, p=probabilities)
    return interleaved(repeats, **sides)


def gestures(repeats, rng):
    """What a slider costs, on 836 strata; strata from masks; the solver on label sets."""
    labels = made_labels(112_120, rng)
    masks = masks_of(labels)
    sets = Strata.from_labels(labels)
    names = sets.expressions
    _ = sets.class_sums
    specs = [
        SamplingSpec(clauses=(Clause(names[0], 1 + k / 7), *(Clause(n, 1.5) for n in names[1:])), combine="sum")
        for k in range(1000)
    ]
    turn = iter(specs * 1000)

    def histogram():
        sets.with_spec(next(turn)).histogram()

    many = random_strata(112_120, 836, rng)

    def curves():
        for mode in ("iid", "deck", "once"):
            many.with_spec(SamplingSpec(mode=mode)).coverage(20)

    def whole(strata):
        return strata.rows, strata.class_sums

    plan = sets.with_spec(specs[0])
    targets = {"14": 0.05, "13": 0.05, "12": 0.05, "11": 0.05, "10": 0.05, "0": 0.4}
    ready = {name: np.ascontiguousarray(mask) for name, mask in masks.items()}
    chances = {str(number): rng.random(112_120) < 0.31 for number in range(10)}
    grouped = Strata.from_masks(chances, labels=labels)
    moved = iter([spec_of(chances, (1 + k / 7, *(2.0,) * 9)) for k in range(1000)] * 1000)

    def patterns():
        grouped.with_spec(next(moved)).histogram()

    return (sets.num_strata, grouped.num_strata), interleaved(
        repeats * 5,
        **{
            "strata of 112,120 rows from masks": lambda: Strata.from_masks(ready),
            "  with rows sorted and class sums": lambda: whole(Strata.from_masks(ready, labels=labels)),
            "100 histograms after a weight change, label sets": often(histogram, 100),
            "100 histograms after a weight change, 836 patterns": often(patterns, 100),
            "10 times three coverage curves, 836 strata": often(curves, 10),
            "10 times targets solved": often(lambda: plan.solve_targets(targets, unit="samples"), 10),
            "plan and stream re-armed, first index": lambda: (
                many.with_spec(SamplingSpec(seed=next(iter(range(3))))).stream().slice(0, 1)
            ),
        },
    )


def huge(rng, shares):
    """A hundred million rows: build, first index, an epoch, memory."""
    num_rows = 100_000_000
    masks = {f"clause {number}": rng.random(num_rows, np.float32) < share for number, share in enumerate(shares)}
    masks["True"] = np.ones(num_rows, bool)
    begin = time.perf_counter()
    strata = Strata.from_masks(masks)
    _ = strata.rows
    built = time.perf_counter() - begin
    held = strata.ids.nbytes + strata.rows.nbytes + strata.offsets.nbytes + strata.sizes.nbytes
    print(
        f"100M rows, {strata.num_strata} strata: built in {built:.1f} s ({1e9 * built / num_rows:.0f} ns a row), {held / num_rows:.1f} bytes a row held"
    )
    for mode in ("iid", "deck"):
        begin = time.perf_counter()
        stream = strata.with_spec(spec_of(masks, (*np.linspace(20, 2, len(masks) - 1), 1.0), mode=mode)).stream()
        stream.slice(123_456_789, 123_456_790)
        print(f"  {mode}: first index in {1e3 * (time.perf_counter() - begin):.1f} ms", end="")
        begin = time.perf_counter()
        for start in range(0, num_rows, 1 << 22):
            stream.slice(start, min(start + (1 << 22), num_rows))
        print(f", an epoch in {time.perf_counter() - begin:.1f} s")
    print(f"  most memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="*", default=[112_120, 1_000_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--huge", action="store_true")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    count, told = gestures(options.repeats, rng)
    print(f"median ms; {count[0]} label sets, {count[1]} patterns of ten clauses")
    for name, spent in told.items():
        print(f"  {name:52} {spent:9.3f}")
    for num_rows in options.rows:
        print(f"an epoch of {num_rows:,} draws")
        told = draw(num_rows, options.repeats, rng)
        base = told.get("list(WeightedRandomSampler)") or told["torch.multinomial"]
        for name, spent in told.items():
            print(f"  {name:30} {spent:9.1f} ms   {base / spent:6.1f}x")
    if options.huge:
        huge(rng, (0.002, 0.0128, 0.015, 0.0205))
        huge(rng, (0.3,) * 10)


if __name__ == "__main__":
    main()
