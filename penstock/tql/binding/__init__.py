"""From the tree to typed expressions: rules for each kind of node."""

from __future__ import annotations

__all__: list[str] = []
