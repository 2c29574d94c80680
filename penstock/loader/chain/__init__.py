"""The chained loader, its one-call form and its outputs."""

from __future__ import annotations

__all__: list[str] = []
