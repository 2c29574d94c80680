"""Values of tensors as the values of Hugging Face features that they were made from."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["plain", "restored"]

Feature = Any  # of the package datasets


def restored(feature: Feature, value: Any) -> Any:
    """Return the value of a feature that a stored value stands for.

    Parameters
    ----------
    feature : Feature
        Of the package datasets.
    value : object
        As its tensor has it: numbers, text or JSON.
    """
    value = plain(value)
    if value is None:
        return None
    if isinstance(feature, Mapping):
        known = value if isinstance(value, Mapping) else {}
        return {name: restored(one, known.get(name)) for name, one in feature.items()}
    inner = feature[0] if isinstance(feature, list) else getattr(feature, "feature", None)
    if inner is not None:
        if isinstance(value, Mapping):  # a list of dictionaries that is kept as a dictionary of lists
            return {name: [restored(inner[name], one) for one in values] for name, values in value.items()}
        return [restored(inner, one) for one in value]
    turn = _turn(str(getattr(feature, "dtype", "")))
    return value if turn is None else turn(value)


def plain(value: Any) -> Any:
    """Return a value without types of numpy."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else value


def _turn(dtype: str) -> Callable[[Any], Any] | None:
    """Return what makes a value of a type of the value that stands for it; None if that is the value itself."""
    if dtype.endswith("binary") or dtype == "binary_view":
        return base64.b64decode
    found: dict[str, Callable[[Any], Any]] = {"timestamp[ns]": _nanosecond, "duration[ns]": _nanoseconds}
    kind = re.match("[a-z]*", dtype)
    return found.get(dtype, _TURNS.get(kind[0] if kind else ""))


def _timestamp(text: str) -> Any:
    import pandas as pd

    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return pd.Timestamp(text)


def _nanosecond(text: str) -> np.datetime64:
    return np.datetime64(text, "ns")


def _nanoseconds(seconds: float) -> np.timedelta64:
    return np.timedelta64(round(seconds * 1e9), "ns")


_TURNS: Mapping[str, Callable[[Any], Any]] = {
    "timestamp": _timestamp,
    "date": lambda value: dt.date.fromisoformat(value[:10]),
    "time": dt.time.fromisoformat,
    "duration": lambda value: dt.timedelta(seconds=value),
    "decimal": lambda value: decimal.Decimal(value if isinstance(value, str) else repr(value)),
}
