"""Profiles of columns: how the values of a column are distributed, and the condition that selects a part of them."""

from __future__ import annotations

__all__: list[str] = []
