"""From samples to batches: transforms, collation, tensors."""

from __future__ import annotations

__all__: list[str] = []
