"""From the tree to typed expressions; the functions of the language."""

from __future__ import annotations

__all__: list[str] = []
