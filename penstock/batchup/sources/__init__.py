"""Data sources of arrays, functions, iterators and combinations of them."""

from __future__ import annotations

__all__: list[str] = []
