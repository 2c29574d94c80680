"""How many samples training will have seen: those it has, and of the others what the weights of now promise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.sampling import SamplingPlan

__all__ = ["promised_coverage"]

_Z95 = 1.959963984540054


def promised_coverage(
    plan: SamplingPlan, unseen: NDArray[np.int64], draws: NDArray[np.int64]
) -> dict[str, list[float]] | None:
    """Return the samples seen after some more independent draws, with a band; None for other modes.

    A sample that was not seen stays so with probability ``(1 - p) ** draws``; those that were are counted as they are.

    Parameters
    ----------
    plan : SamplingPlan
        The weights of now.
    unseen : ndarray of int64, shape (num_strata,)
        Samples of each stratum that were not drawn yet.
    draws : ndarray of int64, shape (num_points,)
        How many draws are to come.
    """
    strata = plan.strata
    if plan.spec.mode != "iid" or strata.identity is not None or not plan.total_weight > 0:
        return None
    chance = np.asarray(plan.probabilities, float)
    with np.errstate(divide="ignore"):
        stays: Any = np.exp(np.outer(draws, np.log1p(-np.minimum(chance, 1.0))))
    stays = np.where((draws == 0)[:, None], 1.0, stays)
    mean = stays @ unseen
    spread = (stays * (1 - stays)) @ unseen - draws * ((stays * chance) @ unseen) ** 2
    half = _Z95 * np.sqrt(np.maximum(spread, 0.0))
    total, left = float(strata.num_rows), float(unseen.sum())
    return {
        "seen": _short(total - mean),
        "low": _short(np.maximum(total - mean - half, total - left)),
        "high": _short(np.minimum(total - mean + half, total)),
    }


def _short(values: NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.6g}") for value in values]
