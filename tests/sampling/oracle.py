"""What a sampled pool should show, by fractions and by drawing: nothing here comes from the package.

A pool is a list of rows, each a dict of class -> instances, with a weight each; `identity` says which positions are
the same row. A deck is worked out as it is documented: strata of equal weight patterns, a queue of exact event times,
blocks of one epoch (sizes here are far below 65,536), each block shuffled or turned, each stratum dealt out in its order.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from fractions import Fraction

import numpy as np


class Pool:
    """Rows, weights, and which positions are the same row."""

    def __init__(self, rows, weights, identity, num_classes):
        self.rows, self.weights, self.identity, self.num_classes = rows, weights, identity, num_classes
        self.total = sum(map(Fraction, weights))

    def counts(self, unit):
        """Instances, or 1, of each class (row, class)."""
        table = np.zeros((len(self.rows), self.num_classes), np.int64)
        for place, row in enumerate(self.rows):
            for label, number in row.items():
                table[place, label] = number if unit == "instances" else 1
        return table

    def shares(self):
        return [Fraction(weight) / self.total for weight in self.weights]

    def chances_of_rows(self):
        """Probability that a draw is each distinct row."""
        chances = Counter()
        for number, share in zip(self.identity, self.shares(), strict=True):
            chances[number] += share
        return chances


def independent_mean(pool, unit, draws):
    counts = pool.counts(unit).tolist()
    return [
        draws * sum(share * row[label] for share, row in zip(pool.shares(), counts, strict=True))
        for label in range(pool.num_classes)
    ]


def independent_unique(pool, draws):
    return float(sum(1 - (1 - float(chance)) ** draws for chance in pool.chances_of_rows().values()))


def independent_epochs(pool, draws, num_epochs, rng):
    shares = np.array([float(share) for share in pool.shares()])
    return rng.choice(len(shares), size=(num_epochs, draws), p=shares)


def once_epochs(pool, size, draws, num_epochs, rng):
    weights = np.array(pool.weights, float)
    live = np.flatnonzero(weights)
    epochs = []
    for _ in range(num_epochs):
        keys = rng.exponential(size=len(live)) / weights[live]
        chosen = live[np.argsort(keys)[:size]]
        epochs.append(rng.permutation(chosen)[:draws])
    return np.array(epochs)


def step_of(length):
    """The number coprime to a length that is nearest to its golden section."""
    golden = round((math.sqrt(5) - 1) / 2 * length)
    near = (step for off in range(length + 1) for step in (golden - off, golden + off))
    return next(step for step in near if step >= 1 and math.gcd(step, length) == 1)


class Deck:
    """Dealt draws."""

    def __init__(self, pool, strata, size, interleave="shuffled"):
        self.pool, self.size, self.interleave = pool, size, interleave
        self.strata = [[place for place, own in enumerate(strata) if own == name] for name in sorted(set(strata))]
        self.masses = [sum((Fraction(pool.weights[place]) for place in rows), Fraction(0)) for rows in self.strata]
        self.blocks = []
        self._had = [0] * len(self.strata)
        self._queue = [(pool.total / (2 * mass), number) for number, mass in enumerate(self.masses) if mass]
        heapq.heapify(self._queue)

    def block(self, number):
        """Draws of each stratum in an epoch of the deck."""
        while len(self.blocks) <= number:
            given = [0] * len(self.strata)
            for _ in range(self.size):
                _, stratum = heapq.heappop(self._queue)
                given[stratum] += 1
                self._had[stratum] += 1
                due = (2 * self._had[stratum] + 1) * self.pool.total / (2 * self.masses[stratum])
                heapq.heappush(self._queue, (due, stratum))
            self.blocks.append(given)
        return self.blocks[number]

    def had(self, position):
        """Mean draws of each stratum before a position."""
        whole, rest = divmod(position, self.size)
        before = [sum(self.block(number)[s] for number in range(whole)) for s in range(len(self.strata))]
        if rest:
            before = [b + Fraction(rest, self.size) * c for b, c in zip(before, self.block(whole), strict=True)]
        return before

    def mean(self, unit, start, stop):
        counts = self.pool.counts(unit)
        drawn = [b - a for a, b in zip(self.had(start), self.had(stop), strict=True)]
        return [
            sum(
                Fraction(number) * int(counts[rows, label].sum()) / len(rows)
                for number, rows in zip(drawn, self.strata, strict=True)
            )
            for label in range(self.pool.num_classes)
        ]

    def _order(self, owners, rng):
        """The strata of a block, position by position."""
        if self.interleave == "shuffled":
            return rng.permutation(owners).tolist()
        slots = (np.arange(self.size) * step_of(self.size) + int(rng.integers(self.size))) % self.size
        return owners[slots].tolist()

    def draws(self, stop, rng):
        """Positions of the pool of the first draws, once."""
        deals = [iter(()) for _ in self.strata]
        found = []
        for number in range(-(-stop // self.size)):
            owners = np.repeat(np.arange(len(self.strata)), self.block(number))
            for stratum in self._order(owners, rng):
                row = next(deals[stratum], None)
                if row is None:
                    deals[stratum] = iter(rng.permutation(self.strata[stratum]).tolist())
                    row = next(deals[stratum])
                found.append(row)
        return np.array(found[:stop])
