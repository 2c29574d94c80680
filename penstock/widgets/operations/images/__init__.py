"""Operations that answer with images: tiles, thumbnails, samples."""

from __future__ import annotations

__all__: list[str] = []
