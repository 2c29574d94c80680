"""Which rows, how often; numpy only, usable without a dataset."""

from penstock.sampling._coverage import Coverage, TimesSeen
from penstock.sampling._histogram import Histogram
from penstock.sampling._labels import ClassCounts
from penstock.sampling._philox import fresh_seed
from penstock.sampling._plan import SamplingPlan, Strata
from penstock.sampling._spec import Clause, SamplingSpec
from penstock.sampling._stream import IndexStream, SequentialStream, ShuffledStream

__all__ = [
    "ClassCounts",
    "Clause",
    "Coverage",
    "Histogram",
    "IndexStream",
    "SamplingPlan",
    "SamplingSpec",
    "SequentialStream",
    "ShuffledStream",
    "Strata",
    "TimesSeen",
    "fresh_seed",
]
