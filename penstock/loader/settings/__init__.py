"""The options of a loader, checked."""

from __future__ import annotations

__all__: list[str] = []
