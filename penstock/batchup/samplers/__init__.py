"""Which samples make up each batch."""

from __future__ import annotations

__all__: list[str] = []
