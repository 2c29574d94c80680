"""Which files a source has."""

from __future__ import annotations

__all__: list[str] = []
