"""Arrays of weights that the runs beside a dataset keep."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from penstock.errors import PenstockError
from penstock.signals import Runs
from penstock.table import Table

__all__ = ["kept_by_runs"]


def kept_by_runs(table: Table) -> Callable[[str], NDArray[np.float64] | None]:
    """Return what finds an array of weights by its SHA-256 in the runs beside a dataset, the newest first."""

    def kept(sha256: str) -> NDArray[np.float64] | None:
        runs = {} if table.location is None else Runs(table.location)
        for name in reversed(list(runs)):
            try:
                return runs[name].weights(sha256)
            except PenstockError:
                continue
        return None

    return kept
