"""Kinds of tensor and their codecs."""

from penstock.tensors._spec import HTYPES, Htype, TensorSpec

__all__ = ["HTYPES", "Htype", "TensorSpec"]
