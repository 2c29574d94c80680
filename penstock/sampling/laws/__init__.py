"""Closed forms of what will be drawn: counts, bands, times seen, coverage."""

from __future__ import annotations

__all__: list[str] = []
