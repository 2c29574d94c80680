"""What a browser can ask for."""

from __future__ import annotations

__all__: list[str] = []
