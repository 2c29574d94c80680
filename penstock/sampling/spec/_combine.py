"""Weights of strata out of the weights of clauses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.spec._spec import SamplingSpec

__all__ = ["combined_weights", "ineffective"]


def combined_weights(matches: NDArray[np.bool_], spec: SamplingSpec) -> NDArray[np.float64]:
    """Return the weight of each stratum, adding or multiplying clause after clause in their order, then capped."""
    return _combined(matches, np.array(spec.weights), spec)


def _combined(
    matches: NDArray[np.bool_], clause_weights: NDArray[np.float64], spec: SamplingSpec
) -> NDArray[np.float64]:
    if spec.combine == "product":
        weights = np.multiply.reduce(np.where(matches, clause_weights[:, None], 1.0), axis=0)
    elif spec.combine == "sum":
        weights = np.add.reduce(matches * clause_weights[:, None], axis=0)
    else:
        weights = np.maximum.reduce(matches * clause_weights[:, None], axis=0, initial=0.0)
    return np.asarray(weights if spec.cap is None else np.minimum(weights, spec.cap))


def ineffective(matches: NDArray[np.bool_], spec: SamplingSpec) -> tuple[int, ...]:
    """Return the clauses without which every weight would be the same."""
    clause_weights = np.array(spec.weights)
    weights = combined_weights(matches, spec)
    numbers = np.arange(len(clause_weights))
    return tuple(
        int(number)
        for number in numbers
        if np.array_equal(_combined(matches[numbers != number], clause_weights[numbers != number], spec), weights)
    )
