"""JPEG, PNG and WebP, each decoded in its own way."""

from __future__ import annotations

__all__: list[str] = []
