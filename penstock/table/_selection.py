"""Rows of one version, and how they were chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Selection"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Selection:
    """Rows of one version with their provenance.

    Parameters
    ----------
    rows : ndarray of int64, shape (num_samples,)
        Row numbers in `version`; order counts, repeats are allowed.
    version : str
        The version the rows belong to.
    query_string : str, optional
        The query that chose them.
    seed : int
        The seed it was run with.
    """

    rows: NDArray[np.int64]
    version: str
    query_string: str | None = None
    seed: int = 0

    def __len__(self) -> int:
        """Return the number of rows, repeats counted."""
        return len(self.rows)
