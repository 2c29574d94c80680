"""The edits of one sample, commit by commit."""

from __future__ import annotations

__all__: list[str] = []
