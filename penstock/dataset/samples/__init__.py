"""Samples and tensors as a user reads them, and the content behind them."""

from penstock.dataset.samples._content import Content, content_of

__all__ = ["Content", "content_of"]
