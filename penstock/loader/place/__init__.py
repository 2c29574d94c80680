"""What a position in the stream determines: draws, random generators, saved state."""

from __future__ import annotations

__all__: list[str] = []
