"""Annotated images of any format, judged and written."""

from __future__ import annotations

__all__: list[str] = []
