"""Random words, permutations and elementary distributions."""

from __future__ import annotations

__all__: list[str] = []
