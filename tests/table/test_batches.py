"""A column of lists that is read in batches is the one that is read whole."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from penstock.storage.reading._columns import flat_batches, flat_values


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize(
    "rows",
    [
        [[1], [2], [3]],
        [[], [], [4, 5]],  # nothing to tell from the first rows how many values there will be
        [[1, 2, 3], None, [], [4]],
        [None, None],
        [[7]] + [[1, 2, 3, 4]] * 20,
    ],
)
def test_batches_are_the_column_read_whole(rows, size):
    table = pa.table({"x": pa.array(rows, pa.list_(pa.int64()))})
    values, offsets, valid = flat_batches(table.to_batches(max_chunksize=size), len(rows))
    whole = flat_values(table["x"])
    assert values.tolist() == whole[0].tolist() == [one for row in rows for one in row or ()]
    assert offsets.tolist() == whole[1].tolist()
    assert (valid is None) == (whole[2] is None) == (None not in rows)
    assert valid is None or valid.tolist() == whole[2].tolist()
    assert not values.flags.writeable
    assert (values.dtype, offsets.dtype) == (whole[0].dtype, np.int64)
