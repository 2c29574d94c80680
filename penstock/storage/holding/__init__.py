"""Who may change the uncommitted edits of a branch: one process at a time, and none that has ended."""

from __future__ import annotations

__all__: list[str] = []
