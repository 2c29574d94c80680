"""What importers and exporters share of a format: XML and VOC, masks as PNG files, YOLO lines, run-length encodings."""

from __future__ import annotations

__all__: list[str] = []
