"""What an image file is before it is decoded: its format, its modes, the memory it may take."""

from __future__ import annotations

__all__: list[str] = []
