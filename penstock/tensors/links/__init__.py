"""Links to files outside the dataset: their addresses, and what may be stored of them."""

from __future__ import annotations

__all__: list[str] = []
