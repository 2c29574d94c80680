"""Which row each position of a stream draws, for every mode."""

from __future__ import annotations

__all__: list[str] = []
