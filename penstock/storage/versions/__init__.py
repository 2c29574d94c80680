"""Commits, tags, branches and checksums."""

from __future__ import annotations

__all__: list[str] = []
