"""What importers and exporters share of a format: lines of YOLO label files."""

from __future__ import annotations

__all__: list[str] = []
