"""What is to be sampled: clauses with weights, how they combine, and presets."""

from __future__ import annotations

__all__: list[str] = []
