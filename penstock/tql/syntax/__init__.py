"""From text to a tree, and back."""

from __future__ import annotations

__all__: list[str] = []
