"""Rows in order and rows with equal values, by keys."""

from __future__ import annotations

__all__: list[str] = []
