"""Which tensor has the class labels that are counted."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.errors import DatasetError, TensorNotFoundError
from penstock.tensors._spec import TensorSpec

__all__ = ["label_tensor", "label_tensors"]


def label_tensors(tensors: Mapping[str, TensorSpec]) -> list[str]:
    """Return the names of the class label tensors, in order of creation."""
    return [name for name, spec in tensors.items() if spec.htype == "class_label"]


def label_tensor(tensors: Mapping[str, TensorSpec], asked: str | None = None) -> str | None:
    """Return the class label tensor that is counted: the one asked for, else the first; None where there is none.

    Raises
    ------
    TensorNotFoundError
        If there is no tensor of the name asked for.
    DatasetError
        If the tensor asked for has no class labels.
    """
    labels = label_tensors(tensors)
    if asked is None:
        return next(iter(labels), None)
    if asked not in tensors:
        raise TensorNotFoundError(asked, labels)
    if asked not in labels:
        expected = ", ".join(labels) or "this dataset has none"
        raise DatasetError(f"labels={asked!r}. Expected a class_label tensor: {expected}")
    return asked
