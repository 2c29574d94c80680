"""Epochs under way: prefetching, engines, statistics, audits."""

from __future__ import annotations

__all__: list[str] = []
