"""Samplers for a torch DataLoader."""

from __future__ import annotations

__all__: list[str] = []
