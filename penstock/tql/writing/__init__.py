"""Text of a query from its parts, and the text with a part changed."""

from __future__ import annotations

__all__: list[str] = []
