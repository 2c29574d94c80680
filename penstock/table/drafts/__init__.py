"""A stored version with uncommitted edits, and what differs between two states."""

from __future__ import annotations

__all__: list[str] = []
