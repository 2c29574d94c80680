"""The chained loader: index stream, read, decode, transform, batch."""

from penstock.loader._audit import Audit
from penstock.loader._chain import Loader
from penstock.loader._one_call import one_call
from penstock.loader._sequential import SequentialSource
from penstock.loader._source import Drawn, DrawnSource, Source
from penstock.loader._stats import LoaderStats
from penstock.loader._weights import HasSampleWeights, Weights, class_counts, exact_plan, make_plan, spec_for

__all__ = [
    "Audit",
    "Drawn",
    "DrawnSource",
    "HasSampleWeights",
    "Loader",
    "LoaderStats",
    "SequentialSource",
    "Source",
    "Weights",
    "class_counts",
    "exact_plan",
    "make_plan",
    "one_call",
    "spec_for",
]
