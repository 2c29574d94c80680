"""Batches and tasks done ahead by threads or processes."""

from __future__ import annotations

__all__: list[str] = []
