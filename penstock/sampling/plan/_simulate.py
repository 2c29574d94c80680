"""Monte Carlo from the real stream: what the closed forms forecast, drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import MissingDependencyError
from penstock.sampling.pool._build import first_positions
from penstock.sampling.pool._groups import Groups
from penstock.sampling.random._philox import SIMULATE, words
from penstock.sampling.spec._count import checked_count
from penstock.sampling.streams._stream import IndexStream

__all__ = ["Progress", "Simulation", "simulate"]

Progress = Callable[[int, int], None]

_MAX_TIMES = 4096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simulation:
    """Runs of a plan, each with a seed of its own.

    Parameters
    ----------
    class_names : tuple of str
        The classes; empty without labels.
    unique : ndarray of int64, shape (num_runs, num_epochs)
        Distinct samples seen by the end of each epoch.
    instances, samples : ndarray of int64, shape (num_runs, num_classes)
        Instances of each class, and draws that have it, in the first epoch.
    times_seen : ndarray of float64, shape (num_classes, max_times + 1)
        Share of the samples of each class seen at most ``k`` times by the end, over all runs.
    num_drawable : int
        Samples with a weight above 0.
    """

    class_names: tuple[str, ...]
    unique: NDArray[np.int64]
    instances: NDArray[np.int64]
    samples: NDArray[np.int64]
    times_seen: NDArray[np.float64]
    num_drawable: int

    @property
    def epochs_until_all(self) -> NDArray[np.float64]:
        """Epoch by whose end every drawable sample was seen, infinite where it was not; shape (num_runs,)."""
        done = self.unique >= self.num_drawable
        return np.where(done.any(axis=1), done.argmax(axis=1) + 1.0, np.inf)

    def to_pandas(self) -> Any:
        """Return a DataFrame of distinct samples: one row per run, one column per epoch."""
        import pandas as pd

        columns = pd.RangeIndex(1, self.unique.shape[1] + 1, name="epoch")
        return pd.DataFrame(self.unique, columns=columns).rename_axis(index="run")


def simulate(
    strata: Groups,
    stream_of: Callable[[int], IndexStream],
    *,
    num_epochs: int,
    num_runs: int,
    seed: int,
    num_drawable: int,
    progress: Progress | bool | None,
) -> Simulation:
    """Return runs of the streams of `stream_of`; see `SamplingPlan.simulate`."""
    num_epochs, num_runs = checked_count("num_epochs", num_epochs), checked_count("num_runs", num_runs)
    tally = _Tally(strata, num_runs, num_epochs)
    seeds = words(seed, (SIMULATE, 0, 0), 0, num_runs).tolist()
    with _reporting(progress, num_runs * num_epochs) as report:
        for run, own in enumerate(seeds):
            _run(tally, stream_of(own), run, report)
    return Simulation(
        class_names=strata.labels.class_names if strata.labels else (),
        unique=tally.unique,
        instances=tally.instances,
        samples=tally.samples,
        times_seen=tally.cdf(),
        num_drawable=num_drawable,
    )


class _Tally:
    """Counts of all runs."""

    def __init__(self, strata: Groups, num_runs: int, num_epochs: int) -> None:
        self.labels = strata.labels
        self.identity = strata.identity
        self.distinct = self.labels
        if self.identity is not None and self.labels is not None:
            self.distinct = self.labels.take(first_positions(self.identity))
        num_classes = self.labels.num_classes if self.labels else 0
        self.num_rows = strata.num_rows
        self.unique = np.zeros((num_runs, num_epochs), np.int64)
        self.instances = np.zeros((num_runs, num_classes), np.int64)
        self.samples = np.zeros((num_runs, num_classes), np.int64)
        self.seen = np.zeros((num_classes, 1), np.int64)

    def of_rows(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how often each distinct row was drawn."""
        return times if self.identity is None else np.bincount(self.identity, times).astype(np.int64)

    def classes(self, run: int, times: NDArray[np.int64]) -> None:
        """Count the classes of the first epoch."""
        if self.labels is None:
            return
        rows, classes, counts = self.labels.entries
        drawn = times[rows]
        count = self.labels.num_classes
        self.samples[run] = np.bincount(classes, drawn, count)
        self.instances[run] = self.samples[run] if counts is None else np.bincount(classes, drawn * counts, count)

    def ends(self, times: NDArray[np.int64]) -> None:
        """Count how often the samples of each class were seen by the end of a run."""
        if self.labels is None or self.distinct is None:
            return
        rows, classes, _ = self.distinct.entries
        often = np.minimum(times[rows], _MAX_TIMES)
        width = max(self.seen.shape[1], int(often.max(initial=0)) + 1)
        joint = classes.astype(np.int64) * width + often
        # the table grows with the largest count so far; earlier runs are added into its left part
        counts = np.bincount(joint, minlength=self.labels.num_classes * width).reshape(-1, width)
        counts[:, : self.seen.shape[1]] += self.seen
        self.seen = counts

    def cdf(self) -> NDArray[np.float64]:
        """Return the distribution functions of times seen."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.cumsum(self.seen, axis=1) / self.seen.sum(axis=1, keepdims=True))


def _run(tally: _Tally, stream: IndexStream, run: int, report: Callable[[], None]) -> None:
    times = np.zeros(tally.num_rows, np.int64)
    for epoch in range(tally.unique.shape[1]):
        times += np.bincount(stream.epoch(epoch), minlength=tally.num_rows)
        if epoch == 0:
            tally.classes(run, times)
        tally.unique[run, epoch] = np.count_nonzero(tally.of_rows(times))
        report()
    tally.ends(tally.of_rows(times))


@contextmanager
def _reporting(progress: Progress | bool | None, total: int) -> Iterator[Callable[[], None]]:
    """Give a function to call after each epoch: nothing, the caller's, or a progress bar."""
    if progress is True:
        with _bar(total) as bar:
            yield bar.update
        return
    done = 0

    def report() -> None:
        nonlocal done
        done += 1
        if callable(progress):
            progress(done, total)

    yield report


def _bar(total: int) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise MissingDependencyError("progress=True needs tqdm", hint="pip install tqdm") from error
    return tqdm(total=total, desc="simulating", unit="epoch")
