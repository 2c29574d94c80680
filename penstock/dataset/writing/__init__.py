"""The working head: buffered rows, drafts, groups, commits."""

from __future__ import annotations

__all__: list[str] = []
