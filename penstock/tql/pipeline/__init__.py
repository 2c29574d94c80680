"""Queries as steps that run over a table."""

from __future__ import annotations

__all__: list[str] = []
