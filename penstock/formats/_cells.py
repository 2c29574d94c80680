"""Values as cells of a CSV file."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["cell_text", "labels_text"]


def cell_text(value: Any) -> str:
    """Return a value as the text of a cell; lists and dictionaries as JSON.

    Examples
    --------
    >>> [cell_text(value) for value in (None, 1.0, 7, True, "a", [1, 2], np.float32(0.1))]
    ['', '1.0', '7', 'True', 'a', '[1, 2]', '0.1']
    """
    if isinstance(value, np.ndarray):
        value = value[()] if value.ndim == 0 else value.tolist()
    if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def labels_text(labels: Sequence[int], names: Sequence[str], separator: str | None) -> str:
    """Return labels as the text of a cell: their names, or their numbers if they have none.

    Examples
    --------
    >>> labels_text([1, 0], ["Mass", "Edema"], "|")
    'Edema|Mass'
    """
    return (separator or "|").join(names[label] if label < len(names) else str(label) for label in labels)
