"""Samples by index, and batches of any structure."""

from __future__ import annotations

__all__: list[str] = []
