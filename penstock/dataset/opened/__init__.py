"""An open dataset: its lock and listeners, and what edits, fills and reads it."""

from __future__ import annotations

__all__: list[str] = []
