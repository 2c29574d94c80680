"""The arrays that travel to the browser."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.sampling._grouped import GroupedRows

__all__ = ["statistics"]


def statistics(strata: GroupedRows) -> dict[str, NDArray[Any]]:
    """Return the arrays of strata; see `SamplingPlan.statistics`."""
    owners, clauses = np.nonzero(strata.matches.T)
    sums = strata.class_sums
    arrays: dict[str, NDArray[Any]] = {
        "sizes": strata.sizes.astype(np.float64),
        "clause_offsets": np.searchsorted(owners, np.arange(strata.num_strata + 1)).astype(np.int32),
        "clause_ids": clauses.astype(np.int32),
        "class_offsets": sums.offsets,
        "class_ids": sums.classes,
        "rows_with_class": sums.rows_with_class,
        "instances": sums.instances,
        "instances_squared": sums.instances_squared,
    }
    if strata.row_weights is not None:
        arrays["weights"] = strata.row_weights
    return arrays
