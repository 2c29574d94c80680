"""Datasets, histories and differences as text, HTML and pandas."""

from __future__ import annotations

__all__: list[str] = []
