"""What the grid shows of the pool: filter, order, selection."""

from __future__ import annotations

__all__: list[str] = []
