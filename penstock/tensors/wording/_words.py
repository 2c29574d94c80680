"""A tensor's kind as a reader knows it."""

from __future__ import annotations

from penstock.tensors._spec import TensorSpec

__all__ = ["kind_in_words", "labels_in_words"]


def kind_in_words(spec: TensorSpec) -> str:
    """Return a tensor's kind, such as ``class label`` or ``image, linked``."""
    return spec.htype.replace("_", " ") + (", linked" if spec.link else "")


def labels_in_words(spec: TensorSpec) -> str:
    """Return how many labels a sample has, such as ``one per sample`` or ``1–5 per sample``; empty where unknown."""
    low, high = spec.length_min, spec.length_max
    if spec.htype != "class_label" or low is None or high is None:
        return ""
    return f"{'one' if high == 1 else high} per sample" if low == high else f"{low}–{high} per sample"
