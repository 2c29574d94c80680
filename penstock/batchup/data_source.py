"""Data sources: mini-batches of arrays, functions, iterators and combinations of them.

`ArrayDataSource` yields batches of arrays, in order, shuffled, or as a sampler of `penstock.batchup.sampling` draws
them. `CompositeDataSource` and `ChoiceDataSource` combine sources, `MapDataSource` puts batches through a function.
"""

from penstock.batchup.reading._batches import ChoiceBatch
from penstock.batchup.reading._batches import length_of_batch as _length_of_batch
from penstock.batchup.reading._batches import trim_batch as _trim_batch
from penstock.batchup.reading._gathering import batch_map_concat, batch_map_mean
from penstock.batchup.sources._abstract import AbstractDataSource, MapDataSource
from penstock.batchup.sources._arrays import ArrayDataSource
from penstock.batchup.sources._choice import ChoiceDataSource
from penstock.batchup.sources._coerce import coerce_data_source
from penstock.batchup.sources._composite import CompositeDataSource
from penstock.batchup.sources._random_access import RandomAccessDataSource
from penstock.batchup.sources._samples import SampleDataSource
from penstock.batchup.sources._streams import CallableDataSource, IteratorDataSource

__all__ = [
    "AbstractDataSource",
    "ArrayDataSource",
    "CallableDataSource",
    "ChoiceBatch",
    "ChoiceDataSource",
    "CompositeDataSource",
    "IteratorDataSource",
    "MapDataSource",
    "RandomAccessDataSource",
    "SampleDataSource",
    "_length_of_batch",
    "_trim_batch",
    "batch_map_concat",
    "batch_map_mean",
    "coerce_data_source",
]
