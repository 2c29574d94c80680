"""Epochs under way: the cursor, the batch maker, iterators, statistics, audits."""

from __future__ import annotations

__all__: list[str] = []
