"""Strata with the weights of a spec: what is drawn with which probability, and how many draws an epoch has."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError
from penstock.sampling.laws._repeats import folded_rows
from penstock.sampling.pool._groups import Groups
from penstock.sampling.pool._statistics import binned
from penstock.sampling.spec._combine import combined_weights, ineffective
from penstock.sampling.spec._count import checked_count
from penstock.sampling.spec._spec import SamplingSpec
from penstock.sampling.streams._once import inclusion
from penstock.sampling.streams._quotas import integer_masses

__all__ = ["Weighing"]

Floats = NDArray[np.float64]


class Weighing:
    """The weights of strata under a spec.

    Parameters
    ----------
    strata : Groups
        The pool in groups.
    spec : SamplingSpec
        The weights and the mode.
    """

    def __init__(self, strata: Groups, spec: SamplingSpec) -> None:
        self.strata = strata
        self.spec = spec

    @cached_property
    def weights(self) -> Floats:
        """Weight of a row of each stratum, float64 of shape (num_strata,)."""
        if self.strata.row_weights is not None:
            return self.strata.row_weights
        if not self.spec.clauses:
            return np.ones(self.strata.num_strata)
        return combined_weights(self.strata.matches, self.spec)

    @cached_property
    def total(self) -> float:
        """Sum of the weights of all rows."""
        with np.errstate(over="ignore"):
            masses = np.cumsum(self.weights * self.strata.sizes)
        return float(masses[-1]) if len(masses) else 0.0

    @cached_property
    def probabilities(self) -> Floats:
        """Probability that a draw is one certain row of each stratum, float64 of shape (num_strata,)."""
        total = self.total
        if not 0 < total < math.inf:
            self.check_drawable()
        return self.weights / total

    def check_drawable(self) -> None:
        """Raise if nothing can be drawn: no rows, no weight above 0, or weights beyond what a float64 holds."""
        if self.strata.num_rows == 0:
            raise SamplingError("the pool is empty, so nothing can be drawn", hint="loosen the query")
        if not math.isfinite(self.total):
            raise SamplingError(
                f"the weights add up to more than a float64 holds; the largest is {float(self.weights.max())!r}",
                hint="only ratios matter: divide all weights by the largest",
            )
        if not self.total > 0:
            raise SamplingError(
                f"all {self.strata.num_rows} samples have weight 0, so nothing can be drawn",
                hint="give at least one clause that matches a weight above 0, or add 'True: 1'",
            )

    @cached_property
    def num_drawable(self) -> int:
        """Distinct rows with a weight above 0."""
        folded = self.folded
        return int(folded.strata.sizes[folded.weights > 0].sum())

    @property
    def num_draws_asked(self) -> int:
        """Draws of an epoch as the spec has them: its size, else as many as the pool has rows."""
        return self.spec.size if self.spec.size is not None else self.strata.num_rows

    @cached_property
    def num_draws(self) -> int:
        """Draws of an epoch; without replacement at most the rows with a weight above 0."""
        asked = self.num_draws_asked
        return min(asked, int(self.strata.sizes[self.weights > 0].sum())) if self.spec.mode == "once" else asked

    def checked_draws(self, num_draws: int | None) -> int:
        """Return the draws delivered in an epoch, by default all; raise if there cannot be as many."""
        if num_draws is not None:
            num_draws = checked_count("num_draws", num_draws)
        if num_draws is not None and self.spec.mode == "once" and num_draws > self.num_draws:
            raise SamplingError(
                f"num_draws is {num_draws!r}; without replacement an epoch has {self.num_draws} draws",
                hint="draws that only fill the last batch of several processes are marked in 'valid', and not counted",
            )
        if not self.total > 0:
            self.check_drawable()
        return self.num_draws if num_draws is None else num_draws

    @property
    def effective_sample_size(self) -> float:
        """Kish's effective sample size over the distinct rows; 0 where all weights are 0."""
        folded = self.folded
        squares = float((folded.strata.sizes * folded.weights**2).sum())
        return self.total**2 / squares if squares else 0.0

    @cached_property
    def ineffective_clauses(self) -> tuple[int, ...]:
        """Numbers of the clauses without which every weight would be the same."""
        return () if self.strata.row_weights is not None else ineffective(self.strata.matches, self.spec)

    @cached_property
    def inclusion(self) -> Floats:
        """Probability that a row of each stratum is in an epoch without replacement, shape (num_strata,)."""
        return inclusion(self.strata.sizes, self.weights, self.num_draws)

    @cached_property
    def masses(self) -> NDArray[np.int64]:
        """Whole-number weights of the strata that a deck deals by, shape (num_strata of `dealt`,)."""
        return integer_masses(self.dealt.strata.sizes, self.dealt.weights)

    @cached_property
    def dealt(self) -> Weighing:
        """What a deck deals by: rows of nearly equal weights together where there are more than 4,096 weights."""
        strata = binned(self.strata) if self.spec.mode == "deck" else self.strata
        return self if strata is self.strata else Weighing(strata, self.spec)

    @cached_property
    def folded(self) -> Weighing:
        """The distinct rows, each with the summed weight of its positions; in a pass, how many positions it has."""
        if self.strata.identity is None:
            return self
        spec = self.spec.with_options(clauses=(), cap=None, mode="iid")
        return Weighing(folded_rows(self.strata, self.weights), spec)
