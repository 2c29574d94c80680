"""What a loader draws from: datasets, weights, sequential sources."""

from __future__ import annotations

__all__: list[str] = []
