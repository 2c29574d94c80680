"""Outlines, masks and keypoints of samples, as the browser draws them."""

from __future__ import annotations

__all__: list[str] = []
