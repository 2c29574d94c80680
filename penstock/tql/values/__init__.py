"""Columns of values, the relations they belong to, and operators on them."""

from __future__ import annotations

__all__: list[str] = []
