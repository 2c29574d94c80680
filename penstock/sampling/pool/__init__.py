"""Rows to draw from: labels, groups, strata and their statistics."""

from __future__ import annotations

__all__: list[str] = []
