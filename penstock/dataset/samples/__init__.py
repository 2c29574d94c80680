"""One sample, one tensor, and the rows a user names."""

from __future__ import annotations

__all__: list[str] = []
