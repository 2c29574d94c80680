"""What importers and exporters share of a format: lines of YOLO label files, run-length encodings."""

from __future__ import annotations

__all__: list[str] = []
