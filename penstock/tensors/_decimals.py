"""Numbers of single precision as the short decimals they were made from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["decimals"]

_HUNDREDTHS = 100.0
_LARGEST = 9_999.0  # with two digits behind the point that is six digits, which single precision always keeps


def decimals(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the shortest decimal that single precision rounds to each value.

    Parameters
    ----------
    values : ndarray of float32
        Numbers, such as coordinates of boxes.

    Returns
    -------
    ndarray of float64, of the same shape
        A number that had at most six significant digits comes back as it was.

    Examples
    --------
    >>> decimals(np.array([473.07, 0.1], np.float32)).tolist()
    [473.07, 0.1]
    """
    single = np.asarray(values, np.float32)
    found: NDArray[np.float64] = np.round(single.astype(np.float64) * _HUNDREDTHS) / _HUNDREDTHS
    # dividing by a hundred gives the double nearest to the decimal, as reading its text does
    longer = ~((np.abs(single) <= _LARGEST) & (found.astype(np.float32) == single))
    found[longer] = single[longer].astype("U").astype(np.float64)
    return found
