"""The tensors that the features of a Hugging Face dataset become."""

from __future__ import annotations

import base64
import decimal
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from penstock.errors import ImporterError
from penstock.importers.columns._cells import plain_json
from penstock.importers.columns._labels import MISSING_LABEL, missing_note

__all__ = ["LabelReader", "Told", "feature_kind", "inner_feature", "is_unheld", "label_names", "told"]

_TEXT = ("string", "large_string", "string_view")
_NUMERIC = r"u?int\d+|float\d+|bool"
_EXACT_DIGITS = 15  # of a decimal: what a float64 holds
_UNHELD = ("Audio", "Video", "Pdf", "Nifti", "Mesh", "BioSequence", "BioStructure")

Feature = Any  # of the package datasets, which is not needed until a dataset is handed in


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Kind and options of a feature's tensor, and its samples.

    Parameters
    ----------
    htype : str
        Kind of tensor.
    turn : callable
        Value of a row to sample.
    options : dict
        Further options of `Dataset.create_tensor`.
    """

    htype: str
    turn: Callable[[Any], Any]
    options: dict[str, Any] = field(default_factory=dict)


def feature_kind(feature: Feature) -> str:
    """Return the name of a feature's class."""
    return type(feature).__name__


def inner_feature(feature: Feature) -> Feature:
    """Return the feature inside a list; any other feature unchanged."""
    if isinstance(feature, list) and len(feature) == 1:
        return feature[0]
    return getattr(feature, "feature", feature)


def is_unheld(feature: Feature) -> bool:
    """Return whether a feature contains values that no tensor can store: audio, video, lists of images."""
    if isinstance(feature, Mapping):
        return any(_has_media(entry) for entry in feature.values())
    inner = inner_feature(feature)
    return feature_kind(feature) in _UNHELD or (inner is not feature and _has_media(inner))


def _has_media(feature: Feature) -> bool:
    return feature_kind(feature) == "Image" or is_unheld(feature)


def label_names(feature: Feature) -> list[str] | None:
    """Return the class names of a class label or a list of them; None for anything else."""
    inner = inner_feature(feature)
    return list(inner.names or ()) if feature_kind(inner) == "ClassLabel" else None


class LabelReader:
    """Reads the labels of samples, where None and -1 are no labels, and counts the samples that have -1."""

    def __init__(self) -> None:
        self._rows: set[int] = set()

    def read(self, row: int, value: Any) -> list[int]:
        """Return the labels of a sample."""
        labels = value if isinstance(value, list | tuple | np.ndarray) else [value]
        known = [int(label) for label in labels if label is not None]
        if MISSING_LABEL in known:
            self._rows.add(row)
        return [label for label in known if label != MISSING_LABEL]

    def notes(self) -> tuple[str, ...]:
        """Return a note about the samples in which -1 was treated as no label."""
        return missing_note(len(self._rows))


def told(feature: Feature) -> Told:
    """Return what a feature that is no image, no class label and no objects becomes."""
    inner = inner_feature(feature)
    dtype = str(getattr(inner, "dtype", None))
    is_numeric = re.fullmatch(_NUMERIC, dtype) is not None
    if feature_kind(feature).startswith("Array") and is_numeric:
        return Told(htype="generic", turn=lambda value: _numbers(value, dtype), options={"dtype": dtype})
    if feature_kind(inner) != "Value":
        return Told(htype="json", turn=plain_json)
    if inner is not feature:
        numbers = Told(htype="generic", turn=lambda value: _numbers(value, dtype), options={"dtype": dtype})
        return numbers if is_numeric else Told(htype="json", turn=plain_json)
    return _told_value(dtype)


def _told_value(dtype: str) -> Told:
    """Return what a single value of a type becomes."""
    digits = re.fullmatch(r"decimal\d+\((\d+), ?-?\d+\)", dtype)
    if re.fullmatch(_NUMERIC, dtype):
        return Told(htype="generic", turn=lambda value: value, options={"dtype": dtype})
    if dtype.startswith("duration") or (digits is not None and int(digits[1]) <= _EXACT_DIGITS):
        return Told(htype="generic", turn=_as_float, options={"dtype": "float64"})
    if dtype in _TEXT or dtype.startswith(("timestamp", "date", "time", "decimal")) or dtype.endswith("binary"):
        return Told(htype="text", turn=_as_text)
    return Told(htype="json", turn=plain_json)


def _as_float(value: Any) -> float | None:
    if value is None:
        return None
    return float(value if isinstance(value, decimal.Decimal) else plain_json(value))


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


def _numbers(value: Any, dtype: str) -> Any:
    if value is None:
        return None
    if np.dtype(dtype).kind != "f" and isinstance(value, Sequence) and None in value:
        raise ImporterError(f"a list of {dtype} has a missing value: {repr(value)[:60]}. Expected numbers")
    return np.asarray(value, dtype)
