"""From columns to a committed dataset, with a report."""

from __future__ import annotations

__all__: list[str] = []
