"""The stream that draws by some weights."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.plan._weighing import Weighing
from penstock.sampling.streams._deck import DeckStream
from penstock.sampling.streams._draws import DrawStream
from penstock.sampling.streams._once import OnceStream
from penstock.sampling.streams._quotas import quotas
from penstock.sampling.streams._stream import IndexStream

__all__ = ["quotas_of", "stream_of"]


def stream_of(weighing: Weighing) -> IndexStream:
    """Return the stream of the mode; see `SamplingPlan.stream`."""
    probabilities, spec = weighing.probabilities, weighing.spec
    asked = weighing.num_draws_asked
    if spec.mode == "once" and weighing.num_draws < asked:
        warnings.warn(
            f"{asked} draws without replacement were asked for, but only {weighing.num_draws} samples have a weight "
            f"above 0: an epoch has {weighing.num_draws} draws",
            stacklevel=3,
        )
    common: dict[str, Any] = {"size": weighing.num_draws, "seed": spec.seed, "identity": spec.to_json}
    if spec.mode == "deck":
        dealt = weighing.dealt
        return DeckStream(dealt.strata, dealt.weights, interleave=spec.interleave, **common)
    if spec.mode == "once":
        return OnceStream(weighing.strata, weighing.weights, **common)
    return DrawStream(weighing.strata, probabilities, **common)


def quotas_of(weighing: Weighing, num_epochs: int) -> NDArray[np.int64]:
    """Return the draws a deck gives each stratum in each epoch; see `SamplingPlan.quotas`."""
    totals = quotas(weighing.masses, np.arange(num_epochs + 1) * weighing.num_draws)
    return np.diff(totals, axis=0)
