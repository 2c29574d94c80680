"""One version of a dataset, read."""

from __future__ import annotations

__all__: list[str] = []
