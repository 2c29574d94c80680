"""Files of samples written apart, by any process that reaches the dataset; a later step names them all at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from penstock.storage._location import Location
from penstock.storage._wrap import wrapped
from penstock.storage.reading._columns import table_of
from penstock.storage.writing._steps import ROWS_PER_FILE
from penstock.tensors import Cell, TensorSpec

if TYPE_CHECKING:
    import lance

__all__ = ["Rows", "from_texts", "write_rows"]

Rows = tuple[NDArray[np.int64], Mapping[TensorSpec, Sequence[Cell]]]
"""Identities, and the samples of each tensor."""


def write_rows(location: Location, rows: Iterator[Rows], specs: Sequence[TensorSpec]) -> list[str]:
    """Write samples to files of a dataset that exists; no version has them until a step names what this returns.

    Parameters
    ----------
    location : Location
        The dataset, whose columns have been added.
    rows : iterator of (ndarray, mapping)
        A few samples at a time.
    specs : sequence of TensorSpec
        The tensors.

    Returns
    -------
    list of str
        The files, for `Store.append_files`.
    """
    import lance
    import pyarrow as pa

    schema = table_of(np.empty(0, np.int64), {spec: [] for spec in specs}).schema

    tables = (table_of(uids, {spec: columns[spec] for spec in specs}) for uids, columns in rows if len(uids))
    first = next(tables, None)
    if first is None:
        return []
    batches = (batch for table in chain([first], tables) for batch in table.to_batches())
    reader = pa.RecordBatchReader.from_batches(schema, batches)
    with wrapped(f"write samples of {location.path!r}"):
        handle = lance.dataset(location.samples_uri, storage_options=location.engine_options())
        fragments = lance.fragment.write_fragments(
            reader, handle, mode="append", max_rows_per_file=ROWS_PER_FILE, data_storage_version="2.2"
        )
    return [json.dumps(fragment.to_json()) for fragment in fragments]


def from_texts(files: Sequence[str]) -> list[lance.FragmentMetadata]:
    """Return the engine's description of files that `write_rows` wrote."""
    from lance.fragment import FragmentMetadata

    return [FragmentMetadata.from_json(file) for file in files]
