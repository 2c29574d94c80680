"""The chained loader: index stream, read, decode, transform, batch."""

from penstock.loader.accounts._audit import Audit
from penstock.loader.accounts._stats import LoaderStats
from penstock.loader.chain._chain import Loader
from penstock.loader.sources._sequential import SequentialSource
from penstock.loader.sources._source import Drawn, DrawnSource, Source

__all__ = [
    "Audit",
    "Drawn",
    "DrawnSource",
    "Loader",
    "LoaderStats",
    "SequentialSource",
    "Source",
]
