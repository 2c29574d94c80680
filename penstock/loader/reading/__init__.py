"""From rows to decoded samples."""

from __future__ import annotations

__all__: list[str] = []
