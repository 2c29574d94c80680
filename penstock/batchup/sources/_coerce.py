"""Whatever a user has, as a data source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock.batchup.reading._reading import is_array_like, is_sample_dataset
from penstock.batchup.sources._abstract import AbstractDataSource
from penstock.batchup.sources._arrays import ArrayDataSource
from penstock.batchup.sources._samples import SampleDataSource
from penstock.batchup.sources._streams import CallableDataSource, IteratorDataSource
from penstock.errors import DataSourceError, DataSourceTypeError

__all__ = ["coerce_data_source"]


def coerce_data_source(x: Any) -> AbstractDataSource:
    """Return a data source of what can be one.

    Parameters
    ----------
    x : AbstractDataSource, list or tuple of array_like, View, Dataset, iterator or callable
        A data source is returned as it is. Arrays, and views and datasets of penstock, become an `ArrayDataSource`,
        a map-style dataset of torch a `SampleDataSource`, an iterator an `IteratorDataSource`, a function a
        `CallableDataSource`.

    Returns
    -------
    AbstractDataSource

    Raises
    ------
    DataSourceTypeError
        If `x` is none of these.
    DataSourceError
        If it is an empty list.

    Examples
    --------
    >>> import numpy as np
    >>> coerce_data_source([np.arange(3)]).num_samples()
    3
    """
    if isinstance(x, AbstractDataSource):
        return x
    if isinstance(x, list | tuple):
        return _of_arrays(x)
    if type(x).__module__.startswith("penstock.dataset."):
        return ArrayDataSource([x])
    if is_sample_dataset(x):
        return SampleDataSource(x)
    if isinstance(x, Iterator):
        return IteratorDataSource(x)
    if callable(x):
        return CallableDataSource(x)
    raise DataSourceTypeError(
        f"a {type(x).__name__} is not a data source. "
        "Expected a list of arrays, an iterator, a function or a data source",
        hint="use [x] for a single array" if is_array_like(x) else None,
    )


def _of_arrays(x: list[Any] | tuple[Any, ...]) -> ArrayDataSource:
    if not x:
        raise DataSourceError("an empty sequence is not a data source. Expected at least one array")
    return ArrayDataSource(list(x))
