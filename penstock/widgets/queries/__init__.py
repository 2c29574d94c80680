"""The query that ran, what it ran on, and the weights it names."""

from __future__ import annotations

__all__: list[str] = []
