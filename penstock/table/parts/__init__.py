"""Consecutive rows of a dataset's table, read by themselves."""

from __future__ import annotations

__all__: list[str] = []
