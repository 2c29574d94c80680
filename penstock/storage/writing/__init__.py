"""New versions, one step at a time."""

from __future__ import annotations

__all__: list[str] = []
