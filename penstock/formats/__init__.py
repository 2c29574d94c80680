"""What importers and exporters share of a format: XML, annotations of Pascal VOC, masks as PNG files."""

from __future__ import annotations

__all__: list[str] = []
