"""Numbers per sample that training reported, and which of them are older than the labels."""

from __future__ import annotations

__all__: list[str] = []
